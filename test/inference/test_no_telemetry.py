# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nothing is sent anywhere, and nothing is written outside, by the libraries that are used."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WATCHED = """
import sys
WATCHED = {'socket.connect', 'socket.sendto', 'socket.getaddrinfo', 'os.fork', 'os.posix_spawn'}
def watch(event, given):
    if event in WATCHED:
        print(event, given, flush=True)
sys.addaudithook(watch)
"""
POSES = """
import numpy as np
from headpose_ros import CameraModel, HeadPosePipeline
image = np.full((240, 320, 3), 90, np.uint8)
for mode in ('image', 'video'):
    with HeadPosePipeline(mode=mode) as pipeline:
        assert pipeline.runtime_name == 'openvino'
        pipeline.process(image, CameraModel.from_fov(320, 240, 1.0))
"""


def told(program, home):
    """Run a program in a process of its own; return what it printed of connections and forks."""
    # OpenVINO itself is silent where a variable says that this is continuous integration.
    kept = {'PATH', 'LD_LIBRARY_PATH', 'AMENT_PREFIX_PATH', 'PYTHONPATH'}
    environment = {name: value for name, value in os.environ.items() if name in kept}
    done = subprocess.run(
        [sys.executable, '-c', WATCHED + program], capture_output=True, text=True, cwd=ROOT,
        env={**environment, 'HOME': str(home)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_poses_are_nobody_elses(tmp_path):
    pytest.importorskip('openvino')
    assert told(POSES, tmp_path) == ''
    assert not list(tmp_path.iterdir())


def test_a_program_that_uses_the_package_itself_keeps_it(tmp_path):
    pytest.importorskip('openvino')
    program = """
import sys, types
sys.modules['openvino_telemetry'] = own = types.ModuleType('openvino_telemetry')
from headpose_ros.inference import quiet_openvino
assert sys.modules['openvino_telemetry'] is own
"""
    assert told(program, tmp_path) == ''
