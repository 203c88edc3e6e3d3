# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Crops: the same scene gives the same crop wherever it is seen, however large, on any device."""

import lenses
import numpy as np
import pytest
import scenes

from headpose_ros.geometry import (
    CameraModel,
    VirtualCameras,
    rotation_to_axis,
    sample_crops,
    sample_plain_crops,
)
from headpose_ros.geometry.footprint import Footprints
from headpose_ros.geometry.reduction import WHOLE_IMAGE
from headpose_ros.geometry.virtual_camera import pixel_lines, square_grid

AHEAD = np.array([[0.0, 0.0, 1.0]])


def direction(degrees, azimuth):
    t = np.radians(degrees)
    return np.array([[np.sin(t) * np.cos(azimuth), np.sin(t) * np.sin(azimuth), np.cos(t)]])


def wide_pinhole():
    return CameraModel.from_fov(600, 600, np.radians(122))


@pytest.mark.parametrize(
    ('make', 'degrees', 'plain_below'),
    [
        (wide_pinhole, (10, 30, 45), (40, 26, 20)),
        (lambda: lenses.fisheye(600, 600, 3.9), (30, 60, 85), (36, 24, 20)),
        (lambda: lenses.camera('barrel'), (8, 16), (45, 40)),
    ],
    ids=['pinhole', 'fisheye', 'barrel'],
)
def test_a_scene_gives_the_same_crop_wherever_it_is_seen(make, degrees, plain_below):
    camera = make()
    angle, cycles = [0.4], 6.0
    centre = sample_crops(scenes.render(camera, cycles=cycles), camera, AHEAD, angle, 64).images[0]
    assert centre.std() > 40, 'a scene with something to see'
    for t, limit in zip(degrees, plain_below, strict=True):
        ray = direction(t, 0.7)
        image = scenes.render(camera, rotation_to_axis(ray)[0], cycles)
        crops = sample_crops(image, camera, ray, angle, 64)
        assert crops.inside[0] == 1.0
        assert scenes.psnr(crops.images[0], centre) > 48
        # The measure tells: the same pixels, not turned, are another picture.
        plain = sample_plain_crops(image, camera, ray, angle, 64)
        assert scenes.psnr(plain.images[0], centre) < limit


@pytest.mark.parametrize('name', sorted(lenses.COEFFICIENTS))
def test_crops_are_what_the_virtual_camera_would_photograph(name):
    camera = lenses.camera(name)
    rays = camera.rays([[120.0, 100.0], [500.0, 380.0]])
    cameras = VirtualCameras.look_along(rays, [0.3, 0.2], 64)
    u, v = np.meshgrid(np.arange(64.0), np.arange(64.0))
    pixels = np.column_stack([u.ravel(), v.ravel()])
    seen = cameras.rays_virtual(pixels) @ cameras.rotation_virtual_from_camera
    expected = scenes.texture(seen, 8.0).reshape(2, 64, 64, 3)
    found = sample_crops(scenes.render(camera, cycles=8.0), camera, rays, [0.3, 0.2], 64)
    assert scenes.psnr(found.images, expected) > 38


@pytest.mark.parametrize('name', sorted(lenses.COEFFICIENTS))
def test_interpolated_maps_are_exact(name):
    camera = lenses.camera(name)
    off_axis = np.linspace(0.0, 0.55, 30)
    rays = np.column_stack([np.sin(off_axis), -0.5 * np.sin(off_axis), np.cos(off_axis)])
    cameras = VirtualCameras.look_along(rays, np.geomspace(0.05, 1.2, 30), 112)
    footprints = Footprints.of(cameras, camera)
    assert footprints.is_smooth[:15].all(), 'the usual crops take the fast way'
    exact = np.moveaxis(cameras.image_pixels(camera, square_grid(pixel_lines(112)))[0], 0, -1)
    for i in range(30):
        u, v = footprints.maps(i, 1, camera, cameras, WHOLE_IMAGE)
        # float32 maps, and OpenCV rounds them to 1/32 pixel
        error = np.abs(np.stack([u, v], axis=-1) - exact[i]).max(axis=-1)
        assert error[camera.contains(exact[i])].max() < 2e-3


