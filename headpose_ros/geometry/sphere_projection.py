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
from headpose_ros.typing import Array

_TURN = np.linspace(0.0, 2 * np.pi, 32, endpoint=False)
_CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN), np.ones_like(_TURN)], axis=-1)
_LARGEST = np.tan(np.radians(80.0))  # tangent of half of an angular size
_MAX_ROUNDS = 12
_CLOSE, _TOO_FAR = 3e-4, 0.3  # of the side; a move from close by leaves a tenth, or less
_STEP = 1e-4  # rad, for derivatives by central differences


def boxes_of_spheres(
    camera: CameraModel, rays: ArrayLike, angular_sizes: ArrayLike
) -> tuple[Array, np.ndarray]:
    """Return boxes (N,4), x0, y0, x1, y1 in pixels, and valid (N,) of spheres along rays (N,3).

    `angular_sizes` (N,): rad, full angles. Not valid where part of the outline is out of the
    lens's range; the box then ends at its rim. Boxes may reach beyond the image.
    """
    half = np.asarray(angular_sizes, np.float64).reshape(-1, 1, 1) / 2
    axes = rotation_to_axis(np.asarray(rays, np.float64).reshape(-1, 3))
    axes[:, :2] *= np.sin(half)
    axes[:, 2:] *= np.cos(half)
    x, y, valid = camera.lens.project((_CIRCLE @ axes).reshape(-1, 3))
    pixels = np.array(camera.to_pixels(x, y)).reshape(2, len(axes), len(_CIRCLE))
    if camera.wraps:
        centres = camera.pixels(axes[:, 2])[0]
        pixels[0] = camera.unwrapped(pixels[0], centres[:, :1])
    whole = np.asarray(valid.reshape(len(axes), len(_CIRCLE)).all(axis=1), np.bool_)
    return np.concatenate([pixels.min(axis=2), pixels.max(axis=2)]).T, whole


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
    """Return unit rays (M,3) and angular sizes (M,), rad; the inverse of `squares_of_spheres`.

    Where there is none, as for a square that reaches beyond what the lens describes, it is the
    sphere whose square is nearest of those tried, or else that of the scale at the centre.
    """
    centres = np.asarray(centres_px, np.float64).reshape(-1, 2)
    sides = np.asarray(sides_px, np.float64).reshape(-1)
    if not (sides > 0).all():
        raise ValueError(f'sides_px: expected positive numbers, got {sides}')
    rays = camera.rays(centres)
    basis, slopes = _local_scale(camera, rays)
    to_plane = np.linalg.inv(slopes)
    scale = np.sqrt(np.abs(np.linalg.det(slopes)))
    tangents = sides / scale / 2
    offsets = np.zeros_like(centres)  # of the ray, on the plane that `basis` looks at
    best, least = np.column_stack([offsets, tangents]), np.full(len(sides), np.inf)
    left = np.arange(len(sides))
    for _ in range(_MAX_ROUNDS):  # each time the error shrinks by about the square of the size
        found, found_sides, valid = squares_of_spheres(
            camera, _off(basis[left], offsets[left]), 2 * np.arctan(tangents[left])
        )
        found[:, 0] = camera.unwrapped(found[:, 0], centres[left, 0])
        off = centres[left] - found
        growth = sides[left] / np.maximum(found_sides, 1e-9)
        error = np.abs(off).max(axis=1) / sides[left] + np.abs(np.log(growth))
        better = valid & (error < least[left])
        moved = left[better]
        best[moved] = np.column_stack([offsets[moved], tangents[moved]])
        least[moved] = error[better]
        most = sides[left, None] / 2
        move = np.minimum(np.maximum(off, -most), most)
        offsets[left] += (to_plane[left] @ move[:, :, None])[:, :, 0]
        tangents[left] *= np.minimum(np.maximum(growth, 0.5), 2.0)
        tangents[left] = np.minimum(tangents[left], _LARGEST)
        near = valid & (error <= _CLOSE)
        there = left[near]
        best[there] = np.column_stack([offsets[there], tangents[there]])
        left = left[~near]
        if left.size == 0:
            break
    hopeless = least > _TOO_FAR
    best[hopeless] = np.column_stack([0 * offsets, sides / scale / 2])[hopeless]
    return _off(basis, best[:, :2]), 2 * np.arctan(best[:, 2])


def _off(basis: Array, offsets: Array) -> Array:
    """Return unit rays (N,3) at tangents `offsets` (N,2) from where `basis` (N,3,3) looks."""
    rays = basis[:, 2] + np.einsum('nij,ni->nj', basis[:, :2], offsets)
    unit: Array = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    return unit


def pixels_per_radian(camera: CameraModel, rays: ArrayLike) -> Array:
    """Return the scale (N,) of the image along rays (N,3), the same area in all directions."""
    _, slopes = _local_scale(camera, np.asarray(rays, np.float64).reshape(-1, 3))
    scale: Array = np.sqrt(np.abs(np.linalg.det(slopes)))
    return scale


def _local_scale(camera: CameraModel, rays: Array) -> tuple[Array, Array]:
    """Return rotations (N,3,3) that look along rays (N,3), and d pixels / d tangents (N,2,2)."""
    rotations = rotation_to_axis(rays)
    beside = np.array([[_STEP, 0, 1], [-_STEP, 0, 1], [0, _STEP, 1], [0, -_STEP, 1]]) @ rotations
    p = camera.pixels(beside.reshape(-1, 3))[0].reshape(-1, 4, 2)
    p[:, :, 0] = camera.unwrapped(p[:, :, 0], p[:, :1, 0])
    slopes = np.stack([p[:, 0] - p[:, 1], p[:, 2] - p[:, 3]], axis=-1) / (2 * _STEP)
    # At the rim of the lens's range the image may have no extent.
    slopes[np.abs(np.linalg.det(slopes)) < 1e-12] = np.eye(2)
    return rotations, slopes
