# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How people move: the face centre over time, metres in the camera frame of a level camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from headpose_ros.typing import Array

HALF_VIEW = float(np.tan(np.radians(30.0)))
"""Half the width of the image at 1 m: the camera sees 60 degrees across."""

OUTSIDE = 0.35
"""Metres beyond the image's edge at which whoever walks past appears and disappears."""


class Path(Protocol):
    """Where somebody is."""

    def at(self, time: float) -> Array | None:
        """Return the face centre (3,) at a time, seconds; None where nobody is there."""
        ...


@dataclass(frozen=True)
class Walk:
    """Walks past on a straight line across the view, at `speed` m/s, from `begin` s on."""

    speed: float
    distance: float
    begin: float = 0.0
    leftwards: bool = False
    height: float = 0.0

    @property
    def end(self) -> float:
        """When it is over."""
        return self.begin + 2 * (self.distance * HALF_VIEW + OUTSIDE) / self.speed

    def at(self, time: float) -> Array | None:
        """Return the face centre; a step goes up and down by 2 cm, twice a second."""
        if not self.begin <= time <= self.end:
            return None
        x = self.speed * (time - self.begin) - self.distance * HALF_VIEW - OUTSIDE
        bob = 0.02 * np.sin(4 * np.pi * time)
        return np.array([-x if self.leftwards else x, self.height + bob, self.distance])


@dataclass(frozen=True)
class Stand:
    """Stands, with a sway of a centimetre, from `begin` to `end`; with a head that may tilt."""

    x: float
    distance: float
    begin: float = 0.0
    end: float = np.inf
    height: float = 0.0

    def at(self, time: float) -> Array | None:
        """Return the face centre."""
        if not self.begin <= time < self.end:
            return None
        sway = 0.01 * np.sin(2 * np.pi * 0.3 * time + 5 * self.x)
        return np.array([self.x + sway, self.height, self.distance])


@dataclass(frozen=True)
class Swing:
    """Swings sideways by `reach` m each way, `hz` times a second."""

    reach: float
    hz: float
    distance: float

    def at(self, time: float) -> Array | None:
        """Return the face centre."""
        return np.array([self.reach * np.sin(2 * np.pi * self.hz * time), 0.0, self.distance])


@dataclass(frozen=True)
class Approach:
    """Comes from `far` to `near` at `speed` and goes back again."""

    speed: float
    far: float
    near: float
    x: float = 0.1

    def at(self, time: float) -> Array | None:
        """Return the face centre."""
        span = self.far - self.near
        gone = (self.speed * time) % (2 * span)
        return np.array([self.x, 0.0, self.far - min(gone, 2 * span - gone)])
