# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('headpose_ros.msg')

from graph import Bench, fake_node, set_parameters

from headpose_ros.msg import HeadPoseArray
from headpose_ros.node.private_graph import private_graph


@pytest.fixture(scope='session')
def logs(tmp_path_factory):
    return tmp_path_factory.mktemp('ros_log')


@pytest.fixture(scope='module')
def domain(logs):
    """A ROS domain of this module's own; the bench in this process uses the same settings."""
    with private_graph(logs) as number:
        yield number


@pytest.fixture(scope='module')
def running(domain, logs):
    """A node of the module with a short timeout for images, which logs each problem once."""
    arguments = ['-p', 'silence_timeout:=0.6', '-p', 'log_repeat_period:=30.0']
    with fake_node(domain, logs, *arguments) as process:
        yield process
        assert process.alive, process.output()
        assert 'Traceback' not in process.output()


@pytest.fixture
def bench(domain, running):
    """A bench with a subscription; a new period makes the node log each problem again."""
    with Bench(domain) as made:
        for period in (0.1, 30.0):
            assert set_parameters(made, log_repeat_period=period).successful
        made.listen(HeadPoseArray, '/headpose/heads')
        yield made
