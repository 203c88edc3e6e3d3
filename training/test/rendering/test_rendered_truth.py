# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The truth that goes with a picture, against OpenCV's projection and against the pixels."""

import itertools

import cv2
import numpy as np
import pytest

from headpose_ros.geometry import CameraModel
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.face_frame import (
    FACE_CENTRE_IN_FACE,
    FACE_SPHERE_RADIUS,
    sellion_from_face_centre,
)
from headpose_training.head_model import ROTATION_FACE_FROM_MODEL
from headpose_training.rendering.background import Backgrounds
from headpose_training.rendering.camera import SquareCamera
from headpose_training.rendering.crops import draw_crop, draw_negative
from headpose_training.rendering.lighting import random_lighting
from headpose_training.rendering.person import Person, Pose
from headpose_training.rendering.scene import (
    Placed,
    SceneCamera,
    compose,
    random_people,
    standing,
)
from headpose_training.rendering.view import photograph

POSES = [(0.0, 0.0, 0.0), (0.8, -0.3, 0.2), (-1.4, 0.4, -0.5), (0.2, 1.0, 0.1)]


def plain_person(parts):
    """Someone whom nothing covers."""
    for seed in range(200):
        person = Person(parts, seed, plain=True)
        about = person.appearance
        if about.hair == 'bald' and not (about.glasses or about.mask or about.beard):
            return person
    raise AssertionError('no plain person among 200')


@pytest.fixture(scope='module')
def person(parts):
    return plain_person(parts)


def pose_at(person, angles, centre):
    rotation = matrix_from_euler(*angles)
    rest = np.zeros(len(person.parts.model.expression_names), np.float32)
    centre = np.asarray(centre, float)
    return Pose(rotation, sellion_from_face_centre(rotation, centre), standing(angles[0]), rest)


def project(person, points, pose, focal, centre):
    """Project head vertices by OpenCV, through the face frame and the pose's truth alone."""
    in_face = points @ ROTATION_FACE_FROM_MODEL.T
    K = np.array([[focal, 0, centre], [0, focal, centre], [0, 0, 1.0]])
    turn = cv2.Rodrigues(pose.rotation_camera_from_face)[0]
    return cv2.projectPoints(in_face.astype(float), turn, pose.sellion, K, None)[0][:, 0]


@pytest.mark.parametrize('angles', POSES)
@pytest.mark.parametrize('distance', [0.3, 1.0, 5.0])
def test_landmarks_agree_with_opencv(person, angles, distance):
    camera = SquareCamera.spanning(2 * np.arctan(0.19 / distance), 128)
    pose = pose_at(person, angles, [0.02 * distance, -0.03 * distance, distance])
    picture = photograph(person, pose, camera, random_lighting(np.random.default_rng(0)))
    marks = person.head[person.parts.model.landmarks68]
    want = project(person, marks, pose, camera.focal, camera.centre)
    # the chin's landmarks bend with the neck by a hair
    assert np.abs(picture.landmarks - want).max() < 0.02 * 128 / 100
    assert np.median(np.abs(picture.landmarks - want)) < 1e-3


@pytest.mark.parametrize('angles', POSES)
def test_pixels_show_the_head_where_the_truth_says(person, angles):
    """The drawn head's outline is that of its vertices, projected by OpenCV."""
    camera = SquareCamera.spanning(2 * np.arctan(0.22), 160)
    pose = pose_at(person, angles, [0.01, 0.02, 1.0])
    picture = photograph(person, pose, camera, random_lighting(np.random.default_rng(1)))
    model = person.parts.model
    top = np.flatnonzero(person.head[:, 1] > 0.0)  # no clothes, no chin
    top = top[top <= model.part_last['head_and_neck']]
    at = project(person, person.head[top], pose, camera.focal, camera.centre)
    hull = cv2.convexHull(at.astype(np.float32))[:, 0]
    want = np.zeros((160, 160), np.uint8)
    cv2.fillConvexPoly(want, np.round(hull * 16).astype(np.int32), 1, shift=4)
    drawn = picture.coverage > 0.5
    assert drawn[want > 0].mean() > 0.93  # ears leave gaps in a convex outline
    up = pose.rotation_camera_from_face[:2, 2]
    y, x = np.mgrid[:160, :160]
    height = (np.stack([x, y], -1) - at.mean(axis=0)) @ up
    above = height > np.quantile((at - at.mean(axis=0)) @ up, 0.5)
    outside = cv2.dilate(want, np.ones((5, 5))) == 0
    assert not (picture.skin & above & outside).any()


def test_front_of_the_face_is_visible_and_the_back_hides_it(person):
    camera = SquareCamera.spanning(0.5, 128)
    light = random_lighting(np.random.default_rng(0))
    front = photograph(person, pose_at(person, (0, 0, 0), [0, 0, 1]), camera, light)
    back = photograph(person, pose_at(person, (np.pi, 0, 0), [0, 0, 1]), camera, light)
    assert front.visible[17:].mean() > 0.95
    assert back.visible[17:].mean() < 0.05
    turned = pose_at(person, (1.2, 0, 0), [0, 0, 1])
    left = photograph(person, turned, camera, light)
    # yaw > 0: the nose points to the image's left, the subject's right cheek goes out of sight
    middle = project(person, np.float32([[0, 0, -0.1]]), turned, camera.focal, camera.centre)
    assert left.landmarks[27, 0] < middle[0, 0] - 15
    assert left.visible[13:17].mean() > 0.7 > 0.3 > left.visible[0:3].mean()


