# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Views of a zoom lens: kept while it changes little, and no direction is off."""

from dataclasses import replace

import lenses
import numpy as np
import pytest

from headpose_ros.geometry import CameraModel, covering_views, squares_of_spheres
from headpose_ros.geometry import near_views as module
from headpose_ros.geometry.near_views import NearView, NearViews
from headpose_ros.geometry.rays import angle_between, off_axis_angle

BASE = lenses.fisheye(640, 480, 2.2)
ZOOMED = replace(BASE, fx=BASE.fx * 1.03, fy=BASE.fy * 1.03, cx=BASE.cx + 3, cy=BASE.cy - 2)


@pytest.fixture
def built(monkeypatch):
    """The cameras for which views were laid out."""
    cameras = []

    def counted(camera, up=None):
        cameras.append(camera)
        return covering_views(camera, up=up)

    monkeypatch.setattr(module, 'covering_views', counted)
    return cameras


def test_a_camera_that_stays_has_its_own_views(built):
    views = NearViews()
    for _ in range(5):
        assert views(BASE) is covering_views(BASE)
    assert len(built) == 1


def test_a_zoom_lens_keeps_the_views_while_it_changes_little(built):
    views = NearViews()
    for number in range(100):  # 22 % longer in the end
        longer = 1.002**number
        zoomed = replace(BASE, fx=BASE.fx * longer, fy=BASE.fy * longer)
        found = views(zoomed)
        assert views(zoomed) is found
    assert len({camera.fx for camera in built}) == len(built) <= 5
    del built[:]
    for focal in (1.0, 1.001, 1.0, 1.002, 0.999):  # one that breathes around what it was
        views(replace(BASE, fx=zoomed.fx * focal, fy=zoomed.fy * focal))
    assert built == []


def test_another_camera_has_its_own_views(built):
    views = NearViews()
    others = [
        BASE,
        lenses.fisheye(480, 480, 2.2),
        CameraModel.from_fov(640, 480, 2.2),
        replace(BASE, cx=100.0),
        replace(BASE, fx=BASE.fx * 1.2),
        replace(BASE, distortion=(0.3, 0.0, 0.0, 0.0)),
    ]
    for camera in others:
        assert views(camera) is covering_views(camera)
    views(BASE, up=np.array([1.0, 0.0, 0.0]))
    assert len(built) == 7


def test_ordinary_lenses_are_searched_as_they_are():
    views = NearViews()
    for focal in (500.0, 501.0):
        camera = CameraModel(640, 480, focal, focal, 319.5, 239.5)
        (view,) = views(camera)
        assert (view.camera, view.is_whole_image) == (camera, True)


@pytest.mark.parametrize('up', [None, (0.0, -0.05, -1.0)], ids=['held upright', 'looks down'])
def test_faces_come_back_along_the_rays_of_the_camera_that_saw_them(up):
    views = NearViews()
    views(BASE, up=up)
    found = views(ZOOMED, up=up)
    assert all(isinstance(view, NearView) for view in found)
    u, v = np.linspace(20, 620, 9), np.linspace(20, 460, 7)
    rays = ZOOMED.rays(np.stack(np.meshgrid(u, v), -1).reshape(-1, 2))
    rays, sizes = rays[off_axis_angle(rays) < np.radians(60)], 0.15
    count = 0
    for view in found:
        # what the zoomed camera shows of spheres, as the view made for another camera shows it
        centres, sides, valid = squares_of_spheres(ZOOMED, rays, np.full(len(rays), sizes))
        seen, as_seen = _spheres_of(BASE, centres, sides)
        turn = view.rotation_view_from_camera
        squares, lengths, fits = squares_of_spheres(view.camera, seen @ turn.T, as_seen)
        whole = valid & fits & view.camera.contains(squares)
        back, back_sizes = view.faces_from_squares(squares[whole], lengths[whole])
        assert np.degrees(angle_between(back, rays[whole])).max() < 0.05
        assert back_sizes == pytest.approx(np.full(whole.sum(), sizes), rel=0.01)
        count += whole.sum()
    assert count >= len(rays) / 2


def _spheres_of(camera, centres, sides):
    from headpose_ros.geometry import spheres_of_squares

    return spheres_of_squares(camera, centres, sides)


def test_a_view_renders_what_its_own_did():
    views = NearViews()
    image = np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8)
    own = [view.render(image) for view in views(BASE)]
    for view, expected in zip(views(ZOOMED), own, strict=True):
        np.testing.assert_array_equal(view.render(image), expected)
