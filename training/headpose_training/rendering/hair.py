# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hair and beards: ribbons of strands that grow from the scalp, combed, curled, pulled down."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from headpose_ros.typing import Array
from headpose_training.rendering.hair_style import HEAD_CENTRE, Style, scalp_mask
from headpose_training.rendering.mesh import Material, Mesh, make_mesh
from headpose_training.rendering.noise import Float
from headpose_training.rendering.rasterizer import Int

SEGMENTS = 8
SHORT = 0.07
"""Metres: shorter hair is drawn with fewer segments and more, narrower ribbons."""


class RadialSurface:
    """The head's outline as a distance from `HEAD_CENTRE` over the direction, metres."""

    ROWS, COLUMNS = 40, 80

    def __init__(self, points: Float) -> None:
        above = np.ascontiguousarray(points[points[:, 1] > -0.115])  # no shoulders
        self.table = _radial_table(above, HEAD_CENTRE, self.ROWS, self.COLUMNS)

    def at(self, directions: NDArray[Any]) -> NDArray[Any]:
        """Return the distance in these unit directions (...,3)."""
        theta = np.arccos(np.clip(directions[..., 1], -1, 1)) / np.pi * (self.ROWS - 1)
        phi = np.arctan2(directions[..., 0], directions[..., 2]) / (2 * np.pi) % 1 * self.COLUMNS
        return self.table[np.rint(theta).astype(int), np.floor(phi).astype(int) % self.COLUMNS]


@njit(cache=True)
def _radial_table(points: Float, centre: Float, rows: int, columns: int) -> Float:
    table = np.zeros((rows, columns), np.float32)
    for i in range(points.shape[0]):
        x, y, z = points[i, 0] - centre[0], points[i, 1] - centre[1], points[i, 2] - centre[2]
        r = np.sqrt(x * x + y * y + z * z)
        a = int(np.rint(np.arccos(y / r) / np.pi * (rows - 1)))
        b = int(np.floor((np.arctan2(x, z) / (2 * np.pi)) % 1.0 * columns)) % columns
        table[a, b] = max(table[a, b], r)
    for _ in range(6):  # cells that no vertex fell into take their neighbours' mean
        before = table.copy()
        for a in range(rows):
            for b in range(columns):
                if before[a, b] > 0:
                    continue
                total, count = 0.0, 0
                for da in range(-1, 2):
                    for db in range(-1, 2):
                        p = min(rows - 1, max(0, a + da))
                        q = (b + db) % columns
                        if before[p, q] > 0:
                            total += before[p, q]
                            count += 1
                if count:
                    table[a, b] = total / count
    for a in range(rows):
        for b in range(columns):
            if table[a, b] == 0:
                table[a, b] = 0.09
    return table


@njit(cache=True)
def _avoid_face(p: Array, q: Array, step: float, length: float, fringe: float) -> None:
    """Let a strand that goes from `p` to `q` not cross the face: it ends there or goes round."""
    if q[2] > -0.055 and abs(q[0]) < 0.066 and q[1] < fringe:
        if length < 0.1 or (q[1] < 0.03 and abs(q[0]) < 0.052):
            for k in range(3):
                q[k] = p[k] + (q[k] - p[k]) * 0.02
        else:
            q[0] += (1.0 if q[0] > 0 else -1.0) * 0.6 * step


@njit(cache=True)
def _grow(
    roots: Array,
    normals: Array,
    comb: Array,
    lengths: Float,
    lift: Float,
    layers: Float,
    phases: Float,
    gravity: float,
    curl: float,
    hug: float,
    fringe: Float,
    table: Float,
    centre: Float,
    out: Array,
) -> None:
    """Grow strands of SEGMENTS + 1 points: combed along the scalp, bent down, kept outside it."""
    rows, columns = table.shape
    steps = out.shape[1] - 1
    for i in range(roots.shape[0]):
        p = roots[i].copy()
        out[i, 0] = p
        step = lengths[i] / steps
        d = normals[i] * lift[i] + comb[i]
        for s in range(steps):
            fall = gravity * (0.25 + s / steps) * min(1.0, lengths[i] * 12)
            d[1] -= fall * 0.6
            if curl > 0:
                turn = phases[i] + 6.5 * s * (0.6 + 0.4 * np.sin(phases[i] * 7))
                d[0] += curl * 0.8 * np.cos(turn)
                d[1] += curl * 0.5 * np.sin(turn * 1.3)
                d[2] += curl * 0.8 * np.sin(turn)
            n = np.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]) + 1e-9
            q = p + d * (step / n)
            _avoid_face(p, q, step, lengths[i], fringe[i])
            x, y, z = q[0] - centre[0], q[1] - centre[1], q[2] - centre[2]
            r = np.sqrt(x * x + y * y + z * z) + 1e-9
            a = int(np.rint(np.arccos(y / r) / np.pi * (rows - 1)))
            b = int(np.floor((np.arctan2(x, z) / (2 * np.pi)) % 1.0 * columns)) % columns
            least = table[a, b] + layers[i] * min(1.0, (s + 1) / 3.0)
            if r < least < r + 0.03:
                for k, v in enumerate((x, y, z)):
                    q[k] = centre[k] + v / r * least
            d = (q - p) / (np.sqrt(np.sum((q - p) ** 2)) + 1e-9)
            out_of_head = (d[0] * x + d[1] * y + d[2] * z) / r * hug
            for k, v in enumerate((x, y, z)):
                d[k] -= out_of_head * v / r
            p = q
            out[i, s + 1] = p


