# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose video --view, --rerun` and `headpose view`."""

import argparse
import csv
import http.client
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import rerun  # noqa: F401 - skipped without
from rrd_files import components, poses

import headpose_ros
from headpose_ros.cli.main import main
from headpose_ros.cli.viewing import Address, address

CLIP = Path(headpose_ros.__file__).parent / 'demo' / 'clip.mp4'
CAMERA = ['--camera-info', str(CLIP.with_name('clip_camera.yaml'))]


def test_the_recording_holds_what_the_table_holds(tmp_path):
    table, recording = tmp_path / 'heads.csv', tmp_path / 'heads.rrd'
    video = tmp_path / 'annotated.mp4'
    words = ['video', str(CLIP), *CAMERA, '--frames', '25', '--csv', str(table)]
    assert main([*words, '--rerun', str(recording), '-o', str(video)]) == 0
    with table.open() as file:
        rows = list(csv.DictReader(file))
    found = poses(recording)
    assert len(found) == len(rows) > 25
    for row, (stamp, pose) in zip(rows, found, strict=True):
        assert int(row['stamp_ns']) == stamp
        assert row['id'] == pose['id']
        numbers = [name for name, value in pose.items() if isinstance(value, int | float)]
        assert len(numbers) > 20
        for name in set(numbers) - {'principal'}:
            assert float(row[name]) == pytest.approx(pose[name], abs=6e-4), name
    # What is drawn into the video is not in the recording, which draws itself.
    plain = tmp_path / 'plain.rrd'
    assert main(['video', str(CLIP), *CAMERA, '--frames', '25', '--rerun', str(plain)]) == 0
    images = [components(path, '/picture/image', 'blob') for path in (recording, plain)]
    assert images[0] == images[1]


def test_the_viewer_is_served_while_the_command_runs(tmp_path):
    command = [sys.executable, '-m', 'headpose_ros.cli.main']
    words = ['video', str(CLIP), *CAMERA, '--view', '0', '--frames', '100', '--csv', '-']
    read, write = os.pipe()
    process = subprocess.Popen(
        [*command, *words], stdin=read, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    line = next(line for line in process.stderr if line.startswith('viewer: '))
    port = int(line.split()[1].rstrip('/').rpartition(':')[2])
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
    connection.request('GET', '/')
    assert connection.getresponse().status == 200
    rows = process.stdout.read()
    process.stderr.read()
    assert process.wait() == 0
    os.close(read)
    os.close(write)
    assert rows.count('\n') > 100
    with pytest.raises(OSError):  # noqa: PT011 - refused
        http.client.HTTPConnection('127.0.0.1', port, timeout=5).connect()


def test_view_serves_a_recording_until_it_is_interrupted(tmp_path):
    recording = tmp_path / 'x.rrd'
    assert main(['video', str(CLIP), *CAMERA, '--frames', '3', '--rerun', str(recording)]) == 0
    process = subprocess.Popen(
        [sys.executable, '-m', 'headpose_ros.cli.main', 'view', str(recording), '--port', '0'],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert 'viewer: http://localhost:' in process.stderr.readline()
    assert 'Ctrl-C ends it' in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert process.stderr.read().strip() == ''


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['view', 'nowhere.rrd'], 'nowhere.rrd: no such file'),
        (['video', str(CLIP), '--rerun', '/nowhere/x.rrd'], '/nowhere does not exist'),
        (['video', str(CLIP), '--rerun', 'x', '--csv', 'x'], 'both name x'),
    ],
)
def test_what_cannot_be_is_said_in_one_line(words, said, capsys):
    assert main(words) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert said in lines[-1]


def test_addresses():
    assert address('9090') == Address('localhost', 9090)
    assert address('0.0.0.0:80') == Address('0.0.0.0', 80)
    assert address('[::1]:80') == Address('::1', 80)
    for wrong in ('', 'clip.mp4', '70000', '-1', 'host:'):
        with pytest.raises(argparse.ArgumentTypeError, match='the input goes before --view'):
            address(wrong)
