# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""For recordings, where a result may come some images late: heads from their first image on.

A pipeline reports a face once it has seen it in several images. Where nobody waits for an answer,
images with a face still to be confirmed can be kept until it is, or turns out to be none. A
short recording ends before: in it, a face that is in every image is a head.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Generic, TypeVar

from headpose_ros.heads import Head
from headpose_ros.result import FrameResult
from headpose_ros.tracking.names import NameCycle

MAX_HELD = 20
"""Images that are kept at most, 125 MB of 1920x1080: a doubtful face takes nine and its misses."""

SHORT_IMAGES, SHORT_SECONDS = 2, 0.1
"""What is not longer than one of these ends before a face can be confirmed."""

SURE_ENOUGH = 0.5
"""The confidence, in each image, of a face that is a head since it is in all of a short input."""

Image = TypeVar('Image')


class Hindsight(Generic[Image]):
    """Hands out the results of a stream in order, each late enough to know who is a head.

    `max_held`: images kept at most; 0 hands out each at once.
    """

    def __init__(self, max_held: int = MAX_HELD) -> None:
        self._max_held = max_held
        self._held: deque[tuple[Image, FrameResult]] = deque()
        self._newest = FrameResult()
        self._ids: dict[int, str] = {}
        self._all_held = True
        self._principal_id: str | None = None

    def add(self, image: Image, result: FrameResult) -> Iterator[tuple[Image, FrameResult]]:
        """Take the pipeline's `result` for `image`; return the images and results that are ready.

        `image`: anything that tells which image it is; it is handed out as it came.
        """
        if not result.dropped:  # of who is in a dropped one nothing is known
            self._newest = result
            self._ids.update((n, h.id) for n, h in zip(result.tracks, result.heads, strict=True))
        self._held.append((image, result))
        return self._ready()

    def rest(self) -> Iterator[tuple[Image, FrameResult]]:
        """Return all that is kept: no more images come."""
        if self._all_held and self._is_short():
            self._name_who_is_always_there()
        while self._held:
            yield self._release()

    def _ready(self) -> Iterator[tuple[Image, FrameResult]]:
        while self._held:
            undecided = {candidate.track for candidate in self._newest.candidates}
            waits = any(candidate.track in undecided for candidate in self._held[0][1].candidates)
            if waits and len(self._held) <= self._max_held:
                return
            yield self._release()

    def _is_short(self) -> bool:
        stamps = [result.stamp for _, result in self._held if result.stamp is not None]
        span = stamps[-1] - stamps[0] if stamps else math.inf
        return len(self._held) <= SHORT_IMAGES or span <= SHORT_SECONDS

    def _name_who_is_always_there(self) -> None:
        """Give ids to the faces in every image of an input too short to confirm them."""
        seen = [
            {face.track: face.head for face in result.candidates}
            for _, result in self._held
            if not result.dropped
        ]
        always = set.intersection(*map(set, seen)) - set(self._ids) if seen else set()
        sure = {n for n in always if min(heads[n].confidence for heads in seen) >= SURE_ENOUGH}
        names = NameCycle()
        for number in sorted(sure):
            self._ids[number] = names.next(set(self._ids.values()))
        if sure and self._newest.principal_id is None:
            self._principal_id = self._ids[max(sure, key=lambda number: _area(seen[-1][number]))]

    def _release(self) -> tuple[Image, FrameResult]:
        self._all_held = False
        image, result = self._held.popleft()
        late = {
            candidate.track: replace(candidate.head, id=self._ids[candidate.track])
            for candidate in result.candidates
            if candidate.track in self._ids
        }
        principal = result.principal_id
        latest = self._newest.principal_id or self._principal_id
        if principal is None and latest in {head.id for head in late.values()}:
            principal = latest
        if not self._held:
            self._ids.clear()  # the tracks that are named already are candidates no more
        return image, replace(
            result,
            heads=(*result.heads, *late.values()),
            tracks=(*result.tracks, *late),
            principal_id=principal,
            candidates=(),
        )


def _area(head: Head) -> float:
    return float(head.roi.width * head.roi.height)
