# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Virtual pinhole cameras that each look straight at one face, and the way back from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.checks import whole_number
from headpose_ros.geometry.rotations import rotation_to_axis
from headpose_ros.typing import Array

MAX_CROP_ANGLE = np.radians(150.0)
"""The widest crop, rad: a flat image of more is nearly all border."""

MAX_CROP_PX = 16384
"""The largest side of a crop, pixels: its images are still to be allocated."""

# Nearer to the ray than this, a small error of what shall point upwards turns the crop around.
_MIN_UP = math.sin(math.radians(12.0))


def crop_angles(angular_sizes: ArrayLike, crop_scale: float) -> Array:
    """Return the full angles (N,), rad, of crops around faces of these angular sizes (N,), rad.

    tan(a / 2) = crop_scale tan(angular_size / 2), at most `MAX_CROP_ANGLE`.
    """
    half = np.clip(np.asarray(angular_sizes, np.float64), 0.0, MAX_CROP_ANGLE) / 2
    return np.minimum(2 * np.arctan(crop_scale * np.tan(half)), MAX_CROP_ANGLE)


@dataclass(frozen=True, eq=False)
class VirtualCameras:
    """N pinhole cameras at the centre of the real one, turned to look along N rays.

    `rotation_virtual_from_camera` (N,3,3). `angles` (N,): rad, what each spans from edge to edge.
    `size_px`: width and height of their images.
    """

    rotation_virtual_from_camera: Array
    angles: Array
    size_px: int

    @staticmethod
    def look_along(
        rays: ArrayLike, angles: ArrayLike, size_px: int, ups: ArrayLike | None = None
    ) -> VirtualCameras:
        """Turn cameras to look along rays (N,3), spanning angles (N,).

        By the minimal rotation, and then about their axes so that the directions `ups` (N,3) of
        the camera frame, of any length, point upwards in their images. Where `ups` is not given,
        zero, or within 12 degrees of the ray, the minimal rotation is all. Raises ValueError for
        wrong shapes, sizes and angles, and where a ray has no minimal rotation.
        """
        side = whole_number(size_px, 'size_px')
        if not 0 < side <= MAX_CROP_PX:
            raise ValueError(f'size_px: expected 1 to {MAX_CROP_PX} pixels, got {side}')
        rotations = rotation_to_axis(np.asarray(rays, np.float64).reshape(-1, 3))
        if ups is not None:
            upright = np.asarray(ups, np.float64).reshape(-1, 3)
            if len(upright) != len(rotations):
                raise ValueError(f'ups: expected {len(rotations)}, one a ray, got {len(upright)}')
            _hold_upright(rotations, upright)
        return VirtualCameras(rotations, _checked(angles, len(rotations)), side)

    def __len__(self) -> int:
        return len(self.angles)

    @property
    def focal_lengths(self) -> Array:
        """The focal lengths (N,), pixels."""
        return self.size_px / 2 / np.tan(self.angles / 2)

    @property
    def matrices(self) -> Array:
        """The camera matrices (N,3,3)."""
        K = np.zeros((len(self), 3, 3))
        K[:, 0, 0] = K[:, 1, 1] = self.focal_lengths
        K[:, 0, 2] = K[:, 1, 2] = (self.size_px - 1) / 2
        K[:, 2, 2] = 1.0
        return K

    def rotations_to_camera(self, rotations_virtual: ArrayLike) -> Array:
        """Return rotation_camera_from_... (N,3,3) for rotation_virtual_from_... (N,3,3)."""
        back = np.swapaxes(self.rotation_virtual_from_camera, 1, 2)
        return np.matmul(back, np.asarray(rotations_virtual, np.float64))

    def rotations_to_virtual(self, rotations_camera: ArrayLike) -> Array:
        """Return rotation_virtual_from_... (N,3,3) for rotation_camera_from_... (N,3,3)."""
        return np.matmul(
            self.rotation_virtual_from_camera, np.asarray(rotations_camera, np.float64)
        )

    def rays_to_camera(self, rays_virtual: ArrayLike) -> Array:
        """Return rays or points (N,3), or (N,P,3), of each virtual camera in the camera frame."""
        return _turned(np.swapaxes(self.rotation_virtual_from_camera, 1, 2), rays_virtual)

    def rays_to_virtual(self, rays_camera: ArrayLike) -> Array:
        """Return rays or points (N,3) of the camera frame in each virtual camera's."""
        return _turned(self.rotation_virtual_from_camera, rays_camera)

    def pixels(self, rays_camera: ArrayLike) -> tuple[Array, np.ndarray]:
        """Return where camera rays (N,3) are seen: pixels (N,2) of the crops and in front (N,)."""
        x, y, z = self.rays_to_virtual(rays_camera).T
        front = z > 0
        scale = self.focal_lengths / np.where(front, z, np.maximum(np.abs(z), 1e-9))
        return np.column_stack([x * scale, y * scale]) + (self.size_px - 1) / 2, front

    def rays_virtual(self, pixels: ArrayLike) -> Array:
        """Return unit rays (N,P,3), each in its camera, of crop pixels (N,P,2) or (P,2)."""
        offsets = np.asarray(pixels, np.float64) - (self.size_px - 1) / 2
        plane = offsets / self.focal_lengths[:, None, None]
        rays = np.concatenate([plane, np.ones((*plane.shape[:-1], 1))], axis=-1)
        unit: Array = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
        return unit

    def homographies(self, camera: CameraModel) -> Array:
        """Return K_virtual R K^-1 (N,3,3), from pixels of a pinhole camera to crop pixels.

        Raises ValueError where `camera` has distortion: it has no homography.
        """
        if not camera.is_pinhole:
            raise ValueError(
                f'a {camera.distortion_model} camera has no homography; use image_pixels'
            )
        product: Array = (
            self.matrices @ self.rotation_virtual_from_camera @ np.linalg.inv(camera.matrix)
        )
        return product

    def image_pixels(self, camera: CameraModel, grid: Array) -> tuple[Array, np.ndarray]:
        """Return columns and rows (2,N,K,K) of the image, and valid (N,K,K), at a `square_grid`.

        As `CameraModel.pixels`, at the points `grid` (K,K,3) of each virtual camera's image; in a
        panorama columns go on across its edges, so that they may lie outside the image.
        """
        planes = self.rotation_virtual_from_camera.copy()
        planes[:, :2] *= np.tan(self.angles / 2)[:, None, None]
        x, y, valid = camera.lens.project((grid.reshape(-1, 3) @ planes).reshape(-1, 3))
        shape = (len(self), *grid.shape[:2])
        pixels = np.array(camera.to_pixels(x, y)).reshape(2, *shape)
        if camera.wraps:
            axes = camera.pixels(self.rotation_virtual_from_camera[:, 2])[0]
            pixels[0] = camera.unwrapped(pixels[0], axes[:, 0, None, None])
        return pixels, valid.reshape(shape)


