# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pixels to rays and back, against OpenCV as an independent oracle, and where lenses end."""

import cv2
import lenses
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headpose_ros.geometry import CameraModel, CameraModelError
from headpose_ros.geometry.rays import off_axis_angle

ALL = sorted(lenses.COEFFICIENTS)


def grid(camera, step=7.3):
    """Return pixels of the whole image, its outermost corners included."""
    u = np.append(np.arange(-0.5, camera.width - 0.5, step), camera.width - 0.5)
    v = np.append(np.arange(-0.5, camera.height - 0.5, step), camera.height - 0.5)
    return np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)


@pytest.mark.parametrize('name', ALL)
def test_every_pixel_comes_back(name):
    camera = lenses.camera(name)
    pixels = grid(camera)
    rays, has_ray = camera.rays_and_validity(pixels)
    assert has_ray.all()
    assert np.abs(np.linalg.norm(rays, axis=1) - 1).max() < 1e-15
    back, valid = camera.pixels(rays)
    assert valid.all()
    assert np.abs(back - pixels).max() < 1e-9


@pytest.mark.parametrize('name', ALL)
def test_projection_is_opencvs(name):
    camera = lenses.camera(name)
    rays, _ = camera.rays_and_validity(grid(camera))
    points = rays * np.linspace(0.5, 4.0, len(rays))[:, None]
    zero = np.zeros(3)
    if camera.distortion_model == 'equidistant':
        d = np.array(camera.distortion)
        theirs, _ = cv2.fisheye.projectPoints(points[:, None], zero, zero, camera.matrix, d)
    else:
        d = np.array(camera.distortion or (0.0,) * 5)
        theirs, _ = cv2.projectPoints(points, zero, zero, camera.matrix, d)
    ours, valid = camera.pixels(points)
    assert valid.all()
    assert np.abs(ours - theirs[:, 0]).max() < 1e-9


@settings(max_examples=150, deadline=None)
@given(
    k1=st.floats(-0.4, 0.5),
    k2=st.floats(-0.2, 0.3),
    k3=st.floats(-0.1, 0.2),
    p1=st.floats(-0.01, 0.01),
    p2=st.floats(-0.01, 0.01),
    focal=st.floats(200, 900),
)
def test_plumb_bob_round_trip_wherever_the_lens_sees(k1, k2, k3, p1, p2, focal):
    k = (focal, 0, 300, 0, focal * 1.05, 260, 0, 0, 1)
    camera = CameraModel.from_matrix(k, 640, 480, 'plumb_bob', (k1, k2, p1, p2, k3), None)
    pixels = grid(camera, 31.0)
    rays, has_ray = camera.rays_and_validity(pixels)
    back, valid = camera.pixels(rays)
    assert np.isfinite(rays).all()
    assert np.isfinite(back).all()
    near = np.hypot(*(pixels - (300, 260)).T) < 100
    assert has_ray[near].all() or camera.max_angle < 0.6
    assert valid[has_ray].all()
    assert np.abs(back - pixels)[has_ray].max(initial=0) < 1e-6


@settings(max_examples=150, deadline=None)
@given(
    k=st.tuples(*[st.floats(-0.06, 0.06)] * 4),
    azimuth=st.floats(-np.pi, np.pi),
    fraction=st.floats(0, 0.9999),
)
def test_fisheye_rays_come_back_from_anywhere_in_range(k, azimuth, fraction):
    camera = CameraModel.from_matrix(
        (300, 0, 320, 0, 310, 240, 0, 0, 1), 640, 480, 'equidistant', k, tell=None
    )
    t = fraction * camera.max_angle
    ray = np.array([[np.sin(t) * np.cos(azimuth), np.sin(t) * np.sin(azimuth), np.cos(t)]])
    pixels, valid = camera.pixels(ray)
    assert valid.all()
    pixels_again, _ = camera.pixels(camera.rays(pixels))
    assert np.abs(pixels_again - pixels).max() < 1e-6


def test_fisheye_sees_behind_itself():
    camera = lenses.fisheye()
    t = np.radians(95.0)
    pixels, valid = camera.pixels([[np.sin(t), 0.0, np.cos(t)]])
    assert valid.all()
    assert off_axis_angle(camera.rays(pixels))[0] == pytest.approx(t, abs=1e-12)


