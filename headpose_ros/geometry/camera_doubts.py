# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cameras that cannot be, and cameras that hardly can: what the numbers of a calibration tell.

Wrong numbers make poses and distances that look right. What no lens can be is refused; what a
rare one could be is told.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry.camera_info import Intrinsics
from headpose_ros.geometry.errors import CameraModelError
from headpose_ros.geometry.rays import off_axis_angle
from headpose_ros.typing import Array

_LEAST_FOCAL = 0.02
"""Focal length, in sides of the image, that no lens is below: a flat image would span 175 deg."""
_NARROWEST, _WIDEST_FLAT = math.radians(3.0), math.radians(170.0)
_OFF_CENTRE = 0.25
"""How far from the middle, in sides of the image, a principal point is doubted."""
_MOST_BLIND = 0.005  # share of the image without a ray
_NARROW_FISHEYE = math.radians(80.0)
"""Beyond that angle, a fisheye's image may be black: then its model may end there."""
_LEAST_SEEING = 0.2
_GRID = (33, 25)
_UNITS = 1.5
"""Principal points below that are in sides of the image, not in pixels."""


class Remark(NamedTuple):
    """What to tell of a camera. `is_doubt`: its numbers may be wrong; otherwise all is well."""

    text: str
    is_doubt: bool


Tell = Callable[[Remark], object]
"""Called with each remark about a camera."""


class Sight(NamedTuple):
    """What a camera sees.

    `field_of_view`: rad, of the whole sensor, the larger of both ways. `max_angle`: see `Lens`.
    `rays` (N,3), `valid` (N,): of the pixels of `grid`.
    """

    field_of_view: float
    max_angle: float
    rays: Array
    valid: NDArray[np.bool_]


def grid(width: int, height: int) -> Array:
    """Return pixels (825,2) all over an image, each in the middle of an equal part of it."""
    (columns, rows) = _GRID
    u, v = (np.arange(columns) + 0.5) / columns * width, (np.arange(rows) + 0.5) / rows * height
    pixels: Array = np.stack(np.meshgrid(u, v), -1).reshape(-1, 2) - 0.5
    return pixels


def require_possible(camera: Intrinsics) -> None:
    """Raise CameraModelError where no lens has such a focal length; `camera`: whole sensor."""
    if camera.fx > _LEAST_FOCAL * camera.width or camera.fy > _LEAST_FOCAL * camera.height:
        return
    text = (
        f'focal lengths of {camera.fx:.4g} and {camera.fy:.4g} pixels cannot be those of an image '
        f'of {camera.width}x{camera.height}'
    )
    if max(camera.cx, camera.cy) < _UNITS:
        cure = (
            'they seem to be divided by its size: multiply fx and cx by its width, fy and cy by '
            'its height'
        )
    else:
        cure = 'are they in millimetres? They have to be in pixels'
    raise CameraModelError(f'{text}; {cure}')


def doubts(camera: Intrinsics, part: Sight) -> tuple[str, ...]:
    """Return what is doubtful about a camera, of the whole sensor, of which `part` is seen."""
    found = (_field_of_view(camera, part), _principal_point(camera), _blind(camera, part))
    return tuple(text for text in found if text)


def _field_of_view(camera: Intrinsics, part: Sight) -> str:
    angle = part.field_of_view
    if angle < _NARROWEST:
        return (
            f'the field of view is only {math.degrees(angle):.2g} degrees: distances will be '
            'far too long if the lens is no telescope; the focal length, '
            f'{camera.fx:.6g} x {camera.fy:.6g}, has to be in pixels of this image'
        )
    is_flat = not any(camera.distortion) and 'equi' not in camera.distortion_model
    if is_flat and angle > _WIDEST_FLAT:
        return (
            f'the field of view is {math.degrees(angle):.4g} degrees without distortion, more '
            'than a lens can have: the focal length has to be in pixels; a fisheye needs the '
            'model equidistant'
        )
    return ''


def _principal_point(camera: Intrinsics) -> str:
    if camera.distortion_model == 'equirectangular':
        return ''
    x, y = (camera.cx + 0.5) / camera.width, (camera.cy + 0.5) / camera.height
    if max(abs(x - 0.5), abs(y - 0.5)) <= _OFF_CENTRE:
        return ''
    outside = min(x, y) < 0 or max(x, y) > 1
    text = (
        f'the principal point ({camera.cx:.5g}, {camera.cy:.5g}) is '
        f'{"outside" if outside else "far from the middle of"} the image of '
        f'{camera.width}x{camera.height}'
    )
    if 0 <= camera.cx < _UNITS and 0 <= camera.cy < _UNITS:
        return f'{text}: cx and cy have to be in pixels, not divided by the image size'
    if x > 0 and y > 0 and 0.8 < x / y < 1.25:
        return (
            f'{text}: K seems to be that of images of about {2 * camera.cx + 1:.0f}x'
            f'{2 * camera.cy + 1:.0f}; calibrate at the size that is sent, or scale K'
        )
    return f'{text}: where the image is a part of the sensor, set roi; otherwise calibrate again'


def _blind(camera: Intrinsics, part: Sight) -> str:
    """Tell how much of the image the lens model does not describe, where that is a fault."""
    valid = part.valid
    share = 1.0 - float(valid.mean())
    least = _MOST_BLIND
    if camera.distortion_model == 'equidistant' and part.max_angle > _NARROW_FISHEYE:
        least = 1.0 - _LEAST_SEEING
    if share <= least:
        return ''
    widest = math.degrees(float(off_axis_angle(part.rays[valid]).max())) if valid.any() else 0.0
    return (
        f'the lens model ends {widest:.0f} degrees off the axis: {max(1, round(100 * share))} % '
        'of the image has no ray, and faces there are not found; calibrate again with the board '
        'near the edges and corners too, or with a model that fits the lens (a fisheye: '
        'equidistant)'
    )
