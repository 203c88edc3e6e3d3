# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is published about a head: pose, covariance, rectangle, angles, distance with depth."""

import numpy as np
import pytest
from head_world import (
    CAMERA,
    FRONTAL,
    World,
    make_pipeline,
    play,
    turning,
    walking,
)  # fmt: skip
from scipy.spatial.transform import Rotation

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.face_frame import FACE_SPHERE_RADIUS
from headpose_ros.tracking.distance import (
    HEAD_SIZE_SIGMA,
    SURFACE_OFFSET_FRONT,
    DistanceFilter,
    log_distance_from_depth,
)
from headpose_ros.tracking.roi import rois
from headpose_ros.tracking.uncertainty import UNSURE_FACTOR, pose_covariance

TIMES = np.arange(0, 1.5, 1 / 30)


def degrees_apart(a, b):
    return np.degrees(Rotation.from_matrix(a @ b.T).magnitude())


@pytest.mark.parametrize('start', [[0, 0, 0.6], [-1.2, 0.4, 2.0], [1.5, -1.0, 2.6]])
@pytest.mark.parametrize('head_scale', [1.0, 0.85])
def test_a_still_head_is_where_it_is(monkeypatch, start, head_scale):
    turned = Rotation.from_euler('xyz', [20, -35, 15], degrees=True).as_matrix() @ FRONTAL
    person = walking('a', start, [0, 0, 0], head_scale=head_scale, rotation=lambda t: turned)
    world = World([person])
    for smoothing in (False, True):
        pipeline = make_pipeline(world, monkeypatch, smoothing=smoothing)
        *_, (_, named) = play(pipeline, world, TIMES)
        head = named['a']
        np.testing.assert_allclose(head.position, start, atol=1e-9)
        assert degrees_apart(head.rotation_camera_from_face, turned) < 1e-5
        ray = person.centre(0) / np.linalg.norm(person.centre(0))
        assert head.off_axis_angle == pytest.approx(np.arccos(ray[2]), abs=1e-9)
        to_camera = -np.array(start) / np.linalg.norm(start)
        assert head.facing_angle == pytest.approx(np.arccos(turned[:, 0] @ to_camera), abs=1e-7)
        assert head.confidence == pytest.approx(0.98)


def test_a_head_that_moves_and_turns_is_followed_without_lag(monkeypatch):
    person = walking('a', [-1, 0, 2], [1.0, 0.1, -0.5], rotation=turning([0, 1, 0], 0.8))
    world = World([person])
    for t, named in play(make_pipeline(world, monkeypatch), world, TIMES):
        if t > 0.1:
            error = named['a'].position - person.sellion(t)
            assert np.linalg.norm(error) < 2e-3  # a twelfth of what it approaches in one image
            assert degrees_apart(named['a'].rotation_camera_from_face, person.rotation(t)) < 1e-5


def test_smoothing_calms_a_still_head_and_keeps_up_with_a_moving_one(monkeypatch):
    def errors(person, smoothing, noise):
        world = World([person], ray_noise=noise, size_noise=noise, rotation_noise=noise)
        pipeline = make_pipeline(world, monkeypatch, smoothing=smoothing)
        found = [
            (degrees_apart(n['a'].rotation_camera_from_face, person.rotation(t)),
             np.linalg.norm(n['a'].position - person.sellion(t)))
            for t, n in play(pipeline, world, np.arange(0, 3, 1 / 30)) if t > 0.5
        ]  # fmt: skip
        return np.sqrt(np.mean(np.square(found), axis=0))

    still = walking('a', [0.2, 0, 1], [0, 0, 0])
    raw, smooth = errors(still, False, 0.03), errors(still, True, 0.03)
    assert (smooth < 0.65 * raw).all()
    moving = walking('a', [-0.8, 0, 1.5], [0.5, 0, 0], rotation=turning([0, 1, 0], 1.0, 1.5))
    lag_degrees, lag_metres = errors(moving, True, 0.0)
    assert lag_degrees < 4.0
    assert lag_metres < 0.02


def test_irregular_stamps_and_drops_do_not_disturb_the_filter(monkeypatch):
    person = walking('a', [-0.5, 0, 1.5], [0.4, 0, 0])
    world = World([person])
    gaps = np.random.default_rng(3).choice([0.02, 0.033, 0.05, 0.2], 30)
    pipeline = make_pipeline(world, monkeypatch, smoothing=True)
    for t, named in play(pipeline, world, np.cumsum(gaps)):
        if t > 1.0:
            assert np.linalg.norm(named['a'].position - person.sellion(t)) < 0.025


