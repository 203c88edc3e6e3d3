# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When two calibrations take turns, and when a camera zooms."""

import pytest

pytest.importorskip('sensor_msgs')
from sensor_msgs.msg import CameraInfo

from headpose_ros.node import camera_source
from headpose_ros.node.camera_source import FLIP_SECONDS, CameraSource


def info(fx, frame='camera'):
    made = CameraInfo(width=160, height=120, k=[fx, 0.0, 80.0, 0.0, fx, 60.0, 0.0, 0.0, 1.0])
    made.header.frame_id = frame
    return made


@pytest.fixture
def now(monkeypatch):
    time = [100.0]
    monkeypatch.setattr(camera_source.time, 'monotonic', lambda: time[0])
    return time


@pytest.mark.parametrize(
    ('focal_lengths', 'told'),
    [
        ([100, 90, 100, 90, 100], True),
        ([100, 100, 90, 90, 100, 100, 90, 90, 100], True),  # each twice
        ([100] * 9, False),
        ([100, 110, 120, 130, 120, 110, 100, 110, 120], False),  # a zoom, forth and back
        ([100, 90, 100, 90], False),
    ],
)
def test_two_calibrations(now, focal_lengths, told):
    source = CameraSource(False)
    for fx in focal_lengths:
        source.update(info(float(fx)))
        now[0] += 0.03
    assert bool(source.alternation()) == told
    if told:
        assert '160x120 with fx 90 and 160x120 with fx 100' in source.alternation()
    now[0] += FLIP_SECONDS
    assert source.alternation() == ''


def test_frames_that_differ_are_no_other_calibration(now):
    source = CameraSource(False)
    for i in range(9):
        source.update(info(100.0, f'camera{i % 2}'))
    assert source.alternation() == ''
