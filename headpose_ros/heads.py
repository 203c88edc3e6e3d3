# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the stages of the pipeline hand to each other: faces on the sphere, estimates, heads.

Frames are those of `docs/architecture.md`: *camera* is the optical frame of the image, *face* the
REP-155 face frame (origin at the sellion, x out of the face, y to the person's left, z up).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headpose_ros.typing import Array


@dataclass(frozen=True)
class Boxes:
    """Face boxes in one image, as a detector gives them.

    `corners` (N,4): x0, y0, x1, y1 in pixels (a pixel's centre has integer coordinates);
    `scores` (N,): 0..1; `landmarks` (N,5,2) or None: the eyes, the nose tip and the corners of
    the mouth, those on the image's left first, in pixels.
    """

    corners: Array
    scores: Array
    landmarks: Array | None = None

    def __len__(self) -> int:
        return len(self.corners)


@dataclass(frozen=True)
class Faces:
    """Faces as a camera of any lens sees them: directions and sizes, not pixels.

    `rays` (N,3): unit vectors in the camera frame to the centre of the face sphere;
    `angular_sizes` (N,): rad, the full angle that the face sphere subtends,
    2 asin(FACE_SPHERE_RADIUS / distance) for an average adult; `scores` (N,): 0..1.
    """

    rays: Array
    angular_sizes: Array
    scores: Array

    def __len__(self) -> int:
        return len(self.rays)

    @staticmethod
    def none() -> Faces:
        """Return no face at all."""
        return Faces(np.empty((0, 3)), np.empty(0), np.empty(0))


@dataclass(frozen=True)
class Estimates:
    """What an estimator reads from N crops, in the frames of their virtual cameras.

    `rotations_virtual_from_face` (N,3,3). `rotation_sigma` (N,3): one standard deviation, rad,
    about the axes of the virtual camera. `rays_virtual` (N,3): unit vectors to the refined face
    centre. `angular_sizes` (N,): rad, refined size of the face sphere scaled to this head.
    `head_scale` (N,): size of this head over that of an average adult, so that the distance is
    head_scale * FACE_SPHERE_RADIUS / sin(angular_size / 2). `face_probability` (N,): 0..1, that
    the crop shows a face; estimators that cannot tell say NaN, and then the ray and the size are
    those of the crop.
    """

    rotations_virtual_from_face: Array
    rotation_sigma: Array
    rays_virtual: Array
    angular_sizes: Array
    head_scale: Array
    face_probability: Array

    def __len__(self) -> int:
        return len(self.head_scale)

    @staticmethod
    def none() -> Estimates:
        """Return no estimate at all."""
        return Estimates(
            np.empty((0, 3, 3)),
            np.empty((0, 3)),
            np.empty((0, 3)),
            np.empty(0),
            np.empty(0),
            np.empty(0),
        )


@dataclass(frozen=True)
class Roi:
    """A rectangle of pixels inside the image, as sensor_msgs/RegionOfInterest has it."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Head:
    """One person's head in one image.

    `rotation_camera_from_face` (3,3) and `position` (3,), metres, of the sellion, in the camera
    frame. `covariance` (6,6): x, y, z (m^2), then rotations about the fixed x, y, z axes of the
    camera (rad^2), as geometry_msgs/PoseWithCovariance orders them. `confidence` 0..1.
    `off_axis_angle`: rad, between the optical axis and the ray to the face. `facing_angle`: rad,
    between the face's x axis and the direction from the face to the camera; 0 looks at it.
    """

    id: str
    rotation_camera_from_face: Array
    position: Array
    covariance: Array
    confidence: float
    roi: Roi
    off_axis_angle: float
    facing_angle: float
