# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rectangle of pixels that a face covers, for a camera of any lens."""

from __future__ import annotations

import numpy as np

from headpose_ros.geometry import CameraModel
from headpose_ros.heads import Array, Roi

_POINTS = 16
_PHASES = np.linspace(0.0, 2.0 * np.pi, _POINTS, endpoint=False)
_CIRCLE = np.stack([np.cos(_PHASES), np.sin(_PHASES), np.ones(_POINTS)], axis=1)


def outline_rays(rays: Array, angular_sizes: Array) -> Array:
    """Return rays (N,16,3) along the edges of the face spheres seen at `rays` (N,3)."""
    # Any two directions at right angles to the ray do; the helper axis is never parallel to it.
    helper = np.zeros_like(rays)
    helper[np.arange(len(rays)), np.abs(rays).argmin(axis=1)] = 1.0
    first = helper - (helper * rays).sum(axis=1, keepdims=True) * rays
    first /= np.sqrt((first * first).sum(axis=1, keepdims=True))
    second = np.stack(
        [
            rays[:, 1] * first[:, 2] - rays[:, 2] * first[:, 1],
            rays[:, 2] * first[:, 0] - rays[:, 0] * first[:, 2],
            rays[:, 0] * first[:, 1] - rays[:, 1] * first[:, 0],
        ],
        axis=1,
    )
    half = 0.5 * angular_sizes[:, None]
    frames = np.stack([np.sin(half) * first, np.sin(half) * second, np.cos(half) * rays], axis=1)
    return _CIRCLE @ frames


def rois(camera: CameraModel, rays: Array, angular_sizes: Array) -> list[Roi]:
    """Return the rectangles around faces at `rays` (N,3), `angular_sizes` (N,) rad.

    They are clipped to the image, and at least one pixel large: a face outside the image gets the
    border pixel nearest to it.
    """
    if not len(rays):
        return []
    pixels, _ = camera.pixels(outline_rays(rays, angular_sizes).reshape(-1, 3))
    corners = pixels.reshape(-1, _POINTS, 2)
    limit = np.array([camera.width - 1, camera.height - 1])
    low = np.clip(np.round(corners.min(axis=1)), 0, limit).astype(int)
    high = np.clip(np.round(corners.max(axis=1)), 0, limit).astype(int)
    return [
        Roi(int(x0), int(y0), int(x1 - x0 + 1), int(y1 - y0 + 1))
        for (x0, y0), (x1, y1) in zip(low, high, strict=True)
    ]
