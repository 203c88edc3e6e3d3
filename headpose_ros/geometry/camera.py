# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cameras as sensor_msgs/CameraInfo describes them: pixels to rays and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.geometry.distortion import Lens, check_distortion, make_lens
from headpose_ros.geometry.errors import CameraModelError
from headpose_ros.typing import Array


@dataclass(frozen=True)
class CameraModel:
    """One camera at one resolution; compares and hashes by value, so that caches can key on it.

    `width`, `height`: of the image, pixels. `fx`, `fy`, `cx`, `cy`, `skew`: pixels; a pixel's
    centre has integer coordinates. `distortion_model`: one of `distortion.MODELS`; `distortion`:
    its coefficients in the order of CameraInfo's D. Build it with one of the `from_...`; all of
    them raise `CameraModelError` (a ValueError) where the numbers make no camera.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    skew: float = 0.0
    distortion_model: str = ''
    distortion: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise CameraModelError(f'image size must be positive, got {self.width}x{self.height}')
        numbers = (self.fx, self.fy, self.cx, self.cy, self.skew)
        if not all(map(math.isfinite, numbers)):
            raise CameraModelError(
                f'fx, fy, cx, cy and skew must be finite, got {numbers}: calibrate the camera anew'
            )
        if self.fx <= 0 or self.fy <= 0:
            raise CameraModelError(
                f'focal lengths must be positive, got fx = {self.fx}, fy = {self.fy}: '
                'is the camera calibrated?'
            )
        check_distortion(self.distortion_model, self.distortion)

    @staticmethod
    def from_matrix(
        K: ArrayLike,
        width: int,
        height: int,
        distortion_model: str = '',
        d: Sequence[float] | ArrayLike = (),
    ) -> CameraModel:
        """Build it from a camera matrix, (3,3) or 9 numbers in rows, and D as in CameraInfo."""
        from headpose_ros.geometry.camera_info import camera_from_matrix

        return camera_from_matrix(K, width, height, distortion_model, d)

    @staticmethod
    def from_fov(width: int, height: int, hfov: float) -> CameraModel:
        """Build a pinhole with square pixels that spans `hfov` rad from left to right edge."""
        if not 0 < hfov < math.pi:
            raise CameraModelError(
                f'hfov must be between 0 and pi rad, got {hfov}: give degrees as '
                'math.radians(...); a lens of 180 degrees or more needs a calibration with the '
                'equidistant model'
            )
        focal = width / 2 / math.tan(hfov / 2)
        return CameraModel(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)

    @staticmethod
    def from_camera_info(info: Any, rectified: bool = False) -> CameraModel:
        """Build it from a sensor_msgs/CameraInfo, or any object with its fields.

        Binning and region of interest are applied: the camera is that of the image as published
        (REP-104). Raw images use K and D; `rectified` ones P and no D.
        """
        from headpose_ros.geometry.camera_info import camera_from_info

        return camera_from_info(info, rectified)

    @staticmethod
    def from_yaml(path: str | PathLike[str], rectified: bool = False) -> CameraModel:
        """Build it from a file as camera_calibration writes and camera_info_manager reads it.

        Raises OSError where the file cannot be read.
        """
        from headpose_ros.geometry.camera_info import camera_from_yaml

        return camera_from_yaml(path, rectified)

    @cached_property
    def matrix(self) -> Array:
        """The camera matrix K (3,3); read-only."""
        K = np.array([[self.fx, self.skew, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])
        K.setflags(write=False)
        return K

    @cached_property
    def is_pinhole(self) -> bool:
        """Whether straight lines stay straight: no distortion, or all its coefficients zero."""
        return self.distortion_model != 'equidistant' and not any(self.distortion)

    @cached_property
    def lens(self) -> Lens:
        """What maps directions to the normalised image plane."""
        return make_lens(self.distortion_model, self.distortion)

    @property
    def max_angle(self) -> float:
        """The largest angle off the optical axis, rad, that the model describes."""
        return self.lens.max_angle

    @cached_property
    def field_of_view(self) -> tuple[float, float]:
        """Horizontal and vertical angle, rad, between the rays of the image's opposite edges."""
        right, bottom = self.width - 0.5, self.height - 0.5
        edges = np.array([[-0.5, self.cy], [right, self.cy], [self.cx, -0.5], [self.cx, bottom]])
        rays = self.rays(edges)
        # Signed, so that a principal point outside the image is no surprise.
        across = np.arctan2(rays[:2, 0], rays[:2, 2])
        down = np.arctan2(rays[2:, 1], rays[2:, 2])
        return float(across[1] - across[0]), float(down[1] - down[0])

    def rays(self, pixels: ArrayLike) -> Array:
        """Return the unit rays (N,3) that pixels (N,2) see.

        Pixels beyond the lens's range have no ray; they get the one at the rim of the range.
        `rays_and_validity` tells which. Raises ValueError for a wrong shape or NaN.
        """
        return self.rays_and_validity(pixels)[0]

    def rays_and_validity(self, pixels: ArrayLike) -> tuple[Array, np.ndarray]:
        """Return the unit rays (N,3) of pixels (N,2), and whether each pixel has one (N,)."""
        points = _rows(pixels, 2, 'pixels')
        y = (points[:, 1] - self.cy) / self.fy
        x = (points[:, 0] - self.cx - self.skew * y) / self.fx
        return self.lens.unproject(np.column_stack([x, y]))

    def pixels(self, rays: ArrayLike) -> tuple[Array, np.ndarray]:
        """Return where rays (N,3), of any length, are seen: pixels (N,2) and valid (N,).

        Rays out of the lens's range are not valid; their pixels, always finite, are those at the
        rim of the range. A valid pixel may still lie outside the image: see `contains`.
        """
        x, y, valid = self.lens.project(_rows(rays, 3, 'rays'))
        return np.column_stack(self.to_pixels(x, y)), valid

    def to_pixels(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Apply the camera matrix to points of the normalised plane, arrays of any module."""
        return self.fx * x + self.skew * y + self.cx, self.fy * y + self.cy

    def contains(self, pixels: Array) -> np.ndarray:
        """Tell which pixels (N,2) lie on the image, its border pixels' outer halves included."""
        u, v = pixels[..., 0], pixels[..., 1]
        inside: np.ndarray = (u >= -0.5) & (u <= self.width - 0.5)
        inside &= (v >= -0.5) & (v <= self.height - 0.5)
        return inside

    def scaled_to(self, width: int, height: int) -> CameraModel:
        """Return the same camera for its image resized to `width` x `height` pixels.

        Raises CameraModelError where the aspect ratio differs by more than rounding to whole
        pixels explains: then the image was cropped, and nobody knows where.
        """
        if (width, height) == (self.width, self.height):
            return self
        if width <= 0 or height <= 0:
            raise CameraModelError(f'image size must be positive, got {width}x{height}')
        sx, sy = width / self.width, height / self.height
        if min(abs(height - self.height * sx), abs(width - self.width * sy)) >= 1:
            raise CameraModelError(
                f'the image is {width}x{height} but its camera is described for '
                f'{self.width}x{self.height}, another aspect ratio: publish the CameraInfo of '
                'this image, with its region of interest set where it is a part of the sensor'
            )
        return self.resampled(sx, sy, width, height)

    def resampled(
        self, sx: float, sy: float, width: int, height: int, x0: float = 0.0, y0: float = 0.0
    ) -> CameraModel:
        """Return the camera of the part from pixel `x0`, `y0` on, scaled by `sx`, `sy`.

        Pixels' areas are scaled, so that centres move: u' = (u - x0 + 1/2) sx - 1/2.
        """
        return replace(
            self, width=width, height=height,
            fx=self.fx * sx, fy=self.fy * sy, skew=self.skew * sx,
            cx=(self.cx - x0 + 0.5) * sx - 0.5, cy=(self.cy - y0 + 0.5) * sy - 0.5,
        )  # fmt: skip


def _rows(values: ArrayLike, columns: int, name: str) -> Array:
    """Return values as finite float64 (N, columns), or raise ValueError."""
    array = np.asarray(values, np.float64)
    if array.ndim != 2 or array.shape[1] != columns:
        raise ValueError(f'{name}: expected shape (N, {columns}), got {array.shape}')
    if not np.isfinite(array).all():
        raise ValueError(f'{name}: expected finite numbers, got NaN or infinity')
    return array
