# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How probable it is that somebody looks at a target, given which way the head points.

Where the eyes point is not measured: the head tells. Bayes' rule weighs, for each target, that
the person looks somewhere on it, against looking at another target and against looking elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from headpose_ros.attention.seen import View
from headpose_ros.heads import Head

EYE_SIGMA_SIDEWAYS = math.radians(7.0)
EYE_SIGMA_UPWARDS = math.radians(6.0)
"""Rad: how far the eyes of somebody who attends to something are turned in the head, one standard
deviation. docs/attention.md tells where from."""

ELSEWHERE = 2.0
"""Solid angle, sr, over which the heads of people who look at no target are spread."""

TOLD_APART = math.radians(5.0)
"""Rad: targets compete as far as the centre of the smaller is outside the larger, wholly from
this angle on. A webcam on a screen and the screen are looked at together."""


def looking_probabilities(
    head: Head, views: Sequence[View], eye_sigma: tuple[float, float]
) -> list[float]:
    """Return, for each of `views` of one head, the probability that it is looked at, 0..1.

    `eye_sigma`: rad, sideways and upwards, as `EYE_SIGMA_SIDEWAYS`.
    """
    variances = _variances(head)
    odds = [ELSEWHERE * _density(view, variances, eye_sigma) for view in views]
    return [
        own / (1.0 + own + _rivals(odds, views, number)) if own > 0.0 else 0.0
        for number, own in enumerate(odds)
    ]


def _rivals(odds: Sequence[float], views: Sequence[View], own: int) -> float:
    """Return the odds of all other targets, as far as they are apart from target `own`."""
    total = 0.0
    for number, other in enumerate(odds):
        if number != own and other > 1e-6:
            mine, its = views[own], views[number]
            apart = min(mine.angle_from(its.direction), its.angle_from(mine.direction))
            total += other * min(1.0, apart / TOLD_APART)
    return total


def _variances(head: Head) -> tuple[float, float, float, float]:
    """Return the variances, sideways and upwards, of the head's direction and of its place.

    Turning about the face's z axis moves its x axis sideways, about its y axis upwards.
    """
    rotation = head.measured_rotation_camera_from_face
    shift = ((head.covariance[:3, :3] @ rotation) * rotation).tolist()
    turn = ((head.covariance[3:, 3:] @ rotation) * rotation).tolist()
    return _sum(turn, 2), _sum(turn, 1), _sum(shift, 1), _sum(shift, 2)


def _sum(rows: list[list[float]], column: int) -> float:
    return rows[0][column] + rows[1][column] + rows[2][column]


def _density(
    view: View, variances: tuple[float, float, float, float], eye_sigma: tuple[float, float]
) -> float:
    """Return the density, 1/sr, of the head's direction in somebody who looks at the target.

    A Gaussian, of the eyes, the direction's error and the parallax of the place's error, about
    points that are spread evenly over the target, taken as a rectangle along the face's axes.
    """
    if not view.front:
        return 0.0
    turn_left, turn_up, shift_left, shift_up = variances
    square = view.distance**2
    left = math.sqrt(eye_sigma[0] ** 2 + turn_left + shift_left / square)
    up = math.sqrt(eye_sigma[1] ** 2 + turn_up + shift_up / square)
    return _smeared(view.left, view.half_left, left) * _smeared(view.up, view.half_up, up)


def _smeared(offset: float, half: float, sigma: float) -> float:
    """Return the density at `offset` of a box of width 2 `half` that a Gaussian smears."""
    if half < 0.1 * sigma:
        return math.exp(-0.5 * (offset / sigma) ** 2) / (sigma * math.sqrt(2.0 * math.pi))
    scale = sigma * math.sqrt(2.0)
    return (math.erf((offset + half) / scale) - math.erf((offset - half) / scale)) / (4.0 * half)