def test_nothing_is_mirrored_beyond_the_horizon_of_a_tilted_sensor():
    camera = CameraModel.from_matrix(
        np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]]),
        640,
        480,
        'rational_polynomial',
        [0.0] * 12 + [0.3, 0.0],
    )
    angles = np.radians(np.arange(40.0, 89.0))
    pixels, valid = camera.pixels(np.column_stack([0 * angles, np.sin(angles), np.cos(angles)]))
    assert np.isfinite(pixels).all()
    assert 20 < valid.sum() < len(angles)
    assert (np.diff(valid.astype(int)) <= 0).all()  # once beyond, always beyond
    assert (np.diff(pixels[valid, 1]) > 0).all()


def test_fold_of_a_barrel_lens_shows_no_mirrored_points():
    # r (1 - 0.3 r^2) turns back at r = 1 / sqrt(0.9): beyond, points would come inwards again.
    camera = CameraModel.from_matrix(
        lenses.K, 640, 480, 'plumb_bob', (-0.3, 0, 0, 0, 0), tell=None
    )
    fold = 1 / np.sqrt(0.9)
    assert np.tan(camera.max_angle) == pytest.approx(fold)
    radii = np.array([0.5, 0.99 * fold, 1.01 * fold, 3.0, 1e9])
    pixels, valid = camera.pixels(np.column_stack([radii, 0 * radii, np.ones(5)]))
    assert valid.tolist() == [True, True, False, False, False]
    rim = 310 + 400 * fold * (1 - 0.3 * fold**2)
    assert pixels[2:, 0] == pytest.approx(rim)
    rays, has_ray = camera.rays_and_validity([[rim - 0.01, 250], [rim + 0.01, 250], [5000, 250]])
    assert has_ray.tolist() == [True, False, False]
    assert off_axis_angle(rays)[1:] == pytest.approx(camera.max_angle, abs=1e-6)


def test_pole_of_a_rational_lens_ends_its_range():
    camera = CameraModel.from_matrix(
        lenses.K, 640, 480, 'rational_polynomial', (0, 0, 0, 0, 0, -0.25, 0, 0)
    )
    assert np.tan(camera.max_angle) == pytest.approx(2.0, rel=1e-6)
    assert not camera.pixels([[2.5, 0.0, 1.0]])[1].any()


def test_pole_of_a_rational_lens_within_the_image():
    # 1 / (1 - 3 r^2) goes to infinity at r = 0.577: all of the image is seen before that.
    camera = CameraModel.from_matrix(
        lenses.K, 640, 480, 'rational_polynomial', (0, 0, 0, 0, 0, -3, 0, 0)
    )
    pixels = grid(camera)
    rays, has_ray = camera.rays_and_validity(pixels)
    assert has_ray.all()
    assert np.tan(off_axis_angle(rays)).max() < 1 / np.sqrt(3)
    assert np.abs(camera.pixels(rays)[0] - pixels).max() < 1e-6
    beyond, valid = camera.pixels([[0.6, 0.0, 1.0], [0.0, -3.0, 1.0]])
    assert not valid.any()
    assert np.isfinite(beyond).all()


def test_a_fisheye_that_folds_back_sees_nothing_beyond():
    camera = CameraModel.from_matrix(
        lenses.K, 640, 480, 'equidistant', (-0.3, -0.1, -0.02, -0.001), tell=None
    )
    assert camera.max_angle == pytest.approx(0.86, abs=0.01)  # where the radius is largest
    t = np.linspace(0.0, 3.1, 200)
    pixels, valid = camera.pixels(np.column_stack([np.sin(t), 0 * t, np.cos(t)]))
    assert (valid == (t <= camera.max_angle)).all()
    assert (np.diff(pixels[:, 0]) >= -1e-9).all(), 'beyond, the rim, and nothing mirrored'
    rim = pixels[-1, 0]
    assert camera.rays_and_validity([[rim - 0.1, 250], [rim + 0.1, 250]])[1].tolist() == [1, 0]


