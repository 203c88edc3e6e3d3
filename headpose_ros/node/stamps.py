# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of image stamps: missing, repeated, out of order, in the future, too old."""

from __future__ import annotations

from dataclasses import dataclass

from headpose_ros.tracking.clock import Passage, StampOrder

NANO = 1_000_000_000
AHEAD_NS = NANO // 2
LONG_PAST_NS = 10 * NANO
BACKWARDS = 'stamp_back'
"""Kind of the warning that concerns one image only."""


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

    Where stamps are unusable, the filters use the time of reception; messages keep the stamp of
    the image.
    """

    def __init__(self) -> None:
        self._order = StampOrder()
        self._uses_reception_time = False

    def check(self, stamp_ns: int, now_ns: int, received: float) -> CheckedStamp:
        """Check `stamp_ns` at the ROS time `now_ns`; `received`: seconds of a steady clock."""
        if stamp_ns == 0:
            return self._unusable(
                received, 'stamp_zero', 'the stamp is zero; have the driver stamp its images'
            )
        stamp, newest = stamp_ns / NANO, self._order.newest
        passage = self._order.judge(stamp)
        if passage is Passage.LATE:
            return CheckedStamp(stamp, passage)
        if passage is Passage.STILL:
            return self._unusable(
                received,
                'stamp_still',
                'the stamp does not change; have the driver stamp each image at capture',
            )
        warning = _against_now(stamp_ns, now_ns)
        if passage is Passage.JUMP and newest is not None:
            text = (
                f'stamps went back by {newest - stamp:.1f} s, all tracks were reset; normal for a '
                'bag that loops, else look for a second publisher or a changed clock'
            )
            warning = (BACKWARDS, text)
        if self._uses_reception_time:
            passage, self._uses_reception_time = Passage.JUMP, False
        return CheckedStamp(stamp, passage, warning)

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
