# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from headpose_ros.estimation.landmark_points import FROM_WFLW, MEAN_HEAD, from_wflw
from headpose_ros.estimation.linear_pose import AUTHORS, LinearPose, face_sizes, measures
from headpose_ros.geometry.euler import euler_from_matrix, matrix_from_euler


def face(root=(0.0, -0.2), left=(-0.5, 0.0), right=(0.5, 0.0), eyes=((-0.3, -0.1), (0.3, -0.1))):
    """68 points of which only those that are measured lie apart from the middle."""
    points = np.zeros((1, 68, 2))
    points[0, [0, 1]] = left
    points[0, [15, 16]] = right
    points[0, 27] = root
    points[0, [36, 45]] = eyes
    return points


def authors_formula(points, crop_px=112):
    """Yaw, pitch, roll in degrees as FacePose_pytorch's video.py computes them, its own signs."""
    p = (points[0] + 1) / 2 * crop_px
    left, right = (p[0] + p[1]) / 2, (p[15] + p[16]) / 2
    slope = (right[1] - left[1]) / (right[0] - left[0])
    base = left[1] - left[0] * slope
    across = -1 / slope
    base_across = p[27, 1] - p[27, 0] * across
    x = (base_across - base) / (slope - across)
    foot = np.array([x, slope * x + base])
    half = math.dist(left, right) / 2
    yaw = (half - math.dist(left, foot)) / half * 71.58 + 0.7037
    dis = math.dist(p[27], foot) * (-1 if p[27, 1] < foot[1] else 1)
    tangent = abs(p[36, 1] - p[45, 1]) / abs(p[36, 0] - p[45, 0])
    roll = math.degrees(math.atan(tangent)) * (-1 if p[36, 1] > p[45, 1] else 1)
    return yaw, 1.497 * dis + 18.97, roll


@pytest.mark.parametrize(
    'points',
    [
        face(root=(-0.1, -0.2), right=(0.5, 0.1)),
        face(root=(0.2, 0.15), left=(-0.4, 0.05), eyes=((-0.3, -0.1), (0.3, 0.05))),
    ],
)
def test_authors_coefficients_give_the_authors_angles(points):
    yaw, pitch, roll = authors_formula(points)
    ours = np.rad2deg(np.ravel(euler_from_matrix(AUTHORS.rotations(points))))
    assert ours == pytest.approx([yaw, -pitch, roll], abs=1e-9)


def test_measures_by_hand():
    (one,) = measures(face(root=(-0.25, -0.2), eyes=((-0.3, -0.1), (0.3, 0.5))))
    size = face_sizes(face(root=(-0.25, -0.2), eyes=((-0.3, -0.1), (0.3, 0.5))))[0]
    assert one == pytest.approx([0.5, 0.2 / size, math.pi / 4])
    (pixels,) = measures(face(root=(-0.25, -0.2)), over_crop=True)
    assert pixels[1] == pytest.approx(0.2 * 56)


def test_measures_do_not_depend_on_place_size_or_roll():
    points = face(root=(-0.1, -0.3))
    c, s = np.cos(0.4), np.sin(0.4)
    moved = 0.7 * points @ np.array([[c, s], [-s, c]]) + [0.2, -0.1]
    assert measures(moved)[0] == pytest.approx(measures(points)[0] + [0, 0, 0.4])


def test_signs_are_those_of_300w_lp():
    """A mean head that turns its nose to the image's left, up, clockwise: all measures grow."""
    for angle in range(3):
        turned = np.zeros(3)
        turned[angle] = 0.3
        poses = matrix_from_euler(*turned), matrix_from_euler(0, 0, 0)
        head, still = (MEAN_HEAD @ pose.T + [0, 0, 1.0] for pose in poses)
        grown, before = (measures((h[:, :2] / h[:, 2:])[None])[0] for h in (head, still))
        assert grown[angle] - before[angle] > 0.1


def test_metadata_round_trip_and_wrong_metadata():
    model = LinearPose((50.0, 1.0), (40.0, -8.0), (57.0, 0.5))
    assert LinearPose.from_metadata(model.metadata()) == model
    assert LinearPose.from_metadata({}) is None
    for wrong in ('nonsense', '{"yaw": [1]}', '[]'):
        with pytest.raises(ValueError, match='linear_pose: not a linear model'):
            LinearPose.from_metadata({'linear_pose': wrong})


def test_wflw_table_names_each_of_its_points_once():
    assert len(FROM_WFLW) == len(set(FROM_WFLW.tolist())) == 68
    numbered = np.repeat(np.arange(98.0)[None, :, None], 2, axis=2)
    assert from_wflw(numbered)[0, [0, 8, 16, 27, 36, 45, 48, 67], 0].tolist() == [
        0, 16, 32, 51, 60, 72, 76, 95]  # fmt: skip


def test_mean_head_is_a_head():
    assert MEAN_HEAD[27] == pytest.approx([0, 0, 0])
    mirrored = MEAN_HEAD[[*range(16, -1, -1)]] * [1, -1, 1]
    assert mirrored == pytest.approx(MEAN_HEAD[:17], abs=3e-3)
    assert np.linalg.norm(MEAN_HEAD[36] - MEAN_HEAD[45]) == pytest.approx(0.09, abs=0.005)
    assert MEAN_HEAD[45, 1] > 0  # landmark 45 is the outer corner of the person's left eye
