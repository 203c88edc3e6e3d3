# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The run-time's tests run with what the run-time needs; files that import more are skipped."""

import importlib.util
import sys
from pathlib import Path

import pytest

OPTIONAL = (
    'torch',
    'onnx',
    'onnxruntime',
    'hypothesis',
    'matplotlib',
    'numba',
    'py_trees',
    'playwright',
    'rerun',
    'headpose_training',
    'benchmark',
    'rosbags',
    'mcap',
    'pyarrow',
    'ray',
    'pandas',
    'polars',
    'duckdb',
)

WITHOUT_ROS = importlib.util.find_spec('rclpy') is None
# Here, not by a skip in node/conftest.py: pytest 6 would skip every test for that.
collect_ignore = ['node'] if WITHOUT_ROS else []
sys.path.insert(0, str(Path(__file__).parent / 'support'))  # as `pythonpath` does from pytest 7 on


@pytest.fixture(scope='session', autouse=True)
def own_graph(tmp_path_factory):
    """Keep all tests out of the user's graph; those over DDS have a domain for each file."""
    if WITHOUT_ROS:
        yield
        return
    from headpose_ros.node.private_graph import private_graph

    with private_graph(tmp_path_factory.mktemp('ros_log')):
        yield


class Module(pytest.Module):
    """A test file. One that imports an optional package which is not installed is skipped."""

    def collect(self):
        try:
            return super().collect()
        except self.CollectError as error:
            package = (getattr(error.__cause__, 'name', None) or '').split('.')[0]
            if package in OPTIONAL and importlib.util.find_spec(package) is None:
                pytest.skip(f'{self.name} needs {package}', allow_module_level=True)
            raise


if hasattr(pytest, 'version_tuple'):

    def pytest_pycollect_makemodule(module_path, parent):
        return Module.from_parent(parent, path=module_path)

else:  # pytest 6, of Ubuntu 22.04

    def pytest_pycollect_makemodule(path, parent):
        return Module.from_parent(parent, fspath=path)


def pytest_report_header():
    return 'no ROS 2 here: test/node is left out' if WITHOUT_ROS else None
