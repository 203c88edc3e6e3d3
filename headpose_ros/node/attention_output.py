# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`~/attention` and `~/events`: who looks at what, and what people did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from std_msgs.msg import Header

from headpose_ros.attention import (
    Attention,
    AttentionResult,
    HeadEvent,
    Look,
    Place,
    Target,
)
from headpose_ros.msg import Attention as AttentionMessage
from headpose_ros.msg import AttentionArray
from headpose_ros.msg import HeadEvent as HeadEventMessage
from headpose_ros.node.qos import EVENTS, OUTPUT
from headpose_ros.node.stamps import NANO
from headpose_ros.result import FrameResult
from headpose_ros.typing import Array


class AttentionOutput:
    """Keeps the state of attention, and publishes it while somebody listens.

    It takes every image that is processed, so that the state is right for whoever listens later.
    `send(publisher, message)` publishes.
    """

    def __init__(self, node: Node, send: Callable[[Any, Any], None]) -> None:
        self._send = send
        self._attention = Attention()
        self._targets: Sequence[Target] = ()
        self._sinces = _Stamps()
        self._last_header: Header | None = None
        self.last: AttentionResult | None = None
        """What was found in the last image; None where nobody is known of."""
        self._array = node.create_publisher(AttentionArray, '~/attention', OUTPUT)
        self._events = node.create_publisher(HeadEventMessage, '~/events', EVENTS)

    @property
    def publishers(self) -> list[Any]:
        """Those of both topics."""
        return [self._array, self._events]

    def update(
        self,
        result: FrameResult,
        header: Header,
        targets: Sequence[Target],
        places: Mapping[str, Place],
        rotation_fixed_from_camera: Array | None,
    ) -> AttentionResult:
        """Take the heads in the image of `header`; publish what is known with them."""
        if targets is not self._targets:
            self._attention.targets = self._targets = targets
        found = self._attention.update(result, places, rotation_fixed_from_camera)
        self._last_header, self.last = header, found
        self._sinces.update(found, header.stamp, result.followed_ids)
        if self._array.get_subscription_count():
            self._send(self._array, attention_message(found, header, self._sinces.of))
        self._tell(found.events, header)
        return found

    def leave(self) -> None:
        """Tell that everybody has left, with the last image; begin anew."""
        header = self._last_header
        if header is not None:
            self._tell(self._attention.close(), header)
        self.forget()

    def publish_absence(self, header: Header) -> None:
        """Tell that everybody has left; publish, with `header`, that nobody is there."""
        self.leave()
        self._array.publish(AttentionArray(header=header))

    def forget(self) -> None:
        """Begin anew, and tell nobody."""
        self._attention.reset()
        self._sinces.clear()
        self._last_header = self.last = None

    def _tell(self, events: Iterable[HeadEvent], header: Header) -> None:
        if self._events.get_subscription_count():
            for event in events:
                self._send(self._events, event_message(event, header))


def attention_message(
    found: AttentionResult, header: Header, since: Callable[[str, str], Time]
) -> AttentionArray:
    """Return who looks at what in the image of `header`; `since(id, target)`: a stamp."""
    approaches = {approach.id: approach for approach in found.approaches}
    return AttentionArray(
        header=header,
        attention=[
            AttentionMessage(
                id=look.id,
                target=look.target,
                looking=look.looking,
                probability=float(look.probability),
                angle=float(look.angle),
                distance=float(look.distance),
                since=since(look.id, look.target),
                approach_speed=float(approaches[look.id].speed),
                approach_speed_deviation=float(approaches[look.id].deviation),
            )
            for look in found.looks
        ],
    )


def event_message(event: HeadEvent, header: Header) -> HeadEventMessage:
    """Return an event that became certain in the image of `header`."""
    return HeadEventMessage(header=header, id=event.id, type=int(event.type), target=event.target)


def focus_transforms(
    found: AttentionResult, header: Header, positions: Mapping[str, Any], prefix: str
) -> list[TransformStamped]:
    """Return `focus_<id>` for who looks at something: at the most probable target.

    `positions`: those of the targets (3,), metres, in the frame of `header`, by name.
    """
    best: dict[str, Look] = {}
    for look in found.looks:
        before = best.get(look.id)
        if look.looking and (before is None or look.probability > before.probability):
            best[look.id] = look
    stamped = []
    for name, look in best.items():
        made = TransformStamped(header=header, child_frame_id=f'{prefix}focus_{name}')
        shift = made.transform.translation
        shift.x, shift.y, shift.z = map(float, positions[look.target])
        made.transform.rotation.w = 1.0
        stamped.append(made)
    return stamped


class _Stamps:
    """The exact stamps of the images that `Look.since` means.

    Seconds as a float, as the attention has them, do not hold the nanoseconds of today; and where
    images have no usable stamps they are those of another clock.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[float, Time]] = {}

    def update(self, found: AttentionResult, stamp: Time, followed: Iterable[str]) -> None:
        """Take the looks of the image of `stamp`; keep those of who is `followed`."""
        now = {}
        for look in found.looks:
            key = look.id, look.target
            before = self._known.get(key)
            if before is not None and before[0] == look.since:
                now[key] = before
            elif look.since == found.stamp:
                now[key] = (look.since, stamp)
            else:
                now[key] = (look.since, _time(look.since))
        kept = set(followed)
        self._known = {k: v for k, v in self._known.items() if k[0] in kept} | now

    def of(self, name: str, target: str) -> Time:
        """Return since when the last look of a head at a target is what it is."""
        return self._known[name, target][1]

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()


def _time(seconds: float) -> Time:
    whole, rest = divmod(round(seconds * NANO), NANO)
    return Time(sec=whole, nanosec=rest)
