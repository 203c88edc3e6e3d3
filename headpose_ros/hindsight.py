# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""For recordings, where a result may come some images late: heads from their first image on.

A pipeline reports a face once it has seen it in several images. Where nobody waits for an answer,
images with a face still to be confirmed can be kept until it is, or turns out to be none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Generic, TypeVar

from headpose_ros.result import FrameResult

MAX_HELD = 20
"""Images that are kept at most, 125 MB of 1920x1080: a doubtful face takes nine and its misses."""

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
        while self._held:
            yield self._release()

    def _ready(self) -> Iterator[tuple[Image, FrameResult]]:
        while self._held:
            undecided = {candidate.track for candidate in self._newest.candidates}
            waits = any(candidate.track in undecided for candidate in self._held[0][1].candidates)
            if waits and len(self._held) <= self._max_held:
                return
            yield self._release()

    def _release(self) -> tuple[Image, FrameResult]:
        image, result = self._held.popleft()
        late = {
            candidate.track: replace(candidate.head, id=self._ids[candidate.track])
            for candidate in result.candidates
            if candidate.track in self._ids
        }
        principal = result.principal_id
        if principal is None and self._newest.principal_id in {head.id for head in late.values()}:
            principal = self._newest.principal_id
        if not self._held:
            self._ids.clear()  # the tracks that are named already are candidates no more
        return image, replace(
            result,
            heads=(*result.heads, *late.values()),
            tracks=(*result.tracks, *late),
            principal_id=principal,
            candidates=(),
        )
