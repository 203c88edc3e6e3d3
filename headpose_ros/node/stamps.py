# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an image's stamp says about time: missing, standing still, jumping, ahead, long past."""

from __future__ import annotations

from dataclasses import dataclass

from headpose_ros.tracking.clock import Passage, StampOrder

NANO = 1_000_000_000
AHEAD_NS = NANO // 2
LONG_PAST_NS = 10 * NANO
BACK = 'stamp_back'
"""Kind of the trouble that is over with the image that shows it."""


@dataclass(frozen=True)
class Moment:
    """`seconds` drive the filters; `passage` is ON, LATE or JUMP.

    `trouble` is (kind, cause and fix) or None.
    """

    seconds: float
    passage: Passage
    trouble: tuple[str, str] | None = None


class StampWatch:
    """Judges stamps one after the other: their order as `StampOrder`, and against the clock.

    Where stamps are useless the time of reception drives the filters; messages still go out with
    the stamp the image had.
    """

    def __init__(self) -> None:
        self._order = StampOrder()
        self._on_reception = False

    def judge(self, stamp_ns: int, now_ns: int, received: float) -> Moment:
        """Judge `stamp_ns` at the ROS time `now_ns`; `received`: seconds of a steady clock."""
        if stamp_ns == 0:
            return self._useless(
                received, 'stamp_zero', 'the stamp is zero; have the driver stamp its images'
            )
        stamp, newest = stamp_ns / NANO, self._order.newest
        passage = self._order.judge(stamp)
        if passage is Passage.LATE:
            return Moment(stamp, passage)
        if passage is Passage.STILL:
            return self._useless(
                received,
                'stamp_still',
                'the stamp stands still; have the driver stamp each image at capture',
            )
        trouble = _against_now(stamp_ns, now_ns)
        if passage is Passage.JUMP and newest is not None:
            trouble = (
                BACK,
                (
                    f'stamps went back by {newest - stamp:.1f} s, all ids start anew; a bag '
                    'that loops does that, else look for a second publisher or for a clock '
                    'that was set'
                ),
            )
        if self._on_reception:
            passage, self._on_reception = Passage.JUMP, False
        return Moment(stamp, passage, trouble)

    def _useless(self, received: float, kind: str, text: str) -> Moment:
        passage = Passage.ON if self._on_reception else Passage.JUMP
        self._on_reception = True
        return Moment(received, passage, (kind, text))


def _against_now(stamp_ns: int, now_ns: int) -> tuple[str, str] | None:
    if now_ns == 0:
        return 'no_clock', 'use_sim_time is set but /clock is silent; play the bag with --clock'
    ahead = stamp_ns - now_ns
    if ahead > AHEAD_NS:
        return (
            'stamp_ahead',
            f'stamps are {ahead / NANO:.1f} s in the future; synchronise the clocks of the '
            'machines (chrony), or set use_sim_time alike everywhere',
        )
    if -ahead > LONG_PAST_NS:
        return (
            'stamp_past',
            f'stamps are {-ahead / NANO:.0f} s old; for a bag or a simulation set use_sim_time '
            'and publish /clock, else synchronise the clocks',
        )
    return None
