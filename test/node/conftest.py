# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import os

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('headpose_ros.msg')

from headpose_ros.node.private_graph import environment, private_domain


@pytest.fixture(scope='session')
def logs(tmp_path_factory):
    return tmp_path_factory.mktemp('ros_log')


@pytest.fixture(scope='module')
def domain(logs):
    """A ROS domain of this module's own; the bench in this process uses the same settings."""
    with private_domain() as number:
        before = dict(os.environ)
        os.environ.update(environment(number, logs))
        yield number
        os.environ.clear()
        os.environ.update(before)
