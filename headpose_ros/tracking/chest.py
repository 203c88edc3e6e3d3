# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Prints on shirts: they look like faces to detectors and estimators, below a living one."""

from __future__ import annotations

from collections.abc import Iterable

from headpose_ros.tracking import sphere
from headpose_ros.tracking.motion import Motion
from headpose_ros.tracking.track import Track
from headpose_ros.typing import Array

CHEST_BEGINS, CHEST_ENDS = 1.2, 4.0
CHEST_HALF_WIDTH = 1.5
"""Where a chest is: below the centre of its owner's face and beside it, in radii of that face."""


def is_on_chest(track: Track, others: Iterable[Track], up: Array) -> bool:
    """Return whether `track` is where somebody known, or surer to be a face, has the chest.

    `up` (3,): the direction against gravity in the camera frame.
    """
    return any(
        other.visible
        and (bool(other.id) or other.evidence.log_odds > track.evidence.log_odds)
        and _shows_chest(track.motion.ray, other.motion, up)
        for other in others
        if other is not track
    )


def _shows_chest(ray: Array, owner: Motion, up: Array) -> bool:
    """Return whether `ray` meets the chest below the face `owner`."""
    offset = sphere.difference(owner.ray, ray) / (0.5 * owner.angular_size)
    below = -float(offset.dot(sphere.towards(owner.ray, up)))
    if not CHEST_BEGINS <= below <= CHEST_ENDS:
        return False
    return float(offset.dot(offset)) - below**2 <= CHEST_HALF_WIDTH**2
