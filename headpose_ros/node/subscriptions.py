# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Subscriptions that match the QoS of their publishers, and the reason where no data arrives."""

from __future__ import annotations

import difflib
import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Generic, TypeVar

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.subscription import Subscription

try:
    from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks, UnsupportedEventTypeError

from headpose_ros.node.middleware import large_image_advice
from headpose_ros.node.qos import describe, matching, mismatch

M = TypeVar('M')

LEASE_SECONDS = 30.0
"""Longer than DDS lists a process that was killed (FastDDS: 20 s)."""
UNNAMED = 'an unnamed node'
"""Name for a publisher that has just been discovered, or that is not ROS."""
INTERVALS, PATIENCE = 5, 2.5
"""Of how many intervals the median is taken, and how many such without a message are a silence."""
HEADS = 'headpose_ros/msg/HeadPoseArray'
MAX_OTHER_TOPICS = 5
"""Topics that a hint lists."""


@dataclass(frozen=True)
class PublisherInfo:
    """One publisher of a topic: its node, its message type and the QoS it offers."""

    node: str
    kind: str
    qos: QoSProfile


class Input(Generic[M]):
    """A topic that is subscribed to on demand, with the QoS that its publishers offer.

    With reliability `auto` it waits for the first publisher, to match its QoS at once. Where none
    comes it subscribes all the same (best effort, volatile): some bridges publish only once there
    is a subscriber. With `keeps_latched` it gets the last message of transient local publishers
    also where others on the topic are volatile. Call `refresh` regularly, since publishers come
    and go.
    """

    def __init__(
        self,
        node: Node,
        message_type: type[M],
        topic: str,
        on_message: Callable[[M], None],
        reliability: str = 'auto',
        keeps_latched: bool = False,
    ) -> None:
        self.topic = topic
        self.kind = type_name(message_type)
        self.received = 0
        self.lost = 0
        self.publishers: list[PublisherInfo] = []
        self._several_since: float | None = None
        self._node = node
        self._type = message_type
        self._on_message = on_message
        self._reliability = reliability
        self._keeps_latched = keeps_latched
        self._subscription: Subscription | None = None
        self._latched: Subscription | None = None
        self._qos: QoSProfile | None = None
        self._last_received = time.monotonic()
        self._arrivals: deque[float] = deque(maxlen=INTERVALS + 1)

    @property
    def seconds_since_message(self) -> float:
        """Seconds since the last message, or since subscribing."""
        return time.monotonic() - self._last_received

    def is_silent(self, timeout: float) -> bool:
        """Tell whether no message came for `timeout` seconds; for slow topics, as is usual there.

        Those are given two and a half of the intervals between their last messages.
        """
        since = self.seconds_since_message
        if since <= timeout or not self.publishers:
            return since > timeout
        times = list(self._arrivals)
        intervals = [after - before for before, after in pairwise(times)]
        return not intervals or since > PATIENCE * statistics.median(intervals)

    def refresh(self, wanted: bool, publisher_timeout: float = math.inf) -> None:
        """Subscribe, subscribe with another QoS, or unsubscribe, as publishers and `wanted` ask.

        Where no publisher is found for `publisher_timeout` seconds, subscribe without one.
        """
        if not wanted:
            self.close()
            return
        self.update_publishers()
        offered = [p.qos for p in self.publishers if p.kind == self.kind]
        if offered or self._reliability != 'auto':
            qos = matching(offered, self._reliability)
            if self._subscription is None or (offered and not _same(qos, self._qos)):
                self._subscribe(qos)
            self._follow_latched(offered, qos)
        elif self._subscription is None:
            if self._qos is None:  # from now on it waits for a publisher
                self._qos = matching([])
                self._last_received = time.monotonic()
            elif self.seconds_since_message > publisher_timeout:
                waited_since = self._last_received
                self._subscribe(self._qos)
                self._last_received = waited_since

    def competing_publishers(self) -> list[str]:
        """Return the nodes that publish on the topic where there are several, else nothing.

        DDS lists a node that was killed until its lease ends: two publishers of one node name
        count only after that.
        """
        names = [p.node for p in self.publishers if p.kind == self.kind]
        if len(set(names) - {UNNAMED}) > 1:
            return names
        since = self._several_since
        return names if since is not None and time.monotonic() - since > LEASE_SECONDS else []

    def close(self) -> None:
        """Unsubscribe."""
        for subscription in (self._subscription, self._latched):
            if subscription is not None:
                self._node.destroy_subscription(subscription)
        self._subscription = self._latched = self._qos = None
        self.publishers = []
        self._arrivals.clear()

    def no_data_reason(self) -> str:
        """Return topic, cause and fix for missing data."""
        others = _topics_of(self._node, self.kind)
        qos = self._qos or matching([])
        return no_data_reason(self.topic, self.kind, self.publishers, qos, others)

    def update_publishers(self) -> None:
        """Ask the graph who publishes on the topic."""
        self.publishers = publishers_of(self._node, self.topic)
        if sum(p.kind == self.kind for p in self.publishers) < 2:
            self._several_since = None
        elif self._several_since is None:
            self._several_since = time.monotonic()

    def _subscribe(self, qos: QoSProfile) -> None:
        self.close()
        self.publishers = publishers_of(self._node, self.topic)
        try:
            events = SubscriptionEventCallbacks(
                message_lost=self._count_lost, use_default_callbacks=False
            )
            self._subscription = self._node.create_subscription(
                self._type, self.topic, self._take, qos, event_callbacks=events
            )
        except UnsupportedEventTypeError:
            self._subscription = self._node.create_subscription(
                self._type, self.topic, self._take, qos
            )
        self._qos = qos
        self._last_received = time.monotonic()

    def _follow_latched(self, offered: Sequence[QoSProfile], chosen: QoSProfile) -> None:
        """Subscribe to transient local publishers beside volatile ones: one QoS cannot serve both.

        What they publish from now on comes twice, which does no harm where the newest counts.
        """
        latched = [qos for qos in offered if qos.durability == DurabilityPolicy.TRANSIENT_LOCAL]
        is_missed = chosen.durability != DurabilityPolicy.TRANSIENT_LOCAL and bool(latched)
        if self._keeps_latched and is_missed and self._latched is None:
            self._latched = self._node.create_subscription(
                self._type, self.topic, self._take, matching(latched)
            )

    def _take(self, message: M) -> None:
        self.received += 1
        self._last_received = time.monotonic()
        self._arrivals.append(self._last_received)
        self._on_message(message)

    def _count_lost(self, status: Any) -> None:
        self.lost += status.total_count_change


