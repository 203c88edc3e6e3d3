# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The examples that use attention, beside a node, over DDS."""

import pytest
from geometry_msgs.msg import TransformStamped
from graph import ROOT, Bench, Process, fake_node, spots
from rclpy.qos import DurabilityPolicy
from tf2_msgs.msg import TFMessage


@pytest.fixture
def running():
    """In place of the node that all other files share."""


@pytest.fixture
def bench(domain):
    with Bench(domain) as made:
        made.camera()
        yield made


def example(name, domain, logs, *words):
    return Process([ROOT / 'examples' / f'{name}.py', *words], domain, logs)


def test_who_looks_at_the_tablet(bench, domain, logs):
    """The tablet is held before the camera, so that who looks at the camera looks at it."""
    held = TransformStamped(child_frame_id='tablet')
    held.header.frame_id = 'camera'
    turn = held.transform.rotation  # x of the tablet points out of its screen, at the person
    turn.x, turn.y, turn.z, turn.w = 0.5, -0.5, 0.5, 0.5
    held.transform.translation.z = 0.05
    static = bench.advertise(TFMessage, '/tf_static', durability=DurabilityPolicy.TRANSIENT_LOCAL)
    static.publish(TFMessage(transforms=[held]))
    targets = 'attention_targets:=["tablet:0.25x0.18"]'
    with (
        fake_node(domain, logs, '-p', targets),
        example('who_looks_at', domain, logs, 'tablet') as listener,
    ):
        bench.shoot_until(lambda: listener.matching('^f0001 looks at tablet$'), 'somebody')
        bench.shoot_until(
            lambda: listener.matching(r'^f0001 looked at tablet for \d+\.\d s$'),
            'nobody',
            image=spots(),
        )
        assert listener.end() == 0
        assert len(listener.matching('^f0001 look')) == 2, listener.output()
        assert 'Traceback' not in listener.output()


def test_who_looks_for_a_second_is_greeted(bench, domain, logs):
    pytest.importorskip('py_trees')
    with fake_node(domain, logs), example('behaviour_tree', domain, logs) as robot:
        bench.shoot_until(lambda: robot.matching('^Hello, f0001!$'), 'a greeting')
        assert robot.end() == 0
        assert len(robot.matching('^Hello')) == 1, robot.output()
        assert 'Traceback' not in robot.output()
