# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Annotations: where they must be, at any resolution, and nowhere outside."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.heads import Head, Roi
from headpose_ros.media.drawing import AXIS_LENGTH, draw_heads, label_lines

FRONTAL = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
CAMERA = CameraModel.from_fov(640, 480, 1.0)
SIZES = [(320, 240), (640, 480), (1920, 1080), (3840, 2160)]


def head_at(position, roi, rotation=FRONTAL):
    return Head('f0001', rotation, np.array(position, float), np.eye(6), 0.9, roi, 0.0, 0.0)


def drawn(width, height, position=(0.0, 0.0, 1.0), rotation=FRONTAL):
    camera = CameraModel.from_fov(width, height, np.radians(60))
    (x, y), *_ = camera.pixels(np.array([position]))[0]
    half = round(0.125 * camera.fx)
    image = np.full((height, width, 3), 128, np.uint8)
    head = head_at(position, Roi(round(x) - half, round(y) - half, 2 * half, 2 * half), rotation)
    draw_heads(image, [head], camera)
    return image, camera, head


@pytest.mark.parametrize(('width', 'height'), SIZES)
def test_axes_end_where_the_camera_sees_their_ends(width, height):
    turn = Rotation.from_euler('y', 40, degrees=True).as_matrix() @ FRONTAL
    image, camera, head = drawn(width, height, rotation=turn)
    strongest = [2, 1, 0]  # red x, green y, blue z in BGR
    for k in range(3):
        tip = head.position + 0.93 * AXIS_LENGTH * head.rotation_camera_from_face[:, k]
        x, y = np.round(camera.pixels(tip[None])[0][0]).astype(int)
        assert image[y, x].argmax() == strongest[k]
        assert image[y, x].max() > 180


@pytest.mark.parametrize(('width', 'height'), SIZES)
def test_what_is_drawn_grows_with_the_image(width, height):
    image, _, head = drawn(width, height)
    changed = (image != 128).any(axis=2)
    assert 0.005 < changed.mean() < 0.12
    row = changed[head.roi.y + head.roi.height * 9 // 10]
    thickness = np.flatnonzero(np.diff(np.flatnonzero(row)) > 1)[0] + 1
    assert thickness >= max(2, 1.5 * height / 600)


@pytest.mark.parametrize('corner', [(0, 0), (630, 0), (0, 470), (630, 470)])
def test_labels_stay_in_the_image(corner):
    def text_at(x, y):
        image = np.full((480, 640, 3), 128, np.uint8)
        draw_heads(image, [head_at((0, 0, -1), Roi(x, y, 10, 10))], CAMERA)
        image[max(0, y - 2) : y + 12, max(0, x - 2) : x + 12] = 128  # without the box
        return np.count_nonzero((image < 60).all(axis=2))

    assert text_at(*corner) == pytest.approx(text_at(300, 200), rel=0.1)


def test_heads_beside_and_behind_the_camera_do_no_harm():
    image = np.zeros((480, 640, 3), np.uint8)
    for position in [(0, 0, -1), (50, 0, 0.001), (0, 0, 0.05), (-3, 0, 0.1)]:
        draw_heads(image, [head_at(position, Roi(0, 0, 1, 1))], CAMERA)


def test_the_text():
    turn = Rotation.from_euler('y', 30, degrees=True).as_matrix() @ FRONTAL
    first, second = label_lines(head_at((0, 0.3, 0.4), Roi(0, 0, 1, 1), turn))
    assert first == 'f0001  0.50 m'
    assert second in ('Y+30 P+0 R+0', 'Y-30 P+0 R+0')


def test_the_principal_head_has_another_colour():
    head = head_at((0, 0, -1), Roi(200, 200, 100, 100))
    plain, principal = np.zeros((480, 640, 3), np.uint8), np.zeros((480, 640, 3), np.uint8)
    draw_heads(plain, [head], CAMERA)
    draw_heads(principal, [head], CAMERA, principal_id='f0001')
    assert (plain[250, 200] == 255).all()
    assert not (principal[250, 200] == 255).all()


def test_a_distorted_lens_bends_the_axes_with_the_picture():
    camera = CameraModel.from_matrix(
        [[250, 0, 320], [0, 250, 240], [0, 0, 1]], 640, 480, 'equidistant', [0, 0, 0, 0]
    )
    position = np.array([1.5, 0.0, 0.6])
    image = np.full((480, 640, 3), 128, np.uint8)
    draw_heads(image, [head_at(position, Roi(0, 0, 1, 1))], camera)
    tip = position + 0.9 * AXIS_LENGTH * FRONTAL[:, 2]
    x, y = np.round(camera.pixels(tip[None])[0][0]).astype(int)
    assert image[y, x].argmax() == 0
