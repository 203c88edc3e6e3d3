# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Errors of head poses. Rotations are (N,3,3) camera_from_face, angles in radians."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry.euler import euler_from_matrix
from headpose_ros.geometry.rotations import (
    geodesic_distance,
    mean_rotation,
    vector_from_matrix,
)
from headpose_ros.typing import Array

RING = 10.0
"""Width of the rings of `by_angle`, degrees."""


def fit_constant_rotation(rotations: Array, truth: Array) -> Array:
    """Return C (3,3) such that truth @ C is nearest to `rotations`, in the chordal sense.

    C turns the face frame of the estimates into that of the truth: data sets differ in their zero.
    """
    return mean_rotation(np.swapaxes(truth, 1, 2) @ rotations)


def aligned_geodesic(rotations: Array, truth: Array) -> Array:
    """Return the geodesic errors (N,) after one constant rotation fitted to the whole set."""
    return geodesic_distance(rotations, truth @ fit_constant_rotation(rotations, truth))


def angle_errors(rotations: Array, truth: Array) -> Array:
    """Return the absolute errors (N,3) of yaw, pitch and roll.

    One rotation has two triples of angles: (yaw, pitch, roll) and (pi - yaw, pitch + pi,
    roll + pi). Of the estimate's two, the one nearer to the truth's is compared, so that a head
    at 89 degrees of yaw seen as 91 counts as two degrees off and not as half a turn.
    """
    actual = np.stack(euler_from_matrix(truth), axis=1)
    first = np.stack(euler_from_matrix(rotations), axis=1)
    second = np.stack([np.pi - first[:, 0], first[:, 1] + np.pi, first[:, 2] + np.pi], axis=1)
    errors = np.abs([_wrap(first - actual), _wrap(second - actual)])
    nearer = np.argmin(errors.sum(axis=2), axis=0)
    return np.asarray(errors[nearer, np.arange(len(actual))])


def by_angle(angles: Array, plain: Array, aligned: Array) -> list[dict[str, float]]:
    """Return the mean errors in rings of the angle `angles` (N,), empty rings left out."""
    degrees = np.round(np.rad2deg(angles), 2)  # 19.999 belongs to those asked for at 20
    rings = np.floor(degrees / RING).astype(int)
    return [
        {
            'lo': ring * RING,
            'hi': (ring + 1) * RING,
            'count': int(np.sum(rings == ring)),
            'geodesic_deg': degrees_of(np.mean(plain[rings == ring])),
            'geodesic_aligned_deg': degrees_of(np.mean(aligned[rings == ring])),
        }
        for ring in sorted(set(rings.tolist()))
    ]


def summary(errors: Array, names: Sequence[str]) -> dict[str, float]:
    """Return those of mean, median, p90 that are named."""
    values = {
        'mean': np.mean(errors),
        'median': np.median(errors),
        'p90': np.percentile(errors, 90),
    }
    return {name: round(float(values[name]), 4) for name in names}


def calibration(rotations: Array, truth: Array, sigma: Array) -> dict[str, float] | None:
    """Return how well `sigma` (N,3), rad about the axes of the rotations' frame, states the error.

    `z_rms` is 1 for a calibrated one, `within_1` 0.683 and `within_2` 0.954 for a Gaussian.
    None where no sigma is known.
    """
    known = np.all(np.isfinite(sigma) & (sigma > 0), axis=1)
    if not np.any(known):
        return None
    z = vector_from_matrix(rotations @ np.swapaxes(truth, 1, 2))[known] / sigma[known]
    return {
        'z_rms': round(float(np.sqrt(np.mean(z**2))), 4),
        'within_1': round(float(np.mean(np.abs(z) < 1)), 4),
        'within_2': round(float(np.mean(np.abs(z) < 2)), 4),
    }


def degrees_of(angle: Any) -> float:
    """Return an angle in degrees, rounded for a file made for people."""
    return round(float(np.rad2deg(angle)), 4)


def _wrap(angles: Array) -> NDArray[np.float64]:
    return np.asarray((angles + np.pi) % (2 * np.pi) - np.pi)
