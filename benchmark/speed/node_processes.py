# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes beside the node in `bench_node.py`: who listens to it, and what it is compared with.

    python -m benchmark.speed.node_processes listener FILE   # until its standard input is closed
    python -m benchmark.speed.node_processes plain           # until a signal

`plain` is the least a node in Python can do: take each image and publish an empty HeadPoseArray.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import rclpy
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image

from headpose_ros.msg import HeadPoseArray
from headpose_ros.node.main import guarded
from headpose_ros.node.spinning import spin


def listen(path: Path) -> int:
    """Note stamp, time of reception and number of heads of every result; say when they begin."""
    rclpy.init()
    node = rclpy.create_node('benchmark_listener')
    rows: list[tuple[int, int, int]] = []

    def take(message: HeadPoseArray) -> None:
        stamp = message.header.stamp
        rows.append((stamp.sec * 10**9 + stamp.nanosec, time.time_ns(), len(message.heads)))
        if len(rows) == 1:
            print('first', flush=True)

    node.create_subscription(HeadPoseArray, 'headpose/heads', take, QoSProfile(depth=100))
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    spin(node, ended.is_set)
    path.write_text(json.dumps(rows))
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


def echo() -> int:
    """Publish an empty result for every image."""
    rclpy.init()
    node = rclpy.create_node('headpose')
    out = node.create_publisher(HeadPoseArray, '~/heads', 10)

    def take(message: Any) -> None:
        out.publish(HeadPoseArray(header=message.header))

    node.create_subscription(Image, 'image', take, QoSProfile(depth=1))
    spin(node)
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(guarded(lambda: listen(Path(sys.argv[2])) if sys.argv[1] == 'listener' else echo()))
