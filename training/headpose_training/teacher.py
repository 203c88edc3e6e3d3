# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A teacher: another estimator, asked many times about one face.

A network that is good on clean central crops still wavers with crop, roll and mirror. The mean
over such views is better than each, and their spread tells how far to trust it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from headpose_ros.estimation.estimator import Estimator
from headpose_ros.geometry.rotations import geodesic_distance, mean_rotation
from headpose_ros.typing import Array, Image

_MIRROR_CAMERA = np.diag([-1.0, 1.0, 1.0])
_MIRROR_FACE = np.diag([1.0, -1.0, 1.0])
_ZOOMS = (0.9, 0.98, 1.07)
_ROLLS_DEG = (0.0, -10.0, 10.0, 5.0)
_SHIFT = 0.05
_SMALL_ANGLE = 1e-3  # of the crops: their camera is unknown, shifts must turn nothing


@dataclass(frozen=True)
class Opinion:
    """`rotation` (3,3), camera from face; `spread`: root mean square of the views' angles, rad."""

    rotation: Array
    spread: float


class Teacher:
    """Asks `estimator` about 24 views of each face."""

    def __init__(self, estimator: Estimator) -> None:
        self._estimator = estimator

    def first_look(self, image: Image, centre: Array, side: float) -> Array:
        """Return the rotation (3,3) in the plain square around `centre` (2,), `side` pixels."""
        crop = square_crop(image, centre, side, self._estimator.crop_px)
        return self._rotations(crop[None])[0]

    def ask(self, image: Image, centre: Array, side: float, rng: np.random.Generator) -> Opinion:
        """Look at the square around `centre` (2,), of `side` pixels as the estimator wants it."""
        views = [
            (zoom, roll, mirrored, rng.uniform(-_SHIFT, _SHIFT, 2) if roll else np.zeros(2))
            for zoom in _ZOOMS
            for roll in np.deg2rad(_ROLLS_DEG)
            for mirrored in (False, True)
        ]
        size_px = self._estimator.crop_px
        smooth = {zoom: _smoothed(image, side * zoom / size_px) for zoom in _ZOOMS}
        crops = np.stack(
            [
                _square(smooth[zoom], centre + shift * side, side * zoom, roll, mirrored, size_px)
                for zoom, roll, mirrored, shift in views
            ]
        )
        back = [
            _undo(rotation, roll, mirrored)
            for rotation, (_, roll, mirrored, _) in zip(self._rotations(crops), views, strict=True)
        ]
        mean = mean_rotation(np.array(back))
        spread = np.sqrt(np.mean(geodesic_distance(np.array(back), mean) ** 2))
        return Opinion(mean, float(spread))

    def _rotations(self, crops: Image) -> Array:
        angles = np.full(len(crops), _SMALL_ANGLE)
        return self._estimator.estimate(crops, angles).rotations_virtual_from_face


def square_crop(image: Image, centre: Array, side: float, size_px: int) -> Image:
    """Resample the square around `centre` (2,) without aliasing; the image's border goes on."""
    return _square(_smoothed(image, side / size_px), centre, side, 0.0, False, size_px)


def _smoothed(image: Image, step: float) -> Image:
    """Return the image without what aliases where only every `step`-th pixel is read."""
    if step <= 1.5:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 0.4 * step), np.uint8)


def _square(
    image: Image, centre: Array, side: float, roll: float, mirrored: bool, size_px: int
) -> Image:
    step = side / size_px
    c, s = np.cos(roll), np.sin(roll)
    # pixel of the crop -> pixel of the image
    turn = step * np.array([[c, -s], [s, c]])
    if mirrored:
        turn = turn @ np.diag([-1.0, 1.0])
    matrix = np.column_stack([turn, centre - turn @ np.full(2, (size_px - 1) / 2)])
    return cv2.warpAffine(
        image,
        matrix,
        (size_px, size_px),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _undo(rotation: Array, roll: float, mirrored: bool) -> Array:
    """Turn what was seen in a rolled, mirrored crop back into the image's own frame."""
    if mirrored:
        rotation = _MIRROR_CAMERA @ rotation @ _MIRROR_FACE
    c, s = np.cos(roll), np.sin(roll)
    unrolled: Array = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]) @ rotation
    return unrolled
