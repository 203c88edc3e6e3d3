# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where crops lie in an image, from few exact projections of each.

From a crop's pixels to the image's is a smooth map. It is projected exactly at 13 x 13
Chebyshev-Lobatto nodes, the polynomial through them gives it everywhere, and how well every other
node predicts the rest tells whether that is good enough: the error of all nodes is about the
square of that of half of them (Trefethen, "Approximation Theory and Approximation Practice", ch.
8). Where it is not, at the rim of a lens or all across a flat image, every pixel is projected.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.reduction import ReducedRegion
from headpose_ros.geometry.virtual_camera import VirtualCameras, pixel_lines, square_grid
from headpose_ros.typing import Array

_NODES = -np.cos(np.pi * np.arange(13) / 12)  # -1 and 1 are the outer edges of a crop
_GRID = square_grid(_NODES)
_PER_STEP = 1 / np.diff(_NODES)
_I_PER_STEP = 1j * _PER_STEP[:, None]
_SMOOTH = 0.1  # pixels, that half of the nodes may be off
_FINE = square_grid(pixel_lines(48))
# Source pixels a bilinear sample, up to which it shows about as little aliasing as an ideal area
# filter would: of the image itself, and of blocks of it that were averaged already.
_SHARP, _SHARP_OF_BLOCKS = 1.25, 1.6
_MAX_SAMPLES = 4  # a crop pixel, each way
_MAX_PRODUCT = (
    1 << 18
)  # multiplications; larger products BLAS shares out to threads, and waits for them


