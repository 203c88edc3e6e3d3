# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`Attention`: heads over time in, who looks at what and what they did out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.attention.events import HeadEvent, HeadEventType
from headpose_ros.attention.looks import AttentionResult, Look
from headpose_ros.attention.options import AttentionOptions
from headpose_ros.attention.person import Moment, Person
from headpose_ros.attention.targets import CAMERA, Place, PlacedTarget, Target
from headpose_ros.result import FrameResult
from headpose_ros.typing import Array

MAX_BACK = 0.3
"""Seconds by which a stamp may be older than the newest; more is another recording."""


class Attention:
    """Follows the heads of one stream: who looks at what, who comes nearer, who nods.

    `targets`: what people may look at, beside `CAMERA`, which is always first; a target of that
    name replaces it, to give it a size. May be changed at any time. Call `update` with each result
    of a `HeadPosePipeline`, in order.

    Raises ValueError for two targets of one name.
    """

    def __init__(
        self, targets: Sequence[Target] = (), options: AttentionOptions | None = None
    ) -> None:
        self.options = AttentionOptions() if options is None else options
        self.targets = tuple(targets)
        self.reset()

    @property
    def targets(self) -> tuple[Target, ...]:
        """All targets, the camera first."""
        return self._targets

    @targets.setter
    def targets(self, targets: Sequence[Target]) -> None:
        names = [target.name for target in targets]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f'targets: two of one name: {", ".join(twice)}')
        camera = next((one for one in targets if one.name == CAMERA.name), CAMERA)
        self._camera = PlacedTarget.at(camera, _HERE)
        self._targets = (camera, *(one for one in targets if one.name != CAMERA.name))

    def reset(self) -> None:
        """Forget everybody, and tell nothing of it."""
        self._people: dict[str, Person] = {}
        self._time = -math.inf

    def close(self, stamp: float | None = None) -> tuple[HeadEvent, ...]:
        """Forget everybody; return that they have left, at `stamp`, or with the newest image."""
        stamp = self._time if stamp is None else float(stamp)
        moment = Moment(stamp, self._time, [], None, self.options)
        events = [event for person in self._people.values() for event in person.leave(moment)]
        self.reset()
        return tuple(events)

    def update(
        self,
        result: FrameResult,
        places: Mapping[str, Place | ArrayLike] | None = None,
        rotation_fixed_from_camera: ArrayLike | None = None,
    ) -> AttentionResult:
        """Return who looks at what in the image of `result`, and what has become certain with it.

        `places`: where targets are in this image, by name: `Place`, or a position (3,) in metres
        in the camera's optical frame. A target without a place is left out; the camera needs
        none. `rotation_fixed_from_camera` (3,3): as `HeadPosePipeline.process` takes it.

        Raises ValueError for a result without a stamp, or a place that is none; then nothing has
        changed.
        """
        if result.stamp is None:
            raise ValueError(
                'result: has no stamp; attention is for images in order of time, give '
                'HeadPosePipeline.process their stamps in mode video'
            )
        placed = self._placed(places or {})
        fixed = _rotation(rotation_fixed_from_camera)
        if result.dropped:
            return AttentionResult(result.stamp)
        return self._answer(result, result.stamp, placed, fixed)

    def _placed(self, places: Mapping[str, Place | ArrayLike]) -> list[PlacedTarget]:
        camera, *others = self._targets
        here = places.get(camera.name)
        return [
            self._camera if here is None else PlacedTarget.at(camera, here),
            *(PlacedTarget.at(one, places[one.name]) for one in others if one.name in places),
        ]

    def _answer(
        self, result: FrameResult, stamp: float, placed: list[PlacedTarget], fixed: Array | None
    ) -> AttentionResult:
        events: list[HeadEvent] = []
        if stamp < self._time - MAX_BACK:
            events += self.close(stamp)
        self._time = max(self._time, stamp)
        moment = Moment(stamp, self._time, placed, fixed, self.options)
        present = result.followed_ids | {head.id for head in result.heads}
        for person in [one for one in self._people.values() if one.id not in present]:
            events += person.leave(moment)
            del self._people[person.id]
        looks: list[Look] = []
        approaches = []
        for head in result.heads:
            if head.id not in self._people:
                self._people[head.id] = Person(head, moment)
                events.append(HeadEvent(moment.stamp, head.id, HeadEventType.ENTERED))
            person = self._people[head.id]
            seen, approach = person.see(head, moment, events)
            looks += seen
            approaches.append(approach)
        for person in self._people.values():
            person.forget_unseen(moment, events)
        return AttentionResult(moment.stamp, tuple(looks), tuple(approaches), tuple(events))


# A camera that is given a size is looked at from before the lens: x forward, y left, z up.
_HERE = Place((0.0, 0.0, 0.0), [[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])


def _rotation(value: ArrayLike | None) -> Array | None:
    if value is None:
        return None
    rotation = np.asarray(value, np.float64)
    if rotation.shape != (3, 3) or not np.isfinite(rotation).all():
        raise ValueError(
            f'rotation_fixed_from_camera: expected (3, 3) finite numbers, got {rotation.shape}'
        )
    return rotation