def compressed_topic(node: Node) -> str:
    """Return the topic of compressed images: a remap of its own, or that of `image` extended."""
    own = node.resolve_topic_name('image/compressed')
    if own != node.resolve_topic_name('image/compressed', only_expand=True):
        return own
    return node.resolve_topic_name('image') + '/compressed'


def camera_info_topic(node: Node, image: str) -> str:
    """Return the topic of CameraInfo: a remap of its own, or the one beside `image`.

    As image_transport has it, for `image` raw or compressed; one remap serves both.
    """
    own = node.resolve_topic_name('camera_info')
    if own != node.resolve_topic_name('camera_info', only_expand=True):
        return own
    return image.removesuffix('/compressed').rpartition('/')[0] + '/camera_info'


def no_data_reason(
    topic: str,
    kind: str,
    publishers: Sequence[PublisherInfo],
    qos: QoSProfile,
    others: Sequence[str],
) -> str:
    """Return topic, cause and fix: no publisher, another type, incompatible QoS, or no messages.

    `others`: topics on which `kind` is published now; the most similar names are listed.
    """
    if not publishers:
        elsewhere = f'; it is published on {_nearest_name(topic, others)}: remap' if others else ''
        return f'{topic}: nobody publishes {kind}{elsewhere or "; start the camera, or remap"}'
    own = [p for p in publishers if p.kind == kind]
    if not own:
        found = ', '.join(sorted({p.kind for p in publishers}))
        return f'{topic}: carries {found}, expected {kind}; remap, or set image_transport'
    for publisher in own:
        reason = mismatch(publisher.qos, qos)
        if reason:
            return (
                f'{topic}: {publisher.node} offers QoS ({describe(publisher.qos)}) that does not '
                f'match ours ({describe(qos)}): {reason}; set image_reliability to auto'
            )
    names = ', '.join(sorted({p.node for p in own}))
    return (
        f'{topic}: {names} publishes but no message arrives; check the camera, or, for large '
        f'images, the middleware: {large_image_advice()}'
    )


def _nearest_name(topic: str, others: Sequence[str]) -> str:
    def likeness(name: str) -> float:
        return difflib.SequenceMatcher(None, topic, name).ratio()

    listed = sorted(others, key=likeness, reverse=True)[:MAX_OTHER_TOPICS]
    more = len(others) - len(listed)
    return ', '.join(listed) + (f' and {more} more topics' if more else '')


def type_name(message_type: type[Any]) -> str:
    """Return the name of a message type as graph queries give it."""
    package = message_type.__module__.split('.')[0]
    return f'{package}/msg/{message_type.__name__}'


def publishers_of(node: Node, topic: str) -> list[PublisherInfo]:
    """Return the publishers of a topic that are known now."""
    return [
        PublisherInfo(_name(i.node_namespace, i.node_name), i.topic_type, i.qos_profile)
        for i in node.get_publishers_info_by_topic(topic)
    ]


def _name(namespace: str, name: str) -> str:
    return UNNAMED if name == '_NODE_NAME_UNKNOWN_' else f'{namespace.rstrip("/")}/{name}'


def _topics_of(node: Node, kind: str) -> list[str]:
    """Return the topics on which others publish `kind`, nodes that find heads left out.

    What those publish is made of the images of a camera: drawings, and pictures of faces.
    """
    topics = node.get_topic_names_and_types()
    finders = {node.get_fully_qualified_name()}
    for name, kinds in topics:
        if HEADS in kinds:
            finders.update(p.node for p in publishers_of(node, name))
    return [
        name
        for name, kinds in topics
        if kind in kinds and any(p.node not in finders for p in publishers_of(node, name))
    ]


def _same(one: QoSProfile, other: QoSProfile | None) -> bool:
    return (
        other is not None
        and one.reliability == other.reliability
        and one.durability == other.durability
    )