@dataclass(frozen=True, eq=False)
class PlainCameras(VirtualCameras):
    """What systems without rectification assume: a crop is seen as if by the camera itself.

    Rotations come back as they are. Rays, which they do get right, still go through `rectified`,
    the cameras that a rectifying system would have used.
    """

    rectified: VirtualCameras

    @staticmethod
    def around(rays: ArrayLike, angles: ArrayLike, size_px: int) -> PlainCameras:
        """Make them for crops around rays (N,3) that span angles (N,), rad."""
        rectified = VirtualCameras.look_along(rays, angles, size_px)
        identity = np.tile(np.eye(3), (len(rectified), 1, 1))
        return PlainCameras(identity, rectified.angles, rectified.size_px, rectified)

    def rays_to_camera(self, rays_virtual: ArrayLike) -> Array:
        """See `VirtualCameras.rays_to_camera`."""
        return self.rectified.rays_to_camera(rays_virtual)

    def rays_to_virtual(self, rays_camera: ArrayLike) -> Array:
        """See `VirtualCameras.rays_to_virtual`."""
        return self.rectified.rays_to_virtual(rays_camera)


def pixel_lines(count: int) -> Array:
    """Return where the centres of `count` pixels in a row lie, -1 and 1 being a crop's edges."""
    lines: Array = (2 * np.arange(count) + 1) / count - 1
    return lines


def square_grid(lines: Array) -> Array:
    """Return the points (K,K,3), rows of columns at `lines` (K,), each x, y, 1; see above."""
    x, y = np.meshgrid(lines, lines)
    return np.stack([x, y, np.ones_like(x)], axis=-1)


def _hold_upright(rotations: Array, ups: Array) -> None:
    """Turn cameras (N,3,3) about their axes, in place, until `ups` (N,3) point to -y."""
    for rotation, up in zip(rotations, ups, strict=True):
        x, y, z = (rotation @ up).tolist()
        across = math.hypot(x, y)
        if across > _MIN_UP * math.hypot(across, z):
            sine, cosine = x / across, -y / across
            rotation[:2] = np.array([[cosine, sine], [-sine, cosine]]) @ rotation[:2]


def _turned(rotations: Array, rays: ArrayLike) -> Array:
    given = np.asarray(rays, np.float64)
    if given.ndim == 3:
        several: Array = np.matmul(given, np.swapaxes(rotations, 1, 2))
        return several
    turned: Array = np.matmul(rotations, given[:, :, None])[..., 0]
    return turned


def _checked(angles: ArrayLike, count: int) -> Array:
    array = np.asarray(angles, np.float64).reshape(-1)
    if array.shape != (count,):
        raise ValueError(f'angles: expected {count}, one a ray, got {array.size}')
    if not ((array > 0) & (array < np.pi)).all():
        raise ValueError(f'angles: expected 0 to pi rad, got {array}')
    return array
