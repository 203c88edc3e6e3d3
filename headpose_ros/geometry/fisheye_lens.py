# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The equidistant model of CameraInfo: fisheye lenses, to beyond 90 degrees off axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry.lens_math import smallest_positive_root, solve_increasing
from headpose_ros.typing import Array


@dataclass(frozen=True)
class FisheyeLens:
    """Kannala-Brandt: the radius is an odd polynomial of the angle, to beyond 90 degrees."""

    coefficients: tuple[float, ...]

    @cached_property
    def max_angle(self) -> float:
        """See `Lens`."""
        k = self.coefficients
        slope = [9 * k[3], 7 * k[2], 5 * k[1], 3 * k[0], 1.0]  # d radius / d angle, in angle^2
        # Straight behind the camera has no azimuth: stay a hair away from it.
        return min(math.sqrt(smallest_positive_root(slope)), math.pi - 1e-9)

    @cached_property
    def _rim(self) -> float:
        return float(self._radius(self.max_angle))

    def project(self, rays: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """See `Lens`."""
        x, y, z = rays.T
        across = np.hypot(x, y)
        angle = np.arctan2(across, z)
        valid = (angle <= self.max_angle) & ((across > 0) | (z > 0))
        radius = self._radius(np.minimum(angle, self.max_angle))
        # On the axis, where this would be 0 / 0, radius / across tends to 1 / z.
        on_axis = across <= 1e-9 * np.abs(z)
        depth = np.where(z > 0, z, 1.0)
        scale = np.where(on_axis, 1 / depth, radius / np.where(on_axis, 1.0, across))
        return x * scale, y * scale, valid

    def unproject(self, points: Array) -> tuple[Array, NDArray[np.bool_]]:
        """See `Lens`."""
        radius = np.hypot(points[:, 0], points[:, 1])
        angle = solve_increasing(
            lambda a: (self._radius(a), self._slope(a)),
            np.minimum(radius, self._rim),
            self.max_angle,
        )
        scale = np.sin(angle) / np.where(radius > 0, radius, 1.0)
        scale = np.where(radius > 1e-9, scale, 1.0)
        rays = np.column_stack([points * scale[:, None], np.cos(angle)])
        return rays / np.linalg.norm(rays, axis=1, keepdims=True), radius <= self._rim

    def _radius(self, angle: Any) -> Any:
        """Return the radius on the plane at `angle`."""
        k1, k2, k3, k4 = self.coefficients
        s = angle * angle
        return angle * (1 + s * (k1 + s * (k2 + s * (k3 + s * k4))))

    def _slope(self, angle: Any) -> Any:
        """Return the derivative of the radius."""
        k1, k2, k3, k4 = self.coefficients
        s = angle * angle
        return 1 + s * (3 * k1 + s * (5 * k2 + s * (7 * k3 + s * 9 * k4)))
