# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the lens models share: the flat plane, roots, and an inverse that always converges."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headpose_ros.typing import Array

FARTHEST = 1e6
"""Tangent of the widest angle that a flat image plane is used for."""


def on_plane(rays: Array, farthest: float) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return x / z, y / z and whether in front and within `farthest`; others go to that rim."""
    x, y, z = rays.T
    across = np.hypot(x, y)
    valid = (across <= farthest * z) & (z > 0)
    if valid.all():
        return x / z, y / z, valid
    depth = np.where(valid, z, np.maximum(across / farthest, 1e-300))
    return x / depth, y / depth, valid


def smallest_positive_root(polynomial: ArrayLike) -> float:
    """Return the smallest positive real root, or infinity; highest power first, constant not 0."""
    # Of the inverse, so that tiny coefficients of high powers give tiny roots, not huge ones.
    inverse = np.roots(np.asarray(polynomial, np.float64)[::-1])
    is_real = np.abs(inverse.imag) < 1e-9 * np.abs(inverse)
    real = inverse.real[is_real & (inverse.real > 1e-100)]
    return float(1 / real.max()) if real.size else math.inf


def solve_increasing(
    function: Callable[[Array], tuple[Array, Array]], targets: Array, highest: float
) -> Array:
    """Solve function(x) = target for x in [0, highest] by Newton kept within a bracket."""
    high = np.full_like(targets, min(highest, 1.0))
    while highest > 1.0:  # find the bracket, the range may be huge
        short = (function(high)[0] < targets) & (high < highest)
        if not short.any():
            break
        high = np.where(short, np.minimum(4 * high, highest), high)
    low, x = np.zeros_like(targets), np.minimum(targets, high)
    left = np.arange(len(targets))
    for _ in range(200):
        value, slope = function(x[left])
        under = value <= targets[left]
        low[left] = np.where(under, x[left], low[left])
        high[left] = np.where(under, high[left], x[left])
        move = (targets[left] - value) / np.where(slope > 0, slope, np.inf)
        new = x[left] + move
        done = (np.abs(move) <= 4e-16 * x[left]) & (slope > 0)
        outside = (new < low[left]) | (new > high[left]) | (slope <= 0)
        halved = 0.5 * (low[left] + high[left])
        done |= outside & ((halved <= low[left]) | (halved >= high[left]))
        x[left] = np.where(outside & ~done, halved, np.clip(new, low[left], high[left]))
        left = left[~done]
        if left.size == 0:
            break
    return x


def homogeneous(points: Array) -> Array:
    """Return points (N,2) of the plane at z = 1 as rays (N,3)."""
    return np.column_stack([points, np.ones(len(points))])


def unit_rays(points: Array) -> Array:
    """Return the unit rays (N,3) to points (N,2) of the plane at z = 1."""
    rays = homogeneous(points)
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)
