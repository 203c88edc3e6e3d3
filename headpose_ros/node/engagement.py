# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far a person is engaged with the robot, over time: levels of hri_msgs/EngagementLevel."""

from __future__ import annotations

from enum import IntEnum

ENGAGED_AFTER = 1.0
"""Seconds of looking after which somebody who engages is engaged."""
DISENGAGED_AFTER = 1.0
"""Seconds of looking elsewhere after which somebody who was engaged no longer is."""


class Level(IntEnum):
    """The values are those of hri_msgs/EngagementLevel."""

    UNKNOWN = 0
    DISENGAGED = 1
    ENGAGING = 2
    ENGAGED = 3
    DISENGAGING = 4


class Engagement:
    """The level of one person. A glance engages nobody, and a glance aside loses nobody."""

    def __init__(self) -> None:
        self.level = Level.UNKNOWN

    def update(self, looking: bool, lasts: float) -> Level:
        """Take whether the person looks at the robot, and for how many seconds that `lasts`."""
        engaged = self.level in (Level.ENGAGED, Level.DISENGAGING)
        if looking:
            reached = engaged or lasts >= ENGAGED_AFTER
            self.level = Level.ENGAGED if reached else Level.ENGAGING
        else:
            leaving = engaged and lasts < DISENGAGED_AFTER
            self.level = Level.DISENGAGING if leaving else Level.DISENGAGED
        return self.level
