# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A z-buffer rasteriser and a deferred shader, compiled by numba, one thread each.

Everything is in the virtual camera's optical frame (x right, y down, z forward, metres). Images
are shaded in linear light, one sample a pixel; callers render larger and average.
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

_JIT: dict[str, Any] = {'cache': True, 'fastmath': True, 'nogil': True, 'error_model': 'numpy'}


@njit(**_JIT)
def _floor(x: float) -> int:
    i = np.int32(x)
    return i - 1 if x < i else i


@njit(**_JIT)
def _ceil(x: float) -> int:
    i = np.int32(x)
    return i + 1 if x > i else i


@njit(**_JIT)
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


@njit(**_JIT)
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


@njit(**_JIT)
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


@njit(**_JIT)
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
    textures: NDArray[np.uint8]
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


@njit(**_JIT)
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


@njit(inline='always', **_JIT)
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


@njit(inline='always', **_JIT)
def _multiply_by_texel(
    base: Float, textures: NDArray[np.uint8], layer: int, u: float, v: float
) -> None:
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


@njit(inline='always', **_JIT)
def _hair_terms(along_l: float, along_h: float, ndl: float, gloss: float) -> tuple[float, float]:
    """Return what hair scatters and reflects (Kajiya and Kay 1989).

    Cosines: of the strand to the light and to the half vector, of the normal to the light.
    """
    lobe = 1.0 - along_h * along_h
    lobe = lobe ** (0.5 * gloss) * (ndl + 0.3) if lobe > 0.5 and ndl > -0.3 else 0.0
    body = np.sqrt(max(0.0, 1.0 - along_l * along_l)) * max(0.0, (ndl + 0.4) / 1.4)
    return body, lobe


@njit(inline='always', **_JIT)
def _add_lamp(
    lights: Float,
    i: int,
    ndl: float,
    share: float,
    vx: float,
    vy: float,
    vz: float,
    nx: float,
    ny: float,
    nz: float,
    facing: float,
    strand: Float,
    base: Float,
    looks: Float,
    m: int,
    rgb: Float,
) -> None:
    """Add to `rgb` what lamp `i` gives a surface of material `m`, of which `share` arrives.

    v: to the eye, n: the normal, `ndl`, `facing`: the normal's cosines to lamp and eye, `strand`:
    along the hair, `base`: albedo.
    """
    strength, gloss, hair = looks[m, 0], looks[m, 1], looks[m, 5]
    lx, ly, lz = lights[i, 0], lights[i, 1], lights[i, 2]
    hx, hy, hz = lx + vx, ly + vy, lz + vz
    length = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-12
    if hair > 0.0:
        along_l = strand[0] * lx + strand[1] * ly + strand[2] * lz
        along_h = (strand[0] * hx + strand[1] * hy + strand[2] * hz) / length
        body, lobe = _hair_terms(along_l, along_h, ndl, gloss)
    else:
        ndh = (nx * hx + ny * hy + nz * hz) / length
        lobe = ndh**gloss * ndl if ndh > 0.5 and ndl > 0.0 else 0.0
        body = 0.0
    # grazing reflections are stronger (Schlick)
    lobe *= strength * (1.0 + 6.0 * (1.0 - facing) ** 5) * (gloss + 2.0) * 0.125
    for k in range(3):
        wrap = looks[m, 2 + k]
        if hair == 0.0:
            body = max(0.0, (ndl + wrap) / (1.0 + wrap))
        rgb[k] += (base[k] * body + lobe) * lights[i, 3 + k] * share


@njit(inline='always', **_JIT)
def _interpolate(
    values: Float, a: int, b: int, c: int, wa: float, wb: float, wc: float, out: Float
) -> None:
    for k in range(3):
        out[k] = wa * values[a, k] + wb * values[b, k] + wc * values[c, k]


@njit(**_JIT)
def shade(
    owner: Int,
    focal: float,
    centre: float,
    surface: Surface,
    illumination: Illumination,
    image: Float,
) -> None:
    """Colour every owned pixel of `image` (H,W,3), BGR, linear light.

    `owner` (H,W) as `fill` leaves it; `focal`, `centre`: the pinhole's, pixels.
    """
    points, normals, tangents, colours, occlusion, uv = surface[:6]
    triangles, uv_triangles, material, layer, textures, looks = surface[6:]
    lights, ambient, softness, shadow = illumination
    basis, origin, reach, depth = shadow
    height, width = owner.shape
    p, n, tg, base, rgb = (
        np.empty(3, np.float32),
        np.empty(3, np.float32),
        np.empty(3, np.float32),
        np.empty(3, np.float32),
        np.empty(3, np.float32),
    )
    for y in range(height):
        for x in range(width):
            t = owner[y, x]
            if t < 0:
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            wa, wb, wc = _weights(points, a, b, c, (x - centre) / focal, (y - centre) / focal)
            if wa == 0.0 and wb == 0.0 and wc == 0.0:
                continue
            seen = wa * occlusion[a] + wb * occlusion[b] + wc * occlusion[c]
            _interpolate(points, a, b, c, wa, wb, wc, p)
            _interpolate(normals, a, b, c, wa, wb, wc, n)
            _interpolate(colours, a, b, c, wa, wb, wc, base)
            if layer[t] >= 0:
                ua, ub, uc = uv_triangles[t, 0], uv_triangles[t, 1], uv_triangles[t, 2]
                u = wa * uv[ua, 0] + wb * uv[ub, 0] + wc * uv[uc, 0]
                v = wa * uv[ua, 1] + wb * uv[ub, 1] + wc * uv[uc, 1]
                _multiply_by_texel(base, textures, layer[t], u, v)
            m = material[t]
            hair = looks[m, 5]
            distance = np.sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2])
            vx, vy, vz = -p[0] / distance, -p[1] / distance, -p[2] / distance
            length = np.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) + 1e-12
            facing = (n[0] * vx + n[1] * vy + n[2] * vz) / length
            if facing < 0.0 and hair == 0.0:
                length, facing = -length, -facing
            nx, ny, nz = n[0] / length, n[1] / length, n[2] / length
            if hair > 0.0:
                _interpolate(tangents, a, b, c, wa, wb, wc, tg)
                length = np.sqrt(tg[0] * tg[0] + tg[1] * tg[1] + tg[2] * tg[2]) + 1e-12
                for k in range(3):
                    tg[k] /= length
            for k in range(3):
                around = (
                    ambient[0, k] + ambient[1, k] * nx + ambient[2, k] * ny + ambient[3, k] * nz
                )
                rgb[k] = base[k] * max(around, 0.0) * seen
            for i in range(lights.shape[0]):
                ndl = nx * lights[i, 0] + ny * lights[i, 1] + nz * lights[i, 2]
                if ndl < -0.6:
                    continue
                share = 0.4 + 0.6 * seen
                if i == 0:
                    share *= _lit(
                        p[0] + 0.003 * nx, p[1] + 0.003 * ny, p[2] + 0.003 * nz,
                        basis, origin, reach, depth, softness,
                    )  # fmt: skip
                if share <= 0.01:
                    continue
                _add_lamp(
                    lights, i, ndl, share, vx, vy, vz, nx, ny, nz, facing, tg, base, looks, m, rgb
                )
            for k in range(3):
                image[y, x, k] = rgb[k]
