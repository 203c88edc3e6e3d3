# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A consumer of the attention of /headpose, in a process of its own: prints one JSON a message."""

from __future__ import annotations

import contextlib
import json
from typing import Any


def stamp_ns(stamp: Any) -> int:
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def main() -> None:
    import rclpy
    from rclpy.executors import ExternalShutdownException
    from rclpy.qos import QoSProfile

    from headpose_ros.msg import AttentionArray, HeadEvent

    def on_event(message: HeadEvent) -> None:
        at = stamp_ns(message.header.stamp)
        event = [message.type, message.id, message.target, at, message.header.frame_id]
        print(json.dumps({'event': event}), flush=True)

    def on_attention(message: AttentionArray) -> None:
        at = stamp_ns(message.header.stamp)
        looks = [
            [one.id, one.target, one.looking, stamp_ns(one.since)] for one in message.attention
        ]
        print(json.dumps({'attention': [at, looks]}), flush=True)

    rclpy.init()
    node = rclpy.create_node('consumer')
    qos = QoSProfile(depth=50)
    node.create_subscription(HeadEvent, '/headpose/events', on_event, qos)
    node.create_subscription(AttentionArray, '/headpose/attention', on_attention, qos)
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)


if __name__ == '__main__':
    main()
