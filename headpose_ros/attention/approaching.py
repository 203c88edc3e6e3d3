# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How fast somebody comes nearer, and when that is walking: a Kalman filter over the distance.

The distance of a head comes from its apparent size, and three errors with it. The size of the
head itself, unknown by 4.5 %, multiplies every distance by the same number: in the logarithm it is
a constant, which a rate of change does not see. What the estimator reads from a face that turns
changes with the way it faces: that is a state of the filter, which forgets as the head turns. The
rest is noise of each image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SIZE_PRIOR_SIGMA = 0.045
"""Relative error of all distances of one head, and so of its speed."""

NOISE_SIGMA = 0.012
"""Error of the logarithm of the distance in one image, one standard deviation."""

TURNING_SIGMA = 0.02
TURNING_LENGTH = math.radians(15.0)
"""The error that depends on the way a face looks: one standard deviation, and the angle by which
it has to turn for the error to become another one."""

SPEED_MEMORY = 1.5
"""Seconds in which a speed falls to 1/e: people stop."""

ACCELERATION_NOISE = 0.25
"""Metres^2/s^3: growth of the speed's variance each second."""

START_SPEED_SIGMA = 0.6
"""Metres a second: the speed of somebody of whom nothing is known, one standard deviation."""


class ApproachFilter:
    """Follows one head: ln distance, the rate of that, and the error of the way it faces.

    `_c_ab`: covariance of the states a and b, by their numbers.
    """

    def __init__(self, distance: float) -> None:
        self._log, self._rate, self._error = math.log(distance), 0.0, 0.0
        self._c00 = NOISE_SIGMA**2 + TURNING_SIGMA**2
        self._c01 = self._c12 = 0.0
        self._c02 = -(TURNING_SIGMA**2)
        self._c11 = (START_SPEED_SIGMA / distance) ** 2
        self._c22 = TURNING_SIGMA**2

    @property
    def distance(self) -> float:
        """Metres, filtered."""
        return math.exp(self._log)

    @property
    def speed(self) -> float:
        """Metres a second; above 0 the head comes nearer."""
        return -self._rate * self.distance

    @property
    def deviation(self) -> float:
        """One standard deviation of `speed`."""
        own = math.sqrt(max(0.0, self._c11)) * self.distance
        return math.hypot(own, SIZE_PRIOR_SIGMA * self.speed)

    def update(self, distance: float, turned: float, elapsed: float) -> None:
        """Take a measured `distance`, metres, `elapsed` seconds after the last.

        `turned`: rad, by which the head has turned meanwhile.
        """
        if elapsed > 0.0:
            self._predict(turned, elapsed)
        surprise = math.log(distance) - self._log - self._error
        c0, c1, c2 = self._c00 + self._c02, self._c01 + self._c12, self._c02 + self._c22
        total = c0 + c2 + NOISE_SIGMA**2
        self._log += c0 / total * surprise
        self._rate += c1 / total * surprise
        self._error += c2 / total * surprise
        self._c00 -= c0 * c0 / total
        self._c01 -= c0 * c1 / total
        self._c02 -= c0 * c2 / total
        self._c11 -= c1 * c1 / total
        self._c12 -= c1 * c2 / total
        self._c22 -= c2 * c2 / total

    def _predict(self, turned: float, elapsed: float) -> None:
        keep = math.exp(-elapsed / SPEED_MEMORY)
        reach = SPEED_MEMORY * (1.0 - keep)
        same = math.exp(-turned / TURNING_LENGTH)
        noise = ACCELERATION_NOISE * math.exp(-2.0 * self._log) * elapsed
        self._log += reach * self._rate
        self._rate *= keep
        self._error *= same
        self._c00 += reach * (2.0 * self._c01 + reach * self._c11) + noise * elapsed**2 / 3.0
        self._c01 = keep * (self._c01 + reach * self._c11) + noise * elapsed / 2.0
        self._c02 = same * (self._c02 + reach * self._c12)
        self._c11 = keep**2 * self._c11 + noise
        self._c12 *= keep * same
        self._c22 = same**2 * self._c22 + TURNING_SIGMA**2 * (1.0 - same**2)


@dataclass(frozen=True)
class WalkRule:
    """What counts as walking: `speed`, m/s, by so much that it is no error, over `length`, m."""

    speed: float
    length: float


SURE = 2.0
"""A speed so many standard deviations from standing is one."""

PAUSE = 0.4
"""Seconds of less than half the speed of a walk end it."""


class Walk:
    """Tells once for each walk of one head that it comes nearer, or goes away."""

    def __init__(self) -> None:
        self._way = 0
        self._from = 0.0
        self._slow = 0.0
        self._told = False

    def update(self, motion: ApproachFilter, elapsed: float, rule: WalkRule) -> int:
        """Return 1 where it becomes certain that somebody approaches, -1 goes away, else 0."""
        speed, distance = motion.speed, motion.distance
        if self._way and self._way * speed < 0.5 * rule.speed:
            self._slow += elapsed
            if self._slow >= PAUSE or self._way * speed < -0.5 * rule.speed:
                self._way = 0
        else:
            self._slow = 0.0
        if not self._way and abs(speed) > max(rule.speed, SURE * motion.deviation):
            self._way = 1 if speed > 0.0 else -1
            self._from, self._slow, self._told = distance, 0.0, False
        if not self._way or self._told or self._way * (self._from - distance) < rule.length:
            return 0
        self._told = True
        return self._way
