# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files in the real launch system; skipped where ROS comes without it."""

import contextlib
import os
import shutil
import signal
import subprocess
import time

import pytest

from headpose_ros.node.middleware import PROFILE_VARIABLES
from headpose_ros.node.private_graph import end_with_parent

pytest.importorskip('launch_ros', reason='this ROS has no launch system')
pytestmark = pytest.mark.skipif(
    shutil.which('ros2') is None or not shutil.which('xargs'), reason='ros2 is not on PATH'
)
FILES = ('headpose', 'demo', 'two_cameras')


def installed():
    found = subprocess.run(['ros2', 'pkg', 'prefix', 'headpose_ros'], capture_output=True)
    return found.returncode == 0


def launched(*arguments):
    """Run `ros2 launch`, a minute at most; return status and output. Nothing of it runs on."""
    launch = subprocess.Popen(
        ['ros2', 'launch', *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=end_with_parent(signal.SIGTERM),  # launch ends its own children then
    )
    try:
        output, _ = launch.communicate(timeout=60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(launch.pid, signal.SIGKILL)
    return launch.returncode, output


PARENT = """
import os
from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import ExecuteProcess, IncludeLaunchDescription, OpaqueFunction, Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource

def tell(context):
    print('configurations:', sorted(context.launch_configurations), flush=True)

def generate_launch_description():
    share = get_package_share_directory('headpose_ros')
    return LaunchDescription([
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(os.path.join(share, 'launch', 'NAME.launch.py')),
            launch_arguments=[('device', 'cpu')],
        ),
        OpaqueFunction(function=tell),
        ExecuteProcess(
            cmd=['sh', '-c', 'echo "profile: [$FASTRTPS_DEFAULT_PROFILES_FILE]"; sleep 1'],
            output='screen',
            on_exit=[Shutdown()],
        ),
    ])
"""


@pytest.mark.skipif(
    not shutil.which('ros2') or not installed(), reason='headpose_ros is not built'
)
class TestLaunch:
    @pytest.mark.parametrize('name', FILES)
    def test_shows_its_arguments(self, name):
        status, output = launched('headpose_ros', f'{name}.launch.py', '--show-args')
        assert status == 0, output
        assert 'device' in output

    def test_a_value_that_is_no_choice_is_refused(self):
        status, output = launched('headpose_ros', 'headpose.launch.py', 'detector:=eyes')
        assert status != 0
        assert 'eyes' in output

    @pytest.mark.parametrize('name', FILES)
    def test_an_unknown_argument_is_refused(self, name):
        status, output = launched('headpose_ros', f'{name}.launch.py', 'imge:=/camera/image')
        assert status != 0
        assert f'{name}.launch.py has no such argument; did you mean image?' in output

    @pytest.mark.parametrize('name', FILES)
    def test_nothing_stays_with_who_includes_it(self, name, tmp_path, monkeypatch):
        for variable in PROFILE_VARIABLES:
            monkeypatch.delenv(variable, raising=False)
        parent = tmp_path / 'parent.launch.py'
        parent.write_text(PARENT.replace('NAME', name))
        status, output = launched(str(parent), 'robot_name:=tom')
        assert status == 0, output
        assert "configurations: ['device', 'robot_name']" in output
        assert 'profile: []' in output
        assert 'process has died' not in output

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
            preexec_fn=end_with_parent(signal.SIGTERM),
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
            try:
                output, _ = launch.communicate(timeout=20)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(launch.pid, signal.SIGKILL)
            rclpy.shutdown(context=context)
        assert 'Traceback' not in output
