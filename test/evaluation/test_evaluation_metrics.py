# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from headpose_ros.evaluation import metrics
from headpose_ros.geometry.euler import matrix_from_euler

DEG = np.pi / 180


def rotations(*degrees):
    return np.stack([matrix_from_euler(*(np.array(one) * DEG)) for one in degrees])


def test_angle_errors_by_hand():
    truth = rotations((10, 20, 30), (-40, 0, 5))
    estimate = rotations((12, 17, 30), (-40, -4, 11))
    expected = np.array([[2, 3, 0], [0, 4, 6]])
    assert np.rad2deg(metrics.angle_errors(estimate, truth)) == pytest.approx(expected, abs=1e-9)


def test_roll_error_wraps_at_half_a_turn():
    errors = metrics.angle_errors(rotations((0, 0, 179)), rotations((0, 0, -179)))
    assert np.rad2deg(errors[0]) == pytest.approx([0, 0, 2], abs=1e-9)


def test_profile_seen_from_just_behind_is_two_degrees_off():
    errors = metrics.angle_errors(rotations((91, 3, 5)), rotations((89, 3, 5)))
    assert np.rad2deg(errors[0]) == pytest.approx([2, 0, 0], abs=1e-9)


def test_constant_rotation_of_the_face_frame_is_recovered():
    truth = Rotation.random(40, random_state=3).as_matrix()
    constant = Rotation.from_rotvec([0.02, -0.05, 0.1]).as_matrix()
    assert metrics.fit_constant_rotation(truth @ constant, truth) == pytest.approx(constant)
    assert metrics.aligned_geodesic(truth @ constant, truth) == pytest.approx(0, abs=1e-7)


def test_constant_rotation_of_the_camera_frame_is_no_alignment():
    truth = Rotation.random(200, random_state=5).as_matrix()
    turned = Rotation.from_rotvec([0, 0.2, 0]).as_matrix() @ truth
    assert metrics.aligned_geodesic(turned, truth).mean() > 0.15


def test_rings_by_hand():
    rings = metrics.by_angle(
        np.array([1, 9.999, 25, 10.0]) * DEG, np.array([1, 2, 5, 4]) * DEG,
        np.array([1, 1, 3, 3]) * DEG,
    )  # fmt: skip
    assert rings == [
        {'lo': 0, 'hi': 10, 'count': 1, 'geodesic_deg': 1, 'geodesic_aligned_deg': 1},
        {'lo': 10, 'hi': 20, 'count': 2, 'geodesic_deg': 3, 'geodesic_aligned_deg': 2},
        {'lo': 20, 'hi': 30, 'count': 1, 'geodesic_deg': 5, 'geodesic_aligned_deg': 3},
    ]


def test_summary_by_hand():
    values = np.arange(11.0)
    assert metrics.summary(values, ('mean', 'p90')) == {'mean': 5.0, 'p90': 9.0}
    assert metrics.summary(np.array([1.0, 2.0, 9.0]), ('median',)) == {'median': 2.0}


def test_calibration_by_hand():
    truth = np.tile(np.eye(3), (2, 1, 1))
    estimate = Rotation.from_rotvec([[0.1, 0, 0], [0, 0, -0.3]]).as_matrix()
    found = metrics.calibration(estimate, truth, np.full((2, 3), 0.2))
    assert found == {
        'z_rms': pytest.approx(np.sqrt((0.25 + 2.25) / 6), abs=1e-4),
        'within_1': pytest.approx(5 / 6, abs=1e-4),
        'within_2': 1.0,
    }


def test_calibration_of_unknown_sigma_is_none():
    nothing = np.full((1, 3), np.nan)
    assert metrics.calibration(np.eye(3)[None], np.eye(3)[None], nothing) is None