@pytest.mark.parametrize('tangential', [0.02, -0.05])
def test_valid_ends_where_tangential_terms_fold_the_plane(tangential):
    d = (-0.2, 0.02, tangential, 0.04, 0.0)
    camera = CameraModel.from_matrix(lenses.K, 640, 480, 'plumb_bob', d, tell=None)
    x, y = (a.ravel() for a in np.meshgrid(*[np.linspace(-2.0, 2.0, 81)] * 2))
    _, valid = camera.pixels(np.column_stack([x, y, np.ones_like(x)]))
    rays, zero = np.column_stack([x, y, np.ones_like(x)]), np.zeros(3)
    step = 1e-6
    (a, b), (c, e) = (
        (
            cv2.projectPoints(rays + step * axis, zero, zero, np.eye(3), np.array(d))[0][:, 0]
            - cv2.projectPoints(rays - step * axis, zero, zero, np.eye(3), np.array(d))[0][:, 0]
        ).T
        for axis in np.eye(3)[:2]
    )
    keeps_sides = a * e - b * c > 0
    in_range = np.hypot(x, y) < np.tan(camera.max_angle)
    assert (valid == (keeps_sides & in_range)).all()
    assert (in_range & ~keeps_sides).sum() > 20, 'these terms do fold it'


@pytest.mark.parametrize('name', ALL)
def test_nothing_is_seen_behind_and_no_pixel_is_nan(name):
    camera = lenses.camera(name)
    rays = np.random.default_rng(1).normal(size=(2000, 3))
    extremes = [[0, 0, 0], [0, 0, -1], [1, 0, 0], [0, 1, 0], [1e-300, 0, 1e-300], [0, 0, 1e-200]]
    rays = np.vstack([rays, extremes])
    with np.errstate(invalid='raise', divide='raise'):
        pixels, valid = camera.pixels(rays)
    assert np.isfinite(pixels).all()
    assert not valid[2000:2002].any()
    if camera.distortion_model != 'equidistant':
        assert not valid[rays[:, 2] <= 0].any()


def test_a_large_image_of_a_strong_lens_where_fixed_iterations_stop_short():
    camera = CameraModel.from_matrix(
        (900, 0, 960, 0, 900, 540, 0, 0, 1),
        1920,
        1080,
        'plumb_bob',
        (0.6, 0.8, 0.004, -0.003, 0.9),
    )
    corners = np.array([[-0.5, -0.5], [1919.5, 1079.5]])
    theirs = cv2.undistortPoints(corners[:, None], camera.matrix, np.array(camera.distortion))[
        :, 0
    ]
    rays = camera.rays(corners)
    ours_back, _ = camera.pixels(rays)
    theirs_back, _ = camera.pixels(np.column_stack([theirs, [1, 1]]))
    assert np.abs(theirs_back - corners).max() > 1e-3, 'no longer a hard case for OpenCV'
    assert np.abs(ours_back - corners).max() < 1e-9


def test_scaling_keeps_the_rays_of_pixel_areas():
    camera = lenses.camera('barrel')
    half = camera.scaled_to(320, 240)
    # Pixel (0, 0) of the smaller image covers pixels 0 and 1, so its centre is at 0.5.
    assert half.rays([[0.0, 0.0]]) == pytest.approx(camera.rays([[0.5, 0.5]]), abs=1e-14)
    assert camera.scaled_to(640, 480) is camera
    assert camera.scaled_to(427, 320).width == 427  # rounded
    with pytest.raises(CameraModelError, match=r'640x360.*640x480'):
        camera.scaled_to(640, 360)


def test_field_of_view():
    camera = CameraModel.from_fov(640, 480, np.radians(70))
    assert camera.field_of_view[0] == pytest.approx(np.radians(70))
    assert np.tan(camera.field_of_view[1] / 2) == pytest.approx(np.tan(np.radians(35)) * 0.75)
    assert lenses.fisheye().field_of_view[0] > 3.2
    for bad in (0.0, np.pi, -1.0, np.nan, 60):
        with pytest.raises(CameraModelError, match='hfov: expected'):
            CameraModel.from_fov(640, 480, bad)
    with pytest.raises(CameraModelError, match=r"pi .*'pinhole', got 60; .*math.radians"):
        CameraModel.from_fov(640, 480, 60)


def test_equality_and_hash_go_by_value():
    assert lenses.camera('tilt') == lenses.camera('tilt')
    assert hash(lenses.camera('tilt')) == hash(lenses.camera('tilt'))
    assert lenses.camera('tilt') != lenses.camera('prism')


def test_pinhole_is_told_from_distortion():
    assert lenses.camera('pinhole').is_pinhole
    assert CameraModel.from_matrix(lenses.K, 640, 480, 'plumb_bob', (0,) * 5).is_pinhole
    assert not lenses.camera('barrel').is_pinhole
    zero = CameraModel.from_matrix(lenses.K, 640, 480, 'equidistant', (0,) * 4)
    assert not zero.is_pinhole


