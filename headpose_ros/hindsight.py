# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""For recordings, where a result may come some images late: heads from their first image on.

A pipeline reports a face once it has seen it in several images. Where nobody waits for an answer,
images with a face still to be confirmed can be kept until it is, or turns out to be none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from headpose_ros.heads import Head
from headpose_ros.pipeline import Candidate, HeadPosePipeline

MOST_HELD = 20
"""Images that are kept at most, 125 MB of 1920x1080: a doubtful face takes nine and its misses."""

Image = TypeVar('Image')


@dataclass(frozen=True)
class Result(Generic[Image]):
    """The `heads` of one image, and the id of the one to attend to; `image` as it was added."""

    image: Image
    heads: list[Head]
    principal_id: str | None
    candidates: list[Candidate] = field(default_factory=list)


class Hindsight(Generic[Image]):
    """Hands out a pipeline's results in order, each late enough to know who is a head.

    `most_held`: images kept at most; 0 hands out each at once.
    """

    def __init__(self, pipeline: HeadPosePipeline, most_held: int = MOST_HELD) -> None:
        self._pipeline = pipeline
        self._most_held = most_held
        self._held: deque[Result[Image]] = deque()

    def add(self, image: Image, heads: list[Head]) -> Iterator[Result[Image]]:
        """Take what the pipeline just returned for `image`; return what is ready by now."""
        pipeline = self._pipeline
        self._held.append(Result(image, heads, pipeline.principal_id, pipeline.candidates))
        return self._ready()

    def rest(self) -> Iterator[Result[Image]]:
        """Return all that is kept: no more images come."""
        while self._held:
            yield self._release()

    def _ready(self) -> Iterator[Result[Image]]:
        while self._held:
            open_still = any(
                candidate.is_of(self._pipeline.candidates)
                for candidate in self._held[0].candidates
            )
            if open_still and len(self._held) <= self._most_held:
                return
            yield self._release()

    def _release(self) -> Result[Image]:
        result = self._held.popleft()
        late = [head for candidate in result.candidates if (head := candidate.head)]
        heads = [*result.heads, *late]
        principal = result.principal_id
        if principal is None and self._pipeline.principal_id in {head.id for head in late}:
            principal = self._pipeline.principal_id
        return replace(result, heads=heads, principal_id=principal, candidates=[])
