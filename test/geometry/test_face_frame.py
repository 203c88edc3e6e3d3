# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Euler angles and the face frame, checked by what an onlooker would see."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headpose_ros.geometry import CameraModel
from headpose_ros.geometry import face_frame as ff
from headpose_ros.geometry.euler import euler_from_matrix, matrix_from_euler
from headpose_ros.geometry.face_frame import FACE_SPHERE_RADIUS
from headpose_ros.geometry.rotations import geodesic_distance

CAMERA = CameraModel.from_fov(640, 480, 1.0)
NOSE_TIP = np.array([0.03, 0.0, -0.04])
CROWN = np.array([-0.08, 0.0, 0.12])
LEFT_EAR = np.array([-0.09, 0.075, -0.03])
ANGLE = st.floats(-np.pi, np.pi)


def seen(point, yaw=0.0, pitch=0.0, roll=0.0):
    """Return where a point of the face frame is seen, relative to the sellion, pixels."""
    rotation = matrix_from_euler(*np.radians([yaw, pitch, roll]))
    sellion = np.array([0.1, -0.05, 1.0])
    pixels, valid = CAMERA.pixels([rotation @ point + sellion, sellion])
    assert valid.all()
    return pixels[0] - pixels[1]


def test_a_frontal_face_is_upright_and_looks_at_us():
    assert seen(CROWN)[1] < -20
    assert seen(LEFT_EAR)[0] > 20, "the person's left is on the image's right"
    rotation = matrix_from_euler(0, 0, 0)
    assert rotation[:, 0] == pytest.approx([0, 0, -1])


def test_signs_of_yaw_pitch_and_roll():
    assert seen(NOSE_TIP, yaw=30)[0] < seen(NOSE_TIP)[0] - 3, 'yaw > 0: nose to the left'
    assert seen(NOSE_TIP, pitch=30)[1] < seen(NOSE_TIP)[1] - 3, 'pitch > 0: nose up'
    crown = seen(CROWN, roll=30)
    assert crown[0] > 10, 'roll > 0: clockwise, the crown moves right'
    assert crown[1] < -10


def test_the_contracts_formula():
    y, p, r = 0.3, -0.2, 0.5
    rx = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    ry = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    rz = np.array([[np.cos(r), np.sin(r), 0], [-np.sin(r), np.cos(r), 0], [0, 0, 1]])
    face = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    expected = np.diag([1, -1, -1]) @ rx @ ry @ rz @ face
    assert matrix_from_euler(y, p, r) == pytest.approx(expected, abs=1e-15)
    assert np.linalg.det(expected) == pytest.approx(1)


@settings(max_examples=300, deadline=None)
@given(ANGLE, ANGLE, ANGLE)
def test_euler_angles_describe_the_same_rotation(yaw, pitch, roll):
    rotation = matrix_from_euler(yaw, pitch, roll)
    again = matrix_from_euler(*euler_from_matrix(rotation))
    assert geodesic_distance(rotation, again) < 1e-7


@settings(max_examples=300, deadline=None)
@given(st.floats(-1.57, 1.57), st.floats(-3.1, 3.1), st.floats(-3.1, 3.1))
def test_euler_angles_come_back(yaw, pitch, roll):
    found = euler_from_matrix(matrix_from_euler(yaw, pitch, roll))
    assert found == pytest.approx((yaw, pitch, roll), abs=1e-11)


@pytest.mark.parametrize('yaw', [np.pi / 2, -np.pi / 2])
def test_gimbal_lock_is_finite_and_right(yaw):
    rotation = matrix_from_euler(yaw, 0.4, 0.7)
    angles = euler_from_matrix(rotation)
    assert np.isfinite(angles).all()
    assert geodesic_distance(matrix_from_euler(*angles), rotation) < 1e-12


def test_euler_takes_any_leading_dimensions():
    yaw = np.linspace(-1, 1, 6).reshape(2, 3)
    rotation = matrix_from_euler(yaw, 0.1, -0.2)
    assert rotation.shape == (2, 3, 3, 3)
    assert euler_from_matrix(rotation)[0] == pytest.approx(yaw)


def test_sellion_and_face_centre():
    rotation = matrix_from_euler(np.array([0.0, 0.5]), 0.1, 0.2)
    sellion = np.array([[0.0, 0.0, 1.0], [0.2, 0.1, 2.0]])
    centre = ff.face_centre_from_sellion(rotation, sellion)
    assert ff.sellion_from_face_centre(rotation, centre) == pytest.approx(sellion)
    frontal = ff.face_centre_from_sellion(matrix_from_euler(0, 0, 0), [0, 0, 1])
    assert frontal == pytest.approx([0, 0.035, 1.03]), 'behind and below the sellion'


def test_gaze_frame_looks_along_z_with_y_down():
    rotation_camera_from_gaze = matrix_from_euler(0, 0, 0) @ ff.gaze_from_face.T
    # A frontal gaze looks at the camera; its x is to its own right, the image's left.
    assert rotation_camera_from_gaze == pytest.approx(np.diag([-1.0, 1.0, -1.0]))


def test_facing_angle_is_zero_wherever_the_face_looks_at_the_camera():
    for position in ([0, 0, 1.0], [0.7, 0.2, 0.9], [-2, 0, 0.1]):
        position = np.array(position)
        yaw = np.arctan2(position[0], position[2])
        frontal = matrix_from_euler(0, 0, 0)
        turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        elevation = np.arctan2(position[1], np.hypot(position[0], position[2]))
        found = ff.facing_angle(turn @ frontal, position)
        assert found == pytest.approx(abs(elevation))
    away = matrix_from_euler(np.pi, 0, 0)
    assert ff.facing_angle(away, np.array([0, 0, 1.0])) == pytest.approx(np.pi)


def test_distance_and_angular_size():
    d = np.array([0.2, 1.0, 5.0])
    size = ff.angular_size_from_distance(d)
    assert np.sin(size / 2) * d == pytest.approx(FACE_SPHERE_RADIUS)
    assert ff.distance_from_angular_size(size) == pytest.approx(d)
    assert ff.distance_from_angular_size(size, head_scale=0.9) == pytest.approx(0.9 * d)
    with pytest.raises(ValueError, match='distance'):
        ff.angular_size_from_distance(0.1)
