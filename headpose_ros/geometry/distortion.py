# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lens distortion: from directions to the normalised image plane and back, exactly.

A lens maps a direction (x, y, z) of the camera frame to a point of the normalised image plane,
from which the camera matrix makes pixels. Every lens has a range, the cone of directions around
the optical axis in which this map is one to one: a polynomial folds over beyond it, and points
outside would land on pixels that show something else. `Lens.project` tells which directions are
in range and moves the others to its rim; `Lens.unproject` likewise for points of the plane.

The formulas are those of OpenCV (calib3d, "Detailed Description" and "Fisheye camera model"),
the names of the models those of sensor_msgs/distortion_models, and 'equirectangular' (panoramas).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry.brown_lens import BrownLens
from headpose_ros.geometry.checks import finite_number
from headpose_ros.geometry.equirectangular_lens import EquirectangularLens
from headpose_ros.geometry.errors import CameraModelError
from headpose_ros.geometry.fisheye_lens import FisheyeLens
from headpose_ros.geometry.lens_math import FARTHEST, on_plane, unit_rays
from headpose_ros.typing import Array

MODELS: dict[str, tuple[int, ...]] = {
    '': (0,),
    'none': (0,),
    'plumb_bob': (4, 5),
    'rational_polynomial': (8, 12, 14),
    'equidistant': (4,),
    'equirectangular': (0,),
}
"""Known distortion models and how many coefficients each may have; 0 is always allowed."""


class Lens(Protocol):
    """Maps directions to the normalised image plane and back."""

    @property
    def max_angle(self) -> float:
        """The largest angle off the optical axis, rad, that the lens maps one to one."""
        ...

    def project(self, rays: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Return x (N,), y (N,) on the normalised plane and valid (N,) of `rays` (N,3).

        `rays` need not have unit length; zero vectors are not valid.
        """
        ...

    def unproject(self, points: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Return unit rays (N,3) and valid (N,) of normalised image points (N,2)."""
        ...


def check_distortion(model: str, coefficients: Sequence[float]) -> tuple[float, ...]:
    """Return the coefficients as floats.

    Raises CameraModelError where `model` is unknown or has another number of coefficients.
    """
    if model not in MODELS:
        known = ', '.join(repr(name) for name in MODELS)
        raise CameraModelError(f'distortion model {model!r} is unknown; known are {known}')
    numbers = tuple(finite_number(value, f'distortion {model!r}') for value in coefficients)
    if len(numbers) not in (0, *MODELS[model]):
        lengths = ' or '.join(map(str, MODELS[model]))
        raise CameraModelError(
            f'distortion model {model!r} has {lengths} coefficients, got {len(numbers)}'
        )
    return numbers


@lru_cache(maxsize=16)
def make_lens(model: str, coefficients: tuple[float, ...]) -> Lens:
    """Return the lens of a distortion model of `MODELS`; all zero coefficients make it flat.

    It is kept, with its tables: they do not change with the focal length of a zoom lens.
    """
    if model == 'equirectangular':
        return EquirectangularLens()
    if model == 'equidistant':
        return FisheyeLens(coefficients or (0.0,) * 4)
    if not any(coefficients):
        return FlatLens()
    return BrownLens(coefficients + (0.0,) * (14 - len(coefficients)))


@dataclass(frozen=True)
class FlatLens:
    """The ideal pinhole."""

    @property
    def max_angle(self) -> float:
        """See `Lens`."""
        return math.atan(FARTHEST)

    def project(self, rays: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """See `Lens`."""
        return on_plane(rays, FARTHEST)

    def unproject(self, points: Array) -> tuple[Array, NDArray[np.bool_]]:
        """See `Lens`."""
        return unit_rays(points), np.ones(len(points), bool)
