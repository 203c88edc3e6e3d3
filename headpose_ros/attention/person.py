# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One person over time: what each image says of their looking, walking and gestures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headpose_ros.attention.approaching import ApproachFilter, Walk
from headpose_ros.attention.events import HeadEvent, HeadEventType
from headpose_ros.attention.gaze import looking_probabilities
from headpose_ros.attention.gestures import SIGMAS, HeadPath, Swings
from headpose_ros.attention.looking import Looking
from headpose_ros.attention.looks import Approach, Look
from headpose_ros.attention.options import AttentionOptions
from headpose_ros.attention.targets import PlacedTarget, View
from headpose_ros.geometry.face_frame import FACE_CENTRE_IN_FACE
from headpose_ros.geometry.rotations import geodesic_distance
from headpose_ros.heads import Head
from headpose_ros.typing import Array


@dataclass(frozen=True)
class Moment:
    """An image.

    Its `stamp`, its `time`, s, which never goes back, where targets are, the rotation (3,3) to a
    `fixed` frame from the camera's where it is known, and the options in force.
    """

    stamp: float
    time: float
    placed: list[PlacedTarget]
    fixed: Array | None
    options: AttentionOptions


class Person:
    """The state of one head that is followed."""

    def __init__(self, head: Head, moment: Moment) -> None:
        self.id = head.id
        self._moved_at = moment.time
        self._facing = head.rotation_camera_from_face
        self._motion = ApproachFilter(float(np.linalg.norm(_centre(head))))
        self._walk = Walk()
        self._path = HeadPath()
        self._nod, self._shake = Swings(0), Swings(1)
        self._looking: dict[str, Looking] = {}

    def look(self, head: Head, moment: Moment, events: list[HeadEvent]) -> list[Look]:
        """Return whether the head looks at each target; add what has changed to `events`."""
        rotation, sellion = head.measured_rotation_camera_from_face, head.measured_position
        views = [
            (one.target.name, view)
            for one in moment.placed
            if (view := View.of(one, rotation, sellion)) is not None
        ]
        options = moment.options
        eyes = options.eye_sigma_sideways, options.eye_sigma_upwards
        chances = looking_probabilities(head, [view for _, view in views], eyes)
        looks, rule = [], options.looking_rule
        for (name, view), chance in zip(views, chances, strict=True):
            state = self._looking.get(name)
            if state is None:
                state = self._looking[name] = Looking(moment.time, moment.stamp)
            if state.update(chance, moment.time, moment.stamp, rule):
                events.append(self._event(moment, _CHANGED[state.looking], name))
            looks.append(
                Look(self.id, name, state.looking, chance, view.angle, view.distance, state.since)
            )
        return looks

    def move(self, head: Head, moment: Moment, events: list[HeadEvent]) -> Approach:
        """Return how fast the head comes nearer; add to `events` that it has."""
        elapsed, self._moved_at = moment.time - self._moved_at, moment.time
        turned = float(geodesic_distance(self._facing, head.rotation_camera_from_face))
        self._facing = head.rotation_camera_from_face
        self._motion.update(float(np.linalg.norm(_centre(head))), turned, elapsed)
        way = self._walk.update(self._motion, elapsed, moment.options.walk_rule)
        if way:
            type = HeadEventType.APPROACHED if way > 0 else HeadEventType.MOVED_AWAY
            events.append(self._event(moment, type))
        return Approach(self.id, self._motion.speed, self._motion.deviation)

    def gesture(self, head: Head, moment: Moment, events: list[HeadEvent]) -> None:
        """Add to `events` that the person nodded or shook the head."""
        centre = _centre(head)
        ray = centre / np.linalg.norm(centre)
        rotation = head.measured_rotation_camera_from_face
        if self._path.add(moment.time, rotation, ray, moment.fixed):
            self._nod.restart()
            self._shake.restart()
        smallest = max(moment.options.gesture_angle, SIGMAS * head.rotation_sigma)
        if self._nod.update(self._path, smallest):
            events.append(self._event(moment, HeadEventType.NODDED))
        if self._shake.update(self._path, smallest):
            events.append(self._event(moment, HeadEventType.SHOOK))

    def forget_unseen(self, moment: Moment, events: list[HeadEvent]) -> None:
        """End looking that nothing has been seen of for long; add that to `events`."""
        for name, state in self._looking.items():
            if moment.time - state.seen_at > moment.options.unseen and state.give_up(moment.stamp):
                events.append(self._event(moment, HeadEventType.STOPPED_LOOKING, name))

    def leave(self, moment: Moment) -> list[HeadEvent]:
        """Return what there is to tell where the person goes."""
        stopped = [
            self._event(moment, HeadEventType.STOPPED_LOOKING, name)
            for name, state in self._looking.items()
            if state.looking
        ]
        return [*stopped, self._event(moment, HeadEventType.LEFT)]

    def _event(self, moment: Moment, type: HeadEventType, target: str = '') -> HeadEvent:
        return HeadEvent(moment.stamp, self.id, type, target)


_CHANGED = {True: HeadEventType.STARTED_LOOKING, False: HeadEventType.STOPPED_LOOKING}


def _centre(head: Head) -> Array:
    """Return the measured face centre (3,), camera frame, metres."""
    centre: Array = (
        head.measured_position + head.measured_rotation_camera_from_face @ FACE_CENTRE_IN_FACE
    )
    return centre
