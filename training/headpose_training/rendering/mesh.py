# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Surfaces and what they are made of, and the few shapes that people's things are built from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headpose_training.rendering.rasterizer import Float, Int, vertex_normals


class Material(IntEnum):
    """Row of `MATERIALS`."""

    SKIN = 0
    HAIR = 1
    CLOTH = 2
    EYE = 3
    PLASTIC = 4
    METAL = 5


# specular strength, gloss exponent, wrap of B, G, R (light that spreads below the surface), hair
MATERIALS: Float = np.array(
    [
        [0.035, 14.0, 0.10, 0.16, 0.36, 0.0],
        [0.011, 22.0, 0.20, 0.20, 0.20, 1.0],
        [0.006, 6.0, 0.10, 0.10, 0.10, 0.0],
        [0.25, 60.0, 0.10, 0.12, 0.15, 0.0],
        [0.10, 50.0, 0.00, 0.00, 0.00, 0.0],
        [0.30, 30.0, 0.00, 0.00, 0.00, 0.0],
    ],
    np.float32,
)


@dataclass(frozen=True, eq=False)
class Mesh:
    """N vertices and T triangles, in the model frame.

    Per vertex: `points`, `normals`, `tangents` (along hair, else zero), `colours` (linear albedo,
    BGR), `occlusion` (share of the surroundings seen), `follow` (vertex of the head whose
    movement by the expression it shares, -1: none). Per triangle: `triangles`, `uv_triangles`
    (into `uv`, in textures, v down), `two_sided`, `material`, `layer` (texture, -1: none).
    """

    points: Float
    normals: Float
    tangents: Float
    colours: Float
    occlusion: Float
    follow: Int
    uv: Float
    triangles: Int
    uv_triangles: Int
    two_sided: NDArray[np.bool_]
    material: Int
    layer: Int


def make_mesh(
    points: ArrayLike,
    triangles: ArrayLike,
    colour: ArrayLike,
    material: Material,
    *,
    layer: int = -1,
    uv: Any = None,
    uv_triangles: Any = None,
    normals: Any = None,
    tangents: Any = None,
    occlusion: ArrayLike = 1.0,
    follow: ArrayLike = -1,
    two_sided: bool = False,
) -> Mesh:
    """Build a mesh of one material; what is per vertex may be given once for all."""
    points = np.ascontiguousarray(points, np.float32)
    triangles = np.ascontiguousarray(triangles, np.int32)
    n, t = len(points), len(triangles)
    return Mesh(
        points=points,
        normals=(
            vertex_normals(points, triangles)
            if normals is None
            else np.ascontiguousarray(normals, np.float32)
        ),
        tangents=(
            np.zeros((n, 3), np.float32)
            if tangents is None
            else np.ascontiguousarray(tangents, np.float32)
        ),
        colours=np.ascontiguousarray(np.broadcast_to(colour, (n, 3)), np.float32),
        occlusion=np.ascontiguousarray(np.broadcast_to(occlusion, n), np.float32),
        follow=np.ascontiguousarray(np.broadcast_to(follow, n), np.int32),
        uv=np.zeros((n, 2), np.float32) if uv is None else np.ascontiguousarray(uv, np.float32),
        triangles=triangles,
        uv_triangles=(
            triangles if uv_triangles is None else np.ascontiguousarray(uv_triangles, np.int32)
        ),
        two_sided=np.full(t, two_sided),
        material=np.full(t, int(material), np.int32),
        layer=np.full(t, layer, np.int32),
    )


def join(meshes: Sequence[Mesh]) -> Mesh:
    """Put meshes into one; the vertices of the first keep their indices."""
    points = np.cumsum([0] + [len(m.points) for m in meshes[:-1]])
    uvs = np.cumsum([0] + [len(m.uv) for m in meshes[:-1]])
    joined = {f.name: np.concatenate([getattr(m, f.name) for m in meshes]) for f in fields(Mesh)}
    joined['triangles'] = np.concatenate(
        [m.triangles + np.int32(o) for m, o in zip(meshes, points, strict=True)]
    )
    joined['uv_triangles'] = np.concatenate(
        [m.uv_triangles + np.int32(o) for m, o in zip(meshes, uvs, strict=True)]
    )
    return Mesh(**joined)


