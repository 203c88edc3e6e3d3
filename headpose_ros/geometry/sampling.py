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
from numpy.typing import ArrayLike, NDArray

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.footprint import Footprints
from headpose_ros.geometry.sphere import pixels_per_radian
from headpose_ros.geometry.virtual_camera import PlainCameras, VirtualCameras
from headpose_ros.heads import Array

Image = NDArray[np.uint8]
_PULL = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


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
    device: Any = None,
) -> Crops:
    """Sample N crops along rays (N,3) that span full angles (N,), rad, `size_px` pixels a side.

    `image`: (H,W,3) or (H,W) uint8, of the size that `camera` has. `device`: None or 'cpu'
    samples with OpenCV; any other, or a `torch.device`, with torch, and the crops stay there;
    then `image` may be a tensor too. Raises ValueError where shapes or sizes do not agree.
    """
    _check_image(image, camera)
    cameras = VirtualCameras.look_along(rays, angles, size_px)
    footprints = Footprints.of(cameras, camera)
    if device is not None and device != 'cpu':
        from headpose_ros.geometry.sampling_torch import sample_on_device

        images = sample_on_device(image, camera, cameras, footprints, device)
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
    axes = cameras.looks.rotation_virtual_from_camera[:, 2]
    centres, valid = camera.pixels(axes)
    sides = 2 * np.tan(cameras.angles / 2) * pixels_per_radian(camera, axes)
    boxes = np.hstack([centres - sides[:, None] / 2, centres + sides[:, None] / 2])
    shrink = np.repeat(sides[:, None] / size_px, 2, axis=1)
    limit = np.array([camera.width, camera.height]) - 0.5
    shown = np.clip(boxes[:, 2:], -0.5, limit) - np.clip(boxes[:, :2], -0.5, limit)
    footprints = Footprints(boxes, shrink, np.prod(shown, axis=1) / sides**2, valid)
    images = _empty(len(cameras), size_px, image)
    for i in range(len(cameras)):
        block, samples = footprints.reduction(i)
        part, x0, y0 = averaged(image, boxes[i], block)
        side = size_px * samples
        scale = sides[i] / side / block
        start = (boxes[i, :2] - (x0, y0) + 0.5) / block + 0.5 * scale - 0.5
        pull = np.array([[scale, 0.0, start[0]], [0.0, scale, start[1]]])
        fine = cv2.warpAffine(
            part, pull, (side, side), flags=_PULL, borderMode=cv2.BORDER_REPLICATE
        )
        _shrink_into(fine, images[i])
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
    part, x0, y0 = averaged(image, footprints.boxes[i], block)
    seen = camera.resampled(1 / block, 1 / block, part.shape[1], part.shape[0], x0, y0)
    look = VirtualCameras(
        cameras.rotation_virtual_from_camera[i : i + 1],
        cameras.angles[i : i + 1],
        cameras.size_px * samples,
    )
    side = look.size_px
    if footprints.in_front[i] and camera.is_pinhole:
        pull = np.linalg.inv(look.homographies(seen)[0])
        fine = cv2.warpPerspective(
            part, pull, (side, side), flags=_PULL, borderMode=cv2.BORDER_REPLICATE
        )
    else:
        u, v = _maps(seen, look, bool(footprints.in_front[i]))
        fine = cv2.remap(part, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    _shrink_into(fine, out)


def _maps(
    camera: CameraModel, look: VirtualCameras, in_front: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the sampling maps of one crop, (S,S) each; by OpenCV where it is exact and faster."""
    if not in_front or camera.skew != 0:
        pixels = look.sampling_maps(camera)[0][0].astype(np.float32)
        return pixels[..., 0], pixels[..., 1]
    fisheye = camera.distortion_model == 'equidistant'
    maps = cv2.fisheye.initUndistortRectifyMap if fisheye else cv2.initUndistortRectifyMap
    d = np.array(camera.distortion or (0.0,) * 4)
    size = (look.size_px, look.size_px)
    rotation = look.rotation_virtual_from_camera[0]
    u, v = maps(camera.matrix, d, rotation, look.matrices[0], size, cv2.CV_32FC1)
    return u, v


def averaged(image: Image, box: Array, block: int) -> tuple[Image, int, int]:
    """Return what the image shows in `box`, averaged in blocks, and its first pixel x, y."""
    if block == 1:
        return image, 0, 0
    height, width = image.shape[:2]
    x0, x1 = _blocks(box[0], box[2], block, width)
    y0, y1 = _blocks(box[1], box[3], block, height)
    size = ((x1 - x0) // block, (y1 - y0) // block)
    part = cv2.resize(image[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA)
    return part, x0, y0


def _blocks(low: float, high: float, block: int, length: int) -> tuple[int, int]:
    """Return the first and last + 1 pixel of whole blocks that cover low..high in the image."""
    first = min(max(0, int(low) - block), max(0, length - block))
    last = min(length, max(first + block, int(high) + 2 * block))
    return first, first + max(1, (last - first) // block) * block


def _shrink_into(fine: Image, out: Image) -> None:
    if fine.shape == out.shape:
        out[...] = fine
    else:
        cv2.resize(fine, out.shape[:2], dst=out, interpolation=cv2.INTER_AREA)


def _empty(count: int, size_px: int, image: Image) -> Image:
    return np.empty((count, size_px, size_px, *image.shape[2:]), np.uint8)


def _check_image(image: Any, camera: CameraModel) -> None:
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
