# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What REP-155 has of attention: who gazes at the robot, and how far persons are engaged.

Both are about persons, whom this node does not know: it takes from REP-155 topics whose face is
whose (hri_person_manager). Importing this fails where hri_msgs is not installed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hri_msgs.msg import EngagementLevel, Gaze
from rclpy.node import Node
from std_msgs.msg import Header

from headpose_ros.attention import AttentionResult, HeadEventType
from headpose_ros.node.engagement import Engagement
from headpose_ros.node.persons import Persons, person_topic
from headpose_ros.node.qos import OUTPUT

GAZING = '/humans/interactions/gazing'
ROBOT = ''
"""The receiver of a gaze at the robot."""


@dataclass
class _Status:
    """The level of a person, with the face by which it is known, and its publisher."""

    publisher: Any
    face: str = ''
    engagement: Engagement = field(default_factory=Engagement)

    def publish(self, header: Header) -> None:
        self.publisher.publish(EngagementLevel(header=header, level=int(self.engagement.level)))

    def forget(self, header: Header) -> None:
        """State that nothing is known any more."""
        self.face, self.engagement = '', Engagement()
        self.publish(header)


class SocialSignals:
    """Publishes gazes at the robot, and with `engagement` the level of each person.

    It listens to who is who only while somebody listens to it. `send(publisher, message)`
    publishes.
    """

    def __init__(
        self,
        node: Node,
        send: Callable[[Any, Any], None],
        engagement: bool,
        persons: Callable[[Node], Persons] = Persons,
    ) -> None:
        self._node = node
        self._send = send
        self._engagement = engagement
        self._open_persons = persons
        self._persons: Persons | None = None
        self._statuses: dict[str, _Status] = {}
        self._gazing = node.create_publisher(Gaze, GAZING, OUTPUT)

    @property
    def publishers(self) -> list[Any]:
        """All at present."""
        statuses = list(self._statuses.values())  # at once: the worker adds to them
        return [self._gazing, *(status.publisher for status in statuses)]

    def refresh(self, wanted: bool) -> None:
        """Follow who is who while the node processes images, and somebody needs it."""
        wanted = wanted and (self._engagement or self._gazing.get_subscription_count() > 0)
        if wanted and self._persons is None:
            self._persons = self._open_persons(self._node)
        elif not wanted and self._persons is not None:
            self._persons.close()
            self._persons = None

    def publish(self, found: AttentionResult, header: Header, robot: str) -> None:
        """Publish what the image of `header` says; `robot`: the target that stands for it."""
        persons = self._persons
        if persons is None:
            return
        people = persons.by_face()
        looks = {
            people[look.id]: look
            for look in found.looks
            if look.target == robot and look.id in people
        }
        for person in [name for name, look in looks.items() if look.looking]:
            self._send(self._gazing, Gaze(header=header, sender=person, receiver=ROBOT))
        if not self._engagement:
            return
        self._forget_who_left(found, persons.tracked(), header)
        for person, look in looks.items():
            status = self._statuses.get(person) or self._meet(person)
            status.face = look.id
            status.engagement.update(look.looking, found.stamp - look.since)
            status.publish(header)

    def publish_absence(self, header: Header) -> None:
        """State that nothing is known of anybody any more."""
        for status in self._statuses.values():
            status.forget(header)

    def close(self) -> None:
        """Remove all publishers and subscriptions."""
        self.refresh(False)
        for publisher in self.publishers:
            self._node.destroy_publisher(publisher)
        self._statuses.clear()

    def _meet(self, person: str) -> _Status:
        topic = person_topic(person, 'engagement_status')
        made = _Status(self._node.create_publisher(EngagementLevel, topic, OUTPUT))
        self._statuses[person] = made
        return made

    def _forget_who_left(
        self, found: AttentionResult, tracked: frozenset[str], header: Header
    ) -> None:
        left = {event.id for event in found.events if event.type == HeadEventType.LEFT}
        for person, status in list(self._statuses.items()):
            if status.face in left:
                status.forget(header)
            if person not in tracked:
                self._node.destroy_publisher(self._statuses.pop(person).publisher)
