# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot that pans its camera to and fro, and publishes how on /tf and /tf_static, at 50 Hz."""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import TransformStamped
from rclpy.time import Time

from headpose_ros.geometry.rotations import matrix_from_vector, quaternion_from_matrix

REACH, HZ = 0.4, 0.9
"""Largest pan, rad, and how often a second."""
ROTATION_HEAD_FROM_CAMERA = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""x of the head points ahead, z up; z of the camera ahead, y down."""


def rotation_odom_from_head(stamp_ns: int) -> np.ndarray:
    """Return how the head is turned at a time."""
    phase = 2 * np.pi * HZ * (stamp_ns % 1_000_000_000_000) / 1e9
    return matrix_from_vector([0.0, 0.0, REACH * np.sin(phase)])


def rotation_odom_from_camera(stamp_ns: int) -> np.ndarray:
    """Return how the camera is turned at a time."""
    return rotation_odom_from_head(stamp_ns) @ ROTATION_HEAD_FROM_CAMERA


def transform(parent: str, child: str, stamp_ns: int, rotation: np.ndarray) -> TransformStamped:
    made = TransformStamped()
    made.header.frame_id, made.child_frame_id = parent, child
    made.header.stamp = Time(nanoseconds=stamp_ns).to_msg()
    turn = made.transform.rotation
    turn.x, turn.y, turn.z, turn.w = quaternion_from_matrix(rotation).tolist()
    return made


def main() -> None:
    import time

    import rclpy
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from tf2_msgs.msg import TFMessage

    from headpose_ros.node.spinning import spin

    rclpy.init()
    node = rclpy.create_node('robot')
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    static = node.create_publisher(TFMessage, '/tf_static', latched)
    moving = node.create_publisher(TFMessage, '/tf', 100)
    static.publish(
        TFMessage(transforms=[transform('head', 'camera', 0, ROTATION_HEAD_FROM_CAMERA)])
    )

    def turn() -> None:
        now = time.time_ns()
        rotation = rotation_odom_from_head(now)
        moving.publish(TFMessage(transforms=[transform('odom', 'head', now, rotation)]))

    node.create_timer(0.02, turn)
    spin(node)


if __name__ == '__main__':
    main()
