# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whom to look at: one head, chosen with hysteresis, so that the choice does not flicker."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable

from headpose_ros.heads import Head

SWITCH_RATIO = 1.3
"""A challenger must be this much more salient than the principal head..."""

SWITCH_AFTER = 0.5
"""...for this many seconds without a break."""


def salience(head: Head, angular_size: float) -> float:
    """Return how much a head asks for attention: near, sure, and facing the camera."""
    facing = 0.5 + 0.5 * max(0.0, math.cos(head.facing_angle))
    return angular_size * head.confidence * facing


class PrincipalChoice:
    """Keeps the principal head until it goes, or another is clearly more salient for a while."""

    def __init__(self) -> None:
        self.id: str | None = None
        self._challenger: str | None = None
        self._since = 0.0

    def update(
        self, saliences: Iterable[tuple[str, float]], alive: Container[str], time: float
    ) -> str | None:
        """Take the (id, salience) of the heads seen at `time`, seconds; return the principal id.

        `alive`: ids of everybody still followed. A principal head that is lost for a moment stays
        the principal one while it is alive: attention must not jump at every blink of a detector.
        """
        seen = dict(saliences)
        best = max(seen, key=seen.__getitem__, default=None)
        if self.id is None or self.id not in alive:
            self.id, self._challenger = best, None
        elif best is None or seen[best] <= SWITCH_RATIO * seen.get(self.id, math.inf):
            self._challenger = None
        elif best != self._challenger:
            self._challenger, self._since = best, time
        elif time - self._since >= SWITCH_AFTER:
            self.id, self._challenger = best, None
        return self.id
