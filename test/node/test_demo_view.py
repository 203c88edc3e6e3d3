# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`make demo VIEW=1`: in a browser while it runs, and the recording that it leaves."""

import csv
import json
import signal
import time

import pytest
import rerun  # noqa: F401 - skipped without
from browser import chromium, page_of, share_of
from graph import Process
from rrd_files import components, poses
from test_demo import DEMO, children_of, needs_clip

from headpose_ros.viewer.head_marks import rgb
from headpose_ros.viewer.web_server import free_port

PEOPLE = ('f0001', 'f0002', 'f0003')


@needs_clip
def test_the_recording_holds_what_the_table_holds(domain, logs, tmp_path):
    options = ['--frames', 30, '--rate', '3', '--out', tmp_path, '--view', free_port()]
    with Process([*DEMO, *options], domain, logs) as demo:
        status = demo.process.wait(250)
        demo._reader.join()
    assert status == 0, demo.output()
    assert 'Traceback' not in demo.output()
    with (tmp_path / 'heads.csv').open() as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row['stamp_ns']))
    found = poses(tmp_path / 'demo.rrd')
    assert len(found) == len(rows) > 60
    by_head = {(stamp, pose['id']): pose for stamp, pose in found}
    for row in rows:
        pose = by_head.pop((int(row['stamp_ns']), row['id']))
        numbers = [name for name, value in pose.items() if type(value) in (int, float)]
        assert len(numbers) > 20
        for name in numbers:
            assert float(row[name]) == pytest.approx(pose[name], abs=6e-4), name
    assert by_head == {}
    images = components(tmp_path / 'demo.rrd', '/picture/image', 'blob')
    summary = json.loads((tmp_path / 'summary.json').read_text())
    assert len(images) == summary['frames_processed']
    assert children_of(tmp_path) == []


@needs_clip
@pytest.mark.timeout(1500)
def test_a_browser_shows_the_demo_while_it_runs(domain, logs, tmp_path):
    chromium()
    port = free_port()
    options = ['--rate', '1', '--out', tmp_path, '--view', port]  # five minutes
    with Process([*DEMO, *options], domain, logs) as demo:
        while not demo.matching('viewer: http://localhost:'):
            assert demo.alive, demo.output()
            time.sleep(0.05)
        with page_of(f'http://localhost:{port}/') as watched:
            watched.wait_until(lambda pixels: all(parts_show(pixels)))
            assert demo.alive, demo.output()
            assert watched.hosts == {'localhost'}
            assert watched.complaints == []
        assert demo.end(signal.SIGINT) == 0
    assert 'Traceback' not in demo.output()
    assert children_of(tmp_path) == []


def parts_show(pixels):
    """Tell for image, space and plots whether they show the demo's people."""
    height, width = pixels.shape[:2]
    above, below = pixels[height // 7 : height // 2], pixels[round(0.6 * height) :]
    image, space = above[:, : width // 2 - 5], above[:, width // 2 + 5 :]
    yield image.std() > 20  # a picture, not the viewer's dark ground
    for part in (image, space, below):
        yield from (share_of(part, rgb(id_)) > 2e-4 for id_ in PEOPLE)
