# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nods and shakes: swings of the head about one axis, even in size and in time.

As Kawato and Ohya (2000) take apart the path of the point between the eyes into extremes and what
lies between, and ask for several extremes, one after the other and far enough apart. Here the path
is that of the head's rotation, which has no perspective, and swings have to be alike. Cycle and
magnitude are those of Mori, Den and Jokinen (2025). docs/attention.md says more.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from headpose_ros.attention.plain import Axes, Vector, cross, dot
from headpose_ros.typing import Array

SWINGS = 3
"""Swings one after the other that make a gesture: one and a half cycles."""

LONGEST_SWING = 1.2
SHORTEST_SWING = 0.11
"""Seconds of a swing: gestures of 0.5 to 3 Hz, and what noise does to their ends."""

REST = 1.2
SHORTEST_REST = 0.4
"""A gesture has ended when the head goes no farther for so many times its last swing, and for so
many seconds."""

LARGEST = math.radians(65.0)
"""Rad: who swings farther looks around."""

EVEN_SIZE = 2.8
EVEN_TIME = 2.5
"""The largest swing of a gesture over the smallest, and the longest over the shortest."""

ONSET = 0.08
"""The first swing of a gesture begins where the head has gone this share of it."""

CROSS_SHARE = 0.4
"""How much the head may move about the other axis meanwhile, as a share of standard deviations."""

SEEN_SHARE = 0.5
"""How far the head must turn against the line of sight too, as a share: a camera that turns turns
all that it sees, lines of sight and heads alike."""

STRANGE = 0.25
"""The share of the path's standard deviation that one sine may leave unexplained. 'Yes' and 'no'
are symmetrical and cyclic (Hadar, Steiner and Rose 1985); stresses of speech are neither, and
somebody who looks there and back stays for a while at either end."""

PLAIN = 1.3
"""A gesture whose every swing is so many times larger than it has to be is one wherever it comes;
a smaller one has to begin from calm, as Kawato and Ohya's stable state before the extremes."""

CALM_BEFORE = 0.8
CALM_SHARE = 0.6
"""In so many seconds before a smaller gesture the head moves less than this share of a swing."""

SIGMAS = 3.0
"""A swing has to be so many standard deviations of the head's rotation."""

MEMORY = 4.0
"""Seconds of the past that are kept."""

MAX_GAP = 0.25
"""Seconds without the head after which its path begins anew."""


class _Sample(NamedTuple):
    """The path at one time, rad, summed up from image to image.

    `turned` (2,): about the head's own left and upward axes; `seen` (2,): the same against the
    line of sight.
    """

    time: float
    turned: tuple[float, float]
    seen: tuple[float, float]


class HeadPath:
    """How one head has turned about its own axes in the last seconds."""

    def __init__(self) -> None:
        self.samples: deque[_Sample] = deque()
        self._before: tuple[Axes, Vector] | None = None

    def add(self, time: float, axes: Axes, ray: Vector, turned: bool) -> bool:
        """Take the head's `axes` and the unit `ray` to it.

        Both in a fixed frame where the camera's rotation to that is known, as `turned` says, else
        in the camera's. Return whether the path begins anew.
        """
        before, self._before = self._before, (axes, ray)
        newest = self.samples[-1] if self.samples else None
        if newest is None or before is None or time - newest.time > MAX_GAP:
            self.samples.clear()
            self.samples.append(_Sample(time, (0.0, 0.0), (0.0, 0.0)))
            return True
        down, left = _turn(before[0], axes)
        seen_down, seen_left = down, left
        if not turned:  # what the line of sight has turned, the camera may have
            swing = cross(before[1], ray)
            seen_down -= dot(axes.left, swing)
            seen_left -= dot(axes.up, swing)
        self.samples.append(
            _Sample(
                time,
                (newest.turned[0] + down, newest.turned[1] + left),
                (newest.seen[0] + seen_down, newest.seen[1] + seen_left),
            )
        )
        while self.samples[0].time < time - MEMORY:
            self.samples.popleft()
        return False

    def speed(self) -> tuple[float, float]:
        """Return how fast the head turns about its left and upward axes, rad/s."""
        if len(self.samples) < 2:
            return 0.0, 0.0
        before, now = self.samples[max(-3, -len(self.samples))], self.samples[-1]
        elapsed = now.time - before.time
        if elapsed <= 0.0:
            return 0.0, 0.0
        down, left = (b - a for a, b in zip(before.turned, now.turned, strict=True))
        return down / elapsed, left / elapsed

    def onset(self, earliest: float, end: _Sample, axis: int) -> _Sample:
        """Return where the swing that comes to its `end` begins, from the time `earliest` on."""
        leg = [one for one in self.samples if earliest <= one.time <= end.time] or [end]
        way = end.turned[axis] - leg[0].turned[axis]
        begun = leg[0].turned[axis] + ONSET * way
        rest = [one for one in leg if (one.turned[axis] - begun) * way <= 0.0]
        return rest[-1] if rest else leg[0]


def _turn(before: Axes, now: Axes) -> tuple[float, float]:
    """Return the parts about the face's y and z axes of the rotation vector between two."""
    trace = dot(before.ahead, now.ahead) + dot(before.left, now.left) + dot(before.up, now.up)
    angle = math.acos(max(-1.0, min(1.0, 0.5 * (trace - 1.0))))
    factor = 0.5 * angle / math.sin(angle) if 1e-6 < angle < 3.0 else 0.5
    return (
        factor * (dot(before.ahead, now.up) - dot(before.up, now.ahead)),
        factor * (dot(before.left, now.ahead) - dot(before.ahead, now.left)),
    )


