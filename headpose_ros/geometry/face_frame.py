# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The face frame: sellion and face centre, gaze, distances, and the angles a user asks for.

Positions are metres in the camera frame, (3,) or (...,3); rotations (...,3,3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.geometry.rays import angle_between
from headpose_ros.geometry.rotations import matrix_from_vector
from headpose_ros.typing import Array

FACE_SPHERE_RADIUS = 0.125
"""Radius in metres of the sphere around the face centre that an average adult's head fills."""

FACE_CENTRE_IN_FACE = np.array([-0.03, 0.0, -0.035])
"""The face centre in the face frame, metres: behind and below the sellion. Read-only."""
FACE_CENTRE_IN_FACE.setflags(write=False)

gaze_from_face = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
"""Rotation (3,3): gaze z = face x, gaze x = -face y, gaze y = -face z (REP-155). Read-only."""
gaze_from_face.setflags(write=False)

rotation_face_from_ict = matrix_from_vector(np.radians([0.0, 1.7, 0.0]))
"""Rotation (3,3) to the face frame, whose zero is 300W-LP's, from ICT-FaceKit's heads as they are
modelled, axes named alike. Fitted by trainings (docs/training_log.md). Read-only."""
rotation_face_from_ict.setflags(write=False)


def face_centre_from_sellion(rotation_camera_from_face: ArrayLike, sellion: ArrayLike) -> Array:
    """Return the face centres (...,3) of heads with these rotations and sellions."""
    return np.asarray(sellion, np.float64) + np.matmul(
        rotation_camera_from_face, FACE_CENTRE_IN_FACE
    )


def sellion_from_face_centre(rotation_camera_from_face: ArrayLike, centre: ArrayLike) -> Array:
    """Return the sellions (...,3) of heads with these rotations and face centres."""
    return np.asarray(centre, np.float64) - np.matmul(
        rotation_camera_from_face, FACE_CENTRE_IN_FACE
    )


def facing_angle(rotation_camera_from_face: ArrayLike, sellion: ArrayLike) -> Array:
    """Return the angles (...,), rad, between faces' x axes and the way to the camera.

    `rotation_camera_from_face` (...,3,3), `sellion` (...,3). 0 looks at the camera, pi away.
    """
    x_axis = np.asarray(rotation_camera_from_face, np.float64)[..., 0]
    return angle_between(x_axis, -np.asarray(sellion, np.float64))


def distance_from_angular_size(angular_size: ArrayLike, head_scale: ArrayLike = 1.0) -> Array:
    """Return the distances (...,), metres, to face centres that subtend these full angles, rad."""
    half = np.asarray(angular_size, np.float64) / 2
    return np.asarray(head_scale, np.float64) * FACE_SPHERE_RADIUS / np.sin(half)


def angular_size_from_distance(distance: ArrayLike, head_scale: ArrayLike = 1.0) -> Array:
    """Return the full angles (...,), rad, that face spheres at these distances, m, subtend.

    Raises ValueError where the camera would be inside the sphere.
    """
    d = np.asarray(distance, np.float64)
    sine = np.asarray(head_scale, np.float64) * FACE_SPHERE_RADIUS / d
    if not ((sine > 0) & (sine <= 1)).all():
        raise ValueError(f'distance: expected more than the radius of the face sphere, got {d}')
    return 2 * np.arcsin(sine)
