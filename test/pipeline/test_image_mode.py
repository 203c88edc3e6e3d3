# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Single pictures: nothing to confirm, nothing remembered, many in one forward."""

import pickle

import numpy as np
import pytest
from head_world import CAMERA, FRONTAL, IMAGE, FakeEstimator, FakeSearch, World, walking

from headpose_ros.config import PipelineConfig
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.heads import Estimates, Faces
from headpose_ros.pipeline import HeadPosePipeline


class PaintedSearch:
    """Finds white squares: a picture says itself who is in it."""

    parts = 1

    def find(self, image_bgr, camera, config):
        found = []
        for value in sorted({*image_bgr[..., 0].ravel().tolist()} - {0}):
            rows, columns = np.nonzero(image_bgr[..., 0] == value)
            ray = camera.rays(np.array([[columns.mean(), rows.mean()]]))[0]
            found.append((ray, np.ptp(columns) / camera.fx, value / 255))
        if not found:
            return Faces.none()
        rays, sizes, scores = map(np.array, zip(*found, strict=True))
        return Faces(rays, sizes, scores)


class AxisEstimator:
    """Says that every face looks straight along the axis of its crop, and remembers batches."""

    name, crop_px, crop_scale, landmark_box_scale = 'axis', 16, 1.5, 1.4
    capture_radius = 0.45

    def __init__(self, refines=True):
        self.refines = refines
        self.batches = []

    def confidences(self, estimates):
        return estimates.face_probability

    def estimate(self, crops, crop_angles):
        self.batches.append(np.array(crops))
        n = len(crops)
        sizes = 2 * np.arctan(np.tan(crop_angles / 2) / self.crop_scale)
        chance = np.full(n, 0.99 if self.refines else np.nan)
        axes = np.tile([0.0, 0.0, 1.0], (n, 1))
        rotations = np.tile(FRONTAL, (n, 1, 1))
        return Estimates(rotations, np.full((n, 3), 0.1), axes, sizes, np.ones(n), chance)


def painted(*squares, size=(480, 640)):
    """Return a picture with a square of 40 pixels and the brightness given at each x, y."""
    image = np.zeros((*size, 3), np.uint8)
    for x, y, value in squares:
        image[y - 20 : y + 21, x - 20 : x + 21] = value
    return image


def make(refines=True, **options):
    estimator = AxisEstimator(refines)
    pipeline = HeadPosePipeline(
        PipelineConfig(**options), mode='image', search=PaintedSearch(), estimator=estimator
    )
    return pipeline, estimator


SMALL = CameraModel.from_fov(320, 240, 1.0)
ONE, TWO, NOBODY = painted((100, 100, 250)), painted((500, 200, 240), (100, 300, 250)), painted()


def test_one_picture_is_enough():
    pipeline, _ = make()
    result = pipeline.process(ONE, CAMERA)
    assert [head.id for head in result] == ['f0001']
    assert result.principal == result[0]
    assert (result.stamp, result.candidates, result.dropped) == (None, (), False)
    assert pipeline.process(ONE, CAMERA, stamp=3).stamp == 3.0


@pytest.mark.parametrize('refines', [True, False])
def test_pictures_know_nothing_of_each_other(refines):
    pipeline, _ = make(refines)
    alone = [make(refines)[0].process(image, CAMERA, 1.0) for image in (ONE, TWO, NOBODY, ONE)]
    stamps = (1.0, 0.9, 1.0, 1.0)  # in no order: there is none
    together = [
        pipeline.process(image, CAMERA, stamp)
        for image, stamp in zip((ONE, TWO, NOBODY, ONE), stamps, strict=True)
    ]
    assert [list(result) for result in together] == [list(result) for result in alone]
    assert [len(result) for result in together] == [1, 2, 0, 1]
    assert not any(result.dropped for result in together)
    assert pipeline.reduction(CAMERA) == 1


@pytest.mark.parametrize('refines', [True, False])
def test_a_batch_is_one_forward_and_the_same_as_one_by_one(refines):
    pipeline, estimator = make(refines)
    images = [ONE, NOBODY, painted((80, 80, 250), size=(240, 320)), TWO]
    cameras = [CAMERA, CAMERA, SMALL, CAMERA]
    batch = pipeline.process_batch(images, cameras)
    assert [len(crops) for crops in estimator.batches] == [4] * (2 if refines else 1)
    single = [pipeline.process(*pair) for pair in zip(images, cameras, strict=True)]
    assert [result.principal_id for result in batch] == ['f0001', None, 'f0001', 'f0001']
    for together, alone in zip(batch, single, strict=True):
        assert [head.id for head in together] == [head.id for head in alone]
        assert together.camera == alone.camera
        for a, b in zip(together, alone, strict=True):
            np.testing.assert_allclose(a.position, b.position, atol=1e-12)
            np.testing.assert_allclose(a.covariance, b.covariance, atol=1e-12)
    assert batch[0].timings['total'] > 0


