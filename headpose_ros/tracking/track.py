# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One person over time: where the head is expected next, and how sure we are of it."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import numpy as np

from headpose_ros.tracking import sphere
from headpose_ros.tracking.distance import DistanceFilter
from headpose_ros.tracking.smoothing import HeadSmoother
from headpose_ros.typing import Array

VELOCITY_TIME = 0.15
"""Seconds over which the velocity is averaged: short enough to follow, long enough to coast on."""


@dataclass(frozen=True)
class Motion:
    """Where a face is on the unit sphere and how it moves, at one time.

    `ray` (3,) unit; `velocity` (3,) rad/s, tangent at `ray`; `angular_size` rad; `time` s.
    """

    time: float
    ray: Array
    velocity: Array
    angular_size: float

    def at(self, time: float) -> Motion:
        """Return the motion continued to `time` along a great circle at constant speed."""
        ray = sphere.step(self.ray, self.velocity * (time - self.time))
        velocity = sphere.transport(self.velocity, self.ray, ray)
        return Motion(time, ray, velocity, self.angular_size)

    def corrected(self, ray: Array, angular_size: float, elapsed: float) -> Motion:
        """Return the motion at this time, now that the face is seen at `ray`.

        `elapsed`: seconds since it was seen before.
        """
        velocity = self.velocity
        if elapsed > 0.0:
            surprise = sphere.difference(self.ray, ray)
            velocity = velocity + surprise / (VELOCITY_TIME + elapsed)
        velocity = sphere.transport(velocity, self.ray, ray)
        return Motion(self.time, ray, velocity, angular_size)


@dataclass
class Track:
    """A face that is followed. Without `id` it is still to be confirmed, and nobody knows of it.

    `number`: of this track, unlike all others'.
    `clear`: the motion when last apart from all others. `last_seen`: s. `score`: of its newest
    detection, `best_score`: of its best. `seen`: in the newest image. `detections`, `misses`:
    searches that found it, or did not. `forgiven`: seconds of absence that do not count, since
    another head stood before this one. `filtered_at`: s, when the filters over time last ran.
    `before`: `last_seen` and `forgiven` as they were before the newest image.
    `up`: (3,), camera frame, the z axis of the head as last read; zero where it was not seen.
    """

    motion: Motion
    clear: Motion
    last_seen: float
    score: float
    best_score: float
    id: str = ''
    seen: bool = True
    detections: int = 1
    misses: int = 0
    forgiven: float = 0.0
    before: tuple[float, float] = (-math.inf, 0.0)
    confidence: float = 0.0
    filtered_at: float = math.nan
    up: Array = field(default_factory=lambda: np.zeros(3))
    distance: DistanceFilter = field(default_factory=DistanceFilter)
    smoother: HeadSmoother = field(default_factory=HeadSmoother)
    number: int = field(default_factory=itertools.count(1).__next__)

    @staticmethod
    def start(ray: Array, angular_size: float, score: float, time: float) -> Track:
        """Return a new track at a face just detected."""
        motion = Motion(time, ray, np.zeros(3), angular_size)
        return Track(motion, clear=motion, last_seen=time, score=score, best_score=score)

    @property
    def is_new(self) -> bool:
        """Whether no pose of it was read yet."""
        return math.isnan(self.filtered_at)

    def missing_for(self, time: float) -> float:
        """Return the seconds since the face was last seen, those behind others left out."""
        return time - self.last_seen - self.forgiven

    def see(self, ray: Array, angular_size: float, time: float) -> None:
        """Note the face at `ray` in the image of `time`."""
        self.motion = self.motion.corrected(ray, angular_size, time - self.last_seen)
        if time > self.last_seen:
            self.before = (self.last_seen, self.forgiven)
        self.last_seen = time
        self.forgiven = 0.0
        self.seen = True

    def hide(self, time: float) -> None:
        """Take back what was noted at `time`: it was another's face; move on from where clear."""
        if time == self.last_seen:
            self.last_seen, self.forgiven = self.before
        self.seen = False
        self.motion = self.clear.at(time)

    def elapsed_since_filtered(self, time: float) -> float:
        """Return the seconds since the last call, 0 at the first; for the filters over time."""
        elapsed = 0.0 if self.is_new else time - self.filtered_at
        self.filtered_at = time
        return elapsed
