# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How probable it is that somebody looks at a target, given which way the head points.

Where the eyes point is not measured: the head tells. Bayes' rule weighs, for each target, that
the person looks somewhere on it, against looking at another target and against looking elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from headpose_ros.attention.plain import Measured
from headpose_ros.attention.seen import View

EYE_SIGMA_SIDEWAYS = math.radians(8.4)
EYE_SIGMA_UPWARDS = math.radians(8.4)
"""Rad: how far eyes are turned in the head, one standard deviation: 8.41 degrees sideways in 27
people who wore eye-tracking glasses, 328 minutes each, in their daily life (Zheng, Gentry,
Economides and Horton: Distribution of globe excursions within the orbits monitored by eye tracking
glasses in ambulatory subjects engaged in their normal daily activities, IOVS 66(3):20, 2025,
doi:10.1167/iovs.66.3.20). Their 11.63 degrees upwards count reading and other near work, so that
upwards the same is taken as sideways."""

ELSEWHERE = 2.0
"""Solid angle, sr, over which the heads of people who look at no target are spread."""

NEGLIGIBLE = 0.01
"""Odds of a target that is no rival."""

TOLD_APART = math.radians(5.0)
"""Rad: targets compete as far as the centre of the smaller is outside the larger, wholly from
this angle on. A webcam on a screen and the screen are looked at together."""


def looking_probabilities(
    head: Measured, views: Sequence[View], eye_sigma: tuple[float, float]
) -> list[float]:
    """Return, for each of `views` of one head, the probability that it is looked at, 0..1.

    `eye_sigma`: rad, sideways and upwards, as `EYE_SIGMA_SIDEWAYS`.
    """
    odds = [ELSEWHERE * _density(view, head, eye_sigma) for view in views]
    if sum(own > NEGLIGIBLE for own in odds) < 2:
        return [own / (1.0 + own) for own in odds]
    return [own / (1.0 + own + _rivals(odds, views, number)) for number, own in enumerate(odds)]


def _rivals(odds: Sequence[float], views: Sequence[View], own: int) -> float:
    """Return the odds of all other targets, as far as they are apart from target `own`."""
    total = 0.0
    for number, other in enumerate(odds):
        if number != own and other > NEGLIGIBLE:
            mine, its = views[own], views[number]
            apart = min(mine.angle_from(its.direction), its.angle_from(mine.direction))
            total += other * min(1.0, apart / TOLD_APART)
    return total


def _density(view: View, head: Measured, eye_sigma: tuple[float, float]) -> float:
    """Return the density, 1/sr, of the head's direction in somebody who looks at the target.

    A Gaussian, of the eyes, the direction's error and the parallax of the place's error, about
    points that are spread evenly over the target, taken as a rectangle along the face's axes.
    """
    if not view.front:
        return 0.0
    square = view.distance**2
    left = math.sqrt(eye_sigma[0] ** 2 + head.turn_left + head.shift_left / square)
    up = math.sqrt(eye_sigma[1] ** 2 + head.turn_up + head.shift_up / square)
    return _smeared(view.left, view.half_left, left) * _smeared(view.up, view.half_up, up)


def _smeared(offset: float, half: float, sigma: float) -> float:
    """Return the density at `offset` of a box of width 2 `half` that a Gaussian smears."""
    if half < 0.1 * sigma:
        return math.exp(-0.5 * (offset / sigma) ** 2) / (sigma * math.sqrt(2.0 * math.pi))
    if abs(offset) > half + 6.0 * sigma:
        return 0.0
    scale = sigma * math.sqrt(2.0)
    return (math.erf((offset + half) / scale) - math.erf((offset - half) / scale)) / (4.0 * half)
