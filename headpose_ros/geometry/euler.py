# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Yaw, pitch and roll as 300W-LP and AFLW2000 define them, and the rotation they stand for.

rotation_camera_from_face = diag(1, -1, -1) Rx(pitch) Ry(yaw) Rz(roll) [[0,1,0],[0,0,1],[1,0,0]],
Rx = [[1,0,0],[0,c,s],[0,-s,c]], Ry = [[c,0,-s],[0,1,0],[s,0,c]], Rz = [[c,s,0],[-s,c,0],[0,0,1]].
Yaw > 0: the nose points to the image's left. Pitch > 0: up. Roll > 0: the head is turned clockwise
in the image. At 0, 0, 0 the face looks straight back along the optical axis.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.typing import Array

_CAMERA_FROM_MODEL = np.diag([1.0, -1.0, -1.0])
_MODEL_FROM_FACE = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])


def matrix_from_euler(yaw: ArrayLike, pitch: ArrayLike, roll: ArrayLike) -> Array:
    """Return rotation_camera_from_face (...,3,3) for angles (...,), rad."""
    y, p, r = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in (yaw, pitch, roll)))
    cy, sy, cp, sp, cr, sr = np.cos(y), np.sin(y), np.cos(p), np.sin(p), np.cos(r), np.sin(r)
    rows = [
        [cy * cr, cy * sr, -sy],
        [sp * sy * cr - cp * sr, sp * sy * sr + cp * cr, sp * cy],
        [cp * sy * cr + sp * sr, cp * sy * sr - sp * cr, cp * cy],
    ]
    model = np.moveaxis(np.array(rows), (0, 1), (-2, -1))
    matrix: Array = _CAMERA_FROM_MODEL @ model @ _MODEL_FROM_FACE
    return matrix


def euler_from_matrix(rotation_camera_from_face: ArrayLike) -> tuple[Array, Array, Array]:
    """Return yaw in [-pi/2, pi/2], pitch and roll in [-pi, pi] (...,), rad, of (...,3,3).

    At a yaw of +-90 degrees only pitch -+ roll is defined; roll is 0 there.
    """
    rotation = np.asarray(rotation_camera_from_face, np.float64)
    m = _CAMERA_FROM_MODEL @ rotation @ _MODEL_FROM_FACE.T
    flat = np.hypot(m[..., 0, 0], m[..., 0, 1])
    yaw = np.arctan2(-m[..., 0, 2], flat)
    locked = flat < 1e-9
    pitch = np.where(
        locked,
        np.arctan2(-m[..., 2, 1], m[..., 1, 1]),
        np.arctan2(m[..., 1, 2], m[..., 2, 2]),
    )
    roll = np.where(locked, 0.0, np.arctan2(m[..., 0, 1], m[..., 0, 0]))
    return yaw, pitch, roll
