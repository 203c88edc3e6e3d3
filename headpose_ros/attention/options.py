# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What counts as looking, as walking and as a gesture."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cached_property

from headpose_ros.attention.approaching import WalkRule
from headpose_ros.attention.gaze import EYE_SIGMA_SIDEWAYS, EYE_SIGMA_UPWARDS
from headpose_ros.attention.looking import LookingRule


@dataclass(frozen=True)
class AttentionOptions:
    """What counts as what.

    `start_probability`, `start_dwell`: looking begins when its probability has been so high for
    so many seconds; it ends below `stop_probability` after `stop_dwell` seconds.
    `eye_sigma_sideways`, `eye_sigma_upwards`: rad, how far eyes are turned in the head, one
    standard deviation. `unseen`: seconds without a head, or a target's place, after which nobody
    looks any more. `walk_speed`, m/s, and `walk_length`, m: what has to be exceeded to have
    approached or moved away. `gesture_angle`: rad, the smallest swing, from end to end, of a
    nod or shake.

    Raises ValueError for values out of range.
    """

    start_probability: float = 0.5
    stop_probability: float = 0.4
    start_dwell: float = 0.1
    stop_dwell: float = 0.15
    eye_sigma_sideways: float = EYE_SIGMA_SIDEWAYS
    eye_sigma_upwards: float = EYE_SIGMA_UPWARDS
    unseen: float = 0.5
    walk_speed: float = 0.25
    walk_length: float = 0.35
    gesture_angle: float = math.radians(7.0)

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not (math.isfinite(value) and value >= 0.0):
                raise ValueError(f'{item.name}: expected a number of at least 0, got {value!r}')
        if not self.stop_probability <= self.start_probability <= 1.0:
            raise ValueError(
                'stop_probability, start_probability: expected 0 <= stop <= start <= 1, got '
                f'{self.stop_probability:g} and {self.start_probability:g}'
            )
        for name in ('eye_sigma_sideways', 'eye_sigma_upwards', 'walk_speed', 'gesture_angle'):
            if getattr(self, name) <= 0.0:
                raise ValueError(f'{name}: expected more than 0')

    @cached_property
    def looking_rule(self) -> LookingRule:
        """When somebody looks."""
        return LookingRule(
            self.start_probability, self.stop_probability, self.start_dwell, self.stop_dwell
        )

    @cached_property
    def walk_rule(self) -> WalkRule:
        """What is a walk."""
        return WalkRule(self.walk_speed, self.walk_length)

    @cached_property
    def eye_sigma(self) -> tuple[float, float]:
        """How far eyes are turned in the head, rad: sideways and upwards."""
        return self.eye_sigma_sideways, self.eye_sigma_upwards
