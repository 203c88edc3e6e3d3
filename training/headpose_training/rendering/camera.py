# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small geometry of the renderer: rotations and the crops' cameras."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.typing import Array


def rotation_from_vector(vector: ArrayLike) -> Array:
    """Return the rotation about `vector` (3,) by its length, rad."""
    return cv2.Rodrigues(np.asarray(vector, float).reshape(3, 1))[0]


@dataclass(frozen=True)
class SquareCamera:
    """A pinhole with square pixels and a square image: `focal` and `size` in pixels."""

    focal: float
    size: int

    @property
    def centre(self) -> float:
        """The principal point's x and y."""
        return (self.size - 1) / 2

    @property
    def angle(self) -> float:
        """The full angle across the image, rad."""
        return 2 * float(np.arctan(0.5 * self.size / self.focal))

    @classmethod
    def spanning(cls, angle: float, size: int) -> SquareCamera:
        """Return the camera whose image spans `angle`, rad, from edge to edge."""
        return cls(0.5 * size / float(np.tan(angle / 2)), size)

    def times(self, factor: int) -> SquareCamera:
        """Return the same view with `factor` times as many pixels across."""
        return SquareCamera(self.focal * factor, self.size * factor)

    def pixels(self, points: ArrayLike) -> Array:
        """Project (...,3) points before the camera to (...,2) pixels."""
        points = np.asarray(points, float)
        return self.focal * points[..., :2] / points[..., 2:] + self.centre
