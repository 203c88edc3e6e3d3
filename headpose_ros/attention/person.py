# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One person over time: what each image says of their looking, walking and gestures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from headpose_ros.attention.approaching import ApproachFilter, Walk
from headpose_ros.attention.events import HeadEvent, HeadEventType
from headpose_ros.attention.gaze import looking_probabilities
from headpose_ros.attention.gestures import SIGMAS, HeadPath, Swings
from headpose_ros.attention.looking import Looking
from headpose_ros.attention.looks import Approach, Look
from headpose_ros.attention.options import AttentionOptions
from headpose_ros.attention.plain import Axes, Measured
from headpose_ros.attention.seen import View
from headpose_ros.attention.targets import PlacedTarget
from headpose_ros.heads import Head
from headpose_ros.typing import Array

LEAD = 0.1
"""Seconds: a target has to be where the head will point after so long, for looking to begin."""


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
        self._seen_at = moment.time
        self._facing = head.rotation_camera_from_face
        self._motion = ApproachFilter(Measured.of(head).distance)
        self._walk = Walk()
        self._path = HeadPath()
        self._nod, self._shake = Swings(0), Swings(1)
        self._looking: dict[str, Looking] = {}

    def see(
        self, head: Head, moment: Moment, events: list[HeadEvent]
    ) -> tuple[list[Look], Approach]:
        """Return what the person looks at, and how fast they come; add what is new to `events`."""
        elapsed, self._seen_at = moment.time - self._seen_at, moment.time
        measured = Measured.of(head)
        self._turn(measured, moment)
        looks = self._look(measured, moment, events)
        approach = self._move(head, measured.distance, elapsed, moment, events)
        self._gesture(measured.sigma, moment, events)
        return looks, approach

    def _turn(self, head: Measured, moment: Moment) -> None:
        axes, ray, fixed = head.axes, head.ray, moment.fixed
        if fixed is not None:
            axes = Axes(*((fixed @ axis).tolist() for axis in axes))
        if self._path.add(moment.time, axes, ray, fixed is not None):
            self._nod.restart()
            self._shake.restart()

    def _look(self, head: Measured, moment: Moment, events: list[HeadEvent]) -> list[Look]:
        names, views = [], []
        for one in moment.placed:
            view = View.of(one, head)
            if view is not None:
                names.append(one.target.name)
                views.append(view)
        options = moment.options
        eyes = options.eye_sigma
        chances = looking_probabilities(head, views, eyes)
        looks, rule = [], options.looking_rule
        soon: list[float] = []
        for number, (name, view, chance) in enumerate(zip(names, views, chances, strict=True)):
            state = self._looking.get(name)
            if state is None:
                state = self._looking[name] = Looking(moment.time, moment.stamp)
            lasting = chance
            if chance >= rule.start and not state.looking:  # the head may only sweep past
                soon = soon or looking_probabilities(head, self._ahead(views), eyes)
                lasting = min(chance, soon[number])
            if state.update(lasting, moment.time, moment.stamp, rule):
                events.append(self._event(moment, _CHANGED[state.looking], name))
            looks.append(
                Look(self.id, name, state.looking, chance, view.angle, view.distance, state.since)
            )
        return looks

    def _ahead(self, views: list[View]) -> list[View]:
        """Return the views as they will be in a moment if the head turns on as it does."""
        down, left = (LEAD * speed for speed in self._path.speed())
        return [view._replace(left=view.left - left, up=view.up + down) for view in views]

    def _move(
        self,
        head: Head,
        distance: float,
        elapsed: float,
        moment: Moment,
        events: list[HeadEvent],
    ) -> Approach:
        # Of the filtered rotation: the noise of each image's own is no turning of the head.
        before, self._facing = self._facing, head.rotation_camera_from_face
        cosine = 0.5 * (float(np.vdot(before, self._facing)) - 1.0)
        turned = math.acos(max(-1.0, min(1.0, cosine)))
        self._motion.update(distance, turned, elapsed)
        way = self._walk.update(self._motion, elapsed, moment.options.walk_rule)
        if way:
            type = HeadEventType.APPROACHED if way > 0 else HeadEventType.MOVED_AWAY
            events.append(self._event(moment, type))
        return Approach(self.id, self._motion.speed, self._motion.deviation)

    def _gesture(self, sigma: float, moment: Moment, events: list[HeadEvent]) -> None:
        smallest = max(moment.options.gesture_angle, SIGMAS * sigma)
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
