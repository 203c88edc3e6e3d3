# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Panoramas: columns are longitudes, rows are latitudes (equidistant cylindrical projection)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headpose_ros.typing import Array


@dataclass(frozen=True)
class EquirectangularLens:
    """x is the longitude about the camera's y axis, y the latitude below its x-z plane; rad.

    The optical axis is at 0, 0. Sees every direction; straight up and down the longitude is 0.
    """

    @property
    def max_angle(self) -> float:
        """See `Lens`."""
        return math.pi

    def project(self, rays: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """See `Lens`."""
        x, y, z = rays.T
        level = np.hypot(x, z)
        return np.arctan2(x, z), np.arctan2(y, level), (level > 0) | (y != 0)

    def unproject(self, points: Array) -> tuple[Array, NDArray[np.bool_]]:
        """See `Lens`; longitudes beyond half a turn are those that come round."""
        longitude = points[:, 0]
        latitude = np.clip(points[:, 1], -np.pi / 2, np.pi / 2)
        level = np.cos(latitude)
        rays = [level * np.sin(longitude), np.sin(latitude), level * np.cos(longitude)]
        return np.column_stack(rays), latitude == points[:, 1]
