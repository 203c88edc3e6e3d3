# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cameras as sensor_msgs/CameraInfo describes them: pixels to rays and back."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.geometry.calibration_file import read_calibration
from headpose_ros.geometry.camera_doubts import Remark, Sight, Tell, doubts, grid, require_possible
from headpose_ros.geometry.camera_info import (
    Fields,
    Intrinsics,
    Reading,
    camera_info_fields,
    full_size,
    intrinsics_from_fields,
    intrinsics_from_matrix,
    read_sensor_part,
)
from headpose_ros.geometry.checks import finite_number, rows, whole_number
from headpose_ros.geometry.distortion import FlatLens, Lens, check_distortion, make_lens
from headpose_ros.geometry.errors import CameraModelError, CameraModelWarning
from headpose_ros.typing import Array

FovModel = Literal['pinhole', 'equidistant', 'equirectangular']
_WIDEST_FOV = {
    'pinhole': (
        math.nextafter(math.pi, 0.0),
        "between 0 and pi (lenses of 180 degrees or more: model='equidistant')",
    ),
    'equidistant': (2 * math.pi, 'between 0 and 2 pi'),
    'equirectangular': (2 * math.pi, 'between 0 and 2 pi'),
}


def _warn(remark: Remark) -> None:
    """Warn at the line that called this module."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_code.co_filename == __file__:
        frame, level = frame.f_back, level + 1
    warnings.warn(remark.text, CameraModelWarning, stacklevel=level)


@dataclass(frozen=True)
class CameraModel:
    """One camera at one resolution; compares and hashes by value, so that caches can key on it.

    `width`, `height`: of the image, pixels. `fx`, `fy`, `cx`, `cy`, `skew`: pixels; a pixel's
    centre has integer coordinates. `distortion_model`: one of `distortion.MODELS`; `distortion`:
    its coefficients in the order of CameraInfo's D. Build it with one of the `from_...`; all of
    them raise `CameraModelError` (a ValueError) where the numbers make no camera, and those that
    read a calibration call `tell` with each `Remark`: what was understood otherwise than it says,
    and what is doubtful; by default they are warnings (`CameraModelWarning`).
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
        for name in ('width', 'height'):
            object.__setattr__(self, name, whole_number(getattr(self, name), name))
        if self.width <= 0 or self.height <= 0:
            raise CameraModelError(f'image size must be positive, got {self.width}x{self.height}')
        for name in ('fx', 'fy', 'cx', 'cy', 'skew'):
            object.__setattr__(self, name, finite_number(getattr(self, name), name))
        if self.fx <= 0 or self.fy <= 0:
            raise CameraModelError(
                f'focal lengths must be positive, got fx = {self.fx}, fy = {self.fy}: '
                'is the camera calibrated?'
            )
        distortion = check_distortion(self.distortion_model, self.distortion)
        object.__setattr__(self, 'distortion', distortion)

    @staticmethod
    def from_matrix(
        K: ArrayLike,
        width: int,
        height: int,
        distortion_model: str = '',
        d: Sequence[float] | ArrayLike = (),
        tell: Tell | None = _warn,
    ) -> CameraModel:
        """Build it from a camera matrix, (3,3) or 9 numbers in rows, and D as in CameraInfo.

        `tell`: None: nothing is told, which saves the time to look for it.
        """
        reading = intrinsics_from_matrix(K, width, height, distortion_model, d)
        camera = CameraModel._read(reading, tell)
        return camera._doubted(camera, tell)

    @staticmethod
    def from_fov(width: int, height: int, hfov: float, model: FovModel = 'pinhole') -> CameraModel:
        """Build an ideal camera with square pixels that spans `hfov` rad from edge to edge.

        `model`: 'pinhole', below pi rad; 'equidistant', a fisheye whose radius in the image is
        proportional to the angle off axis, to 2 pi; 'equirectangular', a panorama whose columns
        are longitudes and whose rows are latitudes, to 2 pi. The optical axis is the middle of
        the image.
        """
        width, height = whole_number(width, 'width'), whole_number(height, 'height')
        if model not in _WIDEST_FOV:
            known = ', '.join(map(repr, _WIDEST_FOV))
            raise CameraModelError(f'model: expected one of {known}, got {model!r}')
        widest, text = _WIDEST_FOV[model]
        if not 0 < finite_number(hfov, 'hfov') <= widest:
            raise CameraModelError(
                f'hfov: expected {text} rad where the model is {model!r}, got {hfov}; give '
                'degrees as math.radians(...)'
            )
        focal = width / 2 / math.tan(hfov / 2) if model == 'pinhole' else width / hfov
        centre = ((width - 1) / 2, (height - 1) / 2)
        lens = '' if model == 'pinhole' else model
        return CameraModel(width, height, focal, focal, *centre, distortion_model=lens)

    @staticmethod
    def from_camera_info(
        info: Any,
        rectified: bool = False,
        image_size: tuple[int, int] | None = None,
        tell: Tell | None = _warn,
    ) -> CameraModel:
        """Build it from a sensor_msgs/CameraInfo, or any object with its fields.

        Binning and region of interest are applied: the camera is that of the image as published
        (REP-104). Raw images use K and D; `rectified` ones P and no D. `image_size`: width and
        height of the image, which are taken where CameraInfo says none. `tell`: None: nothing is
        told, which saves a millisecond.
        """
        return CameraModel._from_fields(camera_info_fields(info), rectified, image_size, tell)

    @staticmethod
    def from_yaml(
        path: str | PathLike[str],
        rectified: bool = False,
        image_size: tuple[int, int] | None = None,
        tell: Tell = _warn,
    ) -> CameraModel:
        """Build it from a calibration file; `calibration_file.py` lists whose, and the encodings.

        Raises OSError where the file cannot be read; every error and remark names the file.
        """

        def name_file(remark: Remark) -> None:
            tell(remark._replace(text=f'{path}: {remark.text}'))

        try:
            fields = read_calibration(path)
            return CameraModel._from_fields(fields, rectified, image_size, name_file)
        except CameraModelError as error:
            raise CameraModelError(f'{path}: {error}') from error

    @staticmethod
    def _from_fields(
        fields: Fields, rectified: bool, image_size: tuple[int, int] | None, tell: Tell | None
    ) -> CameraModel:
        if image_size is not None and 0 in (fields.width, fields.height):
            image_size = full_size(fields.region, *image_size)
        full = CameraModel._read(intrinsics_from_fields(fields, rectified, image_size), tell)
        part = read_sensor_part(fields.region, full.width, full.height)
        size = (part.width // part.bin_x, part.height // part.bin_y)
        camera = full.resampled(1 / part.bin_x, 1 / part.bin_y, *size, part.x0, part.y0)
        return camera._doubted(full, tell)

    @staticmethod
    def _read(reading: Reading, tell: Tell | None) -> CameraModel:
        camera = CameraModel(*reading.intrinsics)
        require_possible(camera.intrinsics)
        if tell is not None:
            for note in reading.notes:
                tell(Remark(note, is_doubt=False))
        return camera

    def _doubted(self, full: CameraModel, tell: Tell | None) -> CameraModel:
        """Tell what is doubtful about this camera, a part of the sensor `full`; return it."""
        if tell is not None:
            with np.errstate(all='ignore'):  # of coefficients beyond all measure
                rays, valid = self.rays_and_validity(grid(self.width, self.height))
                sight = Sight(max(full.field_of_view), self.max_angle, rays, valid)
                told = doubts(full.intrinsics, sight)
            for text in told:
                tell(Remark(text, is_doubt=True))
        return self

    @property
    def intrinsics(self) -> Intrinsics:
        """The numbers it is made of."""
        return Intrinsics(*(getattr(self, name) for name in Intrinsics._fields))

    @cached_property
    def matrix(self) -> Array:
        """The camera matrix K (3,3); read-only."""
        K = np.array([[self.fx, self.skew, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])
        K.setflags(write=False)
        return K

    @cached_property
    def is_pinhole(self) -> bool:
        """Whether straight lines stay straight: no distortion, or all its coefficients zero."""
        return isinstance(self.lens, FlatLens)

    @cached_property
    def wraps(self) -> bool:
        """Whether the image's left edge continues its right one: a panorama of 360 degrees."""
        full_turn = abs(2 * math.pi * self.fx - self.width) < 1
        return self.distortion_model == 'equirectangular' and full_turn and not self.skew

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
        points = rows(pixels, 2, 'pixels')
        y = (points[:, 1] - self.cy) / self.fy
        x = (points[:, 0] - self.cx - self.skew * y) / self.fx
        return self.lens.unproject(np.column_stack([x, y]))

    def pixels(self, rays: ArrayLike) -> tuple[Array, np.ndarray]:
        """Return where rays (N,3), of any length, are seen: pixels (N,2) and valid (N,).

        Rays out of the lens's range are not valid; their pixels, always finite, are those at the
        rim of the range. A valid pixel may still lie outside the image: see `contains`.
        """
        x, y, valid = self.lens.project(rows(rays, 3, 'rays'))
        u, v = self.to_pixels(x, y)
        return np.column_stack([self.unwrapped(u, (self.width - 1) / 2), v]), valid

    def to_pixels(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Apply the camera matrix to points of the normalised plane, arrays of any module."""
        return self.fx * x + self.skew * y + self.cx, self.fy * y + self.cy

    def unwrapped(self, columns: Array, about: ArrayLike) -> Array:
        """Return columns as they are, or, in an image that `wraps`, as continued from `about`.

        Then whole turns are added so that they lie within half a turn of the columns `about`, of
        a shape that broadcasts; they may be out of the image.
        """
        if not self.wraps:
            return columns
        half = self.width / 2
        near = np.asarray(about, np.float64) - half
        continued: Array = near + (columns - near) % self.width
        return continued

    def contains(self, pixels: Array) -> np.ndarray:
        """Tell which pixels (N,2) lie on the image, its border pixels' outer halves included.

        Of a panorama that `wraps`, columns beyond an edge are those that come round.
        """
        u, v = pixels[..., 0], pixels[..., 1]
        inside: np.ndarray = (v >= -0.5) & (v <= self.height - 0.5)
        return inside if self.wraps else inside & (u >= -0.5) & (u <= self.width - 0.5)

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
