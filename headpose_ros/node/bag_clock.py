# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Publishes /clock while a recording is played, so that nodes live in the time of its stamps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rclpy.node import Node

STARTS_OVER_NS = 1_000_000_000
"""A stamp that is older than the newest time by more than this begins anew."""

RATE_HZ = 40.0
"""That of `ros2 bag play --clock`."""


class BagClock:
    """Time that goes on at its usual speed from the stamp told last, nanoseconds.

    It never goes back, but where a recording starts over.
    """

    def __init__(self, node: Node) -> None:
        from rclpy.qos import QoSProfile, ReliabilityPolicy
        from rosgraph_msgs.msg import Clock

        # As rclcpp's clock publishers and subscribers have it.
        qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        self._publisher = node.create_publisher(Clock, '/clock', qos)
        self._timer = node.create_timer(1.0 / RATE_HZ, self._tick)
        self._message = Clock
        self._stamp_ns: int | None = None
        self._told_at = 0
        self._newest = 0

    def tell(self, stamp_ns: int) -> None:
        """Take the stamp of the image that is about to be published, and publish it."""
        if stamp_ns < self._newest - STARTS_OVER_NS:
            self._newest = stamp_ns
        self._stamp_ns, self._told_at = stamp_ns, time.monotonic_ns()
        self._publish(max(stamp_ns, self._newest))

    def _tick(self) -> None:
        if self._stamp_ns is not None:
            now = self._stamp_ns + time.monotonic_ns() - self._told_at
            self._publish(max(now, self._newest))

    def _publish(self, now_ns: int) -> None:
        message = self._message()
        message.clock.sec, message.clock.nanosec = divmod(now_ns, 10**9)
        self._newest = now_ns
        self._publisher.publish(message)
