# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Broadcasts transforms: by tf2_ros where it is installed, else on /tf directly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node

from headpose_ros.node.qos import TF

try:
    from tf2_ros import TransformBroadcaster as _Tf2Broadcaster
except ImportError:
    _Tf2Broadcaster = None


class Broadcaster:
    """Sends all transforms of an image in one message, with the QoS of tf2_ros."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._send, self._publisher = _sender(node)

    def subscription_count(self) -> int:
        """Return the number of subscribers to /tf, this node itself left out."""
        count: int = self._publisher.get_subscription_count()
        if not count:
            return 0
        own = (self._node.get_name(), self._node.get_namespace())
        listening = self._node.get_subscriptions_info_by_topic(self._publisher.topic_name)
        return sum((one.node_name, one.node_namespace) != own for one in listening)

    def send(self, transforms: Sequence[TransformStamped]) -> None:
        """Send one message, unless it would be empty."""
        if transforms:
            self._send(list(transforms))

    def close(self) -> None:
        """Remove the publisher."""
        self._node.destroy_publisher(self._publisher)


def _sender(node: Node) -> tuple[Callable[[list[TransformStamped]], None], Any]:
    if _Tf2Broadcaster is not None:
        broadcaster = _Tf2Broadcaster(node)
        return broadcaster.sendTransform, broadcaster.pub_tf
    from tf2_msgs.msg import TFMessage

    publisher = node.create_publisher(TFMessage, '/tf', TF)
    return lambda transforms: publisher.publish(TFMessage(transforms=transforms)), publisher
