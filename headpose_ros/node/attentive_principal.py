# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whom `~/pose` is about where that is to follow attention: who looks at a target comes first."""

from __future__ import annotations

import math
from collections.abc import Container

from headpose_ros.geometry.face_frame import FACE_SPHERE_RADIUS
from headpose_ros.heads import Head
from headpose_ros.result import FrameResult
from headpose_ros.tracking.principal import PrincipalChoice, salience

NEAREST = 'nearest'
"""The choice of the pipeline itself."""
LOOKING_WEIGHT = 1e3
"""How much more salient who looks is: more than distance can make up for."""


class AttentivePrincipal:
    """The principal head among those who look, then among the others, with the same hysteresis."""

    def __init__(self) -> None:
        self._choice = PrincipalChoice()

    def choose(self, result: FrameResult, looking: Container[str]) -> str | None:
        """Return the id of the principal head; `looking`: ids of those who look."""
        saliences = [(head.id, _salience(head, head.id in looking)) for head in result]
        alive = result.followed_ids | {head.id for head in result}
        return self._choice.update(saliences, alive, result.stamp or 0.0)

    def reset(self) -> None:
        """Begin anew."""
        self._choice = PrincipalChoice()


def _salience(head: Head, looks: bool) -> float:
    size = 2.0 * math.asin(min(1.0, FACE_SPHERE_RADIUS / max(head.distance, FACE_SPHERE_RADIUS)))
    return salience(head, size) * (LOOKING_WEIGHT if looks else 1.0)
