# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Views that cover wide lenses, spheres in images, and duplicates on the sphere."""

import lenses
import numpy as np
import pytest
import scenes

from headpose_ros.geometry import (
    CameraModel,
    boxes_of_spheres,
    covering_views,
    merge_on_sphere,
    spheres_of_squares,
    squares_of_spheres,
)
from headpose_ros.geometry.rays import off_axis_angle

WIDE = {
    'square 190': lenses.fisheye(600, 600, 3.3),
    'wide 170': lenses.fisheye(640, 480, 2.97),
    'pinhole 120': CameraModel.from_fov(640, 480, np.radians(120)),
}


def image_rays(camera, steps=25, limit=1.66):
    u = np.linspace(0, camera.width - 1, steps)
    v = np.linspace(0, camera.height - 1, steps)
    rays, valid = camera.rays_and_validity(np.stack(np.meshgrid(u, v), -1).reshape(-1, 2))
    return rays[valid & (off_axis_angle(rays) < limit)]


@pytest.mark.parametrize('name', sorted(lenses.COEFFICIENTS))
def test_an_ordinary_lens_is_searched_as_it_is(name):
    camera = lenses.camera(name)
    (view,) = covering_views(camera)
    assert view.is_whole_image
    assert view.camera is camera
    image = np.zeros((480, 640, 3), np.uint8)
    assert view.render(image) is image
    assert (view.rotation_view_from_camera == np.eye(3)).all()


@pytest.mark.parametrize('name', sorted(WIDE))
def test_every_direction_is_well_inside_some_view(name):
    camera = WIDE[name]
    views = covering_views(camera)
    assert 1 < len(views) <= 10
    rays = image_rays(camera)
    seen = np.zeros(len(rays), bool)
    inner = np.zeros(len(rays), bool)
    for view in views:
        assert view.camera.is_pinhole
        pixels, valid = view.camera.pixels(rays @ view.rotation_view_from_camera.T)
        edge = np.minimum(pixels, view.camera.width - 1 - pixels).min(axis=1)
        seen |= valid & (edge >= 0)
        inner |= valid & (edge >= 0.05 * view.camera.width)
    assert seen.all()
    assert inner.mean() > 0.97


@pytest.mark.parametrize('name', sorted(WIDE))
def test_views_show_what_a_pinhole_there_would(name):
    camera = WIDE[name]
    image = scenes.render(camera, cycles=4)
    for view in covering_views(camera)[:3]:
        shown = view.render(image)
        expected = scenes.render(view.camera, view.rotation_view_from_camera.T, cycles=4)
        u, v = np.meshgrid(np.arange(view.camera.width), np.arange(view.camera.height))
        rays = view.camera.rays(np.column_stack([u.ravel(), v.ravel()]))
        pixels, valid = camera.pixels(rays @ view.rotation_view_from_camera)
        margin = np.minimum(pixels, (camera.width - 1, camera.height - 1) - pixels).min(axis=1)
        inside = (valid & (margin > 1)).reshape(u.shape)
        assert inside.mean() > 0.4
        assert scenes.psnr(shown[inside], expected[inside]) > 40


def test_views_keep_people_upright():
    for view in covering_views(WIDE['square 190']):
        right = view.rotation_view_from_camera[0]
        assert right[1] == pytest.approx(0.0, abs=1e-12), 'panned and tilted, never rolled'


def test_views_are_made_once_a_camera():
    assert covering_views(lenses.fisheye(600, 600, 3.3)) is covering_views(WIDE['square 190'])


def test_faces_of_a_view_come_back_in_the_camera_frame():
    camera = WIDE['square 190']
    rays = image_rays(camera, 13, np.radians(75))
    sizes = np.full(len(rays), 0.2)
    found = 0
    for view in covering_views(camera):
        centres, sides, valid = squares_of_spheres(
            view.camera, rays @ view.rotation_view_from_camera.T, sizes
        )
        whole = valid & view.camera.contains(centres)
        back, back_sizes = view.faces_from_squares(centres[whole], sides[whole])
        assert np.abs(back - rays[whole]).max() < 1e-5
        assert back_sizes == pytest.approx(sizes[whole], rel=1e-4)
        found += whole.sum()
    assert found >= len(rays)


def test_a_large_image_is_shrunk_without_aliasing():
    camera = lenses.fisheye(2400, 2400, 3.3)
    (view, *_) = covering_views(camera, max_side_px=400)
    assert view.camera.width == 400
    lines = np.tile(np.where(np.arange(2400) % 2 == 0, 255, 0).astype(np.uint8), (2400, 1))
    shown = view.render(lines)[150:250, 150:250]
    assert np.abs(shown.astype(int) - 127.5).max() < 16