def test_one_camera_may_describe_all_and_a_batch_may_be_empty():
    pipeline, _ = make()
    stack = np.stack([ONE, TWO])
    assert [len(result) for result in pipeline.process_batch(stack, CAMERA)] == [1, 2]
    assert pipeline.process_batch([], CAMERA) == []
    assert pipeline.process_batch((image for image in [ONE]), [CAMERA])[0].principal_id == 'f0001'


def test_without_rectification_as_well():
    pipeline, _ = make(rectify=False)
    assert [len(r) for r in pipeline.process_batch([ONE, NOBODY, TWO], CAMERA)] == [1, 0, 2]


def test_a_print_on_a_shirt_is_nobody():
    face, below, beside = (300, 100, 250), (300, 150, 240), (400, 100, 240)
    pipeline, estimator = make()
    estimator.confidences = lambda estimates: np.full(len(estimates), 0.8)
    assert len(pipeline.process(painted(face, beside), CAMERA)) == 2
    (head,) = pipeline.process(painted(face, below), CAMERA)
    assert head.roi.y < 100
    surer = painted((300, 100, 240), (300, 150, 250))
    assert len(pipeline.process(surer, CAMERA)) == 2, 'nobody knows which of them is the face'


@pytest.mark.parametrize(
    ('images', 'cameras', 'kind', 'said'),
    [
        ([ONE, TWO], [CAMERA], ValueError, 'cameras: expected 2, one an image, got 1'),
        ([ONE], None, TypeError, 'cameras: expected a sequence of CameraModels'),
        ([ONE], [None], TypeError, 'camera: expected a CameraModel'),
        (None, CAMERA, TypeError, 'images: expected a sequence of images, got NoneType'),
        (ONE, CAMERA, ValueError, r'image: expected shape \(H,W,3\)'),
        ([ONE, None], CAMERA, TypeError, 'image: .* got NoneType'),
        ([ONE, painted(size=(480, 600))], CAMERA, ValueError, '600x480'),
    ],
)
def test_a_wrong_batch_is_one_clear_error(images, cameras, kind, said):
    pipeline, estimator = make()
    with pytest.raises(kind, match=said):
        pipeline.process_batch(images, cameras)
    assert estimator.batches == []


def test_a_stream_takes_no_batches_and_modes_have_names():
    stages = {'search': FakeSearch(World([])), 'estimator': AxisEstimator()}
    with pytest.raises(ValueError, match=r"process_batch: .* use mode='image'"):
        HeadPosePipeline(**stages).process_batch([ONE], CAMERA)
    for mode in ('photo', None, 3):
        with pytest.raises(ValueError, match='mode: expected image or video, got'):
            HeadPosePipeline(mode=mode, **stages)
    with pytest.raises(TypeError, match="config: expected a PipelineConfig, got 'image'"):
        HeadPosePipeline('image', **stages)


def test_a_stage_that_lacks_something_is_told_at_once():
    class Detector:
        name = 'detector'

    with pytest.raises(TypeError, match='search: Detector has no parts, no find; a detector goes'):
        HeadPosePipeline(search=Detector(), estimator=AxisEstimator())
    with pytest.raises(TypeError, match='estimator: Detector has no crop_px, no crop_scale'):
        HeadPosePipeline(search=PaintedSearch(), estimator=Detector())


def test_a_closed_pipeline_says_so():
    with make()[0] as pipeline:
        assert len(pipeline.process(ONE, CAMERA)) == 1
    pipeline.close()
    for use in (
        lambda: pipeline.process(ONE, CAMERA),
        lambda: pipeline.process_batch([ONE], CAMERA),
    ):
        with pytest.raises(RuntimeError, match='is closed; build another'):
            use()
    assert (pipeline.device, pipeline.warning) == ('cpu', None)
    assert repr(pipeline) == (
        "HeadPosePipeline(mode='image', weights axis, custom on cpu, closed)"
    )


def test_a_pipeline_is_closed_when_its_block_fails_too():
    with pytest.raises(KeyError), make()[0] as pipeline:
        raise KeyError
    with pytest.raises(RuntimeError, match='closed'):
        pipeline.process(ONE, CAMERA)


def test_a_pipeline_cannot_be_sent_to_another_process():
    with pytest.raises(TypeError, match='cannot be copied; build one in each process'):
        pickle.dumps(make()[0])


def test_stamped_people_do_not_matter_to_single_pictures(monkeypatch):
    """The same person far apart in two pictures is one head in each, f0001 both times."""
    world = World([walking('a', [-0.5, 0, 1], [1, 0, 0])])
    estimator = FakeEstimator(world, refines=False)
    monkeypatch.setattr(estimator, '_one', lambda i, angle: (
        FRONTAL, np.full(3, 0.1), (0, 0, 1), angle, 1.0, np.nan))  # fmt: skip
    pipeline = HeadPosePipeline(mode='image', search=FakeSearch(world), estimator=estimator)
    for world.now in (0.0, 1.0):
        assert [head.id for head in pipeline.process(IMAGE, CAMERA)] == ['f0001']
