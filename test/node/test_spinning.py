# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import gc
import weakref

import pytest
import rclpy
from rclpy.context import Context

from headpose_ros.node import spinning


@pytest.fixture
def node(domain):
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    made = rclpy.create_node('spun', context=context)
    yield made
    made.destroy_node()
    context.try_shutdown()


@pytest.fixture
def executors(monkeypatch):
    """Weak references to the executors that are made; the garbage collector is off."""
    made = []

    class Recorded(spinning.SingleThreadedExecutor):
        def __init__(self, **how):
            super().__init__(**how)
            made.append(weakref.ref(self))

    monkeypatch.setattr(spinning, 'SingleThreadedExecutor', Recorded)
    gc.collect()
    gc.disable()
    yield made
    gc.enable()


@pytest.mark.parametrize('how', ['asked', 'shut down', 'failing', 'interrupted'])
def test_a_spin_leaves_no_guard_condition_to_the_garbage_collector(node, executors, how):
    """Which may finalise it before its executor: a traceback at the end of a process."""
    ran = []

    def tick():
        ran.append(how)
        if how == 'shut down':
            node.context.shutdown()
        elif how == 'failing':
            raise RuntimeError('no')
        elif how == 'interrupted':
            raise KeyboardInterrupt

    node.create_timer(0.001, tick)
    spinning.spin(node, lambda: len(ran) >= 3)
    assert ran
    assert len(executors) == 1
    left = executors[0]()  # a traceback may keep it
    assert left is None or left._sigint_gc is None
