# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A spin loop that ends without a traceback on signals, and survives failing callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

REPEAT_SECONDS = 10.0


@contextmanager
def executing(node: Node) -> Iterator[SingleThreadedExecutor]:
    """Have an executor with one node; at the end it leaves nothing to the garbage collector.

    An executor and the generator of its callbacks refer to each other. Without a shutdown the
    collector finalises them and their guard condition in any order, and where the guard condition
    comes first, `Executor.__del__` prints a traceback (InvalidHandle).
    """
    executor = SingleThreadedExecutor(context=node.context)
    try:
        executor.add_node(node)
        yield executor
    finally:
        executor.remove_node(node)
        executor.shutdown()


def spin(node: Node, until: Callable[[], bool] = lambda: False, wake: float = 0.1) -> None:
    """Run callbacks until shutdown, or until `until()` holds; it is asked every `wake` s."""
    with executing(node) as executor:
        while node.context.ok() and not until():
            try:
                executor.spin_once(wake)
            except (ExternalShutdownException, KeyboardInterrupt):
                return
            except Exception as error:
                if not node.context.ok():
                    return
                node.get_logger().error(
                    f'a callback failed: {type(error).__name__}: {error}',
                    throttle_duration_sec=REPEAT_SECONDS,
                )
