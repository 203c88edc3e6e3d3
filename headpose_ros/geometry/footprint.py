# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which part of an image crops show, and how much they shrink it, from a coarse grid of each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.virtual_camera import VirtualCameras
from headpose_ros.heads import Array

_CELLS = 16
_FRONT = math.radians(88.0)
_SHARP_ENOUGH = 1.25  # image pixels a sample, up to which bilinear sampling shows no aliasing


@dataclass(frozen=True, eq=False)
class Footprints:
    """What N crops cover in the image.

    `boxes` (N,4): x0, y0, x1, y1, pixels; may reach beyond the image. `shrink` (N,2): least and
    most image pixels for a pixel of the crop, in any direction anywhere in the crop. `inside`
    (N,): fraction of the crop that lies in the image, to about 1/32. `in_front` (N,): whether
    all of the crop is within the lens's range and clearly in front of the camera.
    """

    boxes: Array
    shrink: Array
    inside: Array
    in_front: NDArray[np.bool_]

    @staticmethod
    def of(cameras: VirtualCameras, camera: CameraModel) -> Footprints:
        """Measure the footprints of `cameras` in the image of `camera`."""
        count = len(cameras)
        lines = np.linspace(-0.5, cameras.size_px - 0.5, _CELLS + 1)
        pixels, valid = cameras.image_pixels(camera, lines, lines)
        flat = pixels.reshape(count, -1, 2)
        boxes = np.hstack([flat.min(axis=1), flat.max(axis=1)])
        off_axis = camera.off_axis_angles(cameras.rotation_virtual_from_camera[:, 2])
        corner = np.arctan(math.sqrt(2) * np.tan(cameras.angles / 2))
        return Footprints(
            boxes,
            _shrink(pixels * (_CELLS / cameras.size_px)),
            _fraction(valid & camera.contains(pixels)),
            valid.all(axis=(1, 2)) & (off_axis + corner < _FRONT),
        )

    def reduction(self, i: int) -> tuple[int, int]:
        """Return for crop `i` by how much to average the image, and then samples a crop pixel."""
        least, most = self.shrink[i].tolist()
        block = max(1, int(least))
        rest = most / block
        return block, 1 if rest <= _SHARP_ENOUGH else math.ceil(rest)


def _shrink(pixels: Array) -> Array:
    """Return the least and the most stretch (N,2) of grids of pixels (N,R,C,2)."""
    a, c = np.moveaxis(pixels[:, :-1, 1:] - pixels[:, :-1, :-1], -1, 0)
    b, d = np.moveaxis(pixels[:, 1:, :-1] - pixels[:, :-1, :-1], -1, 0)
    # Singular values of [[a, b], [c, d]].
    together, apart = np.hypot(a + d, c - b), np.hypot(a - d, b + c)
    least, most = np.abs(together - apart) / 2, (together + apart) / 2
    return np.column_stack([least.min(axis=(1, 2)), most.max(axis=(1, 2))])


def _fraction(inside: NDArray[np.bool_]) -> Array:
    """Return how much (N,) of each grid (N,R,C) is true; points on its edge count half."""
    weights = np.ones(_CELLS + 1)
    weights[[0, -1]] = 0.5
    fraction: Array = (inside @ weights) @ weights / _CELLS**2
    return fraction
