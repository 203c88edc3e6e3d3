# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is seen where: a z-buffer rasteriser and shadow maps, compiled by numba, one thread each.

Everything is in the virtual camera's optical frame (x right, y down, z forward, metres).
`shading.py` colours what is seen.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float = NDArray[np.float32]
Int = NDArray[np.int32]

NEAR_PLANE = 0.03
"""Metres; a triangle with a corner nearer than this is not drawn."""

JIT: dict[str, Any] = {'cache': True, 'fastmath': True, 'nogil': True, 'error_model': 'numpy'}


@njit(**JIT)
def _floor(x: float) -> int:
    i = np.int32(x)
    return i - 1 if x < i else i


@njit(**JIT)
def _ceil(x: float) -> int:
    i = np.int32(x)
    return i + 1 if x > i else i


@njit(**JIT)
def fill(
    pixels: Float,
    inverse_z: Float,
    triangles: Int,
    two_sided: NDArray[np.bool_],
    depth: Float,
    owner: Int,
) -> None:
    """Draw triangles: the nearest one owns a pixel.

    `pixels` (N,2) and `inverse_z` (N,), 1/m or any depth that grows towards the eye (NaN or <= 0:
    not drawn), `triangles` (T,3), `two_sided` (T,): draw it from behind as well. In and out:
    `depth` (H,W), 0 where empty, and `owner` (H,W), index of the triangle, -1 where empty.
    """
    height, width = depth.shape
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        za, zb, zc = inverse_z[a], inverse_z[b], inverse_z[c]
        if not (za > 0.0 and zb > 0.0 and zc > 0.0):
            continue
        ax, ay = pixels[a, 0], pixels[a, 1]
        bx, by = pixels[b, 0], pixels[b, 1]
        cx, cy = pixels[c, 0], pixels[c, 1]
        x0, x1 = max(0, _ceil(min(ax, bx, cx))), min(width - 1, _floor(max(ax, bx, cx)))
        y0, y1 = max(0, _ceil(min(ay, by, cy))), min(height - 1, _floor(max(ay, by, cy)))
        if x1 < x0 or y1 < y0:  # most triangles lie between pixels
            continue
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        # y points down: counter-clockwise seen from outside is a negative area here
        if (area > 0.0 and not two_sided[t]) or abs(area) < 1e-9:
            continue
        s = np.float32(1.0) / area
        # weights of b and c, and depth, are linear over the screen
        wb_x, wb_y = (cy - ay) * s, -(cx - ax) * s
        wc_x, wc_y = -(by - ay) * s, (bx - ax) * s
        for y in range(y0, y1 + 1):
            dy = np.float32(y) - ay
            for x in range(x0, x1 + 1):
                dx = np.float32(x) - ax
                wb = wb_x * dx + wb_y * dy
                wc = wc_x * dx + wc_y * dy
                z = za + wb * (zb - za) + wc * (zc - za)
                if (wb >= 0.0) & (wc >= 0.0) & (wb + wc <= 1.0) & (z > depth[y, x]):
                    depth[y, x] = z
                    owner[y, x] = t


@njit(**JIT)
def project(points: Float, focal: float, centre: float, pixels: Float, inverse_z: Float) -> None:
    """Project (N,3) points by a pinhole; a point before the near plane gets inverse_z = -1."""
    for i in range(points.shape[0]):
        z = points[i, 2]
        if z < NEAR_PLANE:
            inverse_z[i] = -1.0
            continue
        w = 1.0 / z
        inverse_z[i] = w
        for k in range(2):  # far outside stays far outside, and within an int
            pixels[i, k] = min(1e6, max(-1e6, focal * points[i, k] * w + centre))


@njit(**JIT)
def vertex_normals(points: Float, triangles: Int) -> Float:
    """Return (N,3) unit normals, the area-weighted mean of the triangles' around each vertex."""
    out = np.zeros_like(points)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = (
            points[b, 0] - points[a, 0],
            points[b, 1] - points[a, 1],
            points[b, 2] - points[a, 2],
        )
        vx, vy, vz = (
            points[c, 0] - points[a, 0],
            points[c, 1] - points[a, 1],
            points[c, 2] - points[a, 2],
        )
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for i in (a, b, c):
            out[i, 0] += nx
            out[i, 1] += ny
            out[i, 2] += nz
    for i in range(out.shape[0]):
        n = np.sqrt(out[i, 0] ** 2 + out[i, 1] ** 2 + out[i, 2] ** 2) + 1e-20
        out[i, 0] /= n
        out[i, 1] /= n
        out[i, 2] /= n
    return out


class ShadowMap(NamedTuple):
    """Depths seen by a far light: rows of `basis` are its right, down and forward axes.

    `depth` (H,W) holds the distance towards the light, above `origin` - `reach`; 0 where empty.
    """

    basis: Float
    origin: Float
    reach: float
    depth: Float


@njit(**JIT)
def _to_light(
    points: Float,
    basis: Float,
    origin: Float,
    reach: float,
    size: int,
    pixels: Float,
    towards: Float,
) -> None:
    scale = 0.5 * (size - 1) / reach
    for i in range(points.shape[0]):
        x, y, z = (points[i, 0] - origin[0], points[i, 1] - origin[1], points[i, 2] - origin[2])
        pixels[i, 0] = (basis[0, 0] * x + basis[0, 1] * y + basis[0, 2] * z + reach) * scale
        pixels[i, 1] = (basis[1, 0] * x + basis[1, 1] * y + basis[1, 2] * z + reach) * scale
        towards[i] = reach - (basis[2, 0] * x + basis[2, 1] * y + basis[2, 2] * z)


def shadow_map(
    points: Float,
    triangles: Int,
    towards_light: Float,
    origin: Float,
    reach: float,
    size: int = 128,
) -> ShadowMap:
    """Draw what a directional light sees within `reach` metres of `origin`."""
    forward = -np.asarray(towards_light, np.float32)
    helper = np.array([0, 1, 0] if abs(forward[1]) < 0.9 else [1, 0, 0], np.float32)
    right = np.cross(helper, forward)
    right /= np.linalg.norm(right)
    basis = np.stack([right, np.cross(forward, right), forward]).astype(np.float32)
    pixels, towards = np.empty((len(points), 2), np.float32), np.empty(len(points), np.float32)
    origin = np.asarray(origin, np.float32)
    _to_light(points, basis, origin, reach, size, pixels, towards)
    depth = np.zeros((size, size), np.float32)
    fill(
        pixels,
        towards,
        triangles,
        np.ones(len(triangles), np.bool_),
        depth,
        np.empty((size, size), np.int32),
    )
    return ShadowMap(basis, origin, reach, depth)
