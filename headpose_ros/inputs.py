# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of what the pipeline is given: one clear error for each thing that is wrong."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.typing import Array, Image

REDUCTIONS = (1, 2, 4, 8)
"""By how much decoders of JPEG reduce an image."""

_CHANNELS: dict[str, int | None] = {
    'bgr': None,
    'rgb': cv2.COLOR_RGB2BGR,
    'grey': cv2.COLOR_GRAY2BGR,
}


class Picture(NamedTuple):
    """An image (H,W,3), uint8 BGR, that was checked.

    `camera`: in whose pixels results are; `seen_by`: that of the image as it is, which may be
    reduced. `depth`: metres (h,w), or None.
    """

    image: Image
    camera: CameraModel
    seen_by: CameraModel
    depth: NDArray[np.floating] | None


def checked_picture(
    image: Any, camera: Any, depth: Any = None, reduction: Any = 1, channels: Any = 'bgr'
) -> Picture:
    """Return what `HeadPosePipeline.process` was given as a `Picture`.

    Raises TypeError or ValueError, which say what came and what was expected.
    """
    _check_image(image, channels)
    camera = checked_camera(camera)
    _check_depth(depth)
    if isinstance(reduction, bool) or not isinstance(reduction, Integral):
        raise TypeError(f'reduction: expected 1, 2, 4 or 8, got {reduction!r}')
    if reduction not in REDUCTIONS:
        raise ValueError(f'reduction: expected 1, 2, 4 or 8, got {reduction}')
    cameras = _cameras(image, camera, int(reduction))
    convert = _CHANNELS[channels]
    bgr = image if convert is None else np.asarray(cv2.cvtColor(image, convert), np.uint8)
    return Picture(bgr, *cameras, depth)


def checked_pictures(images: Any, cameras: Any, channels: Any = 'bgr') -> list[Picture]:
    """Return what `HeadPosePipeline.process_batch` was given. Raises TypeError or ValueError."""
    images = _listed('images', images, 'images')
    if isinstance(cameras, CameraModel):
        cameras = [cameras] * len(images)
    cameras = _listed('cameras', cameras, 'CameraModels, or one for all')
    if len(cameras) != len(images):
        raise ValueError(f'cameras: expected {len(images)}, one an image, got {len(cameras)}')
    return [
        checked_picture(image, camera, channels=channels)
        for image, camera in zip(images, cameras, strict=True)
    ]


def checked_camera(camera: Any) -> CameraModel:
    """Return `camera`. Raises TypeError where it is no CameraModel."""
    if not isinstance(camera, CameraModel):
        raise TypeError(
            f'camera: expected a CameraModel, got {_kind(camera)}; build one with '
            'CameraModel.from_fov, .from_yaml, .from_matrix or .from_camera_info'
        )
    return camera


def checked_rotation(rotation: Any) -> Array | None:
    """Return a rotation as a matrix (3,3), or None. Raises TypeError or ValueError."""
    if rotation is None:
        return None
    name = 'rotation_fixed_from_camera'
    try:
        matrix = np.asarray(rotation, np.float64)
    except (TypeError, ValueError):
        raise TypeError(f'{name}: expected an array (3,3), got {_kind(rotation)}') from None
    if matrix.shape != (3, 3):
        raise ValueError(f'{name}: expected shape (3,3), got {matrix.shape}')
    if not np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-3) or np.linalg.det(matrix) < 0:
        raise ValueError(f'{name}: expected a rotation matrix, got {matrix.tolist()}')
    return matrix


def checked_stamp(stamp: Any) -> float | None:
    """Return `stamp` as float seconds, or None. Raises TypeError or ValueError."""
    if stamp is None:
        return None
    if isinstance(stamp, (bool, np.bool_)) or not isinstance(stamp, Real):
        raise TypeError(f'stamp: expected seconds as a number, or None, got {stamp!r}')
    try:
        seconds = float(stamp)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds):
        raise ValueError(f'stamp: expected finite seconds, got {seconds!r}')
    return seconds


def _check_image(image: Any, channels: Any) -> None:
    if not isinstance(channels, str) or channels not in _CHANNELS:
        raise ValueError(f'channels: expected {", ".join(_CHANNELS)}, got {channels!r}')
    shape = '(H,W)' if channels == 'grey' else '(H,W,3)'
    if not isinstance(image, np.ndarray):
        hint = '; could its file not be read?' if image is None else ''
        raise TypeError(f'image: expected a uint8 array {shape}, got {_kind(image)}{hint}')
    if image.dtype != np.uint8:
        raise ValueError(f'image: expected a uint8 array {shape}, got {image.dtype}')
    fits = image.ndim == 2 if channels == 'grey' else image.ndim == 3 and image.shape[2] == 3
    if not fits or image.size == 0:
        grey = image.ndim == 2 and image.size > 0
        hint = "; a grey image needs channels='grey'" if grey else ''
        raise ValueError(f'image: expected shape {shape}, not empty, got {image.shape}{hint}')


def _check_depth(depth: Any) -> None:
    if depth is None:
        return
    wanted = 'depth: expected float metres (H,W), not empty'
    if not isinstance(depth, np.ndarray):
        raise TypeError(f'{wanted}, got {_kind(depth)}')
    if depth.ndim != 2 or depth.size == 0 or depth.dtype.kind != 'f':
        raise ValueError(f'{wanted}, got {depth.dtype} {depth.shape}')


def _cameras(image: Image, camera: CameraModel, reduction: int) -> tuple[CameraModel, CameraModel]:
    """Return the camera in whose pixels results are, and that of the image as it is."""
    height, width = image.shape[:2]
    if reduction == 1:
        camera = camera.scaled_to(width, height)
        return camera, camera
    if (width, height) != (-(-camera.width // reduction), -(-camera.height // reduction)):
        raise ValueError(
            f'image: {width}x{height} is not {camera.width}x{camera.height} over {reduction}'
        )
    return camera, camera.resampled(1 / reduction, 1 / reduction, width, height)


def _listed(name: str, values: Any, what: str) -> list[Any]:
    try:
        return list(values)
    except TypeError:
        raise TypeError(f'{name}: expected a sequence of {what}, got {_kind(values)}') from None


def _kind(value: Any) -> str:
    return type(value).__name__