@dataclass(frozen=True, eq=False)
class Footprints:
    """What N crops cover in the image.

    `boxes` (N,4): x0, y0, x1, y1, pixels; may reach beyond the image. `shrink` (N,2): least and
    most image pixels for a pixel of the crop, in any direction anywhere in the crop that the image
    shows. `inside` (N,): fraction of the crop that lies in the image. `nodes` (2,N,13,13): columns
    and rows of the image at the nodes of each crop; `is_smooth` (N,): whether they determine the
    rest.
    """

    boxes: Array
    shrink: Array
    inside: Array
    nodes: Array
    is_smooth: NDArray[np.bool_]

    @staticmethod
    def of(cameras: VirtualCameras, camera: CameraModel) -> Footprints:
        """Measure the footprints of `cameras` in the image of `camera`."""
        nodes, valid = cameras.image_pixels(camera, _GRID)
        points = nodes[0] + 1j * nodes[1]
        flat = nodes.reshape(2, len(cameras), len(_NODES) ** 2)
        low, high = flat.min(axis=2), flat.max(axis=2)
        has_rays = valid.all(axis=(1, 2))
        whole = has_rays & camera.contains(low.T) & camera.contains(high.T)
        inside = whole.astype(np.float64)
        shrink = _shrink(points, cameras.size_px)
        if not whole.all():
            partly = np.flatnonzero(~whole)
            shown = valid[partly] & camera.contains(np.moveaxis(nodes[:, partly], 0, -1))
            shrink[partly] = _shrink(points[partly], cameras.size_px, shown)
            inside[partly] = _fraction_inside(cameras, camera, partly)
        guess = _FROM_HALF @ points[:, ::2, ::2] @ _FROM_HALF.T
        is_smooth = has_rays & (np.abs(guess - points).max(axis=(1, 2)) < _SMOOTH)
        return Footprints(np.concatenate([low, high]).T, shrink, inside, nodes, is_smooth)

    @staticmethod
    def of_squares(centres: Array, sides: Array, size_px: int, camera: CameraModel) -> Footprints:
        """Make those of squares of pixels, centres (N,2) and sides (N,), as if they were crops."""
        half = sides[:, None] / 2
        boxes = np.hstack([centres - half, centres + half])
        least = np.array([-np.inf if camera.wraps else -0.5, -0.5])
        most = np.array([np.inf if camera.wraps else camera.width - 0.5, camera.height - 0.5])
        shown = np.clip(boxes[:, 2:], least, most) - np.clip(boxes[:, :2], least, most)
        return Footprints(
            boxes,
            np.repeat(sides[:, None] / size_px, 2, axis=1),
            np.prod(shown, axis=1) / sides**2,
            centres.T[..., None, None] + half[:, :, None] * np.moveaxis(_GRID, -1, 0)[:2, None],
            np.ones(len(sides), bool),
        )

    def reduction(self, i: int) -> tuple[int, int]:
        """Return for crop `i` how many pixels to average first, and then samples a crop pixel.

        Both along each side; the first is a power of two.
        """
        least, most = self.shrink[i].tolist()
        block = 1 << max(0, int(least).bit_length() - 1)
        sharp = _SHARP if block == 1 else _SHARP_OF_BLOCKS
        return block, min(max(math.ceil(most / block / sharp), 1), _MAX_SAMPLES)

    def maps(
        self,
        i: int,
        samples: int,
        camera: CameraModel,
        cameras: VirtualCameras,
        region: ReducedRegion,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return what crop `i` samples, `samples` a pixel each way: maps (P,P) into `region`.

        First that of columns, then of rows.
        """
        side = cameras.size_px * samples
        if self.is_smooth[i]:
            weights = _from_nodes(side)
            lines = weights @ region.place(self.nodes[:, i]).astype(np.float32)
            maps = np.empty((2, side, side), np.float32)
            rows = max(1, _MAX_PRODUCT // weights.size)
            for start in range(0, side, rows):
                band = slice(start, start + rows)
                np.matmul(lines[:, band], weights.T, out=maps[:, band])
            return maps[0], maps[1]
        fine = VirtualCameras(
            cameras.rotation_virtual_from_camera[i : i + 1], cameras.angles[i : i + 1], side
        )
        pixels, _ = fine.image_pixels(camera, square_grid(pixel_lines(side)))
        u, v = region.place(pixels[:, 0]).astype(np.float32)
        return u, v


def _shrink(
    points: NDArray[np.complex128], size_px: int, shown: NDArray[np.bool_] | None = None
) -> Array:
    """Return the least and the most stretch (N,2) of the nodes' image points (N,13,13).

    Only where the nodes are `shown` (N,13,13), if given; where none is, 1 and 1.
    """
    corners = points[:, :-1, :-1]
    along = (points[:, :-1, 1:] - corners) * _PER_STEP
    down = (points[:, 1:, :-1] - corners) * _I_PER_STEP
    # The sum and the difference of the singular values of the Jacobian.
    total, difference = np.abs(along - down), np.abs(along + down)
    least, most = np.abs(total - difference), total + difference
    if shown is not None:
        cells = shown[:, :-1, :-1] & shown[:, :-1, 1:] & shown[:, 1:, :-1]
        least, most = np.where(cells, least, np.inf), np.where(cells, most, 0.0)
        least[~cells.any(axis=(1, 2))] = most[~cells.any(axis=(1, 2))] = size_px
    return np.array([least.min(axis=(1, 2)), most.max(axis=(1, 2))]).T / size_px


def _fraction_inside(
    cameras: VirtualCameras, camera: CameraModel, which: NDArray[np.intp]
) -> Array:
    """Return how much (K,) of the crops `which` (K,) lies inside the image, by a finer grid."""
    some = VirtualCameras(
        cameras.rotation_virtual_from_camera[which], cameras.angles[which], cameras.size_px
    )
    pixels, valid = some.image_pixels(camera, _FINE)
    shown = valid & camera.contains(np.moveaxis(pixels, 0, -1))
    fraction: Array = shown.mean(axis=(1, 2))
    return fraction


@lru_cache(maxsize=16)
def _from_nodes(side: int) -> NDArray[np.float32]:
    """Return the weights (side,13) of the nodes at the centres of `side` pixels."""
    weights = _lagrange(pixel_lines(side), _NODES).astype(np.float32)
    weights.setflags(write=False)
    return weights


def _lagrange(at: Array, nodes: Array) -> Array:
    """Return the Lagrange polynomials (P,K) of Lobatto nodes (K,) at (P,), barycentric."""
    signs = np.where(np.arange(len(nodes)) % 2, -1.0, 1.0)
    signs[[0, -1]] /= 2
    apart = at[:, None] - nodes
    hit = apart == 0
    terms = signs / np.where(hit, 1.0, apart)
    weights = terms / terms.sum(axis=1, keepdims=True)
    return np.where(hit.any(axis=1, keepdims=True), hit.astype(np.float64), weights)


_FROM_HALF = _lagrange(_NODES, _NODES[::2]).astype(np.complex128)
