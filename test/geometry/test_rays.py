# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Angles between rays."""

import numpy as np
import pytest

from headpose_ros.geometry.rays import angle_between, angle_of_pair, off_axis_angle

RNG = np.random.default_rng(3)


def pairs_apart(angles):
    """Return rays (N,3) and (N,3), of random lengths, with these angles (N,) between them."""
    turned = np.array([np.linalg.qr(RNG.normal(size=(3, 3)))[0] for _ in angles])
    a, across = turned[:, 0], turned[:, 1]
    b = np.cos(angles)[:, None] * a + np.sin(angles)[:, None] * across
    lengths = RNG.uniform(0.1, 10.0, (2, len(angles), 1))
    return a * lengths[0], b * lengths[1]


@pytest.mark.parametrize('scale', [1e-9, 1e-4, 1.0])
def test_angles_keep_their_digits_near_0_and_pi(scale):
    small = RNG.uniform(0.1, 1.0, 50) * scale
    for angles in (small, np.pi - small):
        a, b = pairs_apart(angles)
        found = angle_between(a, b)
        assert np.abs(found - angles).max() < 1.5e-15
        for one, other, angle in zip(a, b, found, strict=True):
            assert angle_of_pair(one, other) == pytest.approx(angle, rel=1e-12, abs=1e-15)


def test_angles_broadcast():
    a, b = RNG.normal(size=(4, 1, 3)), RNG.normal(size=(5, 3))
    found = angle_between(a, b)
    assert found.shape == (4, 5)
    assert found[2, 3] == pytest.approx(angle_of_pair(a[2, 0], b[3]))
    assert float(angle_between([1, 0, 0], [0, 2, 0])) == pytest.approx(np.pi / 2)
    assert angle_between(np.empty((0, 3)), [0, 0, 1]).shape == (0,)


def test_off_axis_angle():
    rays = [[0, 0, 2.0], [1, 0, 1], [0, 3, 0], [0, 0, -1]]
    assert off_axis_angle(rays) == pytest.approx([0, np.pi / 4, np.pi / 2, np.pi])
    assert off_axis_angle(rays) == pytest.approx(angle_between(rays, [0, 0, 1]))
