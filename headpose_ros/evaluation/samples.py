# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every benchmark's loader gives: pictures, their lens where known, and the true faces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headpose_ros.typing import Array, Image

if TYPE_CHECKING:
    from headpose_ros.geometry.camera import CameraModel


@dataclass(frozen=True)
class Lens:
    """Intrinsics as sensor_msgs/CameraInfo states them, without the size of the image."""

    fx: float
    fy: float
    cx: float
    cy: float
    distortion_model: str = 'plumb_bob'
    distortion: tuple[float, ...] = ()

    def camera(self, width: int, height: int) -> CameraModel:
        """Return the camera of an image of this size; ValueError where the lens is none."""
        from headpose_ros.geometry.camera import CameraModel

        matrix = np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])
        d = _as_camera_info(self.distortion_model, self.distortion)
        model = self.distortion_model
        return CameraModel.from_matrix(matrix, width, height, model, d, tell=None)


@dataclass(frozen=True)
class TrueFace:
    """One annotated face.

    `rotation_camera_from_face` (3,3). `sellion`, `centre` (3,): metres in the camera frame, of
    the origin of the face frame and of the face sphere; None where the data set has none.
    `landmarks` (68,2): pixels, iBUG order, or None. `off_axis`: rad from the optical axis to the
    face, None where there is no camera. `head_scale`: this head's size over the average adult's,
    NaN where unknown.
    """

    rotation_camera_from_face: Array
    sellion: Array | None = None
    centre: Array | None = None
    landmarks: Array | None = None
    off_axis: float | None = None
    head_scale: float = float('nan')


@dataclass(frozen=True)
class Picture:
    """An image file, its lens or None, and the faces annotated in it."""

    path: Path
    lens: Lens | None
    faces: tuple[TrueFace, ...]


def _as_camera_info(model: str, coefficients: tuple[float, ...]) -> tuple[float, ...]:
    """Return as many coefficients as the model has: a table's columns may be more or fewer."""
    from headpose_ros.geometry.distortion import MODELS

    used = max((i + 1 for i, value in enumerate(coefficients) if value), default=0)
    fitting = [count for count in MODELS.get(model, ()) if count >= used]
    if not used or not fitting:
        return coefficients[:used]  # CameraModel explains what does not fit
    return (*coefficients[:used], *(0.0,) * (fitting[0] - used))


def read_picture(path: Path) -> Image:
    """Return the image (H,W,3) BGR; ValueError names the file that cannot be read.

    Its rows are those stored: truth in pixels knows nothing of an EXIF orientation.
    """
    import cv2

    from headpose_ros.media.decoding import ImageError, decode
    from headpose_ros.media.levels import Levels

    if not path.is_file():
        raise ValueError(f'{path}: does not exist')
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = decode(path.read_bytes(), flags)
    except ImageError as error:
        raise ValueError(f'{path}: {error}') from None
    return Levels().eight_bit(image)


def require_folder(root: Path) -> Path:
    """Return `root`, or raise ValueError where it is no folder."""
    if not root.is_dir():
        raise ValueError(f'{root}: expected a folder with the data set, found none')
    return root
