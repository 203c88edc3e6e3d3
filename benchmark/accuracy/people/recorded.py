# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is counted on recordings, whose truth is how many people there are, and no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .clips import Clip


@dataclass(frozen=True)
class Recorded:
    """Ids published in each image of a clip. `people`: how many there are; None: not counted."""

    name: str
    group: str
    people: int | None
    period: float
    ids: list[tuple[str, ...]]


def watch_clip(pipeline: Any, clip: Clip) -> Recorded:
    """Show a clip to a pipeline."""
    ids = [
        tuple(head.id for head in pipeline.process(frame.image, lens, frame.stamp))
        for frame, lens in clip.frames()
    ]
    return Recorded(clip.name, clip.group, clip.people, 1 / clip.rate, ids)


def measure(recorded: Sequence[Recorded]) -> dict[str, Any]:
    """Return ids, shares and false heads over several clips.

    False heads: ids beyond the number of people, those published in the fewest images.
    """
    minutes = sum(len(r.ids) * r.period for r in recorded) / 60
    counted = [r for r in recorded if r.people is not None]
    extra = {r.name: max(0, len(set().union(*r.ids)) - (r.people or 0)) for r in counted}
    with_head = [bool(ids) for r in recorded for ids in r.ids]
    too_many = [len(ids) > (r.people or 0) for r in counted for ids in r.ids]
    longest = max((_longest_extra(r) for r in counted), default=0.0)
    return {
        'clips': len(recorded),
        'minutes': minutes,
        'images': len(with_head),
        'images_with_head': float(np.mean(with_head)),
        'ids': sum(len(set().union(*r.ids)) for r in recorded),
        'people': sum(r.people or 0 for r in counted) if counted else None,
        'one_id': float(np.mean([len(set().union(*r.ids)) == r.people for r in counted]))
        if counted
        else None,
        'false_heads': sum(extra.values()) if counted else None,
        'false_heads_per_minute': sum(extra.values()) / minutes if counted else None,
        'false_images': float(np.mean(too_many)) if counted else None,
        'longest_false_s': longest if counted else None,
        'by_clip': {name: n for name, n in extra.items() if n},
    }


def _longest_extra(recorded: Recorded) -> float:
    """Return for how many seconds on the whole the longest extra id was published."""
    counts = Counter(name for ids in recorded.ids for name in ids)
    rest = [n for _, n in counts.most_common()][recorded.people or 0 :]
    return max(rest, default=0) * recorded.period
