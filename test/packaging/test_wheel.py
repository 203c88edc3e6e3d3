# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A wheel built from the checkout holds everything, messages compiled."""

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(
    '.git', '.venv', 'out', 'build', 'install', 'log', '__pycache__', '*.egg-info', '.*_cache'
)


@pytest.fixture(scope='module')
def names(tmp_path_factory):
    if not importlib.util.find_spec('ros_wheels_bootstrapper'):
        pytest.skip('not the ROS of the package index')
    folder = tmp_path_factory.mktemp('wheel')
    shutil.copytree(ROOT, folder / 'source', ignore=LEFT_OUT)
    built = subprocess.run(
        [sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '--no-build-isolation',
         '-w', str(folder), str(folder / 'source')],
        capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    (wheel,) = folder.glob('headpose_ros-*.whl')
    assert 'none-any' not in wheel.name, 'its messages are compiled for one platform'
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_python_package_is_whole(names):
    wanted = {
        str(path.relative_to(ROOT))
        for path in (ROOT / 'headpose_ros').rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }
    assert wanted - names == set()


def test_the_messages_are_compiled_in(names):
    assert 'headpose_ros/msg/_head_pose.py' in names
    for support in ('rosidl_typesupport_c', 'rosidl_typesupport_fastrtps_c'):
        assert f'headpose_ros/headpose_ros_s__{support}.so' in names
        assert any(name.endswith(f'data/lib/libheadpose_ros__{support}.so') for name in names)


@pytest.mark.parametrize('folder', ['launch', 'config', 'msg'])
def test_what_ros_looks_for_is_in_share(names, folder):
    for path in (ROOT / folder).glob('*.*'):
        assert any(name.endswith(f'share/headpose_ros/{folder}/{path.name}') for name in names)


def test_ros2_run_finds_the_executables(names):
    for name in ('headpose_node', 'demo_camera'):
        assert any(entry.endswith(f'data/lib/headpose_ros/{name}') for entry in names)


def test_the_packages_own_init_is_not_hidden_by_the_generated_one(names):
    assert 'headpose_ros/__init__.py' in names
    assert not any(name.endswith('data/lib/python3/headpose_ros/__init__.py') for name in names)
    assert not any('tf2_msgs' in name for name in names), 'never where ROS may have its own'