def test_the_covariance_says_how_far_off_the_poses_are():
    """Draw many heads from the errors that are assumed, and compare their spread."""
    random = np.random.default_rng(0)
    count = 200_000
    ray = np.array([0.5, -0.2, 1.0]) / np.linalg.norm([0.5, -0.2, 1.0])
    distance, sigma_log, size = 1.4, 0.03, 2 * np.arcsin(FACE_SPHERE_RADIUS / 1.4)
    turn_sigma = np.diag([0.03, 0.06, 0.02])
    axes = Rotation.from_rotvec([0.3, 0.5, -0.2]).as_matrix()
    turning_covariance = axes @ turn_sigma**2 @ axes.T
    arm = np.array([0.02, -0.03, -0.04])
    expected = pose_covariance(
        turning_covariance, ray, distance, sigma_log, size, arm, confidence=1.0, inside=1.0
    )
    turns = random.standard_normal((count, 3)) @ (axes @ turn_sigma).T
    aside = random.standard_normal((count, 3)) * 0.05 * size / 2
    aside -= (aside @ ray)[:, None] * ray
    moved = distance * (1 + sigma_log * random.standard_normal(count))[:, None] * ray
    sellions = moved + distance * aside + arm + np.cross(turns, arm)
    sample = np.cov(np.hstack([sellions, turns]).T)
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    np.testing.assert_allclose(sample / scale, expected / scale, atol=0.015)
    assert np.linalg.eigvalsh(expected).min() > 0


def test_doubt_widens_the_covariance():
    def at(confidence, inside):
        return pose_covariance(
            0.01 * np.eye(3), np.array([0, 0, 1]), 1.0, 0.05, 0.25, np.zeros(3), confidence, inside
        )

    np.testing.assert_allclose(at(0.0, 1.0)[3:, 3:], UNSURE_FACTOR**2 * 0.01 * np.eye(3))
    np.testing.assert_allclose(at(0.0, 1.0), at(1.0, 0.0))
    assert at(1.0, 1.0)[2, 2] == pytest.approx(0.05**2)
    assert at(0.5, 1.0)[0, 0] > at(0.9, 1.0)[0, 0] > at(1.0, 1.0)[0, 0]


def test_without_depth_the_head_size_prior_bounds_the_distance(monkeypatch):
    world = World([walking('a', [0, 0, 2.0], [0, 0, 0])])
    *_, (_, named) = play(make_pipeline(world, monkeypatch), world, TIMES)
    covariance = named['a'].covariance
    assert covariance.shape == (6, 6)
    assert np.sqrt(covariance[2, 2]) == pytest.approx(HEAD_SIZE_SIGMA * 2.03, rel=0.12)
    np.testing.assert_array_equal(covariance, covariance.T)


def depth_of(world, wall=4.0, noise=0.0, holes=0.0):
    """Return a depth image: a wall, and before it a disc at each head's visible surface."""
    image = np.full((480, 640), wall, np.float32)
    v, u = np.mgrid[:480, :640]
    for person, ray, size in world.visible():
        centre = person.centre(world.now)
        (x, y), radius = CAMERA.pixels(centre[None])[0][0], 0.6 * size / 2 * CAMERA.fx
        surface = (np.linalg.norm(centre) - SURFACE_OFFSET_FRONT) * ray[2]
        image[(u - x) ** 2 + (v - y) ** 2 < radius**2] = surface
    image += noise * world.random.standard_normal(image.shape).astype(np.float32)
    image[world.random.random(image.shape) < holes] = np.nan
    return image


def big_headed(true_scale=1.06, start=(0.3, 0.1, 1.5)):
    """A head larger than average that the estimator takes for an average one."""
    person = walking('a', start, [0, 0, 0], head_scale=true_scale)
    return person


def play_scaled(world, monkeypatch, depth, times, **options):
    """Play with an estimator that does not know the head's size: it says 1."""
    pipeline = make_pipeline(world, monkeypatch, **options)
    estimate = pipeline._stages.estimator.estimate

    def estimate_average(crops, angles):
        from dataclasses import replace

        found = estimate(crops, angles)
        return replace(found, head_scale=np.ones(len(found)))

    pipeline._stages.estimator.estimate = estimate_average
    return play(pipeline, world, times, depth)


