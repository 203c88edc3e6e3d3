# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The time of a stream of images, by their stamps: late ones, repeated ones, jumps."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

IMAGE_PERIOD = 1.0 / 30.0
"""Seconds from image to image where stamps do not say."""

MAX_LATE = 0.2
"""An image whose stamp is up to so many seconds older than the newest is late, not a jump."""

MAX_GAP = 3.0
MAX_GAP_RATIO = 3.0
"""A gap between images of more seconds than MAX_GAP and `keep_lost`, and so many times longer
than the one before, means: another scene."""


class Passage(Enum):
    """How time went on since the last image."""

    ON = 'on'
    LATE = 'late'
    STILL = 'still'
    JUMP = 'jump'


class StampOrder:
    """Judges the order of stamps, seconds, one after the other.

    A stamp equal to the newest, or up to MAX_LATE older, is an image sent twice or late by a lossy
    network: LATE, to be dropped. The next equal ones are STILL: the stamps tell no time. The next
    older one, or a larger step back, is a JUMP (a recording that loops): what was known of the
    past is to be forgotten.
    """

    def __init__(self) -> None:
        self.newest: float | None = None
        self._is_repeated = False
        self._was_late = False

    def judge(self, stamp: float) -> Passage:
        """Return how `stamp` follows those before it."""
        if stamp == self.newest:
            passage = Passage.STILL if self._is_repeated else Passage.LATE
            self._is_repeated = True
            return passage
        self._is_repeated = False
        behind = 0.0 if self.newest is None else self.newest - stamp
        if 0.0 < behind <= MAX_LATE and not self._was_late:
            self._was_late = True
            return Passage.LATE
        self._was_late = False
        self.newest = stamp
        return Passage.JUMP if behind > 0.0 else Passage.ON


class Tick(NamedTuple):
    """The time of an image in seconds, and whether it is ON, LATE or a JUMP."""

    time: float
    passage: Passage


class StreamClock:
    """Gives each image of a stream its time."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the past, as at the start of another video."""
        self._order = StampOrder()
        self._time: float | None = None
        self._gap = 0.0

    def advance(self, stamp: float | None, keep_lost: float) -> Tick:
        """Return the time of the next image, whose stamp is `stamp`, finite seconds.

        Images without a stamp, or whose stamps stand still, come at 30 Hz. `keep_lost`: seconds
        that a gap may take at least.
        """
        before = self._time
        passage = Passage.STILL if stamp is None else self._order.judge(stamp)
        if passage is Passage.LATE and stamp is not None:
            return Tick(stamp, passage)
        if stamp is None or passage is Passage.STILL:
            stamp = 0.0 if before is None else before + IMAGE_PERIOD
            passage = Passage.ON
        self._time = stamp
        if before is None:
            return Tick(stamp, Passage.ON)
        gap, allowed = stamp - before, max(MAX_GAP, keep_lost, MAX_GAP_RATIO * self._gap)
        self._gap = gap
        jumps = passage is Passage.JUMP or gap < 0.0 or gap > allowed
        return Tick(stamp, Passage.JUMP if jumps else Passage.ON)
