# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which person a face belongs to, as hri_person_manager or another says it (REP-155)."""

from __future__ import annotations

import threading
from typing import Any

from rclpy.node import Node
from std_msgs.msg import String

from headpose_ros.node.qos import LATCHED, OUTPUT

TRACKED = '/humans/persons/tracked'


class Persons:
    """Follows the persons who are tracked, and their faces. Safe to use from several threads."""

    def __init__(self, node: Node) -> None:
        from hri_msgs.msg import IdsList

        self._node = node
        self._lock = threading.Lock()
        self._faces: dict[str, str] = {}
        self._subscriptions: dict[str, Any] = {}
        self._tracked = node.create_subscription(IdsList, TRACKED, self._on_tracked, OUTPUT)

    def by_face(self) -> dict[str, str]:
        """Return the ids of persons by those of their faces."""
        with self._lock:
            return {face: person for person, face in self._faces.items() if face}

    def tracked(self) -> frozenset[str]:
        """Return the ids of all persons who are tracked."""
        with self._lock:
            return frozenset(self._faces)

    def close(self) -> None:
        """Unsubscribe."""
        for subscription in (self._tracked, *self._subscriptions.values()):
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()

    def _on_tracked(self, message: Any) -> None:
        ids = set(filter(None, message.ids))
        for person in set(self._subscriptions) - ids:
            self._node.destroy_subscription(self._subscriptions.pop(person))
            with self._lock:
                self._faces.pop(person, None)
        for person in ids - set(self._subscriptions):
            with self._lock:
                self._faces[person] = ''
            self._subscriptions[person] = self._node.create_subscription(
                String, person_topic(person, 'face_id'), self._listener(person), LATCHED
            )

    def _listener(self, person: str) -> Any:
        def on_face(message: String) -> None:
            with self._lock:
                self._faces[person] = message.data

        return on_face


def person_topic(person: str, name: str) -> str:
    """Return a topic of a person."""
    return f'/humans/persons/{person}/{name}'
