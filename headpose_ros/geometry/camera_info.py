# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Readers of CameraInfo messages and bare matrices; files are in `calibration_file.py`.

They give plain numbers, checked for form; `camera.CameraModel` is made of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.geometry.checks import numbers, short, whole_number
from headpose_ros.geometry.errors import CameraModelError
from headpose_ros.geometry.lens_names import known_model
from headpose_ros.typing import Array


class Intrinsics(NamedTuple):
    """The numbers of one camera, in the order and units of `camera.CameraModel`."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    skew: float = 0.0
    distortion_model: str = ''
    distortion: tuple[float, ...] = ()


class SensorPart(NamedTuple):
    """Which part of the sensor an image shows, in unbinned pixels, and how it was binned."""

    x0: int
    y0: int
    width: int
    height: int
    bin_x: int
    bin_y: int


class Fields(NamedTuple):
    """What a message or a file says of a camera, by the names of CameraInfo.

    `k`: 9 numbers, or () where there are none; `p`: 12, likewise. `names`: what K and P are called
    there. Sizes are 0 where they are not said. `notes`: what to tell of how it was understood.
    `region`: an object with `roi`, `binning_x` and `binning_y` as CameraInfo has them, or None.
    """

    width: int
    height: int
    distortion_model: str
    d: Any
    k: Any
    p: Any = ()
    names: tuple[str, str] = ('K', 'P')
    notes: tuple[str, ...] = ()
    region: Any = None


class Reading(NamedTuple):
    """The numbers of a camera, and what to tell of how they were understood."""

    intrinsics: Intrinsics
    notes: tuple[str, ...]


def intrinsics_from_matrix(
    K: ArrayLike,
    width: int,
    height: int,
    distortion_model: str = '',
    d: Sequence[float] | ArrayLike = (),
    name: str = 'K',
) -> Reading:
    """Return the numbers of a camera matrix K, (3,3) or 9 in rows, and D; `name` is K's."""
    k = numbers(K, name, 9)
    _check_matrix(k.reshape(3, 3), name)
    model = known_model(str(distortion_model), numbers(d, 'D').tolist())
    fx, skew, cx, _, fy, cy = k[:6].tolist()
    lens = (model.name, model.coefficients)
    intrinsics = Intrinsics(width, height, fx, fy, cx, cy, skew, *lens)
    return Reading(intrinsics, (model.note,) if model.note else ())


def intrinsics_from_fields(
    fields: Fields, rectified: bool, image_size: tuple[int, int] | None
) -> Reading:
    """Return the numbers of the whole sensor; `rectified`: of P, otherwise of K and D.

    Where the one is all zero, the other serves if it can. `image_size`: taken where no size is
    said. Raises CameraModelError, with the cure, where the numbers make no camera.
    """
    width, height, notes = _size(fields, image_size)
    name, matrix = _matrix(fields, rectified)
    flat = rectified
    if not _has_focal_length(matrix):
        other_name, other = _matrix(fields, not rectified)
        if _has_focal_length(other):
            if rectified:
                _require_no_distortion(fields)
            notes += (f'{name} is all zero or missing: {other_name} is taken in its place',)
            name, matrix, flat = other_name, other, True
    model, d = ('', ()) if flat else (fields.distortion_model, fields.d)
    reading = intrinsics_from_matrix(matrix, width, height, model, d, name)
    return Reading(reading.intrinsics, fields.notes + notes + reading.notes)


def _matrix(fields: Fields, rectified: bool) -> tuple[str, Array]:
    """Return the name and the numbers (9,) of P without its last column, or of K."""
    name = fields.names[rectified]
    values = fields.p if rectified else fields.k
    if len(values) == 0:
        return name, np.zeros(9)
    if not rectified:
        return name, numbers(values, name, 9)
    return name, numbers(values, name, 12).reshape(3, 4)[:, :3].ravel()


def _has_focal_length(matrix: Array) -> bool:
    return bool(matrix[0] != 0 or matrix[4] != 0)


def _require_no_distortion(fields: Fields) -> None:
    """Raise CameraModelError where raw and rectified images differ, so that K does not serve."""
    lens = known_model(fields.distortion_model, numbers(fields.d, 'D').tolist())
    if any(lens.coefficients) or lens.name in ('equidistant', 'equirectangular'):
        k_name, p_name = fields.names
        raise CameraModelError(
            f'{p_name} is all zero or missing, but rectified images need it; {k_name} and D are '
            'of the raw image: give that, and set rectified (of the node: rectified_input) to '
            'false'
        )


