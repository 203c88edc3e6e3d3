# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The time of a stream of images, by their stamps: late ones, repeated ones, jumps.

Drivers stamp images in many ways. What drives the filters is a time that always goes on: the stamp
itself where stamps grow, and a little more than before where they stand still or step back.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

IMAGE_PERIOD = 1.0 / 30.0
"""Seconds from image to image where stamps do not say."""

MAX_JITTER = 0.13
"""An image whose stamp is up to so many seconds older than the newest is used all the same."""

MAX_LATE = 0.3
"""One up to so many seconds older is late and dropped. More is a jump: a recording that loops."""

MAX_LATE_IN_A_ROW = 5
"""So many late ones in a row are none: the clock was set back a little."""

MAX_GAP = 3.0
MAX_GAP_RATIO = 3.0
"""A gap between images of more seconds than MAX_GAP and `keep_lost`, and so many times longer
than the one before, means: another scene."""

_MIN_STEP = 0.25
_LEARNING = 0.2
_MAX_REPEATED_STEP = 0.5


class Passage(Enum):
    """How time went on since the last image."""

    ON = 'on'
    REPEATED = 'repeated'
    LATE = 'late'
    JUMP = 'jump'


class Tick(NamedTuple):
    """The time of an image in seconds, and how it got there.

    ON: its stamp is newer than all before, or a little older. REPEATED: it has the newest stamp
    again. LATE: it is to be dropped. JUMP: what was known of the past is to be forgotten.
    """

    time: float
    passage: Passage


class StreamClock:
    """Gives each image of a stream its time. `period`: seconds from image to image, on average."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the past, as at the start of another video."""
        self.period = IMAGE_PERIOD
        self._newest: float | None = None
        self._time = 0.0
        self._gap = 0.0
        self._images = 1
        self._late = 0
        self._received: float | None = None

    def advance(
        self, stamp: float | None, keep_lost: float, received: float | None = None
    ) -> Tick:
        """Return the time of the next image, whose stamp is `stamp`, finite seconds.

        Images without a stamp come at 30 Hz. `keep_lost`: seconds that a gap may take at least.
        `received`: seconds of a steady clock, by which images with the same stamp are told apart;
        without it they come at the rate at which those before came.
        """
        waited = None if None in (received, self._received) else received - self._received  # type: ignore[operator]
        self._received = received
        if stamp is None:
            stamp = 0.0 if self._newest is None else self._time + IMAGE_PERIOD
        if self._newest is None:
            return self._start(stamp, Passage.ON)
        gap = stamp - self._newest
        if gap == 0.0:
            return self._repeat(waited)
        if gap < 0.0:
            return self._step_back(stamp, -gap)
        allowed = max(MAX_GAP, keep_lost, MAX_GAP_RATIO * self._gap)
        if gap > allowed:
            return self._start(stamp, Passage.JUMP, gap)
        period = gap / self._images
        first = self._gap == 0.0
        self.period += (1.0 if first else _LEARNING) * (period - self.period)
        self._gap, self._newest, self._images, self._late = gap, stamp, 1, 0
        self._time = max(stamp, self._time + _MIN_STEP * self.period)
        return Tick(self._time, Passage.ON)

    def _start(self, stamp: float, passage: Passage, gap: float = 0.0) -> Tick:
        self.period = IMAGE_PERIOD
        self._newest = self._time = stamp
        self._gap, self._images, self._late = gap, 1, 0
        return Tick(stamp, passage)

    def _repeat(self, waited: float | None) -> Tick:
        self._images += 1
        step = self.period if waited is None else min(waited, _MAX_REPEATED_STEP)
        self._time += max(step, _MIN_STEP * self.period)
        return Tick(self._time, Passage.REPEATED)

    def _step_back(self, stamp: float, behind: float) -> Tick:
        if behind > MAX_LATE:
            return self._start(stamp, Passage.JUMP)
        self._late += 1
        if self._late > MAX_LATE_IN_A_ROW:
            self._newest, self._late = stamp, 0
        elif behind > MAX_JITTER:
            return Tick(self._time, Passage.LATE)
        self._time += _MIN_STEP * self.period
        self._images += 1
        return Tick(self._time, Passage.ON)
