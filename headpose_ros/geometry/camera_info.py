# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Readers of camera descriptions: CameraInfo messages, calibration files, bare matrices."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.distortion import without_padding
from headpose_ros.geometry.errors import CameraModelError
from headpose_ros.typing import Array


def camera_from_matrix(
    K: ArrayLike,
    width: int,
    height: int,
    distortion_model: str = '',
    d: Sequence[float] | ArrayLike = (),
) -> CameraModel:
    """See `CameraModel.from_matrix`."""
    k = _numbers(K, 'K', (9,))
    _check_matrix(k.reshape(3, 3), 'K')
    distortion = without_padding(distortion_model, _numbers(d, 'D').tolist())
    fx, skew, cx, _, fy, cy = k[:6].tolist()
    return CameraModel(int(width), int(height), fx, fy, cx, cy, skew, distortion_model, distortion)


def camera_from_info(info: Any, rectified: bool) -> CameraModel:
    """See `CameraModel.from_camera_info`."""
    width, height = int(info.width), int(info.height)
    if rectified:
        p = _numbers(_field(info, 'p'), 'P', (12,)).reshape(3, 4)
        _check_matrix(p[:, :3], 'P')
        full = camera_from_matrix(p[:, :3], width, height)
    else:
        model = str(info.distortion_model)
        full = camera_from_matrix(_field(info, 'k'), width, height, model, _field(info, 'd'))
    return _part_of_sensor(full, info)


def _part_of_sensor(full: CameraModel, info: Any) -> CameraModel:
    """Apply the region of interest, given in unbinned pixels, and then the binning (REP-104)."""
    bin_x, bin_y = (max(1, int(getattr(info, name, 0))) for name in ('binning_x', 'binning_y'))
    roi = getattr(info, 'roi', None)
    x0, y0, width, height = (
        int(getattr(roi, name, 0)) for name in ('x_offset', 'y_offset', 'width', 'height')
    )
    if width == 0 and height == 0:  # the whole sensor
        x0, y0, width, height = 0, 0, full.width, full.height
    fits = x0 >= 0 and y0 >= 0 and x0 + width <= full.width and y0 + height <= full.height
    if not fits or width <= 0 or height <= 0:
        raise CameraModelError(
            f'roi: {width}x{height} at ({x0}, {y0}) is no part of the {full.width}x{full.height} '
            'image; it is given in full-resolution pixels (REP-104)'
        )
    width, height = width // bin_x, height // bin_y
    if width == 0 or height == 0:
        raise CameraModelError(f'binning: {bin_x}x{bin_y} leaves nothing of the image')
    return full.resampled(1 / bin_x, 1 / bin_y, width, height, x0, y0)


def camera_from_yaml(path: str | PathLike[str], rectified: bool) -> CameraModel:
    """See `CameraModel.from_yaml`."""
    import yaml

    with open(path, encoding='utf-8') as file:
        try:
            content = yaml.safe_load(file)
        except yaml.YAMLError as error:
            raise CameraModelError(f'{path}: not a YAML file: {error}') from error
    try:
        width, height = int(content['image_width']), int(content['image_height'])
        if rectified:
            p = _numbers(content['projection_matrix']['data'], 'projection_matrix', (12,))
            return camera_from_matrix(p.reshape(3, 4)[:, :3], width, height)
        d = content.get('distortion_coefficients', {'data': ()})['data']
        model = str(content.get('distortion_model') or '')
        return camera_from_matrix(content['camera_matrix']['data'], width, height, model, d)
    except CameraModelError as error:
        raise CameraModelError(f'{path}: {error}') from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CameraModelError(
            f'{path}: expected the fields of camera_calibration (image_width, image_height, '
            f'camera_matrix.data, distortion_model, distortion_coefficients.data): {error!r}'
        ) from error


def _field(info: Any, name: str) -> Any:
    """Return a field that is lower case in ROS 2 and upper case in ROS 1."""
    return getattr(info, name) if hasattr(info, name) else getattr(info, name.upper())


def _numbers(values: Any, name: str, shape: tuple[int, ...] | None = None) -> Array:
    """Return values as flat float64, checked for length and NaN."""
    try:
        array = np.asarray(values, np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise CameraModelError(f'{name}: expected numbers, got {values!r}') from error
    if shape is not None and array.shape != shape:
        raise CameraModelError(f'{name}: expected {shape[0]} numbers, got {array.size}')
    if not np.isfinite(array).all():
        raise CameraModelError(f'{name}: expected finite numbers, got {array.tolist()}')
    return array


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
