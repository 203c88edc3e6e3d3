# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events: what a head did, told once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class HeadEventType(IntEnum):
    """What happened; the values are those of msg/HeadEvent.msg."""

    ENTERED = 1
    LEFT = 2
    STARTED_LOOKING = 3
    STOPPED_LOOKING = 4
    APPROACHED = 5
    MOVED_AWAY = 6
    NODDED = 7
    SHOOK = 8


@dataclass(frozen=True)
class HeadEvent:
    """One event. `stamp`: seconds, of the image in which it became certain; `id`: of the head.

    `target`: name of what the event is about; empty for events without one.
    """

    stamp: float
    id: str
    type: HeadEventType
    target: str = ''
