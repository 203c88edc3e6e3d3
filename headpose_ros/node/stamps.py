# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of image stamps: missing, repeated, out of order, in the future, too old."""

from __future__ import annotations

import math
from dataclasses import dataclass

from headpose_ros.tracking.clock import Passage, StreamClock

NANO = 1_000_000_000
AHEAD_NS = NANO // 2
LONG_PAST_NS = 10 * NANO
BACKWARDS = 'stamp_back'
"""Kind of the warning that concerns one image only."""


REPEATS_TOLD, REPEATS_OVER_AFTER = 2, 10
"""Images with the stamp of the one before till that is told; and without till it is over."""


@dataclass(frozen=True)
class CheckedStamp:
    """`seconds` is the time for the filters; `passage` is ON, LATE or JUMP.

    `warning` is (kind, cause and fix) or None.
    """

    seconds: float
    passage: Passage
    warning: tuple[str, str] | None = None


class StampChecker:
    """Checks the stamps of a stream of images: their order, and against the ROS time.

    Where stamps are zero, the filters use the time of reception; messages keep the stamp of the
    image.
    """

    def __init__(self) -> None:
        self._clock = StreamClock()
        self._newest = -math.inf
        self._uses_reception_time = False
        self._repeats = 0
        self._since_repeat = 0

    def check(self, stamp_ns: int, now_ns: int, received: float) -> CheckedStamp:
        """Check `stamp_ns` at the ROS time `now_ns`; `received`: seconds of a steady clock."""
        if stamp_ns == 0:
            return self._unusable(
                received, 'stamp_zero', 'the stamp is zero; have the driver stamp its images'
            )
        stamp = stamp_ns / NANO
        if self._uses_reception_time:
            self._clock.reset()
        time, passage = self._clock.advance(stamp, math.inf, received)
        if passage is Passage.LATE:
            return CheckedStamp(time, passage)
        warning = self._repetition(passage) or _against_now(stamp_ns, now_ns)
        if passage is Passage.JUMP:
            text = (
                f'stamps went back by {self._newest - stamp:.1f} s, all tracks were reset; normal '
                'for a bag that loops, else look for a second publisher or a changed clock'
            )
            warning = (BACKWARDS, text)
        self._newest = stamp
        if self._uses_reception_time:
            passage, self._uses_reception_time = Passage.JUMP, False
        passage = Passage.JUMP if passage is Passage.JUMP else Passage.ON
        return CheckedStamp(time, passage, warning)

    def _repetition(self, passage: Passage) -> tuple[str, str] | None:
        """Return the warning about repeated stamps, until they have been fresh for a while."""
        if passage is Passage.REPEATED:
            self._repeats, self._since_repeat = self._repeats + 1, 0
        elif self._since_repeat >= REPEATS_OVER_AFTER:
            self._repeats = 0
        else:
            self._since_repeat += 1
        if self._repeats < REPEATS_TOLD:
            return None
        return (
            'stamp_still',
            'several images have the same stamp, their times are guessed; have the driver stamp '
            'each image at capture',
        )

    def _unusable(self, received: float, kind: str, text: str) -> CheckedStamp:
        passage = Passage.ON if self._uses_reception_time else Passage.JUMP
        self._uses_reception_time = True
        return CheckedStamp(received, passage, (kind, text))


def _against_now(stamp_ns: int, now_ns: int) -> tuple[str, str] | None:
    if now_ns == 0:
        return (
            'no_clock',
            'use_sim_time is set but nothing arrives on /clock; play the bag with --clock',
        )
    ahead = stamp_ns - now_ns
    if ahead > AHEAD_NS:
        return (
            'stamp_ahead',
            f'stamps are {ahead / NANO:.1f} s in the future; synchronise the clocks of the '
            'machines (chrony), or use the same use_sim_time everywhere',
        )
    if -ahead > LONG_PAST_NS:
        return (
            'stamp_past',
            f'stamps are {-ahead / NANO:.0f} s old; for a bag or a simulation set use_sim_time '
            'and publish /clock, else synchronise the clocks',
        )
    return None
