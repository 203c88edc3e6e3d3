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

from headpose_ros.tracking import sphere
from headpose_ros.typing import Array

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


@dataclass(frozen=True)
class _Reading:
    """`rotation` (3,3), unit `ray` (3,) and log distance of a head at one time."""

    rotation: Array
    ray: Array
    log_distance: float

    def turned(self, rotation: Array) -> _Reading:
        """Return the same as seen by a camera whose frame is `rotation` (3,3) of this one's."""
        return _Reading(rotation @ self.rotation, rotation @ self.ray, self.log_distance)

    def change_to(self, other: _Reading) -> Array:
        """Return the tangent (7,) that leads to `other`.

        A rotation vector about the fixed axes of the camera, a tangent at the ray, a difference.
        """
        tangent = np.empty(7)
        tangent[:3] = cv2.Rodrigues(other.rotation @ self.rotation.T)[0][:, 0]
        tangent[3:6] = sphere.difference(self.ray, other.ray)
        tangent[6] = other.log_distance - self.log_distance
        return tangent

    def moved(self, tangent: Array, gains: tuple[float, float, float]) -> _Reading:
        """Return the reading reached by so much of each part of a tangent (7,)."""
        turn: Array = cv2.Rodrigues(gains[0] * tangent[:3])[0]
        return _Reading(
            turn @ self.rotation,
            sphere.step(self.ray, gains[1] * tangent[3:6]),
            self.log_distance + gains[2] * float(tangent[6]),
        )


class HeadSmoother:
    """Filters one head: its rotation, the direction to its centre, and its log distance."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget the past: the next values pass as they are."""
        self._raw: _Reading | None = None
        self._value: _Reading | None = None
        self._speed: Array = np.zeros(7)

    def turn(self, rotation: Array) -> None:
        """Tell that the camera turned: `rotation` (3,3), its new frame from its old one."""
        if self._raw is not None and self._value is not None:
            self._raw, self._value = self._raw.turned(rotation), self._value.turned(rotation)
            self._speed[:3] = rotation @ self._speed[:3]
            self._speed[3:6] = rotation @ self._speed[3:6]

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
        near and far people are treated alike), and in logarithms a second for the distance. A
        `dt` of 0 changes nothing.
        """
        raw = _Reading(rotation, ray, log_distance)
        if self._raw is None or self._value is None:
            self._raw = self._value = raw
        elif dt > 0.0:
            speed = self._raw.change_to(raw) / dt
            self._speed = self._speed + _gain(SPEED_CUTOFF_HZ, dt) * (speed - self._speed)
            speeds = (
                sphere.norm(self._speed[:3]),
                sphere.norm(self._speed[3:6]) * 2.0 / angular_size,
                abs(float(self._speed[6])),
            )
            turn, shift, growth = (
                _gain(setting.min_cutoff + setting.beta * speed, dt) for speed in speeds
            )
            change = self._value.change_to(raw)
            self._value = self._value.moved(change, (turn, shift, growth))
            self._raw = raw
        return self._value.rotation, self._value.ray, self._value.log_distance
