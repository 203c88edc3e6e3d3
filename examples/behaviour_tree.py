# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot that greets who has looked at it for a second: a condition of a behaviour tree.

Run it beside the node: python3 behaviour_tree.py
Needs py_trees: pip install py-trees, or ros-$ROS_DISTRO-py-trees.
"""

import time
from typing import Any

import py_trees
from py_trees.common import Status

STALE = 0.5
"""Seconds after which the last message no longer counts: the node may have ended."""


class SomebodyLooks(py_trees.behaviour.Behaviour):
    """SUCCESS while somebody has looked at `target` for `seconds`, else FAILURE.

    The node tells who looks, with hysteresis, and since when; `ids` has those who do.
    """

    def __init__(self, name: str, target: str = 'camera', seconds: float = 1.0) -> None:
        super().__init__(name)
        self.target, self.seconds = target, seconds
        self.ids: list[str] = []
        self.received = -STALE
        self.message: Any = None

    def setup(self, **given: Any) -> None:
        """Subscribe; `given` has the ROS `node`."""
        from headpose_ros.msg import AttentionArray

        topic = 'headpose/attention'
        self.subscription = given['node'].create_subscription(AttentionArray, topic, self.take, 10)

    def take(self, message: Any) -> None:
        """Keep the newest message."""
        self.message, self.received = message, time.monotonic()

    def update(self) -> Status:
        """Judge the newest message, in the camera's time."""
        self.ids = []
        if time.monotonic() - self.received < STALE:
            now = seconds_of(self.message.header.stamp)
            self.ids = [
                look.id
                for look in self.message.attention
                if look.target == self.target
                and look.looking
                and now - seconds_of(look.since) >= self.seconds
            ]
        self.feedback_message = ', '.join(self.ids) or 'nobody'
        return Status.SUCCESS if self.ids else Status.FAILURE


class Greet(py_trees.behaviour.Behaviour):
    """Greets each of those who look once."""

    def __init__(self, name: str, condition: SomebodyLooks) -> None:
        super().__init__(name)
        self.condition = condition
        self.greeted: set[str] = set()

    def update(self) -> Status:
        """Say hello."""
        for head_id in self.condition.ids:
            if head_id not in self.greeted:
                print(f'Hello, {head_id}!', flush=True)
                self.greeted.add(head_id)
        return Status.SUCCESS


def seconds_of(stamp: Any) -> float:
    """Return a builtin_interfaces/Time in seconds."""
    return float(stamp.sec + 1e-9 * stamp.nanosec)


def greeting_tree() -> py_trees.trees.BehaviourTree:
    """Return the tree: who looks is greeted."""
    condition = SomebodyLooks('somebody looks at me')
    root = py_trees.composites.Sequence('be polite', memory=False)
    root.add_children([condition, Greet('greet', condition)])
    return py_trees.trees.BehaviourTree(root)


def main() -> None:
    """Tick at 10 Hz until interrupted."""
    import rclpy
    from rclpy.executors import ExternalShutdownException

    rclpy.init()
    node = rclpy.create_node('greeter')
    tree = greeting_tree()
    tree.setup(node=node)
    node.create_timer(0.1, tree.tick)
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except RuntimeError:  # RCLError, where the signal came just before rclpy waits
        if rclpy.ok():
            raise
    finally:
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