def test_depth_corrects_the_distance_and_is_remembered_without_a_jump(monkeypatch):
    person = big_headed()
    world = World([person])
    span = (1.0, 2.5)

    def depth(world):
        return depth_of(world) if span[0] <= world.now < span[1] else None

    ranges, sigmas = {}, {}
    for t, named in play_scaled(world, monkeypatch, depth, np.arange(0, 4, 1 / 30)):
        if named:
            ranges[t] = np.linalg.norm(named['a'].position)
            ray = named['a'].position / ranges[t]
            sigmas[t] = np.sqrt(ray @ named['a'].covariance[:3, :3] @ ray) / ranges[t]
    truth = np.linalg.norm(person.sellion(0))
    relative = np.array(list(ranges.values())) / truth - 1
    times = np.array(list(ranges))
    assert relative[times < 1].mean() == pytest.approx(1 / 1.06 - 1, abs=0.005)
    assert abs(relative[(times > 2.2) & (times < 2.5)]).max() < 0.015
    assert abs(relative[times > 2.5]).max() < 0.015, 'what depth taught is not forgotten'
    assert abs(np.diff(relative)).max() < 0.02, 'no jump when depth comes or goes'
    assert sigmas[times[-1]] < 0.6 * sigmas[times[10]]


def test_depth_from_the_start_is_right_from_the_start(monkeypatch):
    person = big_headed()
    world = World([person])
    played = play_scaled(world, monkeypatch, depth_of, np.arange(6) / 30)
    ranges = [np.linalg.norm(n['a'].position) for _, n in played if n]
    assert ranges[0] == pytest.approx(np.linalg.norm(person.sellion(0)), rel=0.015)


def expected_log(person):
    return np.log(np.linalg.norm(person.centre(0)))


@pytest.mark.parametrize('shape', [(480, 640), (240, 320)])
def test_depth_is_read_robustly(shape):
    world = World([walking('a', [0.4, -0.2, 1.2], [0, 0, 0])])
    person, ray, size = world.visible()[0]
    image = depth_of(world, noise=0.01, holes=0.4)
    image[200:240] = 0.3  # a hand in front of a part of it
    image = image[:: 480 // shape[0], :: 640 // shape[1]]
    found = log_distance_from_depth(image, CAMERA, ray, size, 0.0, expected_log(person))
    assert found == pytest.approx(expected_log(person), abs=0.01)


@pytest.mark.parametrize('value', [np.nan, 0.0, -1.0, np.inf, 4.0, 0.4])
def test_useless_depth_is_not_used(value):
    world = World([walking('a', [0.4, -0.2, 1.2], [0, 0, 0])])
    person, ray, size = world.visible()[0]
    image = np.full((480, 640), value, np.float32)
    assert log_distance_from_depth(image, CAMERA, ray, size, 0, expected_log(person)) is None


def test_inconsistent_depth_does_not_move_the_distance():
    tracker = DistanceFilter()
    for _ in range(30):
        tracker.update(0.0, None, 1 / 30, True)
    before = tracker.log_distance
    tracker.update(0.0, 0.45, 1 / 30, True)
    assert tracker.log_distance == pytest.approx(before, abs=1e-9)


def test_the_distance_filter_is_calibrated():
    """Over many heads of random size, errors are as large as the filter says."""
    random = np.random.default_rng(1)
    ratios = []
    for _ in range(300):
        head = HEAD_SIZE_SIGMA * random.standard_normal()
        tracker = DistanceFilter()
        for i in range(40):
            seen = 0.5 - head + 0.02 * random.standard_normal()
            depth = 0.5 + 0.08 * random.standard_normal() if i >= 10 else None
            tracker.update(seen, depth, 1 / 30, True)
        ratios.append((tracker.log_distance - 0.5) / tracker.sigma)
    assert 0.8 < np.std(ratios) < 1.15


@pytest.mark.parametrize('hfov', [60, 100])
def test_roi_is_the_rectangle_of_the_face_sphere(hfov):
    camera = CameraModel.from_fov(800, 600, np.radians(hfov))
    centre = np.array([0.3, 0.1, 1.0])
    random = np.random.default_rng(0)
    points = random.standard_normal((200_000, 3))
    points *= FACE_SPHERE_RADIUS / np.linalg.norm(points, axis=1, keepdims=True)
    pixels, _ = camera.pixels(centre + points)
    distance = np.linalg.norm(centre)
    size = np.array([2 * np.arcsin(FACE_SPHERE_RADIUS / distance)])
    (roi,) = rois(camera, (centre / distance)[None], size)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    np.testing.assert_allclose([roi.x, roi.y], low, atol=1.2)
    np.testing.assert_allclose([roi.x + roi.width - 1, roi.y + roi.height - 1], high, atol=1.2)


@pytest.mark.parametrize('ray', [[-0.9, 0, 1], [0, 0.9, 1], [5, 0, 1], [0, 0.1, -1]])
def test_roi_stays_in_the_image(ray):
    ray = np.array([ray], float) / np.linalg.norm(ray)
    (roi,) = rois(CAMERA, ray, np.array([0.4]))
    assert 0 <= roi.x < 640
    assert 0 <= roi.y < 480
    assert 1 <= roi.width <= 640 - roi.x
    assert 1 <= roi.height <= 480 - roi.y
