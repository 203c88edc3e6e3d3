# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Views of cameras that are turned: people stand upright in them, and are where they are."""

import numpy as np
import pytest

from headpose_ros.geometry import CameraModel, covering_views
from headpose_ros.geometry.sphere_projection import squares_of_spheres
from headpose_ros.geometry.upright_views import (
    UPWARDS,
    TurnedView,
    roll_of,
    rotation_level_from_camera,
    up_of_roll,
)

CAMERA = CameraModel(
    640, 480, 500.0, 510.0, 310.0, 245.0, distortion_model='plumb_bob',
    distortion=(-0.2, 0.05, 0.001, -0.001, 0.0),
)  # fmt: skip
WIDE = CameraModel.from_fov(800, 800, np.radians(180.0), model='equidistant')


def squares_in(view, rays, sizes):
    """Return centres and sides, pixels, and valid: where a view shows faces."""
    if isinstance(view, TurnedView):
        centres, sides, valid = squares_of_spheres(view.lens, rays, sizes)
        matrix, shift = view.turned_from_image[:, :2], view.turned_from_image[:, 2]
        return centres @ matrix.T + shift, sides, valid
    return squares_of_spheres(view.camera, rays @ view.rotation_view_from_camera.T, sizes)


@pytest.mark.parametrize('degrees', [0, 15, 45, 90, 135, 180, -90, -150])
def test_the_roll_of_an_up_direction(degrees):
    up = up_of_roll(np.radians(degrees))
    apart = roll_of(up) - np.radians(degrees)
    assert np.cos(apart) == pytest.approx(1.0)
    np.testing.assert_allclose(rotation_level_from_camera(up) @ up, UPWARDS, atol=1e-12)


def test_a_camera_that_is_nearly_upright_is_taken_for_one_and_one_that_looks_down_has_no_roll():
    assert roll_of(up_of_roll(np.radians(10.0))) == 0.0
    assert roll_of([0.1, -0.1, -1.0]) is None
    assert roll_of([0.0, 0.0, 1.0]) is None


@pytest.mark.parametrize('degrees', [30, 45, 90, 180, 270, -60])
def test_a_turned_view_shows_up_as_up_and_tells_rays_back(degrees):
    roll = np.radians(degrees)
    view = TurnedView.of(CAMERA, roll)
    low = np.array([[0.1, 0.05, 1.0], [-0.2, 0.1, 1.0], [0.05, -0.1, 1.0]])
    low /= np.linalg.norm(low, axis=1, keepdims=True)
    high = low + 0.02 * up_of_roll(roll)
    high /= np.linalg.norm(high, axis=1, keepdims=True)
    sizes = np.array([0.1, 0.2, 0.05])
    below, sides, valid = squares_in(view, low, sizes)
    above, _, _ = squares_in(view, high, sizes)
    assert valid.all()
    moved = above - below
    assert (moved[:, 1] < -5).all()
    assert (np.abs(moved[:, 0]) < 0.1 * np.abs(moved[:, 1])).all()
    rays, angles = view.faces_from_squares(below, sides)
    np.testing.assert_allclose(rays, low, atol=1e-6)
    np.testing.assert_allclose(angles, sizes, rtol=1e-6)


@pytest.mark.parametrize('degrees', [40, 90, 180, 270])
def test_what_is_rendered_is_where_the_view_says(degrees):
    image = np.zeros((480, 640, 3), np.uint8)
    image[118:123, 398:403] = 255
    view = TurnedView.of(CAMERA, np.radians(degrees))
    shown = view.render(image)
    assert shown.shape == (view.camera.height, view.camera.width, 3)
    rows, columns = np.nonzero(shown[..., 0] > 120)
    matrix, shift = view.turned_from_image[:, :2], view.turned_from_image[:, 2]
    expected = matrix @ [400, 120] + shift
    np.testing.assert_allclose([columns.mean(), rows.mean()], expected, atol=0.5)


def test_ordinary_lenses_are_turned_and_upright_ones_left_alone():
    (plain,) = covering_views(CAMERA, up=up_of_roll(0.0))
    assert plain.render(np.zeros((480, 640), np.uint8)).shape == (480, 640)
    (turned,) = covering_views(CAMERA, up=up_of_roll(np.pi / 2))
    assert turned.render(np.zeros((480, 640), np.uint8)).shape == (640, 480)


@pytest.mark.parametrize('degrees', [0, 90, 180])
def test_wide_lenses_are_covered_whichever_way_they_are_held(degrees):
    up = up_of_roll(np.radians(degrees))
    views = covering_views(WIDE, up=up)
    random = np.random.default_rng(0)
    rays = random.standard_normal((300, 3))
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    rays = rays[np.degrees(np.arccos(rays[:, 2])) < 75]
    covered = np.zeros(len(rays), bool)
    for view in views:
        centres, _, valid = squares_in(view, rays, np.full(len(rays), 0.1))
        covered |= valid & view.camera.contains(centres)
    assert covered.all()


def test_a_lens_on_the_ceiling_sees_people_upright_all_around():
    up = np.array([0.0, 0.0, -1.0])  # it looks down
    views = covering_views(WIDE, up=up)
    for azimuth in np.radians(np.arange(0, 360, 10)):
        beside = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
        ray = np.sin(np.radians(55)) * beside + np.cos(np.radians(55)) * np.array([0, 0, 1.0])
        higher = ray + 0.02 * up
        shown = []
        for view in views:
            pair = np.stack([ray, higher / np.linalg.norm(higher)])
            centres, _, valid = squares_in(view, pair, np.full(2, 0.1))
            if valid.all() and view.camera.contains(centres).all():
                moved = centres[1] - centres[0]
                shown.append(np.degrees(np.arctan2(moved[0], -moved[1])))
        assert shown
        assert min(np.abs(shown)) < 35
