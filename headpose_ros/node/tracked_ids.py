# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The list of all faces, /humans/faces/tracked, that nodes with one camera each publish together.

Consumers take the newest list for all that there is (REP-155), so each node lists the faces of the
others as well. It learns them from topics beside the list, one for each node, named by the prefix
of its ids. Their names tell, too, where two nodes use the same ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from hri_msgs.msg import IdsList
from rclpy.node import Node
from rclpy.subscription import Subscription
from std_msgs.msg import Header

from headpose_ros.node.claims import claimed_topic, other_nodes
from headpose_ros.node.qos import LATCHED, OUTPUT

TOPIC = '/humans/faces/tracked'


class TrackedIds:
    """Publishes the ids of this node, and those that others publish, in one list."""

    def __init__(self, node: Node, id_prefix: str) -> None:
        self._node = node
        self._list = node.create_publisher(IdsList, TOPIC, OUTPUT)
        self._own = node.create_publisher(
            IdsList, claimed_topic(self._list.topic_name, id_prefix), LATCHED
        )
        self._own_ids: list[str] = []
        self._subscriptions: dict[str, Subscription] = {}
        self._others: dict[str, list[str]] = {}

    @property
    def publisher(self) -> Any:
        """The publisher of the list."""
        return self._list

    def message(self, ids: Iterable[str], header: Header) -> IdsList:
        """Return the list for an image in which this node sees `ids`; tell the other nodes."""
        own = list(ids)
        if own != self._own_ids:
            self._own.publish(IdsList(header=header, ids=own))
            self._own_ids = own
        others = {name for some in list(self._others.values()) for name in some}
        return IdsList(header=header, ids=[*own, *sorted(others.difference(own))])

    def follow_others(self) -> None:
        """Subscribe to the ids of nodes that are new, and forget those of nodes that are gone."""
        found = set()
        if self._node.count_publishers(self._list.topic_name) > 1:
            found = {
                name
                for name, _ in self._node.get_topic_names_and_types()
                if name.startswith(f'{self._list.topic_name}/_')
                and name != self._own.topic_name
                and self._node.count_publishers(name)
            }
        for gone in self._subscriptions.keys() - found:
            self._node.destroy_subscription(self._subscriptions.pop(gone))
            self._others.pop(gone, None)
        for new in found - self._subscriptions.keys():
            self._subscriptions[new] = self._node.create_subscription(
                IdsList, new, partial(self._take, new), LATCHED
            )

    def nodes_with_the_same_ids(self) -> list[str]:
        """Return other nodes that list faces by the same ids."""
        return other_nodes(self._node, self._own.topic_name)

    def foreign_nodes(self) -> list[str]:
        """Return the nodes that publish the list as well, but not together with this one."""
        others = other_nodes(self._node, self._list.topic_name)
        if not others:
            return []
        topics = (self._own.topic_name, *self._subscriptions)
        together = {name for topic in topics for name in other_nodes(self._node, topic)}
        return [name for name in others if name not in together]

    def close(self) -> None:
        """Remove all publishers and subscriptions."""
        for subscription in self._subscriptions.values():
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()
        self._others.clear()
        for publisher in (self._list, self._own):
            self._node.destroy_publisher(publisher)

    def _take(self, topic: str, message: IdsList) -> None:
        self._others[topic] = list(message.ids)
