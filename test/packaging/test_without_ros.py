# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node's executables, started where ROS or the messages are missing, say so in one line."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = {
    'headpose_node': 'headpose_ros.node.main',
    'demo_camera': 'headpose_ros.node.demo_camera',
    'demo_recorder': 'headpose_ros.node.demo_recorder',
}


def start(module, absent):
    """Run an executable as if some modules were not installed; return status and stderr."""
    program = f"""
import importlib, sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.startswith({absent!r}):
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
sys.meta_path.insert(0, Without())
sys.argv = ['/somewhere/bin/executable']
sys.exit(importlib.import_module({module!r}).main())
"""
    done = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize('name', MODULES)
def test_without_a_place_for_the_log(name, monkeypatch):
    for variable in ('HOME', 'ROS_HOME', 'ROS_LOG_DIR'):
        monkeypatch.delenv(variable, raising=False)
    status, said = start(MODULES[name], ())
    assert (status, said.count('\n')) == (2, 1)
    assert said.startswith('executable: ROS has no place for its log: ')
    assert 'set HOME or ROS_LOG_DIR' in said


@pytest.mark.parametrize('name', MODULES)
def test_without_ros(name):
    status, said = start(MODULES[name], ('rclpy',))
    assert status == 2
    assert said.count('\n') == 1
    assert said.startswith('executable: needs ROS 2, and ')
    assert 'make setup' in said


def test_with_a_ros_of_another_python():
    status, said = start(MODULES['headpose_node'], ('rclpy._rclpy', 'rclpy.impl'))
    assert (status, said.count('\n')) == (2, 1)
    assert 'needs ROS 2' in said


@pytest.mark.parametrize('name', ['headpose_node', 'demo_recorder'])
def test_without_the_messages(name):
    pytest.importorskip('rclpy')
    status, said = start(MODULES[name], ('headpose_ros.msg',))
    assert (status, said.count('\n')) == (2, 1)
    assert 'its ROS messages are not built' in said
    assert 'colcon build' in said


def test_another_missing_module_is_no_matter_of_ros():
    pytest.importorskip('rclpy')
    status, said = start(MODULES['headpose_node'], ('numpy',))
    assert status == 1
    assert "No module named 'numpy'" in said
    assert 'needs ROS 2' not in said
