# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The shipped networks on real people: faces found, ids kept, no jumps; and on a made image."""

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from headpose_ros.config import PipelineConfig
from headpose_ros.detection import FaceSearch, create_detector
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.rotations import geodesic_distance
from headpose_ros.hindsight import Hindsight
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.media.sources import open_source
from headpose_ros.pipeline import HeadPosePipeline

DATA = Path(os.environ.get('HEADPOSE_DATA', Path(__file__).parents[3] / 'shared' / 'data'))
VIDEOS = DATA / 'videos'
needs_videos = pytest.mark.skipif(
    not VIDEOS.is_dir(), reason=f'{VIDEOS} is not there: real videos, see docs'
)


CLIPS = (
    'again', 'bird', 'book', 'brother', 'eat', 'help', 'hungry', 'learn', 'milk', 'night', 'no',
    'please', 'school', 'sister', 'sorry', 'student', 'thanks', 'walk', 'want', 'yes',
)  # fmt: skip


@pytest.fixture(scope='module', params=['one_pass', 'retinaface'])
def pipeline(request):
    return HeadPosePipeline(PipelineConfig(detector=request.param, device='cpu', threads=1))


def camera_of(source):
    return CameraModel.from_fov(source.width, source.height, np.radians(60.0))


def heads_of(pipeline, path, rate=None):
    """Return the list of heads of every image of a video, as they come."""
    pipeline.reset()
    with open_source(path, rate=rate) as source:
        camera = camera_of(source)
        return [pipeline.process(f.image_bgr, camera, f.time) for f in source]


def heads_in_hindsight(pipeline, path):
    """Return the list of heads of every image of a video, as `headpose video` writes them."""
    pipeline.reset()
    results, hindsight = [], Hindsight()
    with open_source(path) as source:
        camera = camera_of(source)
        for frame in source:
            result = pipeline.process(frame.image_bgr, camera, frame.time)
            results += hindsight.add(frame.index, result)
        results += hindsight.rest()
    return [result for _, result in results]


def largest_turn(heads):
    """Return the largest angle between one head's poses in neighbouring images, degrees."""
    largest = 0.0
    for before, after in pairwise(heads):
        poses = {head.id: head.rotation_camera_from_face for head in before}
        for head in after:
            if head.id in poses:
                turn = geodesic_distance(poses[head.id], head.rotation_camera_from_face)
                largest = max(largest, float(np.degrees(turn)))
    return largest


@needs_videos
@pytest.mark.parametrize('clip', CLIPS)
def test_one_person_is_one_id_found_throughout(pipeline, clip):
    heads = heads_in_hindsight(pipeline, VIDEOS / 'signers' / f'{clip}.mkv')
    assert np.mean([len(now) == 1 for now in heads]) >= 0.98
    assert len({head.id for now in heads for head in now}) == 1
    assert largest_turn(heads) < 15.0
    distances = [np.linalg.norm(now[0].position) for now in heads if now]
    assert 0.5 < np.min(distances) <= np.max(distances) < 2.5


@needs_videos
def test_as_they_come_only_the_images_before_a_face_is_confirmed_are_empty(pipeline):
    heads = heads_of(pipeline, VIDEOS / 'signers' / 'yes.mkv')
    assert [len(now) for now in heads] == [0, 0] + [1] * (len(heads) - 2)


@needs_videos
@pytest.mark.parametrize('detector', ['one_pass', 'mtcnn', 'retinaface'])
def test_the_detector_alone_finds_the_signers(detector):
    config = PipelineConfig(detector=detector)
    search = FaceSearch(create_detector(config, create_runtime('cpu', 1)), config)
    found = []
    for clip in CLIPS:
        with open_source(VIDEOS / 'signers' / f'{clip}.mkv') as source:
            camera = camera_of(source)
            some = (frame for frame in source if frame.index % 20 == 5)
            found += [len(search.find(frame.image_bgr, camera)) > 0 for frame in some]
    assert len(found) > 60
    assert np.mean(found) >= 0.98


@needs_videos
def test_two_people_side_by_side(pipeline):
    heads = heads_of(pipeline, VIDEOS / 'head-pose-face-detection-female-and-male', 12.5)
    assert {len(now) for now in heads[3:]} == {2}
    assert len({head.id for now in heads for head in now}) == 2
    left, right = sorted(heads[-1], key=lambda head: head.position[0])
    # Both lean their heads to the image's left in the end.
    for head in (left, right):
        assert head.rotation_camera_from_face[0, 2] < -0.4, 'the top of the head points left'
    assert heads[-1].principal_id in {left.id, right.id}


@needs_videos
def test_a_classroom_of_small_faces(pipeline):
    heads = heads_of(pipeline, VIDEOS / 'classroom', 12.5)
    assert np.median([len(now) for now in heads]) == 4
    assert len({head.id for now in heads for head in now}) <= 6


def test_nobody_in_an_image_of_noise(pipeline):
    pipeline.reset()
    camera = CameraModel.from_fov(320, 240, 1.0)
    noise = np.random.default_rng(0)
    for _ in range(5):
        image = noise.integers(0, 255, (240, 320, 3), np.uint8)
        result = pipeline.process(image, camera)
        assert (len(result), result.principal_id) == (0, None)
    assert pipeline.runtime_name in ('openvino', 'onnxruntime', 'opencv', 'torch')
    assert pipeline.weights_name
