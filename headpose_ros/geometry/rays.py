# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Angles between directions. Rays are (...,3) in one frame, of any length but zero."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.typing import Array


def angle_between(a: ArrayLike, b: ArrayLike) -> Array:
    """Return the angles (...,), rad, 0 to pi, between rays (...,3) and (...,3), broadcast.

    From both sine and cosine, |a x b| and a . b: all digits are right near 0 and pi, where arccos
    of the scalar product loses half of them.
    """
    v, w = np.asarray(a, np.float64), np.asarray(b, np.float64)
    ax, ay, az = v[..., 0], v[..., 1], v[..., 2]
    bx, by, bz = w[..., 0], w[..., 1], w[..., 2]
    x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    return np.arctan2(np.sqrt(x * x + y * y + z * z), ax * bx + ay * by + az * bz)


def angle_of_pair(a: Array, b: Array) -> float:
    """Return the angle, rad, between two rays (3,): `angle_between`, a fifth of its time."""
    ax, ay, az = a.tolist()
    bx, by, bz = b.tolist()
    sine = math.hypot(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)
    return math.atan2(sine, ax * bx + ay * by + az * bz)


def off_axis_angle(rays: ArrayLike) -> Array:
    """Return the angles (...,), rad, between the optical axis and rays (...,3)."""
    v = np.asarray(rays, np.float64)
    return np.arctan2(np.hypot(v[..., 0], v[..., 1]), v[..., 2])
