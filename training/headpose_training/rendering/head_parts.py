# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What all people of one head model share, made once a process."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headpose_training.head_model import SKIN_PARTS, HeadModel
from headpose_training.rendering.mesh import Material
from headpose_training.rendering.noise import Float
from headpose_training.rendering.rasterizer import fill, vertex_normals
from headpose_training.rendering.skin import FaceChart


class HeadParts:
    """The head model with its texture chart, materials, and the sky each vertex sees."""

    def __init__(self, model: HeadModel) -> None:
        self.model = model
        self.chart = FaceChart(model)
        tile = np.floor(model.uv[model.uv_triangles[:, 0], 0]).astype(int)
        self.uv = np.stack([model.uv[:, 0] % 1, 1 - model.uv[:, 1]], -1).astype(np.float32)
        names = list(model.part_last)
        parts = model.triangle_parts
        self.material = np.where(
            np.isin(parts, [names.index('eyeball_left'), names.index('eyeball_right')]),
            int(Material.EYE),
            int(Material.SKIN),
        ).astype(np.int32)
        self.bare = model.neutral[model.triangles, 1].min(axis=1) > -0.162  # not under clothes
        self.is_skin = np.isin(parts, [names.index(n) for n in SKIN_PARTS])
        self.layer = np.where(self.is_skin, np.where(tile == 0, 0, 4), -1).astype(np.int32)
        inside = [names.index(n) for n in ('mouth_socket', 'gums_and_tongue', 'teeth')]
        self.closed = ~np.isin(parts, inside) & self.bare
        self.skin_vertices = slice(0, model.part_last[SKIN_PARTS[-1]] + 1)
        self.occlusion = _sky_share(model.neutral, model.triangles)
        self.beard = self._at_vertices(self.chart.beard)

    def _at_vertices(self, texture: Float) -> Float:
        uv = np.full((len(self.model.neutral), 2), -1, np.float32)
        face = self.layer == 0
        uv[self.model.triangles[face].ravel()] = self.uv[self.model.uv_triangles[face].ravel()]
        at = np.clip((uv * len(texture)).astype(int), 0, len(texture) - 1)
        return np.where(uv[:, 0] < 0, 0, texture[at[:, 1], at[:, 0]]).astype(np.float32)


def _sky_share(points: Float, triangles: NDArray[np.int32], count: int = 80) -> Float:
    """Return the share of the light from all around that reaches each vertex, 0..1.

    Each of `count` far lights draws a depth map; a vertex behind another surface is in shade.
    """
    i = np.arange(count) + 0.5
    polar, azimuth = np.arccos(1 - 2 * i / count), np.pi * (1 + 5**0.5) * i
    directions = np.stack(
        [np.sin(polar) * np.cos(azimuth), np.cos(polar), np.sin(polar) * np.sin(azimuth)], -1
    )
    normals = vertex_normals(points, triangles)
    size, reach = 160, 0.24
    scale = 0.5 * (size - 1) / reach
    total, seen = np.full(len(points), 1e-6), np.zeros(len(points))
    both = np.ones(len(triangles), np.bool_)
    for d in directions:
        u = np.cross(d, [0.3, 0.9, 0.2])
        u /= np.linalg.norm(u)
        v = np.cross(d, u)
        flat = points - [0, -0.03, -0.1]
        pixels = (np.stack([flat @ u, flat @ v], -1) * scale + size / 2).astype(np.float32)
        height = (flat @ d + 2 * reach).astype(np.float32)
        depth = np.zeros((size, size), np.float32)
        fill(pixels, height, triangles, both, depth, np.empty((size, size), np.int32))
        at = np.clip(np.rint(pixels).astype(int), 0, size - 1)
        weight = np.maximum(normals @ d, 0)
        total += weight
        seen += weight * (height > depth[at[:, 1], at[:, 0]] - 0.004)
    return np.clip(0.12 + 0.95 * seen / total, 0, 1).astype(np.float32)
