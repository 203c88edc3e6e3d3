# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a face is on the unit sphere and how it moves: a Kalman filter that knows people.

Lengths are counted in face radii: half of a face's angular size, FACE_SPHERE_RADIUS in metres.
So one set of constants, in metres and seconds, holds at any distance and for any lens. Both
directions of the tangent plane are alike, which leaves three numbers of the covariance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from headpose_ros.geometry.face_frame import FACE_SPHERE_RADIUS
from headpose_ros.tracking import sphere
from headpose_ros.typing import Array

MAX_SPEED = 2.5 / FACE_SPHERE_RADIUS
"""Radii a second: faster than 2.5 m/s nobody moves across the view."""

START_SPEED_SIGMA = 1.2 / FACE_SPHERE_RADIUS
"""Radii a second: speed of somebody of whom only the place is known, one standard deviation."""

ACCELERATION_NOISE = 3.0 / FACE_SPHERE_RADIUS**2
"""Radii^2/s^3: growth of the velocity's variance each second. People who walk need a tenth of it,
a head that swings by 0.3 m once a second three times as much."""

VELOCITY_MEMORY = 1.5
"""Seconds in which a velocity that is not measured falls to 1/e: people stop and turn."""

DETECTION_SIGMA = 0.15
"""Error of a detection in radii, one standard deviation each way."""

READING_SIGMA = 0.05
"""The same for the place that an estimator reads."""


@dataclass(frozen=True)
class Motion:
    """Where a face is and how it moves, at one time.

    `ray` (3,) unit; `velocity` (3,) rad/s, tangent at `ray`; `angular_size` rad; `time` s. The
    covariance of place and velocity in radii: `var_place`, `covariance`, `var_velocity`.
    """

    time: float
    ray: Array
    velocity: Array
    angular_size: float
    var_place: float
    covariance: float
    var_velocity: float

    @staticmethod
    def start(time: float, ray: Array, angular_size: float) -> Motion:
        """Return the motion of a face just detected, which may move anywhere."""
        return Motion(
            time, ray, 0.0 * ray, angular_size, DETECTION_SIGMA**2, 0.0, START_SPEED_SIGMA**2
        )

    @property
    def sigma(self) -> float:
        """Error of the place in radii, one standard deviation each way."""
        return math.sqrt(self.var_place)

    def at(self, time: float) -> Motion:
        """Return the motion continued to `time`: along a great circle, ever slower.

        The velocity is an Ornstein-Uhlenbeck process, the place its integral.
        """
        elapsed = time - self.time
        if elapsed <= 0.0:
            return self
        memory = VELOCITY_MEMORY
        decay = math.exp(-elapsed / memory)
        reach = memory * (1.0 - decay)
        ray = sphere.step(self.ray, self.velocity * reach)
        velocity = sphere.transport(self.velocity, self.ray, ray) * decay
        noise, both = ACCELERATION_NOISE, self.covariance + reach * self.var_velocity
        grown = elapsed - 2.0 * reach + 0.5 * memory * (1.0 - decay**2)
        return Motion(
            time,
            ray,
            velocity,
            self.angular_size,
            self.var_place + reach * (self.covariance + both) + noise * memory**2 * grown,
            decay * both + 0.5 * noise * reach**2,
            decay**2 * self.var_velocity + 0.5 * noise * memory * (1.0 - decay**2),
        )

    def measured(self, ray: Array, sigma: float, angular_size: float | None = None) -> Motion:
        """Return the motion at this time, now that the face is seen at `ray`, +- `sigma` radii.

        `angular_size`: as it is seen, rad; None leaves it.
        """
        total = self.var_place + sigma**2
        gain_place, gain_velocity = self.var_place / total, self.covariance / total
        surprise = sphere.difference(self.ray, ray)
        place = sphere.step(self.ray, gain_place * surprise)
        velocity = self.velocity + gain_velocity * surprise
        return Motion(
            self.time,
            place,
            sphere.transport(velocity, self.ray, place),
            self.angular_size if angular_size is None else angular_size,
            (1.0 - gain_place) * self.var_place,
            (1.0 - gain_place) * self.covariance,
            self.var_velocity - gain_velocity * self.covariance,
        )

    def placed(self, ray: Array, angular_size: float, sigma: float) -> Motion:
        """Return the motion of a face that is known to be at `ray`, +- `sigma` radii."""
        return replace(self.measured(ray, 0.0, angular_size), var_place=sigma**2)

    def restarted(self, ray: Array, angular_size: float) -> Motion:
        """Return the motion of a face that is not where it was expected, but at `ray`."""
        start = Motion.start(self.time, ray, angular_size)
        return replace(start, velocity=sphere.transport(self.velocity, self.ray, ray))

    def moving_as(self, other: Motion) -> Motion:
        """Return the motion with the velocity of `other`, of the same time."""
        return replace(
            self,
            velocity=sphere.transport(other.velocity, other.ray, self.ray),
            var_velocity=other.var_velocity,
        )

    def turned(self, rotation: Array) -> Motion:
        """Return the motion as seen by a camera whose frame is `rotation` (3,3) of this one's."""
        return replace(self, ray=rotation @ self.ray, velocity=rotation @ self.velocity)
