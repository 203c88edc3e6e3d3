# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses of a mean head from its landmarks: perspective-n-point, and the place for a known pose.

Landmarks come as points (N,68,2) of the plane at distance one of the virtual camera, x / z and
y / z: with those, its intrinsics are the identity.
"""

from __future__ import annotations

import cv2
import numpy as np

from headpose_ros.estimation.landmark_points import MEAN_HEAD
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.rotations import vector_from_matrix
from headpose_ros.typing import Array

_FACING = vector_from_matrix(matrix_from_euler(0.0, 0.0, 0.0))
_NEAREST = 0.13
"""Metres: the camera is not inside the face sphere."""
_FARTHEST = 1e5
"""Metres: where the lens is unknown, crops are told to span next to nothing."""
_SPREAD = 0.02
"""Landmarks nearer together than this (root mean square) are magnified for SQPnP, which takes them
for one point otherwise."""


def solve_pnp(plane_points: Array) -> tuple[Array, Array]:
    """Return rotations (N,3,3) and sellions (N,3), metres, of the mean head seen so.

    SQPnP (Terzakis and Lourakis, 2020), then Levenberg-Marquardt on the reprojection.
    """
    rotations = np.empty((len(plane_points), 3, 3))
    sellions = np.empty((len(plane_points), 3))
    for i, points in enumerate(np.ascontiguousarray(plane_points, np.float64)):
        try:
            vector, shift = _solve_one(points)
        except cv2.error:  # all landmarks in one place: no face, and no pose to be had
            vector, shift = _FACING, np.full(3, np.nan)
        rotations[i], sellions[i] = cv2.Rodrigues(vector)[0], np.ravel(shift)
    return rotations, _in_front(sellions)


def _solve_one(points: Array) -> tuple[Array, Array]:
    """Return rotation vector and sellion of points (68,2); cv2.error where all are one."""
    spread = float(np.sqrt(points.var(axis=0).sum()))
    magnified = max(1.0, _SPREAD / max(spread, 1e-9))
    _, vector, shift = cv2.solvePnP(
        MEAN_HEAD, points * magnified, np.eye(3), None, flags=cv2.SOLVEPNP_SQPNP
    )
    # As pixels of a camera in which the face is a unit large, or steps would end for being small.
    camera = np.diag([1.0 / spread, 1.0 / spread, 1.0])
    vector, shift = cv2.solvePnPRefineLM(
        MEAN_HEAD, points / spread, camera, None, vector, shift * [[1], [1], [magnified]]
    )
    return vector, shift


def place(plane_points: Array, rotations: Array) -> Array:
    """Return the sellions (N,3), metres, of the mean head with these rotations (N,3,3).

    Least squares of x z' = x', y z' = y' for the landmarks (x', y', z') in the virtual camera,
    which is linear in the sellion.
    """
    turned = np.einsum('nij,pj->npi', rotations, MEAN_HEAD)
    sellions = np.empty((len(plane_points), 3))
    for i, (points, head) in enumerate(zip(plane_points, turned, strict=True)):
        rows = np.zeros((2, len(head), 3))
        rows[0, :, 0] = rows[1, :, 1] = 1.0
        rows[..., 2] = -points.T
        wanted = points.T * head[:, 2] - head[:, :2].T
        sellions[i] = np.linalg.lstsq(rows.reshape(-1, 3), wanted.ravel(), rcond=None)[0]
    return _in_front(sellions)


def _in_front(sellions: Array) -> Array:
    """Keep what landmarks of no face may give where a pose can be."""
    usable = np.isfinite(sellions).all(axis=1) & (sellions[:, 2] > 0)
    sellions = np.where(usable[:, None], sellions, [0.0, 0.0, 1.0])
    distance = np.linalg.norm(sellions, axis=1, keepdims=True)
    return np.asarray(sellions * np.clip(distance, 2 * _NEAREST, _FARTHEST) / distance)
