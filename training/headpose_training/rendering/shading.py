# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A deferred shader: colours what the rasteriser found, compiled by numba, one thread.

Frames are the rasteriser's. Images are shaded in linear light, one sample a pixel; callers render
larger and average.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from headpose_ros.typing import Image
from headpose_training.rendering.rasterizer import JIT, Float, Int, ShadowMap


class Surface(NamedTuple):
    """What is drawn: V vertices and T triangles.

    Per vertex: `points`, `normals`, `tangents` (of hair, zero elsewhere), `colours` (albedo), all
    (V,3), and `occlusion` (V,): share of the surroundings seen. Per triangle: `triangles`,
    `uv_triangles` (into `uv` (M,2)), both (T,3), `material` (T,) into `looks`, `layer` (T,): which
    of `textures` (L,S,S,3) multiplies the albedo, -1: none. `looks` (K,6): specular strength,
    gloss exponent, wrap of B, G, R, hair (0 or 1).
    """

    points: Float
    normals: Float
    tangents: Float
    colours: Float
    occlusion: Float
    uv: Float
    triangles: Int
    uv_triangles: Int
    material: Int
    layer: Int
    textures: Image
    looks: Float


class Illumination(NamedTuple):
    """Light on a surface.

    `lights` (K,6): unit vector towards the light, colour; the first one casts the `shadow`, with
    an edge of `softness` of its pixels. `ambient` (4,3): constant, and the x, y, z slopes, of the
    light arriving at a surface with that normal.
    """

    lights: Float
    ambient: Float
    softness: float
    shadow: ShadowMap


@njit(**JIT)
def _lit(
    x: float,
    y: float,
    z: float,
    basis: Float,
    origin: Float,
    reach: float,
    depth: Float,
    softness: float,
) -> float:
    """Return the share of the light that reaches a point: nine taps, `softness` pixels apart."""
    size = depth.shape[0]
    scale = 0.5 * (size - 1) / reach
    x, y, z = x - origin[0], y - origin[1], z - origin[2]
    u = (basis[0, 0] * x + basis[0, 1] * y + basis[0, 2] * z + reach) * scale
    v = (basis[1, 0] * x + basis[1, 1] * y + basis[1, 2] * z + reach) * scale
    towards = reach - (basis[2, 0] * x + basis[2, 1] * y + basis[2, 2] * z)
    light = 0.0
    for j in range(-1, 2):
        for i in range(-1, 2):
            p, q = int(u + i * softness + 0.5), int(v + j * softness + 0.5)
            if p < 0 or q < 0 or p >= size or q >= size:
                light += 1.0
                continue
            # fades over 6 mm behind a 5 mm bias: no speckles, and soft contact shadows
            light += min(1.0, max(0.0, 1.0 - (depth[q, p] - towards - 0.005) / 0.006))
    return light / 9.0


@njit(inline='always', **JIT)
def _weights(
    points: Float, a: int, b: int, c: int, rx: float, ry: float
) -> tuple[float, float, float]:
    """Return perspective-correct weights of a triangle's corners where the ray (rx, ry, 1) hits.

    They solve [pa pb pc] w ~ ray; all are zero where the triangle is seen edge on.
    """
    ax, ay, az = points[a, 0], points[a, 1], points[a, 2]
    bx, by, bz = points[b, 0], points[b, 1], points[b, 2]
    cx, cy, cz = points[c, 0], points[c, 1], points[c, 2]
    wa = rx * (by * cz - bz * cy) + ry * (bz * cx - bx * cz) + (bx * cy - by * cx)
    wb = rx * (cy * az - cz * ay) + ry * (cz * ax - cx * az) + (cx * ay - cy * ax)
    wc = rx * (ay * bz - az * by) + ry * (az * bx - ax * bz) + (ax * by - ay * bx)
    total = wa + wb + wc
    if abs(total) < 1e-20:
        return 0.0, 0.0, 0.0
    return wa / total, wb / total, wc / total


