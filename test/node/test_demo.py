# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`make demo` with the real networks, a little of the packaged clip, slowly."""

import csv
import json
import signal
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from graph import Process

from headpose_ros.node.demo_camera import CLIP

DEMO = ['-m', 'headpose_ros.node.demo']
FRAMES = 30

needs_clip = pytest.mark.skipif(not CLIP.exists(), reason='the packaged clip is not made yet')


def children_of(out):
    """Living processes of the demo that writes to `out`: its environment is in all of them."""
    mark = f'ROS_LOG_DIR={out / "log"}'.encode()
    found = []
    for process in Path('/proc').glob('[0-9]*'):
        try:
            if mark in (process / 'environ').read_bytes():
                found.append(process.name)
        except OSError:  # ended meanwhile
            continue
    return found


@needs_clip
def test_the_demo_finds_the_people_of_its_clip(domain, logs, tmp_path):
    options = ['--frames', FRAMES, '--rate', '3', '--out', tmp_path]
    with Process([*DEMO, *options], domain, logs) as demo:
        status = demo.process.wait(150)
        demo._reader.join()
    assert 'Traceback' not in demo.output()
    summary = json.loads((tmp_path / 'summary.json').read_text())
    assert status == 0, demo.output()
    assert summary['frames_published'] == FRAMES
    assert summary['frames_processed'] + summary['frames_dropped'] == FRAMES
    assert summary['problems'] == []
    assert summary['device'] == 'cpu'
    assert summary['rmw'].startswith('rmw_')
    assert 0 < summary['latency_ms']['p50'] <= summary['latency_ms']['p95']
    assert summary['truth_matched'] > 2.4 * FRAMES * 0.8  # three people, from the third image on
    with (tmp_path / 'heads.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == summary['heads']
    assert len({row['id'] for row in rows}) >= 3
    video = cv2.VideoCapture(str(tmp_path / 'annotated.mp4'))
    drawn = 0
    while video.read()[0]:
        drawn += 1
    assert drawn == FRAMES
    preview = cv2.imread(str(tmp_path / 'preview.png'))
    assert preview.shape == (summary['height'], summary['width'], 3)
    assert np.ptp(preview) > 100


@needs_clip
@pytest.mark.parametrize('how', [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing_behind(domain, logs, tmp_path, how):
    out = tmp_path / f'stopped_{how}'
    with Process([*DEMO, '--rate', '5', '--out', out], domain, logs) as demo:
        while not demo.matching('images done') and demo.alive:
            time.sleep(0.05)
        assert len(children_of(out)) == 3
        assert demo.end(how) == 0
    assert 'Traceback' not in demo.output(), demo.output()
    assert children_of(out) == []


def test_an_input_that_is_not_there(domain, logs, tmp_path):
    with Process([*DEMO, '--input', '/nowhere.mp4', '--out', tmp_path], domain, logs) as demo:
        assert demo.process.wait(60) == 1
        demo._reader.join()
    assert len(demo.matching('/nowhere.mp4: no such file')) == 1
    assert 'Traceback' not in demo.output()