def ribbons(
    strands: NDArray[Any],
    widths: Float,
    colours: Float,
    rng: np.random.Generator,
    follow: Int | None = None,
) -> Mesh:
    """Return flat ribbons along (N,P,3) strands, facing away from the head, tapering."""
    n, count = strands.shape[:2]
    along = np.gradient(strands, axis=1)
    along /= np.linalg.norm(along, axis=2, keepdims=True) + 1e-9
    out = strands - HEAD_CENTRE
    out /= np.linalg.norm(out, axis=2, keepdims=True) + 1e-9
    across = np.cross(along, out + rng.normal(0, 0.35, (n, 1, 3)))
    across /= np.linalg.norm(across, axis=2, keepdims=True) + 1e-9
    taper = np.interp(np.linspace(0, 1, count), [0, 0.15, 0.6, 1], [0.7, 1, 0.9, 0.12])
    half = across * (widths[:, None, None] * taper[None, :, None] / 2)
    points = np.stack([strands - half, strands + half], 2).reshape(-1, 3)
    row = np.arange(count - 1)[:, None] * 2
    quad = (row + [[0, 2, 1, 1, 2, 3]]).reshape(-1, 3)
    triangles = (np.arange(n)[:, None, None] * 2 * count + quad).reshape(-1, 3)
    normal = np.cross(across, along)
    normal *= np.sign(np.sum(normal * out, axis=2, keepdims=True))
    normal = 0.6 * normal + 0.6 * out
    normal /= np.linalg.norm(normal, axis=2, keepdims=True) + 1e-9
    start = rng.uniform(0, 1, (n, 1))
    u = np.stack([start, start + widths[:, None] * 12], 2)
    v = np.linspace(0, 1, count)[None, :, None] * 0.6 + rng.uniform(0, 1, (n, 1, 1))
    uv = np.stack(np.broadcast_arrays(u, v), -1)
    # roots lie in the shade of what is above them
    depth = np.interp(np.linspace(0, 1, count), [0, 0.4, 1], [0.45, 0.8, 1.0])
    return make_mesh(
        points,
        triangles,
        np.repeat(colours, 2 * count, 0),
        Material.HAIR,
        layer=1,
        uv=uv.reshape(-1, 2),
        normals=np.repeat(normal, 2, 1).reshape(-1, 3),
        tangents=np.repeat(along, 2, 1).reshape(-1, 3),
        two_sided=True,
        occlusion=np.tile(np.repeat(depth, 2), n),
        follow=-1 if follow is None else np.repeat(follow, 2 * count),
    )


def _unit(v: NDArray[Any]) -> NDArray[Any]:
    return v / (np.linalg.norm(v, axis=-1, keepdims=True) + 1e-9)


def grow_hair(
    rng: np.random.Generator,
    style: Style,
    points: Float,
    normals: Float,
    surface: RadialSurface,
    colour: Float,
) -> list[Mesh]:
    """Grow a head of hair on the (V,3) skin vertices of a head."""
    mask = scalp_mask(points, style)
    candidates = np.flatnonzero(mask > 0.5)
    if style.count == 0 or len(candidates) == 0:
        return []
    short = style.length < SHORT
    count, segments = (int(style.count * 1.7), 4) if short else (style.count, SEGMENTS)
    # the back of the head has fewer and larger triangles: even out by the distance to the front
    weight = 1 + 3.0 * (points[candidates, 2] < -0.06)
    chosen = candidates[rng.choice(len(candidates), count, p=weight / weight.sum())]
    roots = points[chosen] + rng.normal(0, 0.003, (count, 3))
    outward = normals[chosen]
    comb, lengths = _combed(rng, style, roots, outward)
    strands = np.empty((count, segments + 1, 3))
    stray = rng.random(count) < 0.003
    _grow(
        roots.astype(float),
        outward.astype(float),
        comb.astype(float),
        lengths.astype(np.float32),
        (style.lift * rng.uniform(0.5, 1.3, count)).astype(np.float32),
        (style.layer * rng.uniform(0.1, 1.0, count)).astype(np.float32),
        rng.uniform(0, 6.28, count).astype(np.float32),
        style.gravity,
        style.curl,
        max(0.0, 0.75 - 0.5 * style.lift),
        np.where(stray, -0.2, style.fringe + rng.normal(0, 0.006, count)).astype(np.float32),
        surface.table,
        HEAD_CENTRE,
        strands,
    )
    wide = 0.005 if short else 0.009
    widths = rng.uniform(0.4, 1.2, count) * wide
    tones = colour * np.exp(rng.normal(0, 0.16, (count, 1)))
    meshes = [ribbons(strands, widths.astype(np.float32), tones, rng)]
    if style.tail is not None:
        meshes.append(_tail(rng, style, colour))
    return meshes