@njit(inline='always', **JIT)
def _multiply_by_texel(base: Float, textures: Image, layer: int, u: float, v: float) -> None:
    """Multiply a colour (3,) by a texture, bilinear and repeated; 127.5 stands for one."""
    texels = textures.shape[1]
    u, v = u * texels - 0.5, v * texels - 0.5
    u0, v0 = int(np.floor(u)), int(np.floor(v))
    fu, fv = u - u0, v - v0
    u0, v0 = u0 % texels, v0 % texels
    u1, v1 = (u0 + 1) % texels, (v0 + 1) % texels
    for k in range(3):
        top = textures[layer, v0, u0, k] * (1 - fu) + textures[layer, v0, u1, k] * fu
        low = textures[layer, v1, u0, k] * (1 - fu) + textures[layer, v1, u1, k] * fu
        base[k] *= (top * (1 - fv) + low * fv) * (2.0 / 255.0)


@njit(inline='always', **JIT)
def _hair_terms(along_l: float, along_h: float, ndl: float, gloss: float) -> tuple[float, float]:
    """Return what hair scatters and reflects (Kajiya and Kay 1989).

    Cosines: of the strand to the light and to the half vector, of the normal to the light.
    """
    lobe = 1.0 - along_h * along_h
    lobe = lobe ** (0.5 * gloss) * (ndl + 0.3) if lobe > 0.5 and ndl > -0.3 else 0.0
    body = np.sqrt(max(0.0, 1.0 - along_l * along_l)) * max(0.0, (ndl + 0.4) / 1.4)
    return body, lobe


@njit(inline='always', **JIT)
def _add_lamp(
    lights: Float,
    i: int,
    ndl: float,
    share: float,
    v: Float,
    n: Float,
    facing: float,
    strand: Float,
    base: Float,
    looks: Float,
    m: int,
    rgb: Float,
) -> None:
    """Add to `rgb` what lamp `i` gives a surface of material `m`, of which `share` arrives.

    `v`: to the eye, `n`: the normal, `ndl`, `facing`: the normal's cosines to lamp and eye,
    `strand`: along the hair, `base`: albedo.
    """
    strength, gloss, hair = looks[m, 0], looks[m, 1], looks[m, 5]
    lx, ly, lz = lights[i, 0], lights[i, 1], lights[i, 2]
    hx, hy, hz = lx + v[0], ly + v[1], lz + v[2]
    length = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-12
    if hair > 0.0:
        along_l = strand[0] * lx + strand[1] * ly + strand[2] * lz
        along_h = (strand[0] * hx + strand[1] * hy + strand[2] * hz) / length
        body, lobe = _hair_terms(along_l, along_h, ndl, gloss)
    else:
        ndh = (n[0] * hx + n[1] * hy + n[2] * hz) / length
        lobe = ndh**gloss * ndl if ndh > 0.5 and ndl > 0.0 else 0.0
        body = 0.0
    # grazing reflections are stronger (Schlick)
    lobe *= strength * (1.0 + 6.0 * (1.0 - facing) ** 5) * (gloss + 2.0) * 0.125
    for k in range(3):
        wrap = looks[m, 2 + k]
        if hair == 0.0:
            body = max(0.0, (ndl + wrap) / (1.0 + wrap))
        rgb[k] += (base[k] * body + lobe) * lights[i, 3 + k] * share


@njit(inline='always', **JIT)
def _interpolate(
    values: Float, a: int, b: int, c: int, wa: float, wb: float, wc: float, out: Float
) -> None:
    for k in range(3):
        out[k] = wa * values[a, k] + wb * values[b, k] + wc * values[c, k]


@njit(inline='always', **JIT)
def _length(v: Float) -> float:
    """Return the length of a vector (3,), never quite 0."""
    return np.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]) + 1e-12


@njit(inline='always', **JIT)
def _albedo(surface: Surface, t: int, wa: float, wb: float, wc: float, base: Float) -> None:
    """Set `base` (3,) to the albedo where triangle `t` has these weights."""
    a, b, c = surface.triangles[t, 0], surface.triangles[t, 1], surface.triangles[t, 2]
    _interpolate(surface.colours, a, b, c, wa, wb, wc, base)
    if surface.layer[t] >= 0:
        uv, of_corners = surface.uv, surface.uv_triangles
        ua, ub, uc = of_corners[t, 0], of_corners[t, 1], of_corners[t, 2]
        u = wa * uv[ua, 0] + wb * uv[ub, 0] + wc * uv[uc, 0]
        v = wa * uv[ua, 1] + wb * uv[ub, 1] + wc * uv[uc, 1]
        _multiply_by_texel(base, surface.textures, surface.layer[t], u, v)


