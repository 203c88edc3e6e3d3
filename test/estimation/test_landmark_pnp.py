# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headpose_ros.estimation.landmark_points import MEAN_HEAD
from headpose_ros.estimation.pnp import place, solve_pnp
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.rotations import geodesic_distance


def seen(rotation, sellion, scale=1.0):
    points = scale * MEAN_HEAD @ rotation.T + sellion
    return (points[:, :2] / points[:, 2:])[None]


angle = st.floats(-0.9, 0.9)


@settings(max_examples=40, deadline=None)
@given(angle, angle, angle, st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.floats(0.35, 5.0))
def test_pose_of_the_mean_head_is_recovered(yaw, pitch, roll, x, y, z):
    rotation, sellion = matrix_from_euler(yaw, pitch, roll), np.array([x * z, y * z, z])
    found, where = solve_pnp(seen(rotation, sellion))
    assert geodesic_distance(found[0], rotation) < 1e-3
    assert where[0] == pytest.approx(sellion, rel=1e-3, abs=1e-3)
    assert place(seen(rotation, sellion), rotation[None])[0] == pytest.approx(sellion, abs=1e-6)


@pytest.mark.parametrize('z', [8.0, 40.0, 219.0, 1e4])
def test_a_head_may_be_far_or_be_told_to_span_next_to_nothing(z):
    rotation, sellion = matrix_from_euler(0.7, -0.3, 0.2), np.array([0.05, -0.02, z])
    found, where = solve_pnp(seen(rotation, sellion))
    assert geodesic_distance(found[0], rotation) < 1e-5
    assert where[0] == pytest.approx(sellion, rel=1e-4)
    assert place(seen(rotation, sellion), rotation[None])[0] == pytest.approx(sellion, rel=1e-4)


def test_larger_heads_seem_nearer():
    rotation, sellion = matrix_from_euler(0.2, 0.1, 0.0), np.array([0.0, 0.0, 1.1])
    assert place(seen(rotation, sellion, 1.1), rotation[None])[0, 2] == pytest.approx(1.0)


def test_landmarks_of_no_face_still_give_a_pose_in_front():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(0, 0.2, (5, 68, 2)), np.zeros((1, 68, 2))])
    rotations, sellions = solve_pnp(points)
    assert np.isfinite(rotations).all()
    assert (np.linalg.norm(sellions, axis=1) > 0.2).all()