def _combed(
    rng: np.random.Generator, style: Style, roots: NDArray[Any], outward: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return which way (N,3) strands leave their roots along the scalp, and how long they are."""
    whorl = np.array(style.whorl) + [style.part, 0, 0]
    comb = roots - whorl
    if style.part and style.length > 0.05 and style.tail is None:  # falls to both sides
        comb[:, 0] += np.sign(roots[:, 0] - style.part) * 0.08
    if style.tail is not None:
        comb = np.array(style.tail) - roots
    comb = _unit(comb - outward * np.sum(comb * outward, -1, keepdims=True)) * style.flow
    comb += rng.normal(0, style.spread, comb.shape)
    lengths = style.length * rng.uniform(0.75, 1.2, len(roots))
    if style.tail is not None:
        reach = np.linalg.norm(np.array(style.tail) - roots, axis=1)
        lengths = reach * rng.uniform(0.85, 1.05, len(roots))
    return comb, lengths


def _tail(rng: np.random.Generator, style: Style, colour: Float) -> Mesh:
    """Return the bun, or the tail that hangs from where the hair is tied."""
    count, steps = 220, SEGMENTS + 1
    start = np.array(style.tail) + rng.normal(0, 0.006, (count, 3))
    t = np.linspace(0, 1, steps)[None, :, None]
    if style.bun:
        radius = rng.uniform(0.02, 0.04)
        axis = _unit(rng.normal(0, 1, (count, 1, 3)))
        side = _unit(np.cross(axis, rng.normal(0, 1, (count, 1, 3))))
        middle = np.array(style.tail) + [0, 0, -radius * 0.7]
        angle = t * 3.0 + rng.uniform(0, 6, (count, 1, 1))
        strands = middle + radius * (side * np.cos(angle) + np.cross(axis, side) * np.sin(angle))
    else:
        length = rng.uniform(0.12, 0.4)
        fall = np.array([0, -1.0, -0.25]) + rng.normal(0, 0.10, (count, 1, 3))
        back = np.array([0, 0.25, -1.0]) * 0.06 * np.sin(np.minimum(t * 3, 1.57))
        strands = start[:, None] + back + t * length * fall
    tones = colour * np.exp(rng.normal(0, 0.16, (count, 1)))
    return ribbons(
        strands.astype(np.float32), rng.uniform(0.004, 0.012, count).astype(np.float32), tones, rng
    )


def grow_beard(
    rng: np.random.Generator,
    points: Float,
    normals: Float,
    density: Float,
    colour: Float,
    length: float,
    surface: RadialSurface,
) -> list[Mesh]:
    """Grow a beard where `density` (V,), 0..1, says; it moves with the jaw. `length` metres."""
    candidates = np.flatnonzero(density > 0.35)
    if len(candidates) == 0:
        return []
    count = 900
    chosen = candidates[rng.integers(0, len(candidates), count)].astype(np.int32)
    roots, outward = points[chosen], normals[chosen]
    down = np.array([0.0, -1.0, 0.1]) + rng.normal(0, 0.25, (count, 3))
    strands = np.empty((count, SEGMENTS + 1, 3))
    mouth = (roots[:, 1] > -0.085) & (np.abs(roots[:, 0]) < 0.03)  # a moustache stays short
    lengths = np.where(mouth, min(length, 0.012), length) * rng.uniform(0.6, 1.2, count)
    _grow(
        roots.astype(float),
        outward.astype(float),
        down,
        lengths.astype(np.float32),
        rng.uniform(0.2, 0.9, count).astype(np.float32),
        np.zeros(count, np.float32),
        rng.uniform(0, 6.28, count).astype(np.float32),
        0.3,
        float(abs(rng.normal(0, 0.3))),
        0.3,
        np.full(count, -1.0, np.float32),
        surface.table,
        HEAD_CENTRE,
        strands,
    )
    tones = colour * np.exp(rng.normal(0, 0.2, (count, 1)))
    return [
        ribbons(
            strands, rng.uniform(0.002, 0.006, count).astype(np.float32), tones, rng, follow=chosen
        )
    ]
