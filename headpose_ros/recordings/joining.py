# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ids of the parts of a recording joined: who is whom on both sides of a cut.

Each part begins some seconds before its cut, so the last of those images are in two parts. The
same head in the same image makes the same person.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

MIN_OVERLAP = 0.4
"""Boxes of the same head in the same image overlap by so much of their union at least."""

SHARED_NS = 2_000_000_000
"""How long before a cut heads are compared, nanoseconds: as long as one who is lost is kept."""

Row = Mapping[str, Any]


class IdJoiner:
    """Gives the ids of one part after the other names that are the same in all parts."""

    def __init__(self) -> None:
        self._highest = 0
        self._is_first = True
        self._last: dict[Any, list[Row]] = {}
        self._names: dict[str, str] = {}

    def begin(self, lead: Iterable[Row]) -> None:
        """Begin the next part, whose rows of the images before its cut are `lead`."""
        self._is_first = False
        votes: Counter[tuple[str, str]] = Counter()
        by_image: dict[Any, list[Row]] = defaultdict(list)
        for row in lead:
            by_image[row['stamp_ns']].append(row)
        for image, rows in by_image.items():
            before = self._last.get(image, [])
            for other, row in _pairs(before, rows):
                votes[row['id'], other['id']] += 1
        self._names = _matched(votes)
        self._last = {}

    def name(self, own: str) -> str:
        """Return the joined name of an id of this part; the first part keeps its own."""
        if self._is_first:
            self._highest = max(self._highest, int(own[1:]))
            return own
        if own not in self._names:
            self._highest += 1
            self._names[own] = f'f{self._highest:04d}'
        return self._names[own]

    def names_of(self, own: Iterable[str]) -> list[str]:
        """Return the joined names of ids of this part, without those who have none yet."""
        return (
            list(own) if self._is_first else [self._names[id] for id in own if id in self._names]
        )

    def keep(self, row: Row) -> None:
        """Remember a row of this part, under its joined name, for the next cut."""
        image = row['stamp_ns']
        self._last.setdefault(image, []).append(row)
        if len(self._last) > 1:
            for old in [one for one in self._last if one < image - SHARED_NS]:
                del self._last[old]


def _pairs(before: list[Row], rows: list[Row]) -> list[tuple[Row, Row]]:
    """Return the rows of the same heads, in an image, in the part before and in this one."""
    if not before or not rows:
        return []
    overlaps = np.array([[_overlap(a, b) for b in rows] for a in before])
    return [
        (before[i], rows[j])
        for i, j in zip(*linear_sum_assignment(-overlaps), strict=True)
        if overlaps[i, j] >= MIN_OVERLAP
    ]


def _matched(votes: Counter[tuple[str, str]]) -> dict[str, str]:
    """Return the name before by the id now, each used once, most images first."""
    names: dict[str, str] = {}
    for (own, before), _ in sorted(votes.items(), key=lambda vote: (-vote[1], vote[0])):
        if own not in names and before not in names.values():
            names[own] = before
    return names


def _overlap(a: Row, b: Row) -> float:
    width = min(a['roi_x'] + a['roi_width'], b['roi_x'] + b['roi_width']) - max(
        a['roi_x'], b['roi_x']
    )
    height = min(a['roi_y'] + a['roi_height'], b['roi_y'] + b['roi_height']) - max(
        a['roi_y'], b['roi_y']
    )
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    areas = a['roi_width'] * a['roi_height'] + b['roi_width'] * b['roi_height']
    return float(shared / (areas - shared))
