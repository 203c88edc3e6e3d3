# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Panoramas: the equirectangular camera, across its left and right edge and at its poles."""

import math

import lenses
import numpy as np
import pytest
import scenes

from headpose_ros.geometry import (
    CameraModel,
    angle_between,
    boxes_of_spheres,
    covering_views,
    rotation_to_axis,
    sample_crops,
    sample_plain_crops,
    spheres_of_squares,
    squares_of_spheres,
)

RNG = np.random.default_rng(11)
FULL = lenses.panorama()
AHEAD, BACK, UP = [0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [0.0, -1.0, 0.0]


def sphere(count):
    rays = RNG.normal(size=(count, 3))
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def towards(longitude, latitude):
    """Return the ray (1,3) at these degrees; latitude positive upwards."""
    a, b = np.radians([longitude, latitude])
    return np.array([[np.cos(b) * np.sin(a), -np.sin(b), np.cos(b) * np.cos(a)]])


def test_columns_are_longitudes_and_rows_latitudes():
    pixels, valid = FULL.pixels([AHEAD, [1, 0, 0], [-1, 0, 0], [0, 1, 1], [0, 0, -5.0]])
    assert valid.all()
    assert pixels[:4] == pytest.approx(
        np.array([[511.5, 255.5], [767.5, 255.5], [255.5, 255.5], [511.5, 383.5]])
    )
    assert pixels[4, 0] in (-0.5, 1023.5)
    assert FULL.field_of_view == pytest.approx((2 * math.pi, math.pi))
    assert FULL.wraps
    assert not FULL.is_pinhole


@pytest.mark.parametrize('degrees', [60, 200, 360])
def test_pixels_come_back_from_rays(degrees):
    camera = lenses.panorama(across=np.radians(degrees))
    pixels = RNG.uniform((-0.49, -0.49), (1023.49, 511.49), (500, 2))
    rays, valid = camera.rays_and_validity(pixels)
    on_sphere = np.abs(pixels[:, 1] - 255.5) / camera.fy < np.pi / 2
    assert (valid == on_sphere).all()
    assert np.linalg.norm(rays, axis=1) == pytest.approx(np.ones(500))
    back, seen = camera.pixels(rays[valid])
    assert seen.all()
    assert np.abs(back - pixels[valid]).max() < 1e-9
    assert camera.wraps == (degrees == 360)


def test_every_direction_is_seen():
    rays = np.vstack([sphere(2000), [UP, [0, 1, 0], BACK]])
    pixels, valid = FULL.pixels(rays)
    assert valid.all()
    assert FULL.contains(pixels).all()
    assert angle_between(FULL.rays(pixels), rays).max() < 1e-9
    pixels, valid = FULL.pixels([[0, 0, 0]])
    assert not valid[0]
    assert np.isfinite(pixels).all()


def test_columns_beyond_an_edge_come_round():
    assert FULL.rays([[-20.0, 100.0]]) == pytest.approx(FULL.rays([[1004.0, 100.0]]))
    assert FULL.contains(np.array([[-20.0, 100.0], [1040.0, 5.0]])).all()
    assert not FULL.contains(np.array([[5.0, -2.0]])).any()


def test_it_comes_from_a_camera_info_and_a_file_too(tmp_path):
    path = tmp_path / 'panorama.yaml'
    k = FULL.matrix.ravel().tolist()
    path.write_text(
        'image_width: 1024\nimage_height: 512\ndistortion_model: equirectangular\n'
        f'camera_matrix: {{data: {k}}}\n'
    )
    assert CameraModel.from_yaml(path) == FULL
    assert CameraModel.from_matrix(k, 1024, 512, 'equirectangular', [0.0] * 5) == FULL
    assert FULL.scaled_to(512, 256).wraps


@pytest.mark.parametrize('device', [None, 'torch'])
@pytest.mark.parametrize('width', [1024, 2048])
def test_a_scene_gives_the_same_crop_wherever_it_is_seen(width, device):
    if device:
        torch = pytest.importorskip('torch', reason='torch is not installed')
        device = torch.device('cpu')
    camera = lenses.panorama(width, width // 2)
    image = scenes.render(camera, cycles=5.0)
    expected = np.asarray(sample_crops(image, camera, [AHEAD], [0.6], 48).images[0])
    assert expected.std() > 40
    # Around a pole, where columns meet, the image is stretched without end.
    edge, pole = ((179, 20), (-178, -40), (180.1, 0)), ((90, 85), (0, 90))
    for longitude, latitude in (*edge, *pole):
        ray = towards(longitude, latitude)
        image = scenes.render(camera, rotation_to_axis(ray)[0], 5.0)
        crops = sample_crops(image, camera, ray, [0.6], 48, device=device)
        assert crops.inside[0] == 1.0
        limit = 36 if abs(latitude) > 80 else 50
        assert scenes.psnr(np.asarray(crops.images[0]), expected) > limit


def test_plain_squares_come_round_the_edge():
    image = scenes.render(FULL, cycles=4.0)
    rolled = np.roll(image, 512, axis=1)
    at_the_edge = sample_plain_crops(image, FULL, towards(179.5, 10), [0.4], 64)
    within = sample_plain_crops(rolled, FULL, towards(-0.5, 10), [0.4], 64)
    assert at_the_edge.inside[0] == pytest.approx(1.0)
    assert scenes.psnr(at_the_edge.images, within.images) > 45


def test_spheres_come_back_from_their_squares():
    rays = sphere(300)
    rays = rays[np.abs(rays[:, 1]) < np.sin(np.radians(70))]
    rays = np.vstack([rays, towards(179.9, 5), towards(-179.9, 0)])
    sizes = RNG.uniform(0.05, 0.3, len(rays))
    centres, sides, valid = squares_of_spheres(FULL, rays, sizes)
    assert valid.all()
    back, back_sizes = spheres_of_squares(FULL, centres, sides)
    assert angle_between(back, rays).max() < 1e-3
    assert back_sizes == pytest.approx(sizes, rel=2e-3)
    boxes, _ = boxes_of_spheres(FULL, towards(180, 0), [0.2])
    assert boxes[0, 2] - boxes[0, 0] == pytest.approx(0.2 * FULL.fx, rel=0.01)


def test_views_see_every_direction_with_room_about_it():
    views = covering_views(FULL)
    assert len(views) <= 13
    rays = sphere(3000)
    whole = np.zeros(3000, bool)
    for view in views:
        assert view.camera.is_pinhole
        turned = rays @ view.rotation_view_from_camera.T
        boxes, valid = boxes_of_spheres(view.camera, turned, np.full(3000, np.radians(19.0)))
        end = np.array([view.camera.width, view.camera.height])
        whole |= valid & (boxes[:, :2] > -1).all(axis=1) & (boxes[:, 2:] < end).all(axis=1)
    assert whole.mean() > 0.97


def test_views_show_what_a_pinhole_there_would():
    image = scenes.render(FULL, cycles=4)
    for view in covering_views(FULL):
        expected = scenes.render(view.camera, view.rotation_view_from_camera.T, cycles=4)
        assert scenes.psnr(view.render(image), expected) > 38
