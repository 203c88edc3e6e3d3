# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One-Euro filters on rotations, directions and distances, driven by the images' stamps.

The filter (Casiez, Roussel, Vogel: 1 Euro filter, CHI 2012) is a first-order low-pass whose
cut-off rises with speed: calm at rest, quick in motion. Here differences are taken in the tangent
space and steps along geodesics: no wrap-around, no drift off the manifold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from headpose_ros.heads import Array
from headpose_ros.tracking import sphere

SPEED_CUTOFF_HZ = 2.0
"""Cut-off of the low-pass on the speed itself."""


@dataclass(frozen=True)
class Smoothing:
    """`min_cutoff`: Hz, at rest; `beta`: Hz more for each unit of speed."""

    min_cutoff: float
    beta: float


def _gain(cutoff_hz: float, dt: float) -> float:
    ratio = 2.0 * math.pi * cutoff_hz * dt
    return ratio / (1.0 + ratio)


class _OneEuro:
    """The filter over tangent vectors; subclasses say what a difference and a step are."""

    def __init__(self) -> None:
        self._raw: Array | None = None
        self._value: Array | None = None
        self._speed: Array = np.zeros(3)

    def _difference(self, a: Array, b: Array) -> Array:
        return b - a

    def _step(self, value: Array, tangent: Array) -> Array:
        return value + tangent

    def update(self, raw: Array, dt: float, setting: Smoothing, speed_scale: float = 1.0) -> Array:
        """Return the filtered value after `dt` seconds; a `dt` of 0 changes nothing.

        `speed_scale` turns the tangent's unit per second into the unit that `beta` counts in.
        """
        if self._raw is None or self._value is None:
            self._raw = self._value = raw
            return raw
        if dt <= 0.0:
            return self._value
        speed = self._difference(self._raw, raw) / dt
        self._speed = self._speed + _gain(SPEED_CUTOFF_HZ, dt) * (speed - self._speed)
        cutoff = setting.min_cutoff + setting.beta * speed_scale * sphere.norm(self._speed)
        change = self._difference(self._value, raw)
        self._value = self._step(self._value, _gain(cutoff, dt) * change)
        self._raw = raw
        return self._value


class _OneEuroDirection(_OneEuro):
    def _difference(self, a: Array, b: Array) -> Array:
        return sphere.difference(a, b)

    def _step(self, value: Array, tangent: Array) -> Array:
        return sphere.step(value, tangent)


class _OneEuroRotation(_OneEuro):
    """Tangents are rotation vectors about the fixed axes of the camera."""

    def _difference(self, a: Array, b: Array) -> Array:
        vector: Array = cv2.Rodrigues(b @ a.T)[0][:, 0]
        return vector

    def _step(self, value: Array, tangent: Array) -> Array:
        turned: Array = cv2.Rodrigues(tangent)[0] @ value
        return turned


class HeadSmoother:
    """Filters one head: its rotation, the direction to its centre, and its log distance."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget the past: the next values pass as they are."""
        self._rotation = _OneEuroRotation()
        self._direction = _OneEuroDirection()
        self._log_distance = _OneEuro()

    def update(
        self,
        rotation: Array,
        ray: Array,
        log_distance: float,
        angular_size: float,
        dt: float,
        setting: Smoothing,
    ) -> tuple[Array, Array, float]:
        """Return the filtered rotation (3,3), ray (3,) and log distance, `dt` seconds later.

        Speeds count in rad/s for the rotation, in face radii a second for the direction (so that
        near and far people are treated alike), and in logarithms a second for the distance.
        """
        return (
            self._rotation.update(rotation, dt, setting),
            self._direction.update(ray, dt, setting, 2.0 / angular_size),
            float(self._log_distance.update(np.array([log_distance]), dt, setting)[0]),
        )
