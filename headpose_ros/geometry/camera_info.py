# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Readers of camera descriptions: CameraInfo messages, calibration files, bare matrices.

They give plain numbers, checked for form; `camera.CameraModel` is made of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.geometry.checks import whole_number
from headpose_ros.geometry.distortion import without_padding
from headpose_ros.geometry.errors import CameraModelError
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


def intrinsics_from_matrix(
    K: ArrayLike,
    width: int,
    height: int,
    distortion_model: str = '',
    d: Sequence[float] | ArrayLike = (),
    name: str = 'K',
) -> Intrinsics:
    """Return the numbers of a camera matrix K, (3,3) or 9 in rows, and D; `name` is K's."""
    k = _numbers(K, name, 9)
    _check_matrix(k.reshape(3, 3), name)
    distortion = without_padding(distortion_model, _numbers(d, 'D').tolist())
    fx, skew, cx, _, fy, cy = k[:6].tolist()
    return Intrinsics(width, height, fx, fy, cx, cy, skew, distortion_model, distortion)


def read_camera_info(info: Any, rectified: bool) -> Intrinsics:
    """Return the numbers of the whole sensor; `rectified`: of P, otherwise of K and D."""
    width, height = (whole_number(_field(info, name), name) for name in ('width', 'height'))
    if rectified:
        return _from_projection(_field(info, 'p'), width, height)
    model = str(_field(info, 'distortion_model'))
    return intrinsics_from_matrix(_field(info, 'k'), width, height, model, _field(info, 'd'))


def read_sensor_part(info: Any, full_width: int, full_height: int) -> SensorPart:
    """Return the region of interest, given in unbinned pixels, and the binning (REP-104)."""
    bin_x, bin_y = (
        max(1, whole_number(getattr(info, name, 0), name)) for name in ('binning_x', 'binning_y')
    )
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


def read_camera_yaml(path: str | PathLike[str], rectified: bool) -> Intrinsics:
    """Return the numbers in a file of camera_calibration. Raises OSError as `open` does."""
    import yaml

    try:
        with open(path, encoding='utf-8') as file:
            content = yaml.safe_load(file)
    except UnicodeDecodeError as error:
        raise CameraModelError(
            f'{path}: not a text file; expected YAML as camera_calibration writes it'
        ) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = 'nested too deeply' if isinstance(error, RecursionError) else error
        raise CameraModelError(f'{path}: not a YAML file: {reason}') from error
    try:
        return _from_yaml(content, rectified)
    except CameraModelError as error:
        raise CameraModelError(f'{path}: {error}') from error


def _from_yaml(content: Any, rectified: bool) -> Intrinsics:
    if not isinstance(content, Mapping):
        kind = 'nothing' if content is None else f'{type(content).__name__} {_short(content)}'
        raise CameraModelError(
            'expected the fields of camera_calibration (image_width, image_height, '
            'camera_matrix.data, distortion_model, distortion_coefficients.data), '
            f'found {kind}'
        )
    width = whole_number(_entry(content, 'image_width'), 'image_width')
    height = whole_number(_entry(content, 'image_height'), 'image_height')
    if rectified:
        matrix = _entry(content, 'projection_matrix', 'data')
        return _from_projection(matrix, width, height, 'projection_matrix')
    d = _entry(content, 'distortion_coefficients', 'data', missing=())
    model = str(content.get('distortion_model') or '')
    matrix = _entry(content, 'camera_matrix', 'data')
    return intrinsics_from_matrix(matrix, width, height, model, d, 'camera_matrix')


def _entry(content: Mapping[Any, Any], name: str, inner: str = '', missing: Any = None) -> Any:
    """Return `content[name]`, or `content[name][inner]`; where it is not there, `missing`."""
    found = content.get(name)
    if inner and isinstance(found, Mapping):
        found = found.get(inner)
    elif inner and found is not None:
        raise CameraModelError(f'{name}: expected a mapping with {inner!r}, got {_short(found)}')
    if found is None and missing is None:
        raise CameraModelError(
            f'{name}{"." * bool(inner)}{inner} is missing: expected the fields of '
            'camera_calibration (image_width, image_height, camera_matrix.data, '
            'distortion_model, distortion_coefficients.data)'
        )
    return missing if found is None else found


def _from_projection(p: ArrayLike, width: int, height: int, name: str = 'P') -> Intrinsics:
    matrix = _numbers(p, name, 12).reshape(3, 4)[:, :3]
    return intrinsics_from_matrix(matrix, width, height, name=name)


def _field(info: Any, name: str) -> Any:
    """Return a field that is lower case in ROS 2 and, where it is one letter, upper in ROS 1."""
    for spelling in (name, name.upper()):
        if hasattr(info, spelling):
            return getattr(info, spelling)
    raise CameraModelError(
        f'expected a sensor_msgs/CameraInfo, got {_short(info)} without the field {name!r}'
    )


def _numbers(values: Any, name: str, count: int | None = None) -> Array:
    """Return values as flat float64, checked for their number and for NaN."""
    try:
        array = np.asarray(values, np.float64).ravel()
    except (TypeError, ValueError, OverflowError) as error:
        raise CameraModelError(f'{name}: expected numbers, got {_short(values)}') from error
    if count is not None and array.size != count:
        raise CameraModelError(f'{name}: expected {count} numbers, got {array.size}')
    if not np.isfinite(array).all():
        raise CameraModelError(f'{name}: expected finite numbers, got {array.tolist()}')
    return array


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f'{text[:57]}...'


def _check_matrix(K: Array, name: str) -> None:
    if not K.any():
        raise CameraModelError(
            f'{name} is all zero: the camera is uncalibrated (REP-104). Calibrate it, or give '
            'its horizontal field of view instead'
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