@njit(inline='always', **JIT)
def _face_the_eye(n: Float, p: Float, v: Float, hair: float) -> float:
    """Make the normal `n` a unit vector that looks to the eye; return its cosine to the eye.

    `v` becomes the direction from the point `p` to the eye. Hair keeps its side.
    """
    distance = np.sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2])
    for k in range(3):
        v[k] = -p[k] / distance
    length = _length(n)
    facing = (n[0] * v[0] + n[1] * v[1] + n[2] * v[2]) / length
    if facing < 0.0 and hair == 0.0:
        length, facing = -length, -facing
    for k in range(3):
        n[k] /= length
    return facing


@njit(inline='always', **JIT)
def _add_lamps(
    illumination: Illumination,
    p: Float,
    v: Float,
    n: Float,
    facing: float,
    seen: float,
    strand: Float,
    base: Float,
    looks: Float,
    m: int,
    rgb: Float,
) -> None:
    """Add to `rgb` what all lamps give a point `p` that sees the share `seen` of its surroundings.

    The other arguments are those of `_add_lamp`.
    """
    lights, shadow = illumination.lights, illumination.shadow
    for i in range(lights.shape[0]):
        ndl = n[0] * lights[i, 0] + n[1] * lights[i, 1] + n[2] * lights[i, 2]
        if ndl < -0.6:
            continue
        share = 0.4 + 0.6 * seen
        if i == 0:
            share *= _lit(
                p[0] + 0.003 * n[0], p[1] + 0.003 * n[1], p[2] + 0.003 * n[2],
                shadow.basis, shadow.origin, shadow.reach, shadow.depth, illumination.softness,
            )  # fmt: skip
        if share > 0.01:
            _add_lamp(lights, i, ndl, share, v, n, facing, strand, base, looks, m, rgb)


@njit(**JIT)
def shade(
    owner: Int,
    focal: float,
    centre: float,
    surface: Surface,
    illumination: Illumination,
    image: Float,
) -> None:
    """Colour every owned pixel of `image` (H,W,3), BGR, linear light.

    `owner` (H,W) as `rasterizer.fill` leaves it; `focal`, `centre`: the pinhole's, pixels.
    """
    points, occlusion, ambient = surface.points, surface.occlusion, illumination.ambient
    height, width = owner.shape
    p, n, v, strand, base, rgb = np.empty((6, 3), np.float32)
    for y in range(height):
        for x in range(width):
            t = owner[y, x]
            if t < 0:
                continue
            a, b, c = surface.triangles[t, 0], surface.triangles[t, 1], surface.triangles[t, 2]
            wa, wb, wc = _weights(points, a, b, c, (x - centre) / focal, (y - centre) / focal)
            if wa == 0.0 and wb == 0.0 and wc == 0.0:
                continue
            seen = wa * occlusion[a] + wb * occlusion[b] + wc * occlusion[c]
            m = surface.material[t]
            hair = surface.looks[m, 5]
            _interpolate(points, a, b, c, wa, wb, wc, p)
            _interpolate(surface.normals, a, b, c, wa, wb, wc, n)
            _albedo(surface, t, wa, wb, wc, base)
            facing = _face_the_eye(n, p, v, hair)
            if hair > 0.0:
                _interpolate(surface.tangents, a, b, c, wa, wb, wc, strand)
                length = _length(strand)
                for k in range(3):
                    strand[k] /= length
            for k in range(3):
                around = (
                    ambient[0, k] + ambient[1, k] * n[0] + ambient[2, k] * n[1]
                    + ambient[3, k] * n[2]
                )  # fmt: skip
                rgb[k] = base[k] * max(around, 0.0) * seen
            _add_lamps(illumination, p, v, n, facing, seen, strand, base, surface.looks, m, rgb)
            for k in range(3):
                image[y, x, k] = rgb[k]
