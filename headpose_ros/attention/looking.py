# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From probabilities to a decision that does not flicker: hysteresis and dwell in seconds."""

from __future__ import annotations

from dataclasses import dataclass

_CLOCK_ERROR = 1e-4
"""Seconds: stamps as float64 are known so well, and three images at 30 Hz last 0.1 s."""


@dataclass(frozen=True)
class LookingRule:
    """When somebody looks.

    `start`, `stop`: probabilities; from `start` on for `start_dwell` seconds looking begins,
    below `stop` for `stop_dwell` seconds it ends.
    """

    start: float
    stop: float
    start_dwell: float
    stop_dwell: float


class Looking:
    """Whether one head looks at one target.

    `since`: stamp of the image since which `looking` is what it is; `seen_at`: time of the newest.
    """

    def __init__(self, time: float, stamp: float) -> None:
        self.looking = False
        self.since = stamp
        self.seen_at = time
        self._doubt = 0.0

    def update(self, probability: float, time: float, stamp: float, rule: LookingRule) -> bool:
        """Take the probability in an image; return whether `looking` has changed.

        What speaks against the present state adds up second by second, and goes twice as fast
        where an image speaks for it: one wrong image delays, but does not begin the dwell anew.
        """
        elapsed, self.seen_at = max(0.0, time - self.seen_at), time
        if self.looking:
            against, dwell = probability < rule.stop, rule.stop_dwell
        else:
            against, dwell = probability >= rule.start, rule.start_dwell
        if not against:
            self._doubt = max(0.0, self._doubt - 2.0 * elapsed)
            return False
        self._doubt += elapsed
        if self._doubt < dwell - _CLOCK_ERROR:
            return False
        self._change(stamp)
        return True

    def give_up(self, stamp: float) -> bool:
        """Take it that nobody looks any more; return whether somebody did."""
        if self.looking:
            self._change(stamp)
            return True
        return False

    def _change(self, stamp: float) -> None:
        self.looking = not self.looking
        self.since = stamp
        self._doubt = 0.0
