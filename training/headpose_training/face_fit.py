# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the face sphere lies in an image, from landmarks and a known rotation.

The mean face of the head model is laid over the landmarks by weak perspective: with the rotation
given only scale and shift are unknown, and they follow from least squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headpose_ros.geometry.face_frame import FACE_CENTRE_IN_FACE, FACE_SPHERE_RADIUS
from headpose_ros.typing import Array
from headpose_training.head_model import ROTATION_FACE_FROM_MODEL, HeadModel

_CHIN_AND_INNER = np.r_[8, 17:68]
"""Of the 68 landmarks: not the cheeks, which annotators let slide along the visible outline."""


@dataclass(frozen=True)
class MeanFace:
    """Landmarks of the mean face in the face frame, metres: `points68` (68,3)."""

    points68: Array

    @staticmethod
    def load(head_model: Path | None = None) -> MeanFace:
        """Read it from the packed head model; HeadModelError where that is missing."""
        model = HeadModel.load(head_model)
        points = model.neutral[model.landmarks68].astype(np.float64)
        points = points - points[27]
        return MeanFace(points @ ROTATION_FACE_FROM_MODEL.T)

    @property
    def points5(self) -> Array:
        """(5,3) eyes, nose tip and corners of the mouth, in the order of `heads.Boxes`."""
        p = self.points68
        return np.stack([p[36:42].mean(0), p[42:48].mean(0), p[30], p[48], p[54]])

    def fit(self, pixels: Array, rotation_camera_from_face: Array) -> FittedSphere:
        """Fit landmarks (68,2) or (5,2), pixels. Raises ValueError for another number."""
        if len(pixels) == len(self.points68):
            pixels, points = pixels[_CHIN_AND_INNER], self.points68[_CHIN_AND_INNER]
        elif len(pixels) == 5:
            points = self.points5
        else:
            raise ValueError(f'landmarks: expected 68 or 5, got {len(pixels)}')
        plane = points @ rotation_camera_from_face[:2].T
        spread, target = plane - plane.mean(0), pixels - pixels.mean(0)
        scale = float(np.sum(spread * target) / np.sum(spread**2))
        centre_plane = rotation_camera_from_face[:2] @ FACE_CENTRE_IN_FACE
        centre = pixels.mean(0) + scale * (centre_plane - plane.mean(0))
        residual = np.sqrt(np.mean(np.sum((scale * spread - target) ** 2, axis=1)))
        return FittedSphere(
            centre,
            scale * FACE_SPHERE_RADIUS,
            float(residual / scale) if scale > 0 else float('inf'),
        )


@dataclass(frozen=True)
class FittedSphere:
    """`centre` (2,) and `radius`, pixels; `residual`: root mean square error, metres of a face."""

    centre: Array
    radius: float
    residual: float
