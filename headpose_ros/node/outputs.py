# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything the node publishes about an image."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from headpose_ros.geometry import CameraModel
from headpose_ros.heads import Head
from headpose_ros.msg import HeadPoseArray
from headpose_ros.node.complaints import Complaints
from headpose_ros.node.images import Bgr
from headpose_ros.node.markers import MarkerBook
from headpose_ros.node.messages import heads_message, image_message, pose_stamped, transforms
from headpose_ros.node.qos import NEWEST_OUTPUT, OUTPUT
from headpose_ros.node.transforms import Broadcaster

try:
    from hri_msgs.msg import IdsList
except ImportError:
    IdsList = None

SLOW_PUBLISH = 0.05
"""Seconds; a publish() that takes longer was held up."""
SLOW_IN_A_ROW = 3
"""One alone is the scheduler."""


class Outputs:
    """The publishers; a topic costs nothing while nobody listens to it."""

    def __init__(
        self, node: Node, complaints: Complaints, publish_tf: bool, frame_prefix: str
    ) -> None:
        self._node = node
        self._complaints = complaints
        self._prefix = frame_prefix
        self._heads = node.create_publisher(HeadPoseArray, '~/heads', OUTPUT)
        self._pose = node.create_publisher(PoseStamped, '~/pose', OUTPUT)
        self._markers = node.create_publisher(MarkerArray, '~/markers', OUTPUT)
        self._debug = node.create_publisher(Image, '~/debug_image', NEWEST_OUTPUT)
        self._publishers = [self._heads, self._pose, self._markers, self._debug]
        self._tracked = None
        if IdsList is not None:
            self._tracked = node.create_publisher(IdsList, '/humans/faces/tracked', OUTPUT)
            self._publishers.append(self._tracked)
        self._broadcaster = Broadcaster(node) if publish_tf else None
        self._marker_book = MarkerBook()
        self._slow: dict[str, int] = {}
        self._last_header: Header | None = None

    def twins(self) -> int:
        """Return how many other publishers there are of our heads: nodes of our name."""
        return max(0, self._node.count_publishers(self._heads.topic_name) - 1)

    def listened(self) -> bool:
        """Return whether anybody subscribes to any output; listeners to /tf count."""
        if any(publisher.get_subscription_count() for publisher in self._publishers):
            return True
        return self._broadcaster is not None and self._broadcaster.listeners() > 0

    def publish(
        self,
        heads: Sequence[Head],
        principal_id: str | None,
        header: Header,
        sight_length: float,
    ) -> None:
        """Publish poses, transforms and markers of the image of `header`."""
        self._last_header = header
        self._send(self._heads, heads_message(heads, header))
        principal = next((head for head in heads if head.id == principal_id), None)
        if principal is not None:
            self._send(self._pose, pose_stamped(principal, header))
        if self._broadcaster is not None and self._frame_is_named(header):
            self._broadcaster.send(transforms(heads, header, self._prefix))
        if self._tracked is not None:
            self._send(self._tracked, IdsList(header=header, ids=[head.id for head in heads]))
        if self._heard(self._markers):
            self._send(self._markers, self._marker_book.message(heads, header, sight_length))

    def draws(self) -> bool:
        """Return whether anybody watches the drawing."""
        return self._heard(self._debug)

    def publish_drawing(
        self,
        heads: Sequence[Head],
        principal_id: str | None,
        header: Header,
        image: Bgr,
        camera: CameraModel,
    ) -> None:
        """Publish the image with the heads drawn on it, if somebody watches."""
        if self.draws():
            from headpose_ros.media.drawing import draw_heads

            drawn = image.copy()
            draw_heads(drawn, heads, camera, principal_id)
            self._send(self._debug, image_message(drawn, 'bgr8', header))

    def clear(self) -> None:
        """Take everything out of RViz, and back who is told to be tracked."""
        if self._markers.get_subscription_count():
            self._markers.publish(self._marker_book.clear())
        if self._tracked is not None and self._last_header is not None:
            self._tracked.publish(IdsList(header=self._last_header, ids=[]))

    def close(self) -> None:
        """Remove all publishers."""
        for publisher in self._publishers:
            self._node.destroy_publisher(publisher)
        if self._broadcaster is not None:
            self._broadcaster.close()

    def _heard(self, publisher: Any) -> bool:
        """Return whether anybody subscribes; who is gone is no longer too slow."""
        if publisher.get_subscription_count():
            return True
        if self._slow.pop(publisher.topic_name, 0):
            self._complaints.settle(f'output.{publisher.topic_name}')
        return False

    def _send(self, publisher: Any, message: Any) -> None:
        start = time.monotonic()
        publisher.publish(message)
        took = time.monotonic() - start
        topic = publisher.topic_name
        key = f'output.{topic}'
        self._slow[topic] = self._slow.get(topic, 0) + 1 if took > SLOW_PUBLISH else 0
        if not self._slow[topic]:
            self._complaints.settle(key)
        elif self._slow[topic] >= SLOW_IN_A_ROW:
            self._complaints.say(
                key,
                f'{topic}: publishing took {1e3 * took:.0f} ms, again and again: a subscriber is '
                'too slow (make it best effort, or close it), or the machine is overloaded',
            )

    def _frame_is_named(self, header: Header) -> bool:
        if header.frame_id:
            self._complaints.settle('image.frame_id')
            return True
        self._complaints.say(
            'image.frame_id',
            'image: header.frame_id is empty, no TF is sent; set frame_id in the camera driver',
        )
        return False
