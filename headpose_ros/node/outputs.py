# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything the node publishes about an image."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from geometry_msgs.msg import PoseStamped
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.time import Time
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from headpose_ros.attention import CAMERA, Place, Target
from headpose_ros.geometry import CameraModel
from headpose_ros.heads import Head
from headpose_ros.media.image_messages import Bgr
from headpose_ros.msg import HeadPoseArray
from headpose_ros.node.attention_markers import ShownAttention
from headpose_ros.node.attention_output import AttentionOutput, focus_transforms
from headpose_ros.node.debug_image import DebugImages, Drawing
from headpose_ros.node.markers import ShownMarkers
from headpose_ros.node.messages import heads_message, pose_stamped, transforms
from headpose_ros.node.problems import ProblemLog
from headpose_ros.node.qos import OUTPUT
from headpose_ros.node.transforms import Broadcaster
from headpose_ros.result import FrameResult
from headpose_ros.typing import Array

try:
    from headpose_ros.node.humans import FaceImage, Humans
    from headpose_ros.node.social_signals import SocialSignals
except ImportError:  # no hri_msgs
    Humans = None  # type: ignore[assignment, misc]
    SocialSignals = None  # type: ignore[assignment, misc]

SLOW_PUBLISH = 0.05
"""Seconds; a publish() that takes longer was blocked."""
MIN_SLOW_PUBLISHES = 3
"""In a row, before it is reported: a single one may be the scheduler."""
LAST_MESSAGE_TIMEOUT = 0.5
"""Seconds to wait for reliable subscribers to receive the last message."""


