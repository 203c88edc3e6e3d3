# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Virtual cameras: where they look, their homographies and maps, and the way back."""

import lenses
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from headpose_ros.geometry import VirtualCameras, crop_angles
from headpose_ros.geometry.virtual_camera import (
    MAX_CROP_ANGLE,
    PlainCameras,
    pixel_lines,
    square_grid,
)

RNG = np.random.default_rng(11)
RAYS = np.column_stack([RNG.uniform(-0.5, 0.5, (40, 2)), np.ones(40)])
RAYS /= np.linalg.norm(RAYS, axis=1, keepdims=True)
ANGLES = RNG.uniform(0.05, 1.0, 40)
CAMERAS = VirtualCameras.look_along(RAYS, ANGLES, 112)


def test_rotations_and_rays_come_back():
    rotations = Rotation.random(40, random_state=1).as_matrix()
    there = CAMERAS.rotations_to_virtual(rotations)
    assert np.abs(CAMERAS.rotations_to_camera(there) - rotations).max() < 1e-12
    points = RNG.normal(size=(40, 3))
    assert np.abs(CAMERAS.rays_to_camera(CAMERAS.rays_to_virtual(points)) - points).max() < 1e-12
    # A rotation acts on vectors as it does on rotations.
    turned = np.einsum('nij,nj->ni', there, points)
    expected = CAMERAS.rays_to_virtual(np.einsum('nij,nj->ni', rotations, points))
    assert np.abs(turned - expected).max() < 1e-12


def test_each_looks_along_its_ray_and_spans_its_angle():
    centres, front = CAMERAS.pixels(RAYS)
    assert front.all()
    assert centres == pytest.approx(np.full((40, 2), 55.5))
    edges = CAMERAS.rays_virtual(np.array([[-0.5, 55.5], [111.5, 55.5]]))
    across = np.arccos(np.sum(edges[:, 0] * edges[:, 1], axis=1))
    assert across == pytest.approx(ANGLES)


def test_held_upright_they_look_the_same_way_and_ups_point_upwards():
    ups = RNG.normal(size=(40, 3))
    held = VirtualCameras.look_along(RAYS, ANGLES, 112, ups)
    turned = held.rotation_virtual_from_camera
    assert turned @ np.swapaxes(turned, 1, 2) == pytest.approx(np.tile(np.eye(3), (40, 1, 1)))
    assert np.linalg.det(turned) == pytest.approx(1)
    assert held.rays_to_virtual(RAYS) == pytest.approx(np.tile([0, 0, 1.0], (40, 1)), abs=1e-12)
    x, y, _ = held.rays_to_virtual(ups).T
    clear = np.abs(np.sum(ups * RAYS, axis=1)) < np.cos(0.22) * np.linalg.norm(ups, axis=1)
    assert clear.sum() > 30
    assert x[clear] == pytest.approx(0, abs=1e-12)
    assert (y[clear] < 0).all()


def test_a_head_that_appears_turned_clockwise_is_turned_back():
    tilt = np.radians(30)
    held = VirtualCameras.look_along([[0, 0, 1.0]], [0.5], 64, [[np.sin(tilt), -np.cos(tilt), 0]])
    # its right ear's side, the image's left, has gone up with the turn
    left = held.rays_to_virtual([[-np.cos(tilt), -np.sin(tilt), 0.0]])[0]
    assert left == pytest.approx([-1, 0, 0])


@pytest.mark.parametrize('up', ['none', 'along', 'against'])
def test_without_a_clear_up_the_turn_is_minimal(up):
    near = RAYS + RNG.normal(size=(40, 3)) * 0.05
    ups = {'none': np.zeros((40, 3)), 'along': 2 * near, 'against': -near}[up]
    held = VirtualCameras.look_along(RAYS, ANGLES, 112, ups).rotation_virtual_from_camera
    assert np.array_equal(held, CAMERAS.rotation_virtual_from_camera)


def test_homographies_are_the_rays_own_way():
    camera = lenses.camera('pinhole')
    pixels = RNG.uniform((0, 0), (639, 479), (40, 2))
    expected, _ = CAMERAS.pixels(camera.rays(pixels))
    h = np.einsum(
        'nij,nj->ni', CAMERAS.homographies(camera), np.column_stack([pixels, np.ones(40)])
    )
    assert h[:, :2] / h[:, 2:] == pytest.approx(expected, abs=1e-9)
    with pytest.raises(ValueError, match='plumb_bob camera has no homography'):
        CAMERAS.homographies(lenses.camera('barrel'))


@pytest.mark.parametrize('name', sorted(lenses.COEFFICIENTS))
def test_crops_are_seen_along_the_true_rays(name):
    camera = lenses.camera(name)
    some = VirtualCameras.look_along(RAYS[:3], ANGLES[:3] / 3, 16)
    maps, valid = some.image_pixels(camera, square_grid(pixel_lines(16)))
    assert maps.shape == (2, 3, 16, 16)
    assert valid.all()
    rays = camera.rays(maps.reshape(2, -1).T).reshape(3, -1, 3)
    u, v = np.meshgrid(np.arange(16), np.arange(16))
    for i in range(3):
        one = VirtualCameras.look_along(
            np.repeat(RAYS[i : i + 1], 256, 0), [ANGLES[i] / 3] * 256, 16
        )
        pixels, _ = one.pixels(rays[i])
        assert pixels == pytest.approx(np.column_stack([u.ravel(), v.ravel()]), abs=1e-8)


def test_crop_angles():
    sizes = np.array([0.1, 0.5, 3.0])
    found = crop_angles(sizes, 1.5)
    assert np.tan(found[:2] / 2) == pytest.approx(1.5 * np.tan(sizes[:2] / 2))
    assert found[2] == MAX_CROP_ANGLE


def test_what_is_behind_is_told():
    assert not VirtualCameras.look_along([[0, 0, 1.0]], [0.5], 64).pixels([[0, 0, -1.0]])[1].any()


def test_plain_cameras_leave_rotations_as_they_are():
    plain = PlainCameras.around(RAYS, ANGLES, 112)
    rotations = Rotation.random(40, random_state=1).as_matrix()
    assert (plain.rotations_to_camera(rotations) == rotations).all()
    ahead = np.tile([0.0, 0.0, 1.0], (40, 1))
    assert plain.rays_to_camera(ahead) == pytest.approx(RAYS)
    assert plain.rays_to_virtual(RAYS) == pytest.approx(ahead)


@pytest.mark.parametrize('angles', [[0.0], [np.pi], [np.nan], [0.1, 0.2]])
def test_wrong_angles_are_refused(angles):
    with pytest.raises(ValueError, match='angles: expected'):
        VirtualCameras.look_along([[0, 0, 1.0]], angles, 64)
