# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a sphere, the shape that a face is given, appears in an image of any lens, and back.

A sphere's outline is the cone of half its angular size around its ray. Its *box* is the box of
that outline in the image; its *square* has the box's centre, and the geometric mean of the box's
sides for a side. Off axis neither is where the sphere's centre is seen nor as large as there:
with a pinhole at 45 degrees a face 10 degrees across is off by half a degree and half again as
large.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.rotations import rotation_to_axis
from headpose_ros.heads import Array

_TURN = np.linspace(0.0, 2 * np.pi, 32, endpoint=False)
_LARGEST = np.radians(160.0)
_STEP = 1e-4  # rad, for derivatives by central differences


def boxes_of_spheres(
    camera: CameraModel, rays: ArrayLike, angular_sizes: ArrayLike
) -> tuple[Array, np.ndarray]:
    """Return boxes (N,4), x0, y0, x1, y1 in pixels, and valid (N,) of spheres along rays (N,3).

    `angular_sizes` (N,): rad, full angles. Not valid where part of the outline is out of the
    lens's range; the box then ends at its rim. Boxes may reach beyond the image.
    """
    half = np.asarray(angular_sizes, np.float64).reshape(-1, 1) / 2
    rotations = rotation_to_axis(np.asarray(rays, np.float64).reshape(-1, 3))
    across = np.sin(half)
    x, y = across * np.cos(_TURN), across * np.sin(_TURN)
    outline = np.stack([x, y, np.broadcast_to(np.cos(half), x.shape)], axis=-1) @ rotations
    pixels, valid = camera.pixels(outline.reshape(-1, 3))
    pixels = pixels.reshape(*x.shape, 2)
    return np.hstack([pixels.min(axis=1), pixels.max(axis=1)]), valid.reshape(x.shape).all(axis=1)


def squares_of_spheres(
    camera: CameraModel, rays: ArrayLike, angular_sizes: ArrayLike
) -> tuple[Array, Array, np.ndarray]:
    """Return centres (N,2) px, sides (N,) px and valid (N,); see `boxes_of_spheres`."""
    boxes, valid = boxes_of_spheres(camera, rays, angular_sizes)
    sides = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
    return (boxes[:, :2] + boxes[:, 2:]) / 2, sides, valid


def spheres_of_squares(
    camera: CameraModel, centres_px: ArrayLike, sides_px: ArrayLike
) -> tuple[Array, Array]:
    """Return unit rays (M,3) and angular sizes (M,), rad; the inverse of `squares_of_spheres`."""
    centres = np.asarray(centres_px, np.float64).reshape(-1, 2)
    sides = np.asarray(sides_px, np.float64).reshape(-1)
    if not (sides > 0).all():
        raise ValueError(f'sides_px: expected positive numbers, got {sides}')
    aim = rays = camera.rays(centres)
    sizes = np.minimum(2 * np.arctan(sides / pixels_per_radian(camera, rays) / 2), _LARGEST)
    for _ in range(30):  # each time the error shrinks by about the square of the size
        found, found_sides, _ = squares_of_spheres(camera, rays, sizes)
        off = aim - camera.rays(found)
        growth = sides / np.maximum(found_sides, 1e-9)
        rays = rays + off
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        sizes = np.clip(sizes * growth, 1e-9, _LARGEST)
        if np.all(np.abs(off) < 1e-6) and np.all(np.abs(growth - 1) < 1e-6):
            break
    return rays, sizes


def pixels_per_radian(camera: CameraModel, rays: ArrayLike) -> Array:
    """Return the scale (N,) of the image along rays (N,3), the same area in all directions."""
    rotations = rotation_to_axis(np.asarray(rays, np.float64).reshape(-1, 3))
    beside = np.array([[_STEP, 0, 1], [-_STEP, 0, 1], [0, _STEP, 1], [0, -_STEP, 1]]) @ rotations
    p = camera.pixels(beside.reshape(-1, 3))[0].reshape(-1, 4, 2)
    (a, b), (c, d) = ((p[:, i] - p[:, i + 1]).T / (2 * _STEP) for i in (0, 2))
    scale: Array = np.sqrt(np.maximum(np.abs(a * d - b * c), 1e-12))
    return scale
