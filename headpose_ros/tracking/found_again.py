# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who comes back: a head that was lost, and one that is new and may be the same person's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from headpose_ros.tracking.separation import difference
from headpose_ros.tracking.track import Track

SIZE_GATE = 0.6
"""By how much in size, a difference of logarithms, a face may differ from what is expected."""


def who_came_back(found: Track, tracks: Sequence[Track], reach: Callable[[Track], float]) -> str:
    """Return the id of whom of those lost `found` may be, the nearest; empty: nobody.

    `reach`: how far from where it is expected a lost face may be, in face radii.
    """
    ray, size = found.motion.ray, found.motion.angular_size
    near: list[tuple[float, str]] = []
    for track in tracks:
        if track.id and not track.visible and not track.was_visible:
            offset, ratio = difference(track.motion, ray, size)
            if offset <= reach(track) and ratio <= SIZE_GATE:
                near.append((offset, track.id))
    return min(near, default=(0.0, ''))[1]
