# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The core knows no ROS, and the folders import only what docs/architecture.md allows."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / 'headpose_ros'
ROS = (
    'rclpy', 'cv_bridge', 'tf2', 'tf_transformations', 'launch', 'ament', 'rosidl', 'rcl_',
    'std_msgs', 'sensor_msgs', 'geometry_msgs', 'visualization_msgs', 'diagnostic_msgs',
    'lifecycle_msgs', 'builtin_interfaces', 'hri_msgs', 'headpose_ros.msg',
)  # fmt: skip
# folder -> the parts of the package it must not import (docs/architecture.md, "may import")
FORBIDDEN = {
    'geometry': ('detection', 'inference', 'estimation', 'tracking', 'pipeline', 'media', 'cli',
                 'evaluation'),
    'inference': ('detection', 'estimation', 'geometry', 'tracking', 'pipeline', 'media', 'cli',
                  'evaluation'),
    'detection': ('estimation', 'tracking', 'pipeline', 'media', 'cli', 'evaluation'),
    'estimation': ('detection', 'tracking', 'pipeline', 'media', 'cli', 'evaluation'),
    'tracking': ('detection', 'inference', 'pipeline', 'media', 'cli', 'evaluation'),
    'media': ('detection', 'inference', 'estimation', 'tracking', 'pipeline', 'cli',
              'evaluation'),
    'evaluation': ('cli',),
}  # fmt: skip
CORE = sorted(
    path for path in PACKAGE.rglob('*.py') if path.relative_to(PACKAGE).parts[0] != 'node'
)


def imports(path):
    """Yield the full names of everything a file imports, wherever in it."""
    package = ('headpose_ros', *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = '.'.join([*base, *([node.module] if node.module else [])])
            yield from (f'{module}.{alias.name}' for alias in node.names)


def ids(path):
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize('path', CORE, ids=ids)
def test_the_core_imports_neither_ros_nor_the_node(path):
    wrong = [
        name
        for name in imports(path)
        if name.startswith((*ROS, 'headpose_ros.node', 'headpose_training'))
    ]
    assert wrong == []


@pytest.mark.parametrize('path', [p for p in CORE if p.parent != PACKAGE], ids=ids)
def test_folders_import_only_what_lies_below_them(path):
    forbidden = FORBIDDEN.get(path.relative_to(PACKAGE).parts[0], ())
    below = tuple(f'headpose_ros.{name}' for name in forbidden)
    wrong = [name for name in imports(path) if name.startswith(below)]
    assert wrong == []


def test_the_core_runs_where_there_is_no_ros_and_no_torch():
    # torch as well: it is for training and GPUs, and costs seconds and hundreds of megabytes.
    program = f"""
import sys
class Without:  # finds all that the finder finds, but these: as if they were not installed
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        absent = name.startswith({(*ROS, 'torch')!r})
        return None if absent else self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
from headpose_ros import CameraModel, HeadPosePipeline, PipelineConfig
import headpose_ros.cli.main
import numpy as np
pipeline = HeadPosePipeline(PipelineConfig())
camera = CameraModel.from_fov(160, 120, 1.0)
print(len(pipeline.process(np.zeros((120, 160, 3), np.uint8), camera)))
"""
    done = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, cwd=PACKAGE.parent
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == '0'
