# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The same events of one clip from `headpose video`, `headpose batch` and the library."""

import csv
from pathlib import Path

import pytest

import headpose_ros
from headpose_ros import CameraModel, HeadPosePipeline, Hindsight, open_source
from headpose_ros.attention import Attention
from headpose_ros.cli.main import main
from headpose_ros.config import PipelineConfig
from headpose_ros.hindsight import MAX_HELD

pytest.importorskip('pyarrow')
DEMO = Path(headpose_ros.__file__).parent / 'demo'
CLIP, CLIP_CAMERA = DEMO / 'clip.mp4', DEMO / 'clip_camera.yaml'


def _rows(path):
    with path.open(newline='') as file:
        return [
            (int(row['stamp_ns']), row['id'], row['event'], row['target'])
            for row in csv.DictReader(file)
        ]


def _by_library():
    attention, held, events = Attention(), Hindsight(MAX_HELD), []
    camera = CameraModel.from_yaml(CLIP_CAMERA)
    with HeadPosePipeline(PipelineConfig(threads=1)) as pipeline, open_source(CLIP) as source:
        for frame in source:
            stamp = 1e-9 * round(1e9 * frame.time)
            result = pipeline.process(frame.image_bgr, camera, stamp)
            for _, known in held.add(frame, result):
                events += attention.update(known).events
        for _, known in held.rest():
            events += attention.update(known).events
    events += attention.close()
    return [(round(1e9 * e.stamp), e.id, e.type.name, e.target) for e in events]


def test_video_batch_and_library_tell_the_same(tmp_path):
    given = [str(CLIP), '--camera-info', str(CLIP_CAMERA), '--threads', '1']
    assert main(['video', *given, '--events', str(tmp_path / 'video.csv')]) == 0
    assert main(['batch', *given, '--events', '--csv', '--out', str(tmp_path / 'out')]) == 0

    (by_batch,) = (tmp_path / 'out').glob('csv/recording=*/topic=*/events.csv')
    told = _rows(tmp_path / 'video.csv')
    assert len(told) > 20
    assert told == _rows(by_batch)
    assert told == _by_library()
