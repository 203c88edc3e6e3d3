# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Topics whose names tell other nodes which ids a node uses: two must not use the same ones."""

from __future__ import annotations

from rclpy.node import Node

from headpose_ros.node.subscriptions import UNNAMED, publishers_of


def claimed_topic(beside: str, id_prefix: str) -> str:
    """Return the topic that a node with this prefix has beside one that all such nodes share.

    `ros2 topic list` leaves out names that start with an underscore.
    """
    return f'{beside}/_{id_prefix}f'


def other_nodes(node: Node, topic: str) -> list[str]:
    """Return the nodes of other names that publish on `topic`."""
    found = {publisher.node for publisher in publishers_of(node, topic)}
    return sorted(found - {node.get_fully_qualified_name(), UNNAMED})
