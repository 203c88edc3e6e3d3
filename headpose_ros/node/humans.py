# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topics of REP-155: the list of all faces, and what is known of each. Needs hri_msgs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Header

from headpose_ros.heads import Head
from headpose_ros.node.faces import PICTURES, FaceImage, FaceTopics
from headpose_ros.node.tracked_ids import TrackedIds
from headpose_ros.result import FrameResult


class Humans:
    """The publishers of /humans/faces; `send` publishes a message on one of them."""

    def __init__(self, node: Node, send: Callable[[Any, Any], None], id_prefix: str) -> None:
        self._send = send
        self._tracked = TrackedIds(node, id_prefix)
        self._faces = FaceTopics(node, send)

    @property
    def list_publisher(self) -> Any:
        """The publisher of the list of all faces."""
        return self._tracked.publisher

    def has_subscribers(self) -> bool:
        """Return whether anybody subscribes to the list or to a face."""
        listening: int = self.list_publisher.get_subscription_count()
        return listening > 0 or self._faces.have_subscribers()

    def pictures_wanted(self) -> bool:
        """Return whether anybody subscribes to a topic that shows the pixels of a face."""
        return self._faces.have_subscribers(PICTURES)

    def publish_list(self, heads: Sequence[Head], header: Header) -> None:
        """Publish the ids of `heads` and of those that other nodes see."""
        self._send(self.list_publisher, self._tracked.message([h.id for h in heads], header))

    def publish_faces(self, result: FrameResult, image: FaceImage, width_px: int) -> None:
        """Publish what is subscribed to of each face; their pictures are `width_px` squares."""
        self._faces.follow(result.followed_ids.union(head.id for head in result))
        self._faces.publish(result, image, width_px)

    def publish_absence(self, header: Header) -> None:
        """Publish that this node sees nobody any more."""
        self.list_publisher.publish(self._tracked.message([], header))
        self._faces.follow(())

    def follow_others(self) -> None:
        """Look for other nodes whose faces are to be listed. Call regularly."""
        self._tracked.follow_others()

    def nodes_with_the_same_ids(self) -> list[str]:
        """Return other nodes that list faces by the same ids."""
        return self._tracked.nodes_with_the_same_ids()

    def foreign_list(self) -> str:
        """Return what is wrong where others publish a list without ours, '' where nobody does."""
        others = self._tracked.foreign_nodes()
        if not others:
            return ''
        topic = self.list_publisher.topic_name
        return (
            f'{topic}: {", ".join(others)} publishes its own list on it, and listeners take the '
            f'newest for all there is; stop one of the nodes, or remap it (-r {topic}:=...)'
        )

    def close(self) -> None:
        """Remove all publishers."""
        self._faces.follow(())
        self._tracked.close()
