# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline's interface: arguments, options, principal head, introspection, rectification."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from head_world import CAMERA, FRONTAL, IMAGE, FakeEstimator, World, make_pipeline, play, walking

from headpose_ros.config import PipelineConfig
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.rotations import matrix_from_vector
from headpose_ros.geometry.virtual_camera import crop_angles
from headpose_ros.heads import Estimates, Faces
from headpose_ros.pipeline import LIVE_OPTIONS, HeadPosePipeline


@pytest.fixture
def empty(monkeypatch):
    return make_pipeline(World([]), monkeypatch)


def test_an_image_at_another_resolution_gives_the_same_heads(monkeypatch):
    world = World([walking('a', [0.3, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch)
    for _ in range(4):
        (*_, full) = pipeline.process(IMAGE, CAMERA) or [None]
    pipeline.reset()
    for _ in range(4):
        (*_, half) = pipeline.process(IMAGE[::2, ::2], CAMERA) or [None]
    np.testing.assert_allclose(half.position, full.position, atol=1e-9)
    assert abs(half.roi.width - full.roi.width / 2) <= 1


@pytest.mark.parametrize(('refines', 'looks'), [(True, 2), (False, 1)])
def test_a_new_face_is_read_where_the_estimator_saw_it(monkeypatch, refines, looks):
    world = World([walking('a', [0.3, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch, refines, confirm_probability=0.01)
    find = pipeline._stages.search.find

    def find_too_large(*words):
        faces = find(*words)
        return Faces(faces.rays, 1.4 * faces.angular_sizes, faces.scores)

    monkeypatch.setattr(pipeline._stages.search, 'find', find_too_large)
    assert len(pipeline.process(IMAGE, CAMERA)) == 1
    assert world.batches == [1] * looks
    ((_, _, size),) = world.visible()
    wanted = crop_angles([size if refines else 1.4 * size], FakeEstimator.crop_scale)
    np.testing.assert_allclose(pipeline._stages.estimator.cameras.angles, wanted)
    pipeline.process(IMAGE, CAMERA)
    assert world.batches == [1] * (looks + 1), 'once known, one look an image'


@pytest.mark.parametrize('refines', [True, False])
def test_crops_are_held_upright_with_the_head_and_poses_are_the_same(monkeypatch, refines):
    """What an estimator knows of the rotation steers its crops, as its ray and size do."""
    tilted = matrix_from_vector([0.0, 0.0, 0.7]) @ FRONTAL
    world = World([walking('a', [0.3, 0.1, 1], [0, 0, 0])])
    world.people[0].rotation = lambda t: tilted
    pipeline = make_pipeline(world, monkeypatch, refines, confirm_probability=0.01)
    for image in range(3):
        (head,) = pipeline.process(IMAGE, CAMERA)
        np.testing.assert_allclose(head.rotation_camera_from_face, tilted, atol=1e-9)
        up = pipeline._stages.estimator.cameras.rays_to_virtual([tilted[:, 2]])[0]
        turned = np.degrees(np.arctan2(up[0], -up[1]))
        if refines:  # a new face gets its second look in the first image already
            assert turned == pytest.approx(0, abs=1e-6), image
        else:
            assert turned == pytest.approx(40, abs=3)


def test_a_face_found_again_is_looked_at_as_a_new_one(monkeypatch):
    tilted = matrix_from_vector([0.0, 0.0, 0.7]) @ FRONTAL
    world = World([walking('a', [0.3, 0.1, 1], [0, 0, 0], there=lambda t: not 0.2 < t < 0.5)])
    world.people[0].rotation = lambda t: tilted
    pipeline = make_pipeline(world, monkeypatch, confirm_probability=0.01, smoothing=True)
    ups = {}
    for _ in play(pipeline, world, np.arange(0, 1, 1 / 30)):
        if pipeline._stream._tracker.tracks:
            ups[world.now] = float(np.linalg.norm(pipeline._stream._tracker.tracks[0].up))
    gone = [t for t in ups if 0.24 < t < 0.48]
    assert [ups[t] for t in gone] == [0.0] * len(gone)
    there = [t for t in ups if t < 0.19 or t > 0.6]
    assert [ups[t] for t in there] == pytest.approx([1.0] * len(there))
    assert len(gone) > 5
    assert len(there) > 15


UHD = CameraModel.from_fov(3840, 2880, np.radians(70.0))


def test_an_image_is_reduced_as_far_as_the_crops_shrink_it_and_never_searched(monkeypatch):
    world = World([walking('a', [0.3, 0, 4], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch)
    whole = np.zeros((2880, 3840, 3), np.uint8)
    assert pipeline.reduction(UHD) == 1, 'nobody is known yet'
    for _ in range(5):
        (*_, full) = pipeline.process(whole, UHD) or [None]
    crop = 2 * np.tan(full_crop_angle(full) / 2) * UHD.fx
    block = min(8, 2 ** int(np.log2(crop / FakeEstimator(world).crop_px)))
    assert block > 1
    seen = []
    for _ in range(30):
        reduction = pipeline.reduction(UHD)
        searches = len(world.searches)
        (head,) = pipeline.process(whole[::reduction, ::reduction], UHD, reduction=reduction)
        assert reduction in (1, block)
        assert reduction == 1 or len(world.searches) == searches, 'what is searched is whole'
        np.testing.assert_allclose(head.position, full.position, atol=1e-6)
        assert head.roi == full.roi
        seen.append(reduction)
    assert 0.6 < np.mean(np.array(seen) == block) < 1


def full_crop_angle(head):
    size = 2 * np.arcsin(0.125 / np.linalg.norm(head.position + [0, 0.035, 0.03]))
    return crop_angles([size], FakeEstimator(World([])).crop_scale)[0]


def test_small_faces_and_wrong_reductions(monkeypatch):
    world = World([walking('a', [0, 0, 9], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch)
    for _ in range(5):
        pipeline.process(IMAGE, CAMERA)
    assert [pipeline.reduction(CAMERA) for _ in range(2)] == [1, 1]
    with pytest.raises(ValueError, match='image: 640x480 is not 640x480 over 2'):
        pipeline.process(IMAGE, CAMERA, reduction=2)


def test_without_stamps_images_come_at_30_hz(monkeypatch):
    world = World([walking('a', [0, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch, keep_lost=0.5)
    for _ in range(5):
        pipeline.process(IMAGE, CAMERA)
    world.people = []
    for _ in range(29):  # nobody else is followed: twice keep_lost
        result = pipeline.process(IMAGE, CAMERA)
    assert result.followed_ids == {'f0001'}
    for _ in range(3):
        result = pipeline.process(IMAGE, CAMERA)
    assert result.followed_ids == frozenset()


def test_live_options_change_at_once_and_others_do_not(empty):
    empty.configure_live(detect_every=1, smoothing=False)
    assert empty.config.detect_every == 1
    with pytest.raises(ValueError, match='threads: cannot change while running'):
        empty.configure_live(threads=2)
    with pytest.raises(ValueError, match='detect_every: expected 1 to 1000'):
        empty.configure_live(detect_every=0)
    with pytest.raises(ValueError, match='nonsense'):
        empty.configure_live(nonsense=1)
    assert empty.config.detect_every == 1
    assert 'score_threshold' in LIVE_OPTIONS
    assert 'detector' not in LIVE_OPTIONS


def test_the_score_threshold_is_live(monkeypatch):
    world = World([walking('a', [0, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch, score_threshold=0.99)
    assert not any(named for _, named in play(pipeline, world, np.arange(12) / 30))
    pipeline.configure_live(score_threshold=0.5)
    assert any(named for _, named in play(pipeline, world, np.arange(12, 24) / 30))


def test_timings_and_names(monkeypatch):
    world = World([walking('a', [0, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch)
    results = [pipeline.process(IMAGE, CAMERA) for _ in range(6)]
    timings = results[0].timings
    assert set(timings) == {'search', 'crop', 'estimate', 'track', 'total'}
    parts = sum(value for name, value in timings.items() if name != 'total')
    assert parts == pytest.approx(timings['total'])
    searched = [result.timings['search'] > 0 for result in results]
    assert searched == [True, True, True, False, False, False]
    assert (pipeline.device, pipeline.runtime_name, pipeline.weights_name) == (
        'cpu', 'custom', 'fake',
    )  # fmt: skip


def test_the_first_look_at_a_new_face_is_timed_where_it_belongs(monkeypatch):
    """A clock that only moves in the estimator, by a second a call: the first image takes two."""
    world = World([walking('a', [0, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch)
    clock = SimpleNamespace(perf_counter=lambda: float(len(world.batches)))
    monkeypatch.setattr('headpose_ros.stage_timer.time', clock)
    for looks in (2, 1):
        result = pipeline.process(IMAGE, CAMERA)
        expected = {'search': 0, 'crop': 0, 'estimate': 1e3 * looks, 'track': 0}
        assert result.timings == {**expected, 'total': 1e3 * looks}


def test_the_principal_head_is_the_nearest_and_survives_a_blink(monkeypatch):
    blink = walking('near', [-0.3, 0, 1], [0, 0, 0], there=lambda t: not 0.5 < t < 0.8)
    world = World([blink, walking('far', [0.4, 0, 1.6], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch)
    ids, principal = {}, []
    for t, named in play(pipeline, world, np.arange(0, 2, 1 / 30)):
        ids.update({name: head.id for name, head in named.items()})
        if t > 0.2:
            principal.append(world.result.principal_id)
    assert set(principal) == {ids['near']}


class BlindEstimator(FakeEstimator):
    """Says that every face looks straight along the axis of its crop."""

    def __init__(self):
        self.seen = []
        self.refines = False

    def estimate(self, crops, crop_angles):
        self.seen.append(np.asarray(crops))
        n = len(crops)
        rotations = np.tile(FRONTAL, (n, 1, 1))
        axis = np.tile([0.0, 0.0, 1.0], (n, 1))
        size = 2 * np.arctan(np.tan(crop_angles / 2) / self.crop_scale)
        return Estimates(
            rotations, np.full((n, 3), 0.1), axis, size, np.ones(n), np.full(n, np.nan)
        )


class OneFace:
    parts = 1

    def __init__(self, ray, size):
        ray = np.array(ray, float)
        self.faces = Faces((ray / np.linalg.norm(ray))[None], np.array([size]), np.array([0.9]))

    def find(self, image_bgr, camera, config):
        return self.faces


@pytest.mark.parametrize('rectify', [True, False])
@pytest.mark.parametrize(
    'camera',
    [
        CAMERA,
        CameraModel.from_matrix(
            [[300, 0, 320], [0, 300, 240], [0, 0, 1]], 640, 480, 'equidistant', [0.01, 0, 0, 0]
        ),
    ],
    ids=['pinhole', 'fisheye'],
)
def test_real_crops_are_turned_back_to_the_camera(camera, rectify):
    """Through the real samplers: a face along the crop's axis is turned by the view angle."""
    estimator = BlindEstimator()
    search = OneFace([0.4, 0.1, 1.0], 0.2)
    config = PipelineConfig(rectify=rectify, confirm_probability=0.01)
    pipeline = HeadPosePipeline(config, search=search, estimator=estimator)
    image = np.zeros((480, 640, 3), np.uint8)
    (x, y), *_ = camera.pixels(search.faces.rays)[0]
    image[round(y) - 5 : round(y) + 6, round(x) - 5 : round(x) + 6] = 255
    (head,) = pipeline.process(image, camera)
    crop = estimator.seen[0][0]
    assert crop.shape == (16, 16, 3)
    assert crop[7:9, 7:9].mean() > crop[:4].mean() + 50, 'the crop is centred on the face'
    ray = search.faces.rays[0]
    if rectify:
        np.testing.assert_allclose(head.rotation_camera_from_face[:, 0], -ray, atol=1e-9)
        axis = np.cross([0, 0, 1], ray)
        angle = np.arccos(ray[2])
        turn = matrix_from_vector(axis / np.linalg.norm(axis) * angle)
        np.testing.assert_allclose(head.rotation_camera_from_face, turn @ FRONTAL, atol=1e-9)
    else:
        np.testing.assert_allclose(head.rotation_camera_from_face, FRONTAL, atol=1e-9)
    centre = 0.125 / np.sin(0.1) * ray
    arm = head.rotation_camera_from_face @ [0.03, 0, 0.035]
    np.testing.assert_allclose(head.position, centre + arm, atol=1e-6)
    assert head.confidence == pytest.approx(0.9)


@pytest.mark.parametrize('box_scale', [0.5, 1.0, 1.6])
def test_a_larger_box_shows_more_around_the_face_and_changes_nothing_else(box_scale):
    estimator = BlindEstimator()
    search = OneFace([0.1, 0.1, 1.0], 0.2)
    config = PipelineConfig(box_scale=box_scale, confirm_probability=0.01)
    pipeline = HeadPosePipeline(config, search=search, estimator=estimator)
    camera = CameraModel.from_fov(640, 480, 1.2)
    image = np.zeros((480, 640, 3), np.uint8)
    cv2.circle(
        image, np.round(camera.pixels(search.faces.rays)[0][0]).astype(int), 40, (255,) * 3, -1
    )
    (head,) = pipeline.process(image, camera)
    bright = np.sqrt(np.mean(estimator.seen[0][0] > 127))
    side = 2 * estimator.crop_scale * box_scale * np.tan(0.1) * camera.fx
    assert bright == pytest.approx(min(1.0, np.sqrt(np.pi) * 40 / side), rel=0.15)
    centre = 0.125 / np.sin(0.1) * search.faces.rays[0]
    arm = head.rotation_camera_from_face @ [0.03, 0, 0.035]
    np.testing.assert_allclose(head.position, centre + arm, atol=1e-6)
