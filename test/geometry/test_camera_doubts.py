# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cameras that cannot be are refused, those that hardly can be are told; real ones are neither."""

import re
import warnings
from types import SimpleNamespace

import lenses
import numpy as np
import pytest

from headpose_ros.geometry import CameraModel, CameraModelError, covering_views
from headpose_ros.geometry.errors import CameraModelWarning

SIZE = (480, 268)
GOOD = (400.0, 0.0, 239.5, 0.0, 400.0, 133.5, 0.0, 0.0, 1.0)


def info(k=GOOD, d=(), model='plumb_bob', size=SIZE, **more):
    fields = {
        'width': size[0], 'height': size[1], 'distortion_model': model, 'd': d, 'k': k,
        'p': [0.0] * 12, 'binning_x': 0, 'binning_y': 0, 'roi': None,
    }  # fmt: skip
    return SimpleNamespace(**fields | more)


def k_of(fx, cx, cy, fy=None):
    return (fx, 0.0, cx, 0.0, fx if fy is None else fy, cy, 0.0, 0.0, 1.0)


def doubts_of(message):
    told = []
    camera = CameraModel.from_camera_info(message, tell=told.append)
    assert all(remark.is_doubt for remark in told)
    return camera, '; '.join(remark.text for remark in told)


@pytest.mark.parametrize(
    ('k', 'why'),
    [
        (k_of(0.83, 0.5, 0.5, 1.49), 'cannot be those .* divided by its size: multiply fx and cx'),
        (k_of(0.83, 0.0, 0.0), 'divided by its size'),
        (k_of(4.0, 2.4, 1.8), 'are they in millimetres'),
        (k_of(1e-3, 239.5, 133.5), 'have to be in pixels'),
    ],
)
@pytest.mark.parametrize('model', ['plumb_bob', 'equidistant', ''])
def test_a_matrix_in_other_units_is_refused(k, why, model):
    with pytest.raises(CameraModelError, match=why):
        CameraModel.from_camera_info(info(k, model=model))
    with pytest.raises(CameraModelError, match=why):
        CameraModel.from_matrix(k, *SIZE, model)


@pytest.mark.parametrize(
    ('k', 'why'),
    [
        (k_of(400 * 180, 239.5, 133.5), 'field of view is only 0.38 degrees.*far too long'),
        (k_of(400 * 57.3, 239.5, 133.5), 'field of view is only 1.2 degrees'),
        (k_of(20.0, 239.5, 133.5), 'field of view is 170.* without distortion.*equidistant'),
        (k_of(1600, 959.5, 535.5), r'outside the image.*images of about 1920x1072'),
        (k_of(200, 59.5, 33.0), r'far from the middle .*images of about 120x67'),
        (k_of(400, 0.5, 0.5), r'far from the middle .*not divided by the image size'),
        (k_of(400, 0.0, 0.0), r'not divided by the image size'),
        (k_of(400, -100, 133.5), r'outside the image of 480x268: where .* set roi'),
        (k_of(400, 239.5, 500), r'outside the image .*set roi'),
    ],
)
def test_what_hardly_can_be_is_told_and_used(k, why):
    camera, told = doubts_of(info(k))
    assert camera.fx == k[0]
    assert len(told.splitlines()) == 1
    assert re.search(why, told)


@pytest.mark.parametrize(
    ('k', 'd', 'model'),
    [
        (k_of(400, 319.5, 239.5), (-0.42, 0, 0, 0, 0), 'plumb_bob'),
        (k_of(300, 319.5, 239.5), (-0.35, 0.1, 0, 0, -0.015), 'plumb_bob'),
        (k_of(300, 319.5, 239.5), (-0.3, -0.1, -0.02, -0.001), 'equidistant'),
        (k_of(300, 319.5, 239.5), (-0.1, 0, -0.05, 0.02, 0), 'plumb_bob'),
    ],
)
def test_a_lens_that_folds_inside_the_image_is_told_with_the_share(k, d, model):
    camera, told = doubts_of(info(k, d, model, (640, 480)))
    pixels = np.stack(np.meshgrid(np.arange(0, 640, 3), np.arange(0, 480, 3)), -1).reshape(-1, 2)
    share = 100 * (1 - camera.rays_and_validity(pixels)[1].mean())
    stated = int(told.split(' % of the image has no ray')[0].split()[-1])
    assert stated == pytest.approx(share, abs=1.5)
    assert 'calibrate again with the board near the edges' in told


