# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two tracks before one face: one of them gives way, and who is hidden is given time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from headpose_ros.geometry.rays import angle_of_pair
from headpose_ros.tracking.assignment import SIZE_WEIGHT
from headpose_ros.tracking.motion import Motion
from headpose_ros.tracking.track import Track
from headpose_ros.typing import Array

# Lengths are in face radii (see `assignment.distances`).
SAME_FACE = 0.5
"""Two tracks whose faces are nearer than this follow one face."""

TOUCHING = 2.4
"""Two faces nearer than this may soon hide each other."""

MAX_OCCLUSION_ALLOWANCE = 2.0
"""Seconds that a face may be hidden behind another, on top of keep_lost."""


def separate(tracks: Sequence[Track], elapsed: float) -> None:
    """Let each face be followed once, by the track it fits, and note who is hidden.

    `elapsed`: seconds since the image before.
    """
    near: set[int] = set()
    for a, b in combinations(tracks, 2):
        if not (a.present or b.present):
            continue
        apart, _ = difference(a.motion, b.motion.ray, b.motion.angular_size)
        if apart < TOUCHING:
            near |= {a.number, b.number}
        if apart < SAME_FACE and a.present and b.present:
            max(a, b, key=_association_cost).hide()
    for track in tracks:
        if track.present and track.number not in near:
            track.unoccluded = track.motion
        elif not track.present and track.number in near:
            track.occlusion_allowance = min(
                MAX_OCCLUSION_ALLOWANCE, track.occlusion_allowance + elapsed
            )


def difference(motion: Motion, ray: Array, size: float) -> tuple[float, float]:
    """Return how far a face at `ray` of this size is: `assignment.distances` of one pair."""
    radius = 0.25 * (motion.angular_size + size)
    return (
        angle_of_pair(motion.ray, ray) / radius,
        abs(math.log(motion.angular_size / size)),
    )


def _association_cost(track: Track) -> tuple[bool, bool, bool, float]:
    """Return a key that is larger for the track that a face fits less.

    Tentative ones give way, then those whose pose cannot be read, then those just found again,
    then the one farther from where its motion before the two touched would have taken it.
    """
    motion = track.motion
    expected = track.unoccluded.at(motion.time)
    offset, ratio = difference(expected, motion.ray, motion.angular_size)
    cost = offset**2 + (SIZE_WEIGHT * ratio) ** 2
    return track.is_tentative, not track.visible, not track.was_visible, cost