def test_light_from_the_left_brightens_the_left(person):
    camera = SquareCamera.spanning(0.4, 96)
    light = random_lighting(np.random.default_rng(0))
    side = type(light)(
        np.float32([[-0.95, -0.1, -0.3, 1, 1, 1]]), np.full((4, 3), 0.01, np.float32), 1.0, 'side'
    )
    picture = photograph(person, pose_at(person, (0, 0, 0), [0, 0, 1]), camera, side)
    grey = picture.light.mean(axis=2)
    x = picture.landmarks[27:31, 0].mean()
    columns = np.arange(96)
    lit = grey[picture.skin & (columns < x - 6)[None]].mean()
    dark = grey[picture.skin & (columns > x + 6)[None]].mean()
    assert lit > 2 * dark


def test_crop_truth_is_consistent(parts):
    person = Person(parts, 11)
    rng = np.random.default_rng(3)
    for _ in range(6):
        crop = draw_crop(rng, person, 64, Backgrounds())
        R, t = crop.rotation_virtual_from_face, crop.sellion
        assert np.allclose(R @ R.T, np.eye(3))
        assert np.linalg.det(R) == pytest.approx(1)
        centre = R @ FACE_CENTRE_IN_FACE + t
        distance = np.linalg.norm(centre)
        assert 0.25 <= distance <= 6.0
        assert np.sin(crop.angular_size / 2) * distance == pytest.approx(FACE_SPHERE_RADIUS)
        focal = 32 / np.tan(crop.crop_angle / 2)
        assert np.allclose(crop.face_centre_px, focal * centre[:2] / centre[2] + 31.5)
        assert np.abs(crop.face_centre_px - 31.5).max() < 0.2 * 32
        # the crop is wider than the head, by the head's own size
        sphere = focal * FACE_SPHERE_RADIUS * person.appearance.head_scale / distance
        assert 1.2 < 32 / sphere < 1.75


def test_negatives_have_no_truth(parts):
    rng = np.random.default_rng(0)
    person = Person(parts, 5)
    for _ in range(8):
        crop = draw_negative(rng, person, 48, Backgrounds())
        assert not crop.face
        assert np.isnan(crop.sellion).all()
        assert not crop.visible.any()
        assert crop.image.shape == (48, 48, 3)


LENSES = {
    'pinhole': CameraModel.from_fov(320, 240, 1.6),
    'plumb_bob': CameraModel(320, 240, 170.0, 170.0, 159.5, 119.5, distortion_model='plumb_bob',
                             distortion=(-0.18, 0.03, 0.0, 0.0, 0.0)),
    'fisheye': CameraModel(320, 320, 112.0, 112.0, 159.5, 159.5, distortion_model='equidistant',
                           distortion=(-0.01, 0.003, 0.0, 0.0)),
}  # fmt: skip


@pytest.mark.parametrize(
    ('lens', 'off_axis'), [*itertools.product(LENSES, (0.0, 0.5)), ('fisheye', 1.2)]
)
def test_scene_shows_the_head_where_the_lens_sees_it(made_parts, lens, off_axis):
    person = plain_person(made_parts)
    model = LENSES[lens]
    centre = 0.8 * np.array([np.sin(off_axis), 0.1, np.cos(off_axis)])
    pose = pose_at(person, (-off_axis, 0.2, 0.1), centre)
    light = random_lighting(np.random.default_rng(0))
    _, coverage, skin = compose(SceneCamera(model), [Placed(person, pose)], light)
    assert coverage.max() == pytest.approx(1, abs=1e-3)
    top = np.flatnonzero(person.head[:, 1] > 0.0)
    in_camera = (
        person.head[top] @ ROTATION_FACE_FROM_MODEL.T @ pose.rotation_camera_from_face.T
        + pose.sellion
    )
    at, valid = model.pixels(in_camera.astype(float))
    assert valid.all()
    hull = cv2.convexHull(at.astype(np.float32))[:, 0]
    want = np.zeros(coverage.shape, np.uint8)
    cv2.fillConvexPoly(want, np.round(hull * 16).astype(np.int32), 1, shift=4)
    inside = cv2.erode(want, np.ones((3, 3))) > 0
    assert (coverage > 0.5)[inside].mean() > 0.99
    rows = np.flatnonzero(skin.any(axis=1))
    assert abs(rows[0] - at[:, 1].min()) < 1.5  # nothing of the head above its top


def test_nearer_person_hides_the_farther(made_parts):
    person = plain_person(made_parts)
    camera = SceneCamera(LENSES['pinhole'])
    light = random_lighting(np.random.default_rng(0))
    near = Placed(person, pose_at(person, (0, 0, 0), [0, 0, 0.7]))
    far = Placed(person, pose_at(person, (0, 0, 0), [0, 0, 2.0]))
    alone, _, _ = compose(camera, [near], light)
    for order in ([near, far], [far, near]):
        both, coverage, _ = compose(camera, order, light)
        solid = coverage > 0.999
        inside = cv2.erode((alone.sum(axis=2) > 0).astype(np.uint8), np.ones((5, 5))) > 0
        assert np.allclose(both[inside & solid], alone[inside & solid], atol=0.02)


def test_people_are_placed_apart_and_in_range(made_parts):
    people = [Person(made_parts, seed) for seed in range(4)]
    rng = np.random.default_rng(0)
    for _ in range(5):
        placed = random_people(rng, LENSES['fisheye'], people)
        assert placed
        for p in placed:
            centre = p.pose.sellion + p.pose.rotation_camera_from_face @ FACE_CENTRE_IN_FACE
            ray = centre / np.linalg.norm(centre)
            assert np.arccos(ray[2]) <= np.deg2rad(75) + 1e-9
            pixel, valid = LENSES['fisheye'].pixels(ray[None])
            assert valid[0]
            assert LENSES['fisheye'].contains(pixel)[0]
