# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Broadcasts transforms: by tf2_ros where it is installed, else on /tf directly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from std_msgs.msg import Empty

from headpose_ros.node.claims import claimed_topic, other_nodes
from headpose_ros.node.qos import LATCHED, TF

try:
    from tf2_ros import TransformBroadcaster as _Tf2Broadcaster
except ImportError:
    _Tf2Broadcaster = None


class Broadcaster:
    """Sends all transforms of an image in one message, with the QoS of tf2_ros."""

    def __init__(self, node: Node, id_prefix: str) -> None:
        self._node = node
        self._send, self._publisher = _sender(node)
        topic = claimed_topic(self._publisher.topic_name, id_prefix)
        self._claim = node.create_publisher(Empty, topic, LATCHED)  # nothing is ever sent

    def nodes_with_the_same_frames(self) -> list[str]:
        """Return other nodes that publish transforms to frames of the same names."""
        return other_nodes(self._node, self._claim.topic_name)

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
        """Remove the publishers."""
        for publisher in (self._publisher, self._claim):
            self._node.destroy_publisher(publisher)


def _sender(node: Node) -> tuple[Callable[[list[TransformStamped]], None], Any]:
    if _Tf2Broadcaster is not None:
        broadcaster = _Tf2Broadcaster(node)
        return broadcaster.sendTransform, broadcaster.pub_tf
    from tf2_msgs.msg import TFMessage

    publisher = node.create_publisher(TFMessage, '/tf', TF)
    return lambda transforms: publisher.publish(TFMessage(transforms=transforms)), publisher
