# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `Attention` answers for an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from headpose_ros.attention.events import HeadEvent


class Look(NamedTuple):
    """Whether one head looks at one target.

    `looking`: with hysteresis and dwell. `probability`: 0..1, of this image alone. `angle`: rad,
    from the face's x axis to the target's nearest point. `distance`: metres from the sellion to
    its centre. `since`: seconds, stamp of the image since which `looking` has been what it is.
    """

    id: str
    target: str
    looking: bool
    probability: float
    angle: float
    distance: float
    since: float


class Approach(NamedTuple):
    """How fast a head comes nearer to the camera: `speed`, m/s, and its standard `deviation`."""

    id: str
    speed: float
    deviation: float


@dataclass(frozen=True)
class AttentionResult:
    """Who looks at what in one image.

    `looks`: all targets of the first head in the image, then those of the next. `approaches`: one
    for each head. `events`: what became certain with this image. `stamp`: seconds, the image's.
    """

    stamp: float
    looks: tuple[Look, ...] = ()
    approaches: tuple[Approach, ...] = ()
    events: tuple[HeadEvent, ...] = ()

    def looking_at(self, target: str) -> tuple[str, ...]:
        """Return the ids of those who look at the target of this name."""
        return tuple(look.id for look in self.looks if look.looking and look.target == target)