def _size(fields: Fields, image_size: tuple[int, int] | None) -> tuple[int, int, tuple[str, ...]]:
    """Return the size of the whole sensor, and what to tell where it is that of the image."""
    width, height = fields.width, fields.height
    if width < 0 or height < 0:
        raise CameraModelError(f'image size must be positive, got {width}x{height}')
    if width and height:
        return width, height, ()
    if image_size is None:
        raise CameraModelError(
            f'image size must be positive, got {width}x{height}; set width and height to those of '
            'the image that was calibrated'
        )
    note = f'width and height are {width}x{height}: those of the image are taken'
    return *image_size, (note,)


def camera_info_fields(info: Any) -> Fields:
    """Return the fields of a sensor_msgs/CameraInfo of ROS 2 or ROS 1."""
    width, height = (whole_number(_field(info, name), name) for name in ('width', 'height'))
    return Fields(
        width,
        height,
        str(_field(info, 'distortion_model')),
        _field(info, 'd'),
        _field(info, 'k'),
        _field(info, 'p'),
        region=info,
    )


def full_size(info: Any, width: int, height: int) -> tuple[int, int]:
    """Return the size of the sensor whose image has this size, where CameraInfo says none."""
    roi = getattr(info, 'roi', None)
    if any(getattr(roi, name, 0) for name in ('x_offset', 'y_offset', 'width', 'height')):
        raise CameraModelError(
            'width and height are 0 but roi is set: set them to those of the whole sensor'
        )
    bin_x, bin_y = _binning(info)
    return width * bin_x, height * bin_y


def read_sensor_part(info: Any, full_width: int, full_height: int) -> SensorPart:
    """Return the region of interest, given in unbinned pixels, and the binning (REP-104)."""
    bin_x, bin_y = _binning(info)
    roi = getattr(info, 'roi', None)
    x0, y0, width, height = (
        whole_number(getattr(roi, name, 0), f'roi.{name}')
        for name in ('x_offset', 'y_offset', 'width', 'height')
    )
    if width == 0 and height == 0:  # the whole sensor
        x0, y0, width, height = 0, 0, full_width, full_height
    fits = x0 >= 0 and y0 >= 0 and x0 + width <= full_width and y0 + height <= full_height
    if not fits or width <= 0 or height <= 0:
        raise CameraModelError(
            f'roi: {width}x{height} at ({x0}, {y0}) is no part of the {full_width}x{full_height} '
            'image; it is given in full-resolution pixels (REP-104)'
        )
    if width < bin_x or height < bin_y:
        raise CameraModelError(f'binning: {bin_x}x{bin_y} leaves nothing of the image')
    return SensorPart(x0, y0, width, height, bin_x, bin_y)


def _binning(info: Any) -> tuple[int, int]:
    x, y = (whole_number(getattr(info, name, 0), name) for name in ('binning_x', 'binning_y'))
    return max(1, x), max(1, y)


def _field(info: Any, name: str) -> Any:
    """Return a field that is lower case in ROS 2 and, where it is one letter, upper in ROS 1."""
    for spelling in (name, name.upper()):
        if hasattr(info, spelling):
            return getattr(info, spelling)
    raise CameraModelError(
        f'expected a sensor_msgs/CameraInfo, got {short(info)} without the field {name!r}'
    )


def _check_matrix(K: Array, name: str) -> None:
    if not K.any():
        raise CameraModelError(
            f'{name} is all zero: the camera is uncalibrated (REP-104); calibrate it '
            '(camera_calibration) and let its driver load the file'
        )
    if K[0, 0] <= 0 or K[1, 1] <= 0:
        raise CameraModelError(
            f'{name}: focal lengths must be positive, got {K[0, 0]} and {K[1, 1]}: '
            'is the camera calibrated?'
        )
    if K[1, 0] != 0 or K[2, 0] != 0 or K[2, 1] != 0 or K[2, 2] != 1:
        raise CameraModelError(
            f'{name}: expected fx, 0, cx, 0, fy, cy, 0, 0, 1 in rows, got {K.ravel().tolist()}'
        )
