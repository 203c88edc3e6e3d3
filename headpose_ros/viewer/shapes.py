# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heads as lines and surfaces in the camera's optical frame, metres; all heads at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.heads import Head
from headpose_ros.media.drawing import AXIS_LENGTH
from headpose_ros.typing import Array

FACE_WIDTH, FACE_HEIGHT = 0.15, 0.20
"""Of the oval that stands for a face: an adult's, metres."""
FACE_CENTRE = (0.0, 0.0, -0.035)
"""Of the oval in the face frame, below the sellion."""

WIDEST = math.radians(30.0)
"""The largest standard deviation of a direction that is drawn, rad."""

_OVAL = 24
_RING = 25
_AXIS_STEPS = 6


def axes(heads: Sequence[Head]) -> tuple[Array, Array]:
    """Return origins and vectors (3N,3) of the face frames' axes: x, y, z of each head in turn."""
    origins = np.repeat(_positions(heads), 3, axis=0)
    vectors = [AXIS_LENGTH * head.rotation_camera_from_face.T for head in heads]
    return origins, np.reshape(vectors, (-1, 3))


def axes_in_image(heads: Sequence[Head], camera: CameraModel) -> list[Array]:
    """Return the axes as lines of pixels (K,2), 3N of them, bent as the lens bends them.

    Points that the camera does not see are left out; a line may be empty.
    """
    origins, vectors = axes(heads)
    if not len(origins):
        return []
    along = np.linspace(0.0, 1.0, _AXIS_STEPS + 1)[:, None]
    points = origins[:, None, :] + along * vectors[:, None, :]
    pixels, valid = camera.pixels(points.reshape(-1, 3))
    shape = (len(origins), _AXIS_STEPS + 1)
    lines = np.reshape(pixels, (*shape, 2))
    seen = np.reshape(valid, shape) & np.isfinite(lines).all(axis=2)
    if camera.wraps:  # across the seam of a panorama a line would cross the whole image
        near = np.abs(lines[..., 0] - lines[:, :1, 0]) < camera.width / 2
        seen &= near
    return [line[kept] for line, kept in zip(lines, seen, strict=True)]


def ovals(heads: Sequence[Head]) -> Array:
    """Return the outlines (N,K,3) of the faces: ovals in the plane of each face, closed."""
    angle = np.linspace(0.0, 2 * math.pi, _OVAL, endpoint=False)
    outline = np.stack(
        [
            np.zeros(_OVAL),
            0.5 * FACE_WIDTH * np.cos(angle),
            0.5 * FACE_HEIGHT * np.sin(angle),
        ],
        axis=1,
    ) + np.array(FACE_CENTRE)
    turned = [outline @ head.rotation_camera_from_face.T + head.position for head in heads]
    return np.reshape(turned, (-1, _OVAL, 3))


def oval_triangles(count: int) -> np.ndarray:
    """Return the triangles (T,3) that fill `count` ovals of `ovals`, as indices of its points."""
    fan = np.array([(0, i, i + 1) for i in range(1, _OVAL - 1)], np.uint32)
    starts = _OVAL * np.arange(count, dtype=np.uint32)
    return np.reshape(fan[None] + starts[:, None, None], (-1, 3))


def sights(heads: Sequence[Head]) -> Array:
    """Return the lines of sight (N,2,3): from the sellion along the face's x axis.

    Each is as long as the head is far from the camera: that of somebody who faces the camera ends
    there.
    """
    lines = [
        (head.position, head.position + head.distance * head.rotation_camera_from_face[:, 0])
        for head in heads
    ]
    return np.reshape(lines, (-1, 2, 3))


def uncertainties(heads: Sequence[Head]) -> list[Array]:
    """Return two lines (K,3) for each head, one standard deviation of its rotation and place.

    A circle about the end of the line of sight: where it might end. A bar through the sellion,
    along the view: how near or far the head might be. A direction that is hardly known at all has
    a circle of `WIDEST`, which can still be taken in.
    """
    lines: list[Array] = []
    for head in heads:
        end = head.position + head.distance * head.rotation_camera_from_face[:, 0]
        radius = head.distance * math.tan(min(head.rotation_sigma, WIDEST))
        angle = np.linspace(0.0, 2 * math.pi, _RING)
        across = head.rotation_camera_from_face[:, 1:]
        circle = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        lines.append(end + circle @ across.T)
        ray = head.position / max(head.distance, 1e-6)
        spread = math.sqrt(max(0.0, float(ray @ head.covariance[:3, :3] @ ray)))
        lines.append(head.position + np.outer([-spread, spread], ray))
    return lines


def _positions(heads: Sequence[Head]) -> Array:
    return np.reshape([head.position for head in heads], (-1, 3))