def test_skew_round_trip():
    camera = CameraModel.from_matrix((400, 3, 310, 0, 420, 250, 0, 0, 1), 640, 480)
    assert camera.matrix @ [0.1, 0.2, 1.0] == pytest.approx(
        [*camera.pixels([[0.1, 0.2, 1]])[0][0], 1]
    )
    pixels = grid(camera, 50.0)
    assert camera.pixels(camera.rays(pixels))[0] == pytest.approx(pixels, abs=1e-9)


@pytest.mark.parametrize('bad', [[1.0, 2.0], [[1.0, 2.0, 3.0]], [[np.nan, 1.0]]])
def test_wrong_pixels_are_refused(bad):
    with pytest.raises(ValueError, match='pixels: expected'):
        lenses.camera('pinhole').rays(bad)


def test_no_pixels_give_no_rays():
    for name in ALL:
        camera = lenses.camera(name)
        assert camera.rays(np.empty((0, 2))).shape == (0, 3)
        assert camera.pixels(np.empty((0, 3)))[0].shape == (0, 2)


@pytest.mark.parametrize(
    ('changes', 'why'),
    [
        ({'width': '640'}, "width: expected a whole number, got '640'"),
        ({'height': 480.5}, 'height: expected a whole number, got 480.5'),
        ({'width': None}, 'width: expected a whole number'),
        ({'width': True}, 'width: expected a whole number'),
        ({'width': float('inf')}, 'width: expected a whole number'),
        ({'fx': None}, 'fx: expected a finite number'),
        ({'cy': float('nan')}, 'cy: expected a finite number'),
        ({'skew': 10**400}, 'skew: expected a finite number'),
        ({'distortion_model': 'plumb_bob', 'distortion': ('a',) * 4}, 'expected a finite number'),
    ],
)
def test_numbers_that_are_none_are_refused(changes, why):
    numbers = {'width': 640, 'height': 480, 'fx': 400, 'fy': 400, 'cx': 320, 'cy': 240}
    with pytest.raises(CameraModelError, match=why):
        CameraModel(**{**numbers, **changes})


def test_numbers_may_be_numpys():
    camera = CameraModel(np.int64(640), np.uint16(480), np.float32(400), 400, 320, np.int8(24))
    assert camera == CameraModel(640, 480, 400.0, 400.0, 320.0, 24.0)
    assert all(type(value) in (int, float) for value in (camera.width, camera.fx, camera.cy))


@pytest.mark.parametrize('degrees', [60, 180, 200, 360])
def test_an_ideal_fisheye_has_a_radius_in_proportion_to_the_angle(degrees):
    camera = CameraModel.from_fov(1000, 800, np.radians(degrees), 'equidistant')
    off_axis = np.radians(degrees) * np.array([0.0, 0.1, 0.25, 0.49])
    rays = np.column_stack([np.sin(off_axis), np.zeros(4), np.cos(off_axis)])
    pixels, valid = camera.pixels(rays)
    assert valid.all()
    assert pixels[:, 0] == pytest.approx(499.5 + 1000 * np.array([0.0, 0.1, 0.25, 0.49]))
    assert pixels[:, 1] == pytest.approx(np.full(4, 399.5))
    assert camera.field_of_view[0] == pytest.approx(np.radians(degrees))


@pytest.mark.parametrize(
    ('arguments', 'why'),
    [
        ((640, 480, 7.0, 'equidistant'), r'hfov: expected between 0 and 2 pi rad .*got 7'),
        ((640, 480, np.pi), "model='equidistant'"),
        ((640, 480, 1.0, 'fisheye'), "model: expected one of 'pinhole', .* got 'fisheye'"),
        ((640, 480, '60'), "hfov: expected a finite number, got '60'"),
        (('640', 480, 1.0), 'width: expected a whole number'),
        ((640, None, 1.0), 'height: expected a whole number'),
        ((0, 480, 1.0), 'size must be positive|focal lengths must be positive'),
    ],
)
def test_a_field_of_view_that_makes_no_camera_is_refused(arguments, why):
    with pytest.raises(CameraModelError, match=why):
        CameraModel.from_fov(*arguments)