class Outputs:
    """The publishers. A topic that nobody subscribes to costs nothing."""

    def __init__(
        self,
        node: Node,
        problems: ProblemLog,
        publish_tf: bool,
        id_prefix: str = '',
        publish_engagement: bool = False,
    ) -> None:
        self._node = node
        self._problems = problems
        self._heads = node.create_publisher(HeadPoseArray, '~/heads', OUTPUT)
        self._pose = node.create_publisher(PoseStamped, '~/pose', OUTPUT)
        self._markers = node.create_publisher(MarkerArray, '~/markers', OUTPUT)
        self._debug = DebugImages(node, problems, self._send)
        self.attention = AttentionOutput(node, self._send)
        self._publishers = [self._heads, self._pose, self._markers, *self._debug.publishers]
        self._publishers += self.attention.publishers
        self._humans = Humans(node, self._send, id_prefix) if Humans is not None else None
        self._social = None
        if SocialSignals is not None:
            self._social = SocialSignals(node, self._send, publish_engagement)
        self._focus = publish_engagement
        self._broadcaster = Broadcaster(node, id_prefix) if publish_tf else None
        self._shown_markers = ShownMarkers()
        self._shown_attention = ShownAttention()
        self._slow: dict[str, int] = {}
        self._last_header: Header | None = None
        self._published_at = 0.0

    def other_publishers(self) -> int:
        """Return how many other publishers `~/heads` has: nodes of the same name."""
        return max(0, self._node.count_publishers(self._heads.topic_name) - 1)

    def has_subscribers(self) -> bool:
        """Return whether anybody subscribes to any output; subscribers to /tf count."""
        social = self._social.publishers if self._social is not None else []
        if any(publisher.get_subscription_count() for publisher in [*self._publishers, *social]):
            return True
        if self._humans is not None and self._humans.has_subscribers():
            return True
        return self._broadcaster is not None and self._broadcaster.subscription_count() > 0

    def publish(
        self,
        heads: Sequence[Head],
        principal_id: str | None,
        header: Header,
        sight_length: float,
    ) -> None:
        """Publish poses, transforms and markers of the image of `header`."""
        self._last_header, self._published_at = header, time.monotonic()
        principal = next((head for head in heads if head.id == principal_id), None)
        self._send(self._heads, heads_message(heads, header, principal.id if principal else ''))
        if principal is not None:
            self._send(self._pose, pose_stamped(principal, header))
        if self._broadcaster is not None and self._frame_is_named(header):
            self._broadcaster.send(transforms(heads, header))
        if self._humans is not None:
            self._humans.publish_list(heads, header)
        if self._is_subscribed(self._markers):
            self._send(self._markers, self._shown_markers.message(heads, header, sight_length))

    def publish_faces(
        self,
        result: FrameResult,
        header: Header,
        camera: CameraModel,
        image: Bgr | None,
        width_px: int,
    ) -> None:
        """Publish what REP-155 has of each face; `image`: the pixels, where all are there."""
        if self._humans is not None:
            self._humans.publish_faces(result, FaceImage(header, camera, image), width_px)

    def pixels_wanted(self) -> bool:
        """Return whether anybody subscribes to pictures of faces, which need the whole image."""
        return self._humans is not None and self._humans.pictures_wanted()

    def conflicts(self) -> dict[str, str]:
        """Return what other nodes publish that does not go with ours, by subject; '': nothing."""
        same: set[str] = set()
        foreign = ''
        if self._broadcaster is not None:
            same.update(self._broadcaster.nodes_with_the_same_frames())
        if self._humans is not None:
            self._humans.follow_others()
            same.update(self._humans.nodes_with_the_same_ids())
            foreign = self._humans.foreign_list()
        text = (
            f'{", ".join(sorted(same))}: publishes the same ids and TF frames as this node; set '
            'id_prefix, another one for each camera'
        )
        return {'ids': text if same else '', 'tracked': foreign}

    def publish_attention(
        self,
        result: FrameResult,
        header: Header,
        targets: Sequence[Target],
        places: Mapping[str, Place],
        rotation_fixed_from_camera: Array | None,
        robot: str = CAMERA.name,
    ) -> None:
        """Publish who looks at what, events, and markers of both, after the heads themselves.

        `robot`: the target that stands for the robot.
        """
        found = self.attention.update(result, header, targets, places, rotation_fixed_from_camera)
        if self._social is not None:
            self._social.publish(found, header, robot)
        if self._focus and self._broadcaster is not None and header.frame_id:
            ends = {name: place.position for name, place in places.items()}
            ends[CAMERA.name] = (0.0, 0.0, 0.0)
            self._broadcaster.send(focus_transforms(found, header, ends, ''))
        if self._is_subscribed(self._markers):
            shown = self._shown_attention.message(result, header, targets, places, found)
            if shown.markers:
                self._send(self._markers, shown)

    def follow_persons(self, wanted: bool) -> None:
        """Listen to who is who, where an output needs it, or stop to."""
        if self._social is not None:
            self._social.refresh(wanted)

    def debug_image_wanted(self) -> bool:
        """Return whether anybody subscribes to `~/debug_image`, raw or compressed."""
        return any(map(self._is_subscribed, self._debug.publishers))

    def publish_debug_image(self, drawing: Drawing) -> None:
        """Have the image with the heads drawn on it published, if somebody subscribes."""
        if self.debug_image_wanted():
            self._debug.put(drawing)

    def forget_debug_image(self) -> None:
        """Publish no drawing of an image from before."""
        self._debug.forget()

    def publish_absence(self, wait: bool = False) -> None:
        """Publish once, after the last result, that nobody is present any more.

        The stamp continues the time of the images: that of the last one, plus the time since.
        With `wait` return only when reliable subscribers have it, since publishers close next.
        """
        if self._last_header is None:
            return
        header = _later(self._last_header, time.monotonic() - self._published_at)
        self._last_header = None
        self._heads.publish(heads_message([], header))
        if self._humans is not None:
            self._humans.publish_absence(header)
        self.attention.publish_absence(header)
        self._shown_attention.clear()
        if self._social is not None:
            self._social.publish_absence(header)
        if self._markers.get_subscription_count():
            self._markers.publish(self._shown_markers.clear())
        if wait:
            listed = self._humans and self._humans.list_publisher
            last = (self._heads, listed, *self.attention.publishers)
            for publisher in filter(None, last):
                if publisher.get_subscription_count():
                    publisher.wait_for_all_acked(Duration(seconds=LAST_MESSAGE_TIMEOUT))

    def close(self) -> None:
        """Remove all publishers."""
        self._debug.close()
        for publisher in self._publishers:
            self._node.destroy_publisher(publisher)
        for other in filter(None, (self._humans, self._social, self._broadcaster)):
            other.close()

    def _is_subscribed(self, publisher: Any) -> bool:
        """Return whether anybody subscribes; a subscriber that left is no longer too slow."""
        if publisher.get_subscription_count():
            return True
        if self._slow.pop(publisher.topic_name, 0):
            self._problems.resolve(f'output.{publisher.topic_name}')
        return False

    def _send(self, publisher: Any, message: Any) -> None:
        start = time.monotonic()
        publisher.publish(message)
        took = time.monotonic() - start
        topic = publisher.topic_name
        key = f'output.{topic}'
        self._slow[topic] = self._slow.get(topic, 0) + 1 if took > SLOW_PUBLISH else 0
        if not self._slow[topic]:
            self._problems.resolve(key)
        elif self._slow[topic] >= MIN_SLOW_PUBLISHES:
            self._problems.report(
                key,
                f'{topic}: publishing took {1e3 * took:.0f} ms, repeatedly; a subscriber is too '
                'slow (make it best effort, or close it), or the machine is overloaded',
            )

    def _frame_is_named(self, header: Header) -> bool:
        if header.frame_id:
            self._problems.resolve('image.frame_id')
            return True
        self._problems.report(
            'image.frame_id',
            'image: header.frame_id is empty, so no TF is published; set it in the camera driver',
        )
        return False


def _later(header: Header, seconds: float) -> Header:
    """Return a header whose stamp is `seconds` later."""
    stamp = Time.from_msg(header.stamp) + Duration(seconds=seconds)
    return Header(stamp=stamp.to_msg(), frame_id=header.frame_id)