def grid_triangles(rows: int, columns: int, closed: bool) -> Int:
    """Return triangles of a grid of rows x columns vertices; `closed`: columns go round."""
    across = columns if closed else columns - 1
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(across), indexing='ij')
    a, b = r * columns + c, r * columns + (c + 1) % columns
    d, e = a + columns, b + columns
    return np.concatenate(
        [np.stack([a, d, b], -1).reshape(-1, 3), np.stack([b, d, e], -1).reshape(-1, 3)]
    ).astype(np.int32)


def grid_uv(rows: int, columns: int) -> Float:
    """Return (rows*columns,2) texture coordinates that span 0..1."""
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    return np.stack([u, v], -1).reshape(-1, 2).astype(np.float32)


def tube(
    path: ArrayLike,
    radius: ArrayLike,
    colour: ArrayLike,
    material: Material,
    *,
    sides: int = 6,
    closed: bool = False,
    layer: int = -1,
) -> Mesh:
    """Return a round tube along (P,3) points; `radius` one or (P,)."""
    path = np.asarray(path, np.float64)
    along = (np.roll(path, -1, 0) - np.roll(path, 1, 0)) if closed else np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-12
    helper = np.where(np.abs(along[:, :1]) < 0.8, [[1.0, 0, 0]], [[0, 1.0, 0]])
    u = np.cross(along, helper)
    u /= np.linalg.norm(u, axis=1, keepdims=True) + 1e-12
    w = np.cross(along, u)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = u[:, None] * np.cos(angle)[:, None] + w[:, None] * np.sin(angle)[:, None]
    radius = np.broadcast_to(radius, len(path))[:, None, None]
    points = path[:, None] + ring * radius
    rows = len(path)
    if closed:
        points = np.concatenate([points, points[:1]])
        rows += 1
    return make_mesh(
        points.reshape(-1, 3),
        grid_triangles(rows, sides, True),
        colour,
        material,
        two_sided=True,
        layer=layer,
        uv=grid_uv(rows, sides),
    )


def ellipsoid(
    centre: ArrayLike,
    axes: ArrayLike,
    colour: ArrayLike,
    material: Material,
    *,
    rows: int = 10,
    columns: int = 14,
    layer: int = -1,
) -> Mesh:
    """Return an ellipsoid; the rows of `axes` (3,3) are its half axes."""
    theta = np.linspace(0.02, np.pi - 0.02, rows)
    phi = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    unit = np.stack(
        [
            np.outer(np.sin(theta), np.cos(phi)),
            np.outer(np.cos(theta), np.ones(columns)),
            -np.outer(np.sin(theta), np.sin(phi)),
        ],
        -1,
    ).reshape(-1, 3)
    return make_mesh(
        np.asarray(centre) + unit @ np.asarray(axes, float),
        grid_triangles(rows, columns, True),
        colour,
        material,
        two_sided=True,
        layer=layer,
        uv=grid_uv(rows, columns),
    )


def box(
    centre: ArrayLike, axes: ArrayLike, colour: ArrayLike, material: Material, layer: int = -1
) -> Mesh:
    """Return a box with flat faces; the rows of `axes` (3,3) are its half axes."""
    axes = np.asarray(axes, float)
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    points, normals, uv = [], [], []
    for k in range(3):
        for sign in (-1, 1):
            u, v = axes[(k + 1) % 3], axes[(k + 2) % 3]
            points.append(centre + sign * axes[k] + square[:, :1] * u + square[:, 1:] * v)
            normals.append(np.repeat([sign * axes[k] / np.linalg.norm(axes[k])], 4, 0))
            uv.append((square + 1) / 2)
    triangles = np.concatenate(
        [[[4 * i, 4 * i + 1, 4 * i + 2], [4 * i, 4 * i + 2, 4 * i + 3]] for i in range(6)]
    )
    return make_mesh(
        np.concatenate(points),
        triangles,
        colour,
        material,
        uv=np.concatenate(uv),
        normals=np.concatenate(normals),
        layer=layer,
        two_sided=True,
    )
