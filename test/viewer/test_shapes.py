# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heads and lenses as lines and surfaces."""

import math
from dataclasses import replace

import numpy as np
import pytest
from viewer_shots import CAMERA, made_head

from headpose_ros.geometry import CameraModel
from headpose_ros.media.drawing import AXIS_LENGTH
from headpose_ros.viewer import shapes
from headpose_ros.viewer.lens_view import LensView

WEBCAM = CameraModel(640, 480, 345, 345, 319.5, 239.5, 0.0, 'plumb_bob', (-0.18, 0.03, 0, 0, 0))
LENSES = {
    'pinhole': CAMERA,
    'webcam': WEBCAM,
    'fisheye': CameraModel.from_fov(400, 400, math.radians(180), 'equidistant'),
    'wide fisheye': CameraModel.from_fov(300, 300, math.radians(220), 'equidistant'),
    'panorama': CameraModel.from_fov(512, 256, 2 * math.pi, 'equirectangular'),
}


def test_axes_are_those_of_the_face_frame():
    heads = [made_head('a', 0.4), made_head('b', -0.2, (0.3, 0.1, 2.0))]
    origins, vectors = shapes.axes(heads)
    for number, head in enumerate(heads):
        part = slice(3 * number, 3 * number + 3)
        np.testing.assert_allclose(origins[part], np.tile(head.position, (3, 1)))
        np.testing.assert_allclose(vectors[part].T, AXIS_LENGTH * head.rotation_camera_from_face)


def test_the_line_of_sight_of_somebody_who_faces_the_camera_ends_there():
    head = made_head(azimuth=0.0, position=(0.0, 0.0, 1.7))
    (line,) = shapes.sights([head])
    np.testing.assert_allclose(line, [head.position, (0, 0, 0)], atol=1e-9)


def test_a_face_is_an_oval_across_its_line_of_sight():
    head = made_head(azimuth=0.7)
    (oval,) = shapes.ovals([head])
    x_axis = head.rotation_camera_from_face[:, 0]
    np.testing.assert_allclose((oval - oval[0]) @ x_axis, 0.0, atol=1e-12)
    size = np.ptp((oval - head.position) @ head.rotation_camera_from_face, axis=0)
    np.testing.assert_allclose(size[1:], [shapes.FACE_WIDTH, shapes.FACE_HEIGHT], rtol=0.02)
    triangles = shapes.oval_triangles(2)
    assert triangles.max() == 2 * len(oval) - 1
    assert len(triangles) == 2 * (len(oval) - 2)


def test_uncertainty_is_one_standard_deviation_along_the_view_and_about_the_sight():
    head = made_head(azimuth=0.0, position=(0.0, 0.0, 2.0))
    circle, bar = shapes.uncertainties([head])
    end = shapes.sights([head])[0, 1]
    radius = head.distance * math.tan(head.rotation_sigma)
    np.testing.assert_allclose(np.linalg.norm(circle - end, axis=1), radius)
    np.testing.assert_allclose(bar[:, 2], [2.0 - 0.2, 2.0 + 0.2])  # variance 0.04 along z


def test_axes_in_the_image_are_where_the_lens_sees_them():
    heads = [made_head(camera=WEBCAM)]
    lines = shapes.axes_in_image(heads, WEBCAM)
    origins, vectors = shapes.axes(heads)
    ends, _ = WEBCAM.pixels(origins + vectors)
    np.testing.assert_allclose([line[-1] for line in lines], ends, atol=1e-9)
    assert shapes.axes_in_image([], WEBCAM) == []


def test_axes_at_the_seam_of_a_panorama_do_not_cross_the_image():
    camera = LENSES['panorama']
    head = made_head(azimuth=1.2, position=(0.001, 0.0, -1.0), camera=camera)
    for line in shapes.axes_in_image([head], camera):
        assert np.ptp(line[:, 0]) < camera.width / 2


@pytest.mark.parametrize('name', LENSES)
def test_only_lenses_that_keep_lines_straight_are_flat(name):
    assert LensView(LENSES[name]).is_flat == (name == 'pinhole')


def test_a_lens_with_little_distortion_is_flat():
    camera = CameraModel(640, 480, 600, 600, 319.5, 239.5, 0.0, 'plumb_bob', (-0.05, 0, 0, 0, 0))
    assert LensView(camera).is_flat


@pytest.mark.parametrize('name', ['webcam', 'fisheye', 'wide fisheye', 'panorama'])
def test_the_bowl_lies_on_the_rays_of_its_pixels(name):
    camera = LENSES[name]
    view = LensView(camera)
    rays, pixels, triangles = view.grid
    used = np.unique(triangles)
    back, valid = camera.pixels(rays[used])
    assert valid.all()
    apart = np.abs(camera.unwrapped(back[:, 0], pixels[used, 0]) - pixels[used, 0])
    assert np.median(apart) < 0.6
    assert np.abs(back[:, 1] - pixels[used, 1]).max() < 0.6
    image = np.zeros((camera.height, camera.width, 3), np.uint8)
    image[:, : camera.width // 2] = (10, 20, 30)
    colours = view.colours(image)
    assert colours[np.argmin(pixels[:, 0])] == 0x1E140AFF
    assert colours[np.argmax(pixels[:, 0])] == 0x000000FF
    half = image[::2, ::2]
    np.testing.assert_array_equal(view.colours(half), colours)


def test_the_outline_goes_round_the_image():
    view = LensView(LENSES['webcam'])
    ring, *corners = view.outline
    assert len(corners) == 4
    np.testing.assert_allclose(np.linalg.norm(ring, axis=1), 1.0)
    np.testing.assert_allclose(ring[0], ring[-1])
    assert LensView(LENSES['panorama']).outline == []


def test_a_round_image_is_drawn_round():
    camera = LENSES['fisheye']
    view = LensView(camera)
    (ring,) = view.outline
    widest = np.arccos(camera.rays([[0.0, camera.cy]])[0, 2])
    np.testing.assert_allclose(np.arccos(ring[:, 2]), widest)
    _, pixels, triangles = view.grid
    used = np.unique(triangles)
    radius = np.linalg.norm(pixels[used] - [camera.cx, camera.cy], axis=1)
    assert 0.95 * camera.cx < radius.max() < 1.02 * camera.cx  # not to the corners


def test_a_direction_that_is_hardly_known_has_a_circle_that_can_be_taken_in():
    head = replace(made_head(), covariance=np.diag([0.01, 0.01, 0.04, 2.0, 2.0, 2.0]))
    circle, _ = shapes.uncertainties([head])
    end = shapes.sights([head])[0, 1]
    radius = np.linalg.norm(circle - end, axis=1).max()
    assert radius == pytest.approx(head.distance * math.tan(shapes.WIDEST))
