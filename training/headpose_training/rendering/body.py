# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shoulders, arms and what is worn on them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.typing import Image
from headpose_training.rendering.mesh import (
    Material,
    Mesh,
    grid_triangles,
    grid_uv,
    make_mesh,
    tube,
)
from headpose_training.rendering.noise import TEXELS, Float, any_colour, pattern

NECK_JOINT = np.array([0.0, -0.145, -0.115], np.float32)
"""Where the head turns on the shoulders, model frame, metres."""

# height, half width, half depth, middle's z: metres, model frame
_RINGS = np.array(
    [
        [-0.138, 0.066, 0.066, -0.116],
        [-0.152, 0.084, 0.075, -0.121],
        [-0.166, 0.117, 0.086, -0.126],
        [-0.182, 0.152, 0.098, -0.129],
        [-0.206, 0.178, 0.107, -0.130],
        [-0.250, 0.196, 0.117, -0.128],
        [-0.340, 0.202, 0.126, -0.122],
        [-0.500, 0.190, 0.125, -0.118],
        [-0.700, 0.185, 0.120, -0.118],
        [-1.700, 0.180, 0.110, -0.118],
    ]
)
_COLUMNS = 28

# from the shoulder down, metres, model frame; one side
_ARM_PATH = np.array(
    [
        [0.150, -0.228, -0.13],
        [0.195, -0.265, -0.13],
        [0.225, -0.36, -0.125],
        [0.235, -0.48, -0.10],
        [0.22, -0.62, -0.05],
    ]
)
_ARM_RADII = [0.045, 0.060, 0.056, 0.05, 0.045]

_TEXTURE_ALONE = np.float32(0.5)  # times a texture of up to 2: the texture is the albedo


def make_torso(rng: np.random.Generator, skin: Float) -> tuple[list[Mesh], Image]:
    """Return shoulders and arms, and their texture (layer 2, absolute albedo)."""
    rings = _RINGS.copy()
    build = rng.normal(1, 0.09)
    rings[2:, 1:3] *= build
    rings[:2, 1:3] *= rng.uniform(1.0, 1.12)
    if rng.random() < 0.12:  # a high collar
        rings[0] = [-0.116, 0.070, 0.070, -0.112]
    points = _around(rings)
    points += rng.normal(0, 0.002, points.shape)
    trunk = make_mesh(
        points,
        grid_triangles(len(rings), _COLUMNS + 1, False),
        _TEXTURE_ALONE,
        Material.CLOTH,
        layer=2,
        uv=_garment_uv(rings, _COLUMNS + 1),
        two_sided=True,
    )
    return [trunk, _arm(-build), _arm(build)], _clothes(rng, skin)


def _around(rings: Float) -> Float:
    """Return the points (N,3) of the rings, which are rounded rectangles."""
    phi = np.linspace(-np.pi, np.pi, _COLUMNS + 1)  # the front is in the texture's middle
    power = 0.8
    x = np.sign(np.sin(phi)) * np.abs(np.sin(phi)) ** power
    z = np.sign(np.cos(phi)) * np.abs(np.cos(phi)) ** power
    height = np.repeat(rings[:, :1], len(phi), 1)
    points = np.stack([rings[:, 1:2] * x, height, rings[:, 3:4] + rings[:, 2:3] * z], -1)
    return points.reshape(-1, 3)


def _arm(side: float) -> Mesh:
    """Return one arm; `side`: by how much its path is farther out, negative for the other one."""
    path = _ARM_PATH * [side, 1, 1]
    arm = tube(path, _ARM_RADII, _TEXTURE_ALONE, Material.CLOTH, sides=10, layer=2)
    scale, shift = np.array([0.3, 0.4], np.float32), np.array([0, 0.6], np.float32)
    return replace(arm, uv=arm.uv * scale + shift)


def _garment_uv(rings: Float, columns: int) -> Float:
    """Return texture coordinates: v runs evenly over the rings, the last two share the hem."""
    uv = grid_uv(len(rings), columns)
    uv[:, 1] = np.minimum(uv[:, 1] * (len(rings) - 1) / (len(rings) - 2), 0.99)
    return uv


def _clothes(rng: np.random.Generator, skin: Float) -> Image:
    """Paint a garment: v runs down from the neck, the front is at u = 0.5."""
    base = any_colour(rng)
    image: Any = pattern(rng).astype(np.float32) / 128 * base * 255
    image = np.clip(image, 0, 255).astype(np.uint8)
    bare = tuple(int(v) for v in np.clip(skin * 255, 0, 255))
    kind, middle = rng.random(), TEXELS // 2
    depth, width = int(rng.uniform(60, 230)), int(rng.uniform(30, 90))
    if kind < 0.30:  # round neck
        cv2.ellipse(image, (middle, 0), (width + 40, depth), 0, 0, 180, bare, -1)
        cv2.rectangle(image, (0, 0), (TEXELS, int(rng.uniform(20, 90))), bare, -1)
    elif kind < 0.5:  # open neck
        _wedge(image, middle, width, depth + 60, bare)
    elif kind < 0.8:  # shirt under a jacket, perhaps with a tie
        shirt = tuple(int(v) for v in any_colour(rng) * 120 + (135 if rng.random() < 0.6 else 0))
        _wedge(image, middle, width, int(rng.uniform(200, 420)), shirt)
        cv2.rectangle(image, (0, 0), (TEXELS, 46), shirt, -1)
        if rng.random() < 0.6:
            tie = tuple(int(v) for v in any_colour(rng) * 255)
            _wedge(image, middle, 10, -420, tie)
        else:
            _wedge(image, middle, width // 3, 90, bare)
    elif kind < 0.9:  # bare shoulders
        cv2.rectangle(image, (0, 0), (TEXELS, int(rng.uniform(170, 330))), bare, -1)
    folds = cv2.GaussianBlur(
        rng.standard_normal((TEXELS // 16, TEXELS // 16)).astype(np.float32), (0, 0), 1.2
    )
    shade = 1 + 0.35 * cv2.resize(folds, (TEXELS, TEXELS), interpolation=cv2.INTER_CUBIC)
    return np.clip(image * shade[..., None], 0, 255).astype(np.uint8)


def _wedge(
    image: NDArray[Any], middle: int, half_width: int, depth: int, colour: tuple[int, ...]
) -> None:
    """Paint a V below the neck; a negative depth paints one that widens downwards (a tie)."""
    top, low = (half_width, 2) if depth > 0 else (half_width, half_width * 2)
    points = np.array(
        [
            [middle - top, 0],
            [middle + top, 0],
            [middle + low, abs(depth)],
            [middle - low, abs(depth)],
        ]
    )
    cv2.fillPoly(image, [points.astype(np.int32)], colour)
