# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a transition leaves behind in the node, in this process."""

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from fake_node import SpotPipeline
from rclpy.lifecycle import TransitionCallbackReturn

from headpose_ros.node.head_pose_node import HeadPoseNode

SUCCESS = TransitionCallbackReturn.SUCCESS


class Counting(SpotPipeline):
    resets = 0

    def reset(self):
        self.resets += 1


@pytest.fixture
def made(domain):
    """An inactive node and its pipeline."""
    pipelines = []

    def make(config):
        pipelines.append(Counting(config))
        return pipelines[-1]

    rclpy.init(domain_id=domain)
    node = HeadPoseNode(make)
    assert node.trigger_configure() == SUCCESS
    yield node, pipelines[-1]
    node.close()
    node.destroy_node()
    rclpy.shutdown()


def test_people_from_before_are_forgotten_at_each_activation(made):
    node, pipeline = made
    for activations in (1, 2):
        assert node.trigger_activate() == SUCCESS
        assert pipeline.resets == activations
        assert node.trigger_deactivate() == SUCCESS


def test_a_problem_of_the_images_ends_with_deactivation(made):
    """A standing one would stay in the diagnostics of a node that processes nothing."""
    node, _ = made
    assert node.trigger_activate() == SUCCESS
    node._problems.report('content.encoding', 'encoding p010', error=True)
    assert node._status().level == DiagnosticStatus.ERROR
    assert node.trigger_deactivate() == SUCCESS
    assert node._status().level == DiagnosticStatus.OK
    assert node._problems.current() == []
