# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Azimuth, elevation and tilt: against yaw, pitch and roll, and where those fail."""

import numpy as np
import pytest

from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.heading import heading_angles
from headpose_ros.geometry.rotations import matrix_from_vector


def test_for_small_angles_they_are_yaw_pitch_and_roll():
    yaw, pitch, roll = np.random.default_rng(0).uniform(-0.01, 0.01, (3, 100))
    found = heading_angles(matrix_from_euler(yaw, pitch, roll))
    np.testing.assert_allclose(found, [yaw, pitch, roll], atol=2e-4)


@pytest.mark.parametrize('degrees', [-89, -40, 0, 25, 89])
def test_alone_each_is_exactly_that(degrees):
    angle = np.radians(degrees)
    for i in range(3):
        alone = [0.0, 0.0, 0.0]
        alone[i] = angle
        np.testing.assert_allclose(heading_angles(matrix_from_euler(*alone)), alone, atol=1e-12)


def test_azimuth_and_elevation_are_the_direction_of_the_nose():
    rotations = matrix_from_vector(np.random.default_rng(1).normal(0, 2, (200, 3)))
    azimuth, elevation, _ = heading_angles(rotations)
    nose = np.stack(
        [
            -np.sin(azimuth) * np.cos(elevation),
            -np.sin(elevation),
            -np.cos(azimuth) * np.cos(elevation),
        ],
        axis=-1,
    )
    np.testing.assert_allclose(nose, rotations[..., 0], atol=1e-12)


def test_the_three_give_the_rotation_back():
    rotations = matrix_from_vector(np.random.default_rng(2).normal(0, 2, (200, 3)))
    azimuth, elevation, tilt = heading_angles(rotations)
    zero = np.zeros_like(azimuth)
    # An upright head turned about the vertical, nodded and leant, each about its own axes.
    built = (
        matrix_from_vector(np.stack([zero, azimuth, zero], -1))
        @ matrix_from_vector(np.stack([-elevation, zero, zero], -1))
        @ matrix_from_vector(np.stack([zero, zero, tilt], -1))
        @ matrix_from_euler(0.0, 0.0, 0.0)
    )
    np.testing.assert_allclose(built, rotations, atol=1e-12)


def test_they_are_calm_through_profiles_until_the_back():
    """A head that turns right round with its nose a little up: yaw, pitch and roll jump."""
    turns = np.radians(np.arange(-179, 180))
    nod, lean = matrix_from_vector([-0.1, 0, 0]), matrix_from_vector([0, 0, 0.05])
    about = matrix_from_vector(np.stack([0 * turns, turns, 0 * turns], -1))
    azimuth, elevation, tilt = heading_angles(about @ nod @ lean @ matrix_from_euler(0, 0, 0))
    np.testing.assert_allclose(azimuth, turns, atol=1e-12)
    np.testing.assert_allclose(elevation, 0.1, atol=1e-12)
    np.testing.assert_allclose(tilt, 0.05, atol=1e-12)


def test_signs():
    left = heading_angles(matrix_from_euler(np.radians(30), 0, 0))
    assert matrix_from_euler(np.radians(30), 0, 0)[0, 0] < 0  # the nose points to the image's left
    assert left[0] > 0
    up = matrix_from_euler(0, 0.3, 0)
    assert up[1, 0] < 0
    assert heading_angles(up)[1] > 0
    clockwise = matrix_from_euler(0, 0, 0.3)
    assert clockwise[0, 2] > 0  # the top of the head to the image's right
    assert heading_angles(clockwise)[2] > 0


@pytest.mark.parametrize('pitch', [-np.pi / 2, np.pi / 2])
def test_a_nose_straight_up_or_down_has_finite_angles(pitch):
    rotation = matrix_from_euler(0.0, pitch, 0.0)
    azimuth, elevation, tilt = heading_angles(rotation)
    assert np.isfinite(tilt)
    assert elevation == pytest.approx(pitch)
    assert abs(azimuth) < np.pi


def test_a_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r'rotations: expected shape \(..., 3, 3\)'):
        heading_angles(np.eye(2))
