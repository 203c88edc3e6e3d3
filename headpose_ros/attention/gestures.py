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
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from headpose_ros.geometry.rotations import rotation_to_axis
from headpose_ros.typing import Array

SWINGS = 3
"""Swings one after the other that make a gesture: one and a half cycles."""

LONGEST_SWING = 1.2
SHORTEST_SWING = 0.11
"""Seconds of a swing: gestures of 0.5 to 3 Hz, and what noise does to their ends."""

LARGEST = math.radians(65.0)
"""Rad: who swings farther looks around."""

EVEN_SIZE = 2.5
EVEN_TIME = 2.5
"""The largest swing of a gesture over the smallest, and the longest over the shortest."""

CROSS_SHARE = 0.6
"""How far the head may swing about the other axis meanwhile, as a share."""

SEEN_SHARE = 0.5
"""How far the head must turn against the line of sight too, as a share: a camera that turns turns
all that it sees, lines of sight and heads alike."""

MOVING_SHARE = 0.28
"""A swing passes its middle 60 per cent in at least this share of its time. A sine needs 0.41;
somebody who looks there and back stays for a while at either end."""

SIGMAS = 3.0
"""A swing has to be so many standard deviations of the head's rotation."""

MEMORY = 4.0
"""Seconds of the past that are kept."""

MAX_GAP = 0.25
"""Seconds without the head after which its path begins anew."""


@dataclass(frozen=True)
class _Sample:
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
        self._before: Array | None = None

    def add(self, time: float, rotation: Array, ray: Array, fixed: Array | None) -> bool:
        """Take the head's `rotation` (3,3) and the unit `ray` (3,) to it, camera frame.

        `fixed` (3,3): the rotation to a fixed frame from the camera's, where it is known. Return
        whether the path begins anew.
        """
        if fixed is None:
            now = np.stack([rotation, rotation_to_axis(ray) @ rotation])
        else:
            now = np.stack([fixed @ rotation] * 2)
        newest = self.samples[-1] if self.samples else None
        if newest is None or self._before is None or time - newest.time > MAX_GAP:
            self.samples.clear()
            self.samples.append(_Sample(time, (0.0, 0.0), (0.0, 0.0)))
            self._before = now
            return True
        step = np.matmul(self._before.transpose(0, 2, 1), now)
        self._before = now
        (up, left), (seen_up, seen_left) = (_turn(one) for one in step.tolist())
        self.samples.append(
            _Sample(
                time,
                (newest.turned[0] + up, newest.turned[1] + left),
                (newest.seen[0] + seen_up, newest.seen[1] + seen_left),
            )
        )
        while self.samples[0].time < time - MEMORY:
            self.samples.popleft()
        return False

    def since(self, sample: _Sample, time: float) -> _Sample:
        """Return `sample`, or the first one from `time` on where that is later."""
        return next((one for one in self.samples if one.time >= max(time, sample.time)), sample)


def _turn(step: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return the parts about y and z of the rotation vector of a small rotation (3,3)."""
    cosine = 0.5 * (step[0][0] + step[1][1] + step[2][2] - 1.0)
    angle = math.acos(max(-1.0, min(1.0, cosine)))
    factor = 0.5 * angle / math.sin(angle) if 1e-6 < angle < 3.0 else 0.5
    return factor * (step[0][2] - step[2][0]), factor * (step[1][0] - step[0][1])


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
        self._told = self._is_gesture(path, smallest)
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
        """Return whether the rhythm has ended."""
        begun, end = self._extremes[-2], self._extremes[-1]
        return time - end.time > max(0.4, 1.6 * (end.time - begun.time))

    def _is_gesture(self, path: HeadPath, smallest: float) -> bool:
        if self._farthest is None or len(self._extremes) < SWINGS:
            return False
        first, *others = [*list(self._extremes)[-SWINGS:], self._farthest]
        shortest = min(b.time - a.time for a, b in pairwise(others))
        ends = [path.since(first, others[0].time - EVEN_TIME * shortest), *others]
        pairs = list(pairwise(ends))
        times = [b.time - a.time for a, b in pairs]
        sizes = [abs(b.turned[self._axis] - a.turned[self._axis]) for a, b in pairs]
        return (
            min(times) >= SHORTEST_SWING
            and max(times) <= min(LONGEST_SWING, EVEN_TIME * min(times) + 1e-6)
            and max(sizes) <= min(LARGEST, EVEN_SIZE * min(sizes))
            and all(self._is_swing(*three, smallest) for three in zip(ends, ends[1:], ends[2:]))
            and self._moving_share(path, pairs) >= MOVING_SHARE
        )

    def _is_swing(self, a: _Sample, b: _Sample, c: _Sample, smallest: float) -> bool:
        """Return whether the head went far enough to `b` and back, about this axis alone.

        Measured from the line between `a` and `c`: a head that turns slowly meanwhile may nod.
        """
        share = (b.time - a.time) / (c.time - a.time)

        def out(name: str, axis: int) -> float:
            before, there, after = (getattr(sample, name)[axis] for sample in (a, b, c))
            return float(there - before - share * (after - before))

        size = out('turned', self._axis)
        seen = out('seen', self._axis) * math.copysign(1.0, size)
        across = abs(out('turned', 1 - self._axis))
        size = abs(size)
        return size >= smallest and across <= CROSS_SHARE * size and seen >= SEEN_SHARE * size

    def _moving_share(self, path: HeadPath, pairs: list[tuple[_Sample, _Sample]]) -> float:
        """Return the share of time in which swings pass their middle 60 per cent."""
        moving = 0.0
        for a, b in pairs:
            low, size = a.turned[self._axis], b.turned[self._axis] - a.turned[self._axis]
            before: tuple[float, float] | None = None
            for sample in path.samples:
                if sample.time < a.time:
                    continue
                if sample.time > b.time:
                    break
                share = (sample.turned[self._axis] - low) / size
                if before is not None:
                    moving += _overlap(before[1], share) * (sample.time - before[0])
                before = sample.time, share
        return moving / (pairs[-1][1].time - pairs[0][0].time)


def _overlap(a: float, b: float) -> float:
    """Return the share of the way from `a` to `b` that lies between 0.2 and 0.8."""
    low, high = min(a, b), max(a, b)
    if high - low < 1e-9:
        return float(0.2 <= low <= 0.8)
    return max(0.0, min(high, 0.8) - max(low, 0.2)) / (high - low)
