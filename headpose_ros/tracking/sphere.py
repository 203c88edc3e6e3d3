# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion of unit rays: differences and steps along great circles, one ray at a time.

Rays are (3,) unit vectors, tangents (3,) vectors at right angles to their ray, in radians (or
rad/s), both in the camera frame.
"""

from __future__ import annotations

import math

from headpose_ros.typing import Array

_TINY = 1e-12


def norm(vector: Array) -> float:
    """Return the length of a small vector, without the cost of numpy.linalg.norm."""
    return math.sqrt(float(vector.dot(vector)))


def difference(a: Array, b: Array) -> Array:
    """Return the tangent at `a` that leads to `b`; zero where they are opposite."""
    cosine = float(a.dot(b))
    across: Array = b - cosine * a
    sine = norm(across)
    if sine < _TINY:
        return across * 0.0
    return across * (math.atan2(sine, cosine) / sine)


def step(ray: Array, tangent: Array) -> Array:
    """Return the ray reached from `ray` by walking along `tangent`."""
    angle = norm(tangent)
    if angle < _TINY:
        return ray
    moved: Array = math.cos(angle) * ray + (math.sin(angle) / angle) * tangent
    return moved / norm(moved)


def towards(ray: Array, direction: Array) -> Array:
    """Return the unit tangent at `ray` towards `direction` (3,); zero along that axis."""
    tangent: Array = direction - float(direction.dot(ray)) * ray
    length = norm(tangent)
    return tangent * (1.0 / length if length > _TINY else 0.0)


def transport(tangent: Array, a: Array, b: Array) -> Array:
    """Carry a tangent at `a` along the great circle to `b` (parallel transport)."""
    beside = 1.0 + float(a.dot(b))
    if beside < _TINY:
        return tangent
    return tangent - (float(b.dot(tangent)) / beside) * (a + b)
