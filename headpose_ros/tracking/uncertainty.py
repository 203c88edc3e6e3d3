# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The covariance of a head's pose, as geometry_msgs/PoseWithCovariance orders it."""

from __future__ import annotations

import numpy as np

from headpose_ros.typing import Array

RAY_SIGMA = 0.05
"""Error of the direction to the face centre in radii of the face, one standard deviation."""

UNSURE_FACTOR = 3.0
"""How much larger all errors are said to be at confidence 0, or with no crop inside the image."""

_EYE = np.eye(3)


def cross_matrix(v: Array) -> Array:
    """Return [v]x, so that [v]x w = v x w."""
    x, y, z = float(v[0]), float(v[1]), float(v[2])
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def pose_covariance(
    rotation_covariance: Array,
    ray: Array,
    distance: float,
    log_distance_sigma: float,
    angular_size: float,
    sellion_from_centre: Array,
    confidence: float,
    inside: float,
) -> Array:
    """Return the covariance (6,6) of the sellion's position and of the rotation.

    Position in metres and rotations in rad about the fixed axes of the camera. The sellion is
    distance * ray + `sellion_from_centre` (3,), the last of which turns with the head; so errors
    of the rotation move the sellion, and the two blocks are correlated. `rotation_covariance`
    (3,3), rad^2, camera axes; `log_distance_sigma`: relative error of the distance. `confidence`
    and `inside` (the share of the crop inside the image), 0..1, widen all but the distance's own
    prior.
    """
    widen = 1.0 + (UNSURE_FACTOR - 1.0) * (1.0 - min(confidence, inside))
    turning = widen**2 * rotation_covariance
    along = ray[:, None] * ray
    across = (widen * RAY_SIGMA * 0.5 * angular_size * distance) ** 2
    radial = (distance * log_distance_sigma) ** 2
    lever = -cross_matrix(sellion_from_centre)
    covariance = np.empty((6, 6))
    covariance[3:, 3:] = turning
    covariance[:3, 3:] = lever @ turning
    covariance[3:, :3] = covariance[:3, 3:].T
    covariance[:3, :3] = across * (_EYE - along) + radial * along + covariance[:3, 3:] @ lever.T
    symmetric: Array = 0.5 * (covariance + covariance.T)
    return symmetric
