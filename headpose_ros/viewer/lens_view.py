# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a camera and its image look in space: a flat frustum, or a bowl where the lens bends rays.

A flat image plane is honest only for a lens that keeps straight lines straight. The image of a
fisheye or a panorama is laid on the sphere of its rays: each pixel where the camera saw it.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.typing import Array, Image

FLAT_WITHIN = math.radians(3.0)
"""Rad: a lens that bends rays no more than this is drawn as a frustum."""
COLUMNS = 128
"""Points of the bowl along the image's longer side."""

ROUND_FROM = math.radians(85.0)
"""Rad off the axis: a lens that sees so far at the middle of an edge has a round image."""

_BORDER = 24
_FULL_TURN = math.radians(359.0)


class LensView:
    """One camera's shape at the distance 1; scale it as wanted."""

    def __init__(self, camera: CameraModel) -> None:
        self.camera = camera
        self._places: tuple[tuple[int, int], np.ndarray] | None = None

    @cached_property
    def is_flat(self) -> bool:
        """Whether a frustum shows this camera truly enough."""
        if self.camera.is_pinhole:
            return True
        border, rays, valid = self._border
        if not valid.all():
            return False
        camera = self.camera
        y = (border[:, 1] - camera.cy) / camera.fy
        x = (border[:, 0] - camera.cx - camera.skew * y) / camera.fx
        straight = np.stack([x, y, np.ones_like(x)], axis=1)
        straight /= np.linalg.norm(straight, axis=1, keepdims=True)
        cosines = np.clip((straight * rays).sum(axis=1), -1.0, 1.0)
        return bool(np.arccos(cosines).max() <= FLAT_WITHIN)

    @cached_property
    def grid(self) -> tuple[Array, np.ndarray, np.ndarray]:
        """The bowl: rays (V,3), their pixels (V,2) whole numbers, triangles (T,3)."""
        camera = self.camera
        step = max(camera.width, camera.height) / COLUMNS
        columns = max(2, round(camera.width / step) + 1)
        rows = max(2, round(camera.height / step) + 1)
        u, v = np.meshgrid(
            np.linspace(0, camera.width - 1, columns), np.linspace(0, camera.height - 1, rows)
        )
        pixels = np.stack([u.ravel(), v.ravel()], axis=1)
        rays, valid = camera.rays_and_validity(pixels)
        rays, valid = np.reshape(rays, (-1, 3)), np.ravel(valid)
        corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
        first = np.stack([corner, corner + 1, corner + columns], axis=1)
        second = np.stack([corner + 1, corner + columns + 1, corner + columns], axis=1)
        triangles = np.concatenate([first, second])
        valid = valid & (_off_axis(rays) <= self._rim + 1e-6)
        triangles = triangles[valid[triangles].all(axis=1)]
        rays = np.where(valid[:, None], rays, 0.0)
        return rays, np.rint(pixels).astype(int), triangles.astype(np.uint32)

    def colours(self, image: Image) -> np.ndarray:
        """Return the colours (V,) of the points of `grid` in `image`, (H,W,3) BGR of any scale.

        Each is a whole number, 0xRRGGBBAA, as Rerun wants them: it packs others slowly.
        """
        height, width = image.shape[:2]
        if self._places is None or self._places[0] != (height, width):
            _, pixels, _ = self.grid
            column = np.clip(pixels[:, 0] * width // self.camera.width, 0, width - 1)
            row = np.clip(pixels[:, 1] * height // self.camera.height, 0, height - 1)
            self._places = ((height, width), row * width + column)
        blue, green, red = image.reshape(-1, 3)[self._places[1]].astype(np.uint32).T
        return (red << 24) | (green << 16) | (blue << 8) | 0xFF

    @cached_property
    def outline(self) -> list[Array]:
        """Lines (K,3) of rays: the rim of the image, and from the camera to its corners."""
        if self.camera.field_of_view[0] >= _FULL_TURN:
            return []
        if self._rim < math.pi:
            angle = np.linspace(0.0, 2 * math.pi, 4 * _BORDER + 1)
            across = math.sin(self._rim) * np.stack([np.cos(angle), np.sin(angle)])
            return [np.stack([*across, np.full(len(angle), math.cos(self._rim))], axis=1)]
        _, rays, valid = self._border
        ring = np.concatenate([rays, rays[:1]])[np.concatenate([valid, valid[:1]])]
        lines = [ring] if len(ring) > 1 else []
        corners = [index for index in range(0, len(rays), _BORDER) if valid[index]]
        return [*lines, *(np.stack([np.zeros(3), rays[index]]) for index in corners)]

    @cached_property
    def _rim(self) -> float:
        """Rad off the axis to which the image is drawn; pi: all of it.

        A fisheye that sees a half space from edge to edge has a round image: what its corners
        would see is black.
        """
        camera = self.camera
        if camera.distortion_model == 'equirectangular':
            return math.pi
        right, bottom = camera.width - 1.0, camera.height - 1.0
        edges = np.array(
            [(0.0, camera.cy), (right, camera.cy), (camera.cx, 0.0), (camera.cx, bottom)]
        )
        rays, valid = camera.rays_and_validity(edges)
        widest = float(_off_axis(rays[valid]).max(initial=0.0))
        return widest if widest >= ROUND_FROM else math.pi

    @cached_property
    def _border(self) -> tuple[Array, Array, np.ndarray]:
        """Pixels (4K,2) around the image from the top left, their rays, and which have one."""
        right, bottom = self.camera.width - 1.0, self.camera.height - 1.0
        t = np.arange(_BORDER) / _BORDER
        zero = np.zeros(_BORDER)
        sides = [
            (t * right, zero),
            (zero + right, t * bottom),
            (right - t * right, zero + bottom),
            (zero, bottom - t * bottom),
        ]
        pixels = np.concatenate([np.stack(side, axis=1) for side in sides])
        rays, valid = self.camera.rays_and_validity(pixels)
        return pixels, np.reshape(rays, (-1, 3)), np.ravel(valid)


def _off_axis(rays: Array) -> Array:
    """Return the angles (N,), rad, of unit rays (N,3) to the optical axis."""
    angles: Array = np.arccos(np.clip(rays[:, 2], -1.0, 1.0))
    return angles
