# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import made_faces
import numpy as np
import pytest

from headpose_ros.geometry.face_frame import FACE_SPHERE_RADIUS
from headpose_ros.geometry.rotations import rotation_to_axis
from headpose_training.landmark_table import MIRRORED
from headpose_training.warping import Views, WarpLimits, plan_warp, warp_image

PX, SCALE = 96, 0.9


def warped(crops, views):
    return plan_warp(crops, np.arange(len(crops)), views, PX, SCALE)


def apply(homography, pixels):
    p = np.column_stack([pixels, np.ones(len(pixels))]) @ np.linalg.inv(homography).T
    return p[:, :2] / p[:, 2:]


def distance_of(crops, i):
    tangent = crops.sizes[i] * crops.half_tangents[i]
    return FACE_SPHERE_RADIUS / np.sin(np.arctan(tangent))


@pytest.mark.parametrize('mirrored', [False, True])
def test_warped_marks_lie_where_the_new_truth_projects_them(mirrored):
    crops = made_faces.made_crops(8, seed=1)
    rng = np.random.default_rng(2)
    views = replace(WarpLimits().draw(rng, len(crops)), mirrored=np.full(len(crops), mirrored))
    warp = warped(crops, views)
    for i in range(len(crops)):
        distance = distance_of(crops, i)
        marks = made_faces.mark_points(crops.rotations[i], distance)
        seen = apply(
            warp.homographies[i], made_faces.project(marks, made_faces.HALF_TANGENT, crops.size_px)
        )
        # by the truth: the network's rotation is that of a camera looking at the face centre
        half = crops.sizes[i] * crops.half_tangents[i] * SCALE / np.exp(warp.log_sizes[i])
        ray = np.array([*(warp.centres[i] * half), 1.0])
        marks_face = np.array([d for d, _ in made_faces.MARKS])
        marks_face = marks_face / np.linalg.norm(marks_face, axis=1, keepdims=True)
        if mirrored:
            marks_face = marks_face * [1, -1, 1]
        looking = marks_face * FACE_SPHERE_RADIUS @ warp.rotations[i].T + [0, 0, distance]
        expected = made_faces.project(looking @ rotation_to_axis(ray), half, PX)
        np.testing.assert_allclose(seen, expected, atol=1e-6)


@pytest.mark.parametrize('mirrored', [False, True])
def test_landmarks_go_where_the_image_goes(mirrored):
    crops = made_faces.made_crops(8, seed=1)
    rng = np.random.default_rng(2)
    crops.landmarks[:] = rng.uniform(-0.4, 0.4, crops.landmarks.shape)
    crops.landmarks[3, 5] = np.nan
    views = replace(WarpLimits().draw(rng, len(crops)), mirrored=np.full(len(crops), mirrored))
    warp = warped(crops, views)
    for i in range(len(crops)):
        pixels = crops.landmarks[i] * crops.size_px / 2 + (crops.size_px - 1) / 2
        expected = apply(warp.homographies[i], pixels)
        if mirrored:  # the left corner of the mouth becomes the right one
            expected = expected[MIRRORED]
        found = warp.landmarks[i] * PX / 2 + (PX - 1) / 2
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.isnan(warp.landmarks).any(2).sum() == 1


def test_plain_views_keep_the_truth():
    crops = made_faces.made_crops(5)
    warp = warped(crops, Views.plain(5))
    np.testing.assert_allclose(warp.rotations, crops.rotations, atol=1e-12)
    np.testing.assert_allclose(warp.centres, 0, atol=1e-12)
    np.testing.assert_allclose(warp.log_sizes, 0, atol=1e-12)


def test_a_roll_turns_image_and_truth_alike():
    crops = made_faces.made_crops(1, seed=3)
    plain = Views.plain(1)
    rolled = Views(
        np.array([np.pi / 2]), plain.centres, plain.scales, plain.mirrored, plain.distances
    )
    before, after = warped(crops, plain), warped(crops, rolled)
    upright = warp_image(crops.images[0], before.homographies[0], PX)
    turned = warp_image(crops.images[0], after.homographies[0], PX)
    # a camera turned clockwise sees the scene turn counter-clockwise
    difference = np.abs(np.rot90(upright).astype(int) - turned.astype(int))
    assert difference.mean() < 1.0
    quarter = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(after.rotations[0], quarter @ before.rotations[0], atol=1e-12)


def test_scale_makes_the_crop_larger_and_the_face_smaller():
    crops = made_faces.made_crops(1)
    plain = Views.plain(1)
    large = Views(plain.rolls, plain.centres, np.array([1.3]), plain.mirrored, plain.distances)
    warp = warped(crops, large)
    assert warp.log_sizes[0] == pytest.approx(-np.log(1.3))
    corner = apply(np.linalg.inv(warp.homographies[0]), np.array([[-0.5, -0.5]]))
    plain_corner = apply(
        np.linalg.inv(warped(crops, plain).homographies[0]), np.array([[-0.5, -0.5]])
    )
    middle = (crops.size_px - 1) / 2
    np.testing.assert_allclose((corner - middle) / (plain_corner - middle), 1.3, rtol=1e-9)


def test_draws_stay_within_the_limits():
    limits = WarpLimits(roll_max_deg=30, shift_max=0.2, scale_max=1.3)
    views = limits.draw(np.random.default_rng(0), 2000)
    assert np.abs(np.rad2deg(views.rolls)).max() <= 30 + 1e-9
    assert np.abs(views.centres).max() <= 0.2
    assert views.scales.max() <= 1.3 + 1e-9
    assert views.scales.min() >= 1 / 1.3 - 1e-9
    assert 0.4 < views.mirrored.mean() < 0.6