def test_only_the_part_that_is_seen_counts_for_what_has_no_ray():
    roi = SimpleNamespace(x_offset=220, y_offset=140, width=200, height=200, do_rectify=False)
    message = info(k_of(400, 319.5, 239.5), (-0.42, 0, 0, 0, 0), size=(640, 480), roi=roi)
    assert doubts_of(message)[1] == ''
    corner = SimpleNamespace(x_offset=0, y_offset=0, width=100, height=100, do_rectify=False)
    message = info(k_of(640, 319.5, 239.5), size=(640, 480), roi=corner)
    assert doubts_of(message)[1] == ''


@pytest.mark.parametrize(
    ('size', 'k', 'd', 'model'),
    [
        (SIZE, GOOD, (), ''),
        ((640, 480), k_of(6000, 319.5, 239.5), (), 'plumb_bob'),  # 6 degrees
        ((640, 480), k_of(60, 319.5, 239.5), (), 'plumb_bob'),  # 159 degrees
        ((640, 480), k_of(500, 250, 300), (-0.2, 0.05, 0, 0, 0), 'plumb_bob'),
        ((1280, 720), k_of(230, 639.5, 359.5), (0.0,) * 4, 'equidistant'),
        # circles of 180 and 220 degrees in a wide frame: black corners are none of its business
        ((1920, 1080), k_of(340, 959.5, 539.5), (-0.012, 0.004, -0.002, 0.0002), 'equidistant'),
        ((1280, 960), k_of(230, 639.5, 479.5), (0.05, -0.02, 0.004, -0.0009), 'equidistant'),
        ((1024, 512), k_of(1024 / 6.2831853, 511.5, 255.5), (), 'equirectangular'),
    ],
)
def test_real_cameras_are_not_doubted(size, k, d, model):
    assert doubts_of(info(k, d, model, size))[1] == ''


@pytest.mark.parametrize('name', sorted(lenses.COEFFICIENTS))
def test_lenses_of_the_other_tests_are_not_doubted(name):
    with warnings.catch_warnings():
        warnings.simplefilter('error', CameraModelWarning)
        lenses.camera(name)


def test_users_of_the_library_are_warned_where_they_call():
    with pytest.warns(CameraModelWarning, match='only 0.38 degrees') as record:
        CameraModel.from_camera_info(info(k_of(400 * 180, 239.5, 133.5)))
    assert record[0].filename == __file__
    with pytest.warns(CameraModelWarning, match='only 0.38 degrees') as record:
        CameraModel.from_matrix(k_of(400 * 180, 239.5, 133.5), *SIZE)
    assert record[0].filename == __file__


@pytest.mark.parametrize('degrees', [101, 150, 175, 179, 179.9, 179.999])
@pytest.mark.parametrize('size', [(480, 268), (64, 48), (3, 2)])
def test_views_of_the_widest_flat_cameras_can_be_laid_out(degrees, size):
    camera = CameraModel.from_fov(*size, np.radians(degrees))
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for up in (None, (0.0, 0.0, -1.0)):
        for view in covering_views(camera, up=up):
            assert view.render(image).shape[2] == 3


@pytest.mark.parametrize('k', [k_of(0.83, 0.5, 0.5, 1.49), k_of(4.0, 2.4, 1.8), k_of(1e-3, 0, 0)])
@pytest.mark.parametrize('model', ['', 'equidistant', 'equirectangular'])
def test_views_of_impossible_cameras_are_some_or_the_image(k, model):
    camera = CameraModel(*SIZE, k[0], k[4], k[2], k[5], 0.0, model)
    for up in (None, (0.0, 0.0, -1.0), (1.0, 0.0, 0.0)):
        assert covering_views(camera, up=up)
