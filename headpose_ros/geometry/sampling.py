# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Crops as virtual cameras see them, sampled straight from the image of any lens.

Only the part of the image that a crop shows is touched. Where a crop shrinks it, that part is
first averaged down by a whole number of pixels, and for the rest the crop is sampled more finely
and averaged, so that every pixel of the image counts about once: no aliasing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.footprint import Footprints
from headpose_ros.geometry.reduction import reduce_region
from headpose_ros.geometry.sphere_projection import pixels_per_radian
from headpose_ros.geometry.virtual_camera import PlainCameras, VirtualCameras
from headpose_ros.typing import Array, Image


@dataclass(frozen=True, eq=False)
class Crops:
    """N crops of one image and the cameras that see them.

    `images`: (N,S,S,3), or (N,S,S) of a grey image, uint8; a numpy array or, sampled with torch,
    a tensor. `inside` (N,): 0..1, how much of each crop lies inside the image; the rest repeats
    the image's border.
    """

    images: Any
    inside: Array
    cameras: VirtualCameras

    def __len__(self) -> int:
        return len(self.inside)


def sample_crops(
    image: Any,
    camera: CameraModel,
    rays: ArrayLike,
    angles: ArrayLike,
    size_px: int,
    *,
    ups: ArrayLike | None = None,
    device: Any = None,
) -> Crops:
    """Sample N crops along rays (N,3) that span full angles (N,), rad, `size_px` pixels a side.

    `image`: (H,W,3) or (H,W) uint8, of the size that `camera` has. `ups` (N,3): what shall point
    upwards in the crops, see `VirtualCameras.look_along`. `device`: None or 'cpu' samples with
    OpenCV; any other, or a `torch.device`, with torch, and the crops stay there; then `image` may
    be a tensor too. Raises ValueError where shapes or sizes do not agree.
    """
    _check_image(image, camera)
    cameras = VirtualCameras.look_along(rays, angles, size_px, ups)
    footprints = Footprints.of(cameras, camera)
    if device is not None and device != 'cpu':
        from headpose_ros.geometry.sampling_torch import sample_on_device

        images: Any = sample_on_device(image, camera, cameras, footprints, device)
    else:
        images = _empty(len(cameras), size_px, image)
        for i in range(len(cameras)):
            _sample(image, camera, cameras, footprints, i, images[i])
    return Crops(images, footprints.inside, cameras)


def sample_plain_crops(
    image: Image, camera: CameraModel, rays: ArrayLike, angles: ArrayLike, size_px: int
) -> Crops:
    """Cut the squares of pixels that the crops of `sample_crops` correspond to, not turned.

    This is what systems without rectification do, only to compare; see `PlainCameras`.
    """
    _check_image(image, camera)
    cameras = PlainCameras.around(rays, angles, size_px)
    axes = cameras.rectified.rotation_virtual_from_camera[:, 2]
    centres, _ = camera.pixels(axes)
    sides = 2 * np.tan(cameras.angles / 2) * pixels_per_radian(camera, axes)
    footprints = Footprints.of_squares(centres, sides, size_px, camera)
    images = _empty(len(cameras), size_px, image)
    for i in range(len(cameras)):
        _sample(image, camera, cameras, footprints, i, images[i])
    return Crops(images, footprints.inside, cameras)


def _sample(
    image: Image,
    camera: CameraModel,
    cameras: VirtualCameras,
    footprints: Footprints,
    i: int,
    out: Image,
) -> None:
    """Sample crop `i` into `out` (S,S) or (S,S,3)."""
    block, samples = footprints.reduction(i)
    pixels, region = reduce_region(image, footprints.boxes[i], block, camera.wraps)
    u, v = footprints.maps(i, samples, camera, cameras, region)
    into = out if samples == 1 else None
    fine = cv2.remap(pixels, u, v, cv2.INTER_LINEAR, into, cv2.BORDER_REPLICATE)
    if samples > 1:
        cv2.resize(fine, out.shape[:2], dst=out, interpolation=cv2.INTER_AREA)


def _empty(count: int, size_px: int, image: Image) -> Image:
    return np.empty((count, size_px, size_px, *image.shape[2:]), np.uint8)


def _check_image(image: Any, camera: CameraModel) -> None:
    if not hasattr(image, 'shape') or not hasattr(image, 'dtype'):
        raise ValueError(f'image: expected an array of pixels, got {type(image).__name__}')
    shape = tuple(image.shape)
    if not (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)):
        raise ValueError(f'image: expected shape (H, W, 3) or (H, W), got {shape}')
    if 'uint8' not in str(image.dtype):
        raise ValueError(f'image: expected uint8, got {image.dtype}')
    if shape[:2] != (camera.height, camera.width):
        raise ValueError(
            f'image: {shape[1]}x{shape[0]} pixels, but the camera has '
            f'{camera.width}x{camera.height}: use camera.scaled_to(width, height)'
        )
