# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The shipped networks on real people: faces found, ids kept, no jumps; and on a made image."""

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from headpose_ros.config import PipelineConfig
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.rotations import geodesic_distance
from headpose_ros.media.sources import open_source
from headpose_ros.pipeline import HeadPosePipeline

DATA = Path(os.environ.get('HEADPOSE_DATA', Path(__file__).parents[3] / 'shared' / 'data'))
VIDEOS = DATA / 'videos'
needs_videos = pytest.mark.skipif(
    not VIDEOS.is_dir(), reason=f'{VIDEOS} is not there: real videos, see docs'
)


@pytest.fixture(scope='module', params=['mtcnn', 'retinaface'])
def pipeline(request):
    return HeadPosePipeline(PipelineConfig(detector=request.param, device='cpu', threads=1))


def heads_of(pipeline, path, rate=None):
    """Return the list of heads of every image of a video."""
    pipeline.reset()
    with open_source(path, rate=rate) as source:
        camera = CameraModel.from_fov(source.width, source.height, np.radians(60.0))
        return [pipeline.process(f.image_bgr, camera, f.time) for f in source]


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
@pytest.mark.parametrize('clip', ['again', 'bird', 'no', 'student', 'walk'])
def test_one_person_is_one_id_found_throughout(pipeline, clip):
    heads = heads_of(pipeline, VIDEOS / 'signers' / f'{clip}.mkv')
    found = [len(now) for now in heads[pipeline.config.confirm_images - 1 :]]
    assert np.mean(np.array(found) > 0) >= 0.98
    assert {head.id for now in heads for head in now} == {heads[-1][0].id}
    assert largest_turn(heads) < 15.0
    distances = [np.linalg.norm(now[0].position) for now in heads if now]
    assert 0.5 < np.min(distances) <= np.max(distances) < 2.5


@needs_videos
def test_two_people_side_by_side(pipeline):
    heads = heads_of(pipeline, VIDEOS / 'head-pose-face-detection-female-and-male', 12.5)
    assert {len(now) for now in heads[3:]} == {2}
    assert len({head.id for now in heads for head in now}) == 2
    left, right = sorted(heads[-1], key=lambda head: head.position[0])
    # Both lean their heads to the image's left in the end.
    for head in (left, right):
        assert head.rotation_camera_from_face[0, 2] < -0.4, 'the top of the head points left'
    assert pipeline.principal_id in {left.id, right.id}


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
        assert pipeline.process(image, camera) == []
    assert pipeline.principal_id is None
    assert pipeline.runtime_name in ('openvino', 'torch')
    assert pipeline.weights_name
