# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One person over time: where the head is expected next, and what is known of it."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import numpy as np

from headpose_ros.tracking.distance import DistanceFilter
from headpose_ros.tracking.evidence import Evidence
from headpose_ros.tracking.motion import DETECTION_SIGMA, READING_SIGMA, Motion
from headpose_ros.tracking.smoothing import HeadSmoother
from headpose_ros.typing import Array

MAX_CONFIRM_SEARCHES = 16
"""Searches of the whole image on account of a tentative face."""


@dataclass
class Track:
    """A face that is followed: tentative without an `id`, then confirmed, lost while not visible.

    `number`: of this track, unlike all others'. `unoccluded`: the motion when last apart from all
    others. `score`: of its newest detection, `best_score`: of its best.

    In the newest image: `visible`: its pose can be read; `present`: a head is there, if perhaps
    turned away from the camera; `detected`: the detector found it. `was_visible`: in the image
    before. `coarse`: its place is known from a detection only. `undetected`: the motion without
    the newest detection.
    `last_visible`, `last_present`: s. `occlusion_allowance`: seconds of absence that do not count,
    since another head stood before this one. `before`: these three before the newest image.

    `may_be`: the id of somebody lost who was expected near where this one began; empty: nobody.
    `searches`: of the whole image since it was first detected, where an estimator confirms it.
    `filtered_at`: s, when the filters over time last ran. `up`: (3,), camera frame, the z axis of
    the head as last read; zero where it is not known.
    """

    motion: Motion
    unoccluded: Motion
    undetected: Motion
    last_visible: float
    last_present: float
    score: float
    best_score: float
    id: str = ''
    visible: bool = True
    present: bool = True
    detected: bool = True
    was_visible: bool = False
    coarse: bool = True
    occlusion_allowance: float = 0.0
    before: tuple[float, float, float] = (-math.inf, -math.inf, 0.0)
    confidence: float = 0.0
    may_be: str = ''
    searches: int = 0
    filtered_at: float = math.nan
    up: Array = field(default_factory=lambda: np.zeros(3))
    evidence: Evidence = field(default_factory=Evidence)
    distance: DistanceFilter = field(default_factory=DistanceFilter)
    smoother: HeadSmoother = field(default_factory=HeadSmoother)
    number: int = field(default_factory=itertools.count(1).__next__)

    @staticmethod
    def start(ray: Array, angular_size: float, score: float, time: float) -> Track:
        """Return a new track at a face just detected."""
        motion = Motion.start(time, ray, angular_size)
        return Track(motion, motion, motion, time, time, score, score)

    @property
    def is_tentative(self) -> bool:
        """Whether it is still to be confirmed, and nobody knows of it."""
        return not self.id

    @property
    def may_ask_for_searches(self) -> bool:
        """Whether an image may be searched on its account.

        A tentative one may ask a few times only: what looks a little like a face, such as a print,
        would else have every image searched.
        """
        return not self.is_tentative or self.searches < MAX_CONFIRM_SEARCHES

    def missing_for(self, time: float) -> float:
        """Return the seconds since a head was last there, those behind others left out."""
        return time - self.last_present - self.occlusion_allowance

    def unread_for(self, time: float) -> float:
        """Return the seconds since its pose was last read, those behind others left out."""
        return time - self.last_visible - self.occlusion_allowance

    def advance(self, time: float) -> None:
        """Go on to the image of `time`."""
        if time > self.motion.time:
            self.before = (self.last_visible, self.last_present, self.occlusion_allowance)
        self.motion = self.motion.at(time)
        self.was_visible = self.visible
        self.detected = False

    def detect(self, ray: Array, angular_size: float, score: float) -> None:
        """Note a detection at `ray`, and trust it as far as it is surer than the prediction."""
        self.detected = True
        self.coarse = self.coarse or not self.was_visible
        self.score = score
        self.best_score = max(self.best_score, score)
        size = angular_size if self.coarse else None
        self.undetected = self.motion
        self.motion = self.motion.measured(ray, DETECTION_SIGMA, size)

    def read(self, ray: Array, angular_size: float) -> None:
        """Note that the pose was read, and where."""
        self.motion = self.motion.measured(ray, READING_SIGMA, angular_size)
        self.see()

    def see(self) -> None:
        """Note that the head is visible."""
        self.visible = True
        self.last_visible = self.motion.time
        self.be_present()

    def be_present(self) -> None:
        """Note that a head is there."""
        self.present = True
        self.last_present = self.motion.time
        self.occlusion_allowance = 0.0

    def be_unread(self, present: bool) -> None:
        """Note that no pose can be read; `present`: though a head is there.

        A detection that no reading bears out may be of something else. So it says nothing of how
        the face moves: what it says of that would carry the track away from who is still there.
        """
        if self.detected:
            self.motion = self.motion.moving_as(self.undetected)
        self.visible = False
        self.present = present
        self.up = np.zeros(3)

    def hide(self) -> None:
        """Take back what this image said: it was another's face. Go on from where unoccluded."""
        self.last_visible, self.last_present, self.occlusion_allowance = self.before
        self.motion = self.unoccluded.at(self.motion.time)
        self.detected = False
        self.be_unread(present=False)

    def elapsed_since_filtered(self, time: float) -> float:
        """Return the seconds since the last call, 0 at the first; for the filters over time."""
        elapsed = 0.0 if math.isnan(self.filtered_at) else time - self.filtered_at
        self.filtered_at = time
        return elapsed