class Swings:
    """Finds gestures about one axis of a `HeadPath`: 0 left, for nods, or 1 up, for shakes."""

    def __init__(self, axis: int) -> None:
        self._axis = axis
        self.restart()

    def restart(self) -> None:
        """Forget the path."""
        self._extremes: deque[_Sample] = deque(maxlen=SWINGS + 1)
        self._farthest: _Sample | None = None
        self._told = False

    def update(self, path: HeadPath, smallest: float) -> bool:
        """Take the newest sample of `path`; return whether a gesture has become certain.

        `smallest`: rad, a swing of a gesture.
        """
        sample = path.samples[-1]
        self._follow(sample, 0.4 * smallest)
        if self._told:
            self._told = not self._is_over(sample.time)
            if self._told:
                return False
            self._extremes = deque([self._extremes[-1]], SWINGS + 1)
        # Where the head goes no farther, it is as it was in the image before.
        self._told = self._farthest is sample and self._is_gesture(path, smallest)
        return self._told

    def _follow(self, sample: _Sample, reversal: float) -> None:
        """Go on along the path: it turns round where it comes back by `reversal`."""
        axis = self._axis
        if self._farthest is None or not self._extremes:
            self._farthest = sample
            self._extremes.append(sample)
            return
        way = self._farthest.turned[axis] - self._extremes[-1].turned[axis]
        change = sample.turned[axis] - self._farthest.turned[axis]
        if change * way >= 0.0:
            self._farthest = sample
        elif abs(change) > reversal:
            if abs(way) > reversal:
                self._extremes.append(self._farthest)
            else:  # it has only just begun
                self._extremes[-1] = self._farthest
            self._farthest = sample

    def _is_over(self, time: float) -> bool:
        """Return whether the rhythm has ended: the head stays, or turns on one way."""
        begun, end = self._extremes[-2], self._extremes[-1]
        newest = self._farthest or end
        rest = max(SHORTEST_REST, REST * (end.time - begun.time))
        return time - newest.time > rest or newest.time - end.time > LONGEST_SWING

    def _is_gesture(self, path: HeadPath, smallest: float) -> bool:
        if self._farthest is None or len(self._extremes) < SWINGS:
            return False
        first, *others = [*list(self._extremes)[-SWINGS:], self._farthest]
        times = [b.time - a.time for a, b in pairwise(others)]
        # But the first swing, which may begin in the middle. No swing is larger than its legs.
        if (
            min(times) < SHORTEST_SWING
            or max(times) > min(LONGEST_SWING, EVEN_TIME * min(times))
            or max(self._sizes(others)) < smallest
        ):
            return False
        earliest = max(first.time, others[0].time - EVEN_TIME * min(times))
        ends = [path.onset(earliest, others[0], self._axis), *others]
        sizes = self._sizes(ends)
        if max(sizes) > min(LARGEST, EVEN_SIZE * min(sizes)):
            return False
        size = min(self._swing(*ends[k : k + 3]) for k in range(SWINGS - 1))
        return (
            size >= smallest
            and (size >= PLAIN * smallest or self._was_calm(path, ends[0].time, CALM_SHARE * size))
            and self._is_wave(path, ends)
        )

    def _sizes(self, ends: Sequence[_Sample]) -> list[float]:
        """Return how far, rad, the head goes from each end to the next."""
        return [abs(b.turned[self._axis] - a.turned[self._axis]) for a, b in pairwise(ends)]

    def _swing(self, a: _Sample, b: _Sample, c: _Sample) -> float:
        """Return how far, rad, the head went to `b` and back; 0 where only the camera did.

        Measured from the line between `a` and `c`: a head that turns slowly meanwhile may nod.
        """
        share = (b.time - a.time) / (c.time - a.time)

        def out(name: str) -> float:
            before, there, after = (getattr(sample, name)[self._axis] for sample in (a, b, c))
            return float(there - before - share * (after - before))

        size = out('turned')
        seen = out('seen') * math.copysign(1.0, size)
        return abs(size) if seen >= SEEN_SHARE * abs(size) else 0.0

    def _was_calm(self, path: HeadPath, until: float, within: float) -> bool:
        """Return whether the head stayed `within` rad of a steady turn before the time `until`."""
        part = [one for one in path.samples if until - CALM_BEFORE <= one.time <= until]
        if len(part) < _FEW:
            return True
        times = np.array([one.time for one in part]) - until
        angles = np.array([one.turned[self._axis] for one in part])
        return float(np.ptp(angles - np.polyval(np.polyfit(times, angles, 1), times))) <= within

    def _is_wave(self, path: HeadPath, ends: Sequence[_Sample]) -> bool:
        """Return whether the path is a sine, about this axis alone.

        The sine is the best of a few whose rates are near that of the swings; a steady turn of
        the head is taken away first.
        """
        part = [one for one in path.samples if ends[0].time <= one.time <= ends[-1].time]
        times = np.array([one.time for one in part]) - ends[0].time
        turned = np.array([one.turned for one in part])
        line = np.stack([np.ones_like(times), times], axis=1)
        size = _unexplained(line, turned[:, self._axis])
        if _unexplained(line, turned[:, 1 - self._axis]) > CROSS_SHARE * size:
            return False
        phases = math.pi * SWINGS / times[-1] * times
        left = min(
            _unexplained(
                np.column_stack([line, np.cos(rate * phases), np.sin(rate * phases)]),
                turned[:, self._axis],
            )
            for rate in _RATES
        )
        return left <= STRANGE * size


_FEW = 5
_RATES = (0.75, 0.87, 1.0, 1.15, 1.32)


def _unexplained(terms: Array, values: Array) -> float:
    """Return the standard deviation that a sum of `terms` (N,M) leaves of `values` (N,)."""
    weights = np.linalg.lstsq(terms, values, rcond=None)[0]
    return float(np.sqrt(np.mean((values - terms @ weights) ** 2)))
