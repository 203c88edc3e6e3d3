# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a nose points in the camera frame, by angles that are calm for profiles too.

Yaw, pitch and roll of 300W-LP are ambiguous at a yaw of 90 degrees, a profile, and jump beyond.
Azimuth, elevation and tilt are ambiguous only where the nose points straight up or down.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.typing import Array


class Heading(NamedTuple):
    """Direction of one nose, and how the head is turned about it, rad; see `heading_angles`."""

    azimuth: float
    elevation: float
    tilt: float


def heading_angles(rotation_camera_from_face: ArrayLike) -> tuple[Array, Array, Array]:
    """Return azimuth, elevation and tilt (...,), rad, of heads (...,3,3).

    With the nose n (the face's x axis) and the top t of the head (its z axis) in the camera frame
    (x right, y down, z forward):

    - azimuth = atan2(-n_x, -n_z), -pi to pi: 0 against the optical axis, pi/2 to the image's left,
      -pi/2 to its right, +-pi away from the camera;
    - elevation = asin(-n_y), -pi/2 to pi/2: above 0 where the nose points to the image's top;
    - tilt = atan2(t . l, t . (n x l)), -pi to pi, with l = (cos(azimuth), 0, -sin(azimuth)), the
      left of a person who holds the head upright: above 0 where the head leans to the person's
      left, which is clockwise in the image for a face towards the camera.

    The reference is the optical axis, as for yaw, pitch and roll, and not the ray to the face:
    turning only the head changes them by as much wherever it is in the image. For small angles
    they equal yaw, pitch and roll: exactly so for azimuth where pitch is 0 and yaw within 90
    degrees, and for elevation where yaw is 0. Where the nose points straight up or down, azimuth
    is 0 and tilt holds the whole turn.
    """
    rotation = np.asarray(rotation_camera_from_face, np.float64)
    if rotation.shape[-2:] != (3, 3):
        raise ValueError(f'rotations: expected shape (..., 3, 3), got {rotation.shape}')
    nose, top = rotation[..., 0], rotation[..., 2]
    x, y, z = nose[..., 0], nose[..., 1], nose[..., 2]
    level = np.hypot(x, z)
    vertical = level < 1e-9
    azimuth = np.where(vertical, 0.0, np.arctan2(-x, -z))
    elevation = np.arctan2(-y, level)
    zero = np.zeros_like(azimuth)
    left = np.stack([np.cos(azimuth), zero, -np.sin(azimuth)], axis=-1)
    upright = np.cross(nose, left)
    tilt = np.arctan2(np.sum(top * left, axis=-1), np.sum(top * upright, axis=-1))
    return azimuth, elevation, tilt
