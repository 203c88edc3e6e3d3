# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files in the real launch system; skipped where ROS comes without it."""

import os
import shutil
import signal
import subprocess
import time

import pytest

from headpose_ros.node.private_graph import end_with_parent

pytest.importorskip('launch_ros', reason='this ROS has no launch system')
pytestmark = pytest.mark.skipif(
    shutil.which('ros2') is None or not shutil.which('xargs'), reason='ros2 is not on PATH'
)
FILES = ('headpose', 'demo', 'two_cameras')


def installed():
    found = subprocess.run(['ros2', 'pkg', 'prefix', 'headpose_ros'], capture_output=True)
    return found.returncode == 0


@pytest.mark.skipif(
    not shutil.which('ros2') or not installed(), reason='headpose_ros is not built'
)
class TestLaunch:
    @pytest.mark.parametrize('name', FILES)
    def test_shows_its_arguments(self, name):
        command = ['ros2', 'launch', 'headpose_ros', f'{name}.launch.py', '--show-args']
        shown = subprocess.run(command, capture_output=True, text=True)
        assert shown.returncode == 0, shown.stderr
        assert 'device' in shown.stdout

    def test_a_value_that_is_no_choice_is_refused(self):
        command = ['ros2', 'launch', 'headpose_ros', 'headpose.launch.py', 'detector:=eyes']
        refused = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert refused.returncode != 0
        assert 'eyes' in refused.stdout + refused.stderr

    def test_the_demo_publishes_heads_and_ends_when_told(self):
        rclpy = pytest.importorskip('rclpy')
        messages = pytest.importorskip('headpose_ros.msg')
        command = ['ros2', 'launch', 'headpose_ros', 'demo.launch.py', 'rviz:=false']
        launch = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=end_with_parent(signal.SIGTERM),  # launch ends its own children then
        )
        context = rclpy.Context()
        rclpy.init(context=context)
        received = []
        try:
            node = rclpy.create_node('listener', context=context)
            node.create_subscription(
                messages.HeadPoseArray, '/headpose/heads', received.append, 10
            )
            executor = rclpy.executors.SingleThreadedExecutor(context=context)
            executor.add_node(node)
            deadline = time.monotonic() + 60
            while not any(message.heads for message in received):
                assert time.monotonic() < deadline, 'no heads in a minute'
                executor.spin_once(timeout_sec=0.5)
        finally:
            os.killpg(launch.pid, signal.SIGINT)
            output, _ = launch.communicate(timeout=20)
            rclpy.shutdown(context=context)
        assert 'Traceback' not in output