@pytest.mark.parametrize('name', [*sorted(lenses.COEFFICIENTS), 'wide'])
def test_spheres_and_squares_undo_each_other(name):
    camera = lenses.fisheye(600, 600, 3.3) if name == 'wide' else lenses.camera(name)
    rays = image_rays(camera, 7, np.radians(85 if name == 'wide' else 50))
    for size in (0.02, 0.2, 0.5):
        centres, sides, valid = squares_of_spheres(camera, rays, np.full(len(rays), size))
        valid &= camera.contains(centres - sides[:, None] / 2)
        valid &= camera.contains(centres + sides[:, None] / 2)
        assert valid.sum() >= 9
        back, sizes = spheres_of_squares(camera, centres[valid], sides[valid])
        assert np.abs(back - rays[valid]).max() < 1e-4 * size
        assert sizes == pytest.approx(np.full(valid.sum(), size), rel=1e-4)


@pytest.mark.parametrize('name', sorted(lenses.COEFFICIENTS))
def test_squares_that_reach_far_beyond_the_image_give_sane_spheres(name):
    # There the polynomials of lenses mean nothing, and an exact answer may not exist.
    camera = lenses.camera(name)
    centres = np.array([[620.0, 470.0], [5.0, 5.0], [640.0, 240.0], [0.0, 479.0], [320.0, 240.0]])
    rays, sizes = spheres_of_squares(camera, centres, [300.0, 350.0, 400.0, 500.0, 460.0])
    assert np.linalg.norm(rays, axis=1) == pytest.approx(np.ones(5))
    assert ((sizes > 0.3) & (sizes < 1.6)).all()
    apart = np.arccos(np.clip((rays * camera.rays(centres)).sum(axis=1), -1, 1))
    assert (apart < sizes / 2).all(), 'the middle of the square shows the sphere'


def test_box_of_a_sphere_against_the_closed_form_of_a_pinhole():
    # On the horizontal axis a cone of half angle h at t reaches from f tan(t - h) to f tan(t + h),
    # and its half height is f sin(h) / sqrt(cos(t)^2 - sin(h)^2).
    camera = CameraModel.from_fov(640, 480, 1.5)
    t, h = 0.6, 0.15
    boxes, valid = boxes_of_spheres(camera, [[np.sin(t), 0, np.cos(t)]], [2 * h])
    x0, y0, x1, y1 = boxes[0]
    assert valid.all()
    assert x0 == pytest.approx(camera.cx + camera.fx * np.tan(t - h), abs=0.05)
    assert x1 == pytest.approx(camera.cx + camera.fx * np.tan(t + h), abs=0.05)
    half = camera.fx * np.sin(h) / np.sqrt(np.cos(t) ** 2 - np.sin(h) ** 2)
    assert (y1 - y0) / 2 == pytest.approx(half, rel=5e-3)


def test_a_sphere_partly_behind_a_pinhole_is_not_valid():
    camera = CameraModel.from_fov(640, 480, 1.5)
    boxes, valid = boxes_of_spheres(camera, [[np.sin(1.5), 0, np.cos(1.5)]], [0.3])
    assert not valid.any()
    assert np.isfinite(boxes).all()


def test_duplicates_are_merged_on_the_sphere():
    def ray(x, y=0.0):
        return np.array([x, y, 1.0]) / np.linalg.norm([x, y, 1.0])

    rays = np.array([ray(0), ray(0.02), ray(0.5), ray(0.5, 0.01), ray(0.0, 0.01), ray(0.35)])
    sizes = np.array([0.2, 0.21, 0.2, 0.2, 0.08, 0.2])
    scores = np.array([0.8, 0.9, 0.7, 0.6, 0.5, 0.4])
    # 1 beats 0 and the small one inside it, 2 beats 3; 5 is a neighbour.
    assert merge_on_sphere(rays, sizes, scores).tolist() == [1, 2, 5]
    assert merge_on_sphere(np.empty((0, 3)), [], []).tolist() == []


def test_merging_works_behind_the_camera():
    rays = np.array([[0.01, 0, -1.0], [-0.01, 0, -1.0], [0, 0, 1.0]])
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    assert merge_on_sphere(rays, [0.2] * 3, [0.5, 0.6, 0.4]).tolist() == [1, 2]