def test_a_shrunken_crop_shows_no_aliasing():
    camera = CameraModel.from_fov(1600, 1200, np.radians(60))
    u, v = np.meshgrid(np.arange(1600), np.arange(1200))
    checker = np.where((u + v) % 2 == 0, 255, 0).astype(np.uint8)
    fine = np.where((u // 2) % 2 == 0, 255, 0).astype(np.uint8)
    # An ideal area filter passes half of a period of 4 pixels where 2.4 become one; none of 2.
    for image, sizes in ((checker, (200, 230, 300, 450, 700, 1100)), (fine, (450, 700, 1100))):
        for pixels in sizes:
            angle = 2 * np.arctan(pixels / 2 / camera.fx)
            for sample in (sample_crops, sample_plain_crops):
                crop = sample(image, camera, direction(3, 0.5), [angle], 96).images[0]
                assert np.abs(crop[4:-4, 4:-4].astype(int) - 127.5).max() < 32


@pytest.mark.parametrize('shrink', [1.2, 1.9, 2.3, 3.1, 3.9, 6.3, 7.5])
def test_aliasing_is_no_more_than_an_ideal_area_filters(shrink):
    # Gratings too fine for the crop to show: what is left of them is aliasing. An ideal area
    # filter leaves sinc(f r) of a grating of f periods a pixel; 59 % of the coarsest here.
    camera = CameraModel.from_fov(640, 560, np.radians(20))
    x, y = np.meshgrid(np.arange(640.0), np.arange(560.0))
    angle, ray = 2 * np.arctan(shrink * 64 / 2 / camera.fx), camera.rays([[318.3, 281.6]])
    left, ideal = [], []
    for direction_ in (0.0, 0.4, np.pi / 4):
        c, s = np.cos(direction_), np.sin(direction_)
        for f in np.linspace(0.55 / shrink, 0.5 / c, 9):
            grating = np.rint(127.5 + 120 * np.sin(2 * np.pi * f * (c * x + s * y)))
            crop = sample_crops(grating.astype(np.uint8), camera, ray, [angle], 64).images[0]
            left.append(crop.std() / (120 * np.sqrt(0.5)))
            ideal.append(np.sinc(f * shrink * c) * np.sinc(f * shrink * s))
    assert max(left) < 0.7
    rms, ideal_rms = np.sqrt(np.mean(np.square(left))), np.sqrt(np.mean(np.square(ideal)))
    assert rms < ideal_rms + 0.06


def test_a_shrunken_crop_is_in_the_same_place():
    # How much of the crop is right of an edge tells where it is; the truth is to 1/10 pixel.
    camera = CameraModel.from_fov(2000, 1500, np.radians(60))
    image = np.zeros((1500, 2000), np.uint8)
    image[:, 983:] = 255
    angles = 2 * np.arctan(np.array([60, 97, 130, 200, 500, 1300]) / 2 / camera.fx)
    rays = np.repeat(camera.rays([[983.3, 741.7]]), 6, axis=0)
    found = sample_crops(image, camera, rays, angles, 96).images.mean(axis=(1, 2)) / 255
    fine = VirtualCameras.look_along(rays, angles, 960)
    columns = fine.image_pixels(camera, square_grid(pixel_lines(960)))[0][0]
    expected = (columns > 982.5).mean(axis=(1, 2))
    assert np.abs(found - expected).max() * 96 < 0.1


def test_crops_half_outside_repeat_the_border_and_say_so():
    camera = CameraModel.from_fov(640, 480, 1.0)
    image = np.full((480, 640, 3), 200, np.uint8)
    image[:, 0] = (10, 20, 30)
    rays = camera.rays([[-0.5, 239.5], [320.0, 240.0], [-0.5, -0.5]])
    crops = sample_crops(image, camera, rays, [0.1] * 3, 64)
    assert crops.inside == pytest.approx([0.5, 1.0, 0.25], abs=0.03)
    assert (crops.images[0][:, :28] == (10, 20, 30)).all()
    plain = sample_plain_crops(image, camera, rays, [0.1] * 3, 64)
    assert plain.inside == pytest.approx([0.5, 1.0, 0.25], abs=0.01)


@pytest.mark.parametrize('degrees', [0, 30, 60, 74, 85, 95])
def test_crops_at_the_end_of_a_flat_image_stay_small(degrees, monkeypatch):
    # There a crop pixel spans up to infinitely many pixels, of which the image has none.
    camera = CameraModel.from_fov(640, 480, np.radians(150))
    image = np.full((480, 640), 90, np.uint8)
    most = []
    maps = Footprints.maps
    monkeypatch.setattr(Footprints, 'maps', lambda *a: (most.append(a[2]), maps(*a))[1])
    for angle in (0.01, 0.4, 1.5, 2.6):
        crops = sample_crops(image, camera, direction(degrees, 0.3), [angle], 64)
        assert (crops.images == 90).all()
    assert max(most) <= 4


def test_only_what_the_image_shows_decides_how_finely_it_is_sampled():
    # The image ends 75 degrees off axis; half of the crop, to 83 degrees, would be stretched more.
    camera = CameraModel.from_fov(640, 480, np.radians(150))
    cameras = VirtualCameras.look_along(direction(74, 0.0), [0.3], 64)
    at_the_edge = camera.fx / np.cos(np.radians(75)) ** 2 * 2 * np.tan(0.15) / 64
    assert Footprints.of(cameras, camera).shrink[0, 1] < 1.1 * at_the_edge


def test_crops_out_of_the_lens_are_not_inside():
    camera = CameraModel.from_matrix(
        lenses.K, 640, 480, 'plumb_bob', (-0.3, 0, 0, 0, 0), tell=None
    )
    image = np.full((480, 640, 3), 90, np.uint8)
    for degrees in (60, 80, 120):
        crops = sample_crops(image, camera, direction(degrees, 0.0), [0.5], 32)
        assert crops.inside[0] < 0.2
        assert (crops.images == 90).all()


def test_a_crop_across_90_degrees_of_a_fisheye():
    camera = lenses.fisheye(700, 700, 4.2)
    ray = direction(100, 2.0)
    centre = sample_crops(scenes.render(camera, cycles=5), camera, AHEAD, [0.4], 64).images[0]
    turned = scenes.render(camera, rotation_to_axis(ray)[0], 5)
    assert scenes.psnr(sample_crops(turned, camera, ray, [0.4], 64).images[0], centre) > 45


@pytest.mark.parametrize('grey', [False, True])
@pytest.mark.parametrize('name', ['pinhole', 'barrel', 'fisheye'])
def test_torch_samples_the_same(name, grey):
    torch = pytest.importorskip('torch', reason='torch is not installed')
    camera = lenses.camera(name).scaled_to(1280, 960)
    image = scenes.render(camera, cycles=20)
    image = image[..., 0].copy() if grey else image
    pixels = np.array([[300, 200], [900, 700], [640, 480], [1270, 900], [100, 950], [700, 300]])
    angles = np.array([0.05, 0.15, 0.3, 0.2, 0.6, 1.0])
    rays = camera.rays(pixels)
    ours = sample_crops(image, camera, rays, angles, 64)
    theirs = sample_crops(image, camera, rays, angles, 64, device=torch.device('cpu'))
    assert isinstance(theirs.images, torch.Tensor)
    assert tuple(theirs.images.shape) == ours.images.shape
    difference = np.abs(theirs.images.numpy().astype(int) - ours.images)
    assert difference.max() <= 6  # OpenCV places samples to 1/32 pixel and rounds in between
    assert difference.mean() < 0.6
    assert (theirs.inside == ours.inside).all()
    again = sample_crops(
        torch.as_tensor(image), camera, rays, angles, 64, device=torch.device('cpu')
    )
    assert (again.images == theirs.images).all()
    flipped = np.ascontiguousarray(image[::-1])[::-1]  # as images whose channels are swapped
    again = sample_crops(flipped, camera, rays, angles, 64, device=torch.device('cpu'))
    assert (again.images == theirs.images).all()


def test_no_rays_give_no_crops():
    camera = lenses.camera('barrel')
    image = np.zeros((480, 640, 3), np.uint8)
    for sample in (sample_crops, sample_plain_crops):
        crops = sample(image, camera, np.empty((0, 3)), np.empty(0), 112)
        assert crops.images.shape == (0, 112, 112, 3)
        assert len(crops) == 0
    torch = pytest.importorskip('torch', reason='torch is not installed')
    empty = sample_crops(
        image, camera, np.empty((0, 3)), np.empty(0), 112, device=torch.device('cpu')
    )
    assert tuple(empty.images.shape) == (0, 112, 112, 3)


@pytest.mark.parametrize(
    ('image', 'why'),
    [
        (
            np.zeros((240, 320, 3), np.uint8),
            '320x240 pixels, but the camera has 640x480.*scaled_to',
        ),
        (np.zeros((480, 640, 4), np.uint8), r'expected shape \(H, W, 3\)'),
        (np.zeros((480, 640, 3), np.float32), 'expected uint8, got float32'),
    ],
)
def test_wrong_images_are_refused(image, why):
    with pytest.raises(ValueError, match=why):
        sample_crops(image, lenses.camera('pinhole'), AHEAD, [0.3], 64)


@pytest.mark.parametrize('size_px', [0, -3, 10**9, 2.5, None, '96'])
@pytest.mark.parametrize('sample', [sample_crops, sample_plain_crops])
def test_sizes_that_make_no_crop_are_refused(sample, size_px):
    camera = CameraModel.from_fov(64, 48, 1.0)
    with pytest.raises(ValueError, match='size_px: expected'):
        sample(np.zeros((48, 64), np.uint8), camera, [[0, 0, 1.0]], [0.3], size_px)


def test_what_is_no_image_is_refused():
    camera = CameraModel.from_fov(64, 48, 1.0)
    for wrong in (None, 'picture.jpg', [[1, 2], [3, 4]]):
        with pytest.raises(ValueError, match='image: expected an array'):
            sample_crops(wrong, camera, [[0, 0, 1.0]], [0.3], 32)
    image = np.zeros((48, 64), np.uint8)
    with pytest.raises(ValueError, match='ups: expected 1, one a ray, got 2'):
        sample_crops(image, camera, [[0, 0, 1.0]], [0.3], 32, ups=[[0, -1, 0]] * 2)
