# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rectangle of pixels that a face covers, as part of the image."""

from __future__ import annotations

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.sphere_projection import boxes_of_spheres
from headpose_ros.heads import Roi
from headpose_ros.typing import Array


def rois(camera: CameraModel, rays: Array, angular_sizes: Array) -> list[Roi]:
    """Return the rectangles around faces at `rays` (N,3), `angular_sizes` (N,) rad.

    They are clipped to the image, and at least one pixel large: a face outside the image gets the
    border pixel nearest to it.
    """
    boxes, _ = boxes_of_spheres(camera, rays, angular_sizes)
    ends = (camera.width - 1, camera.height - 1) * 2
    found = []
    for box in boxes.tolist():
        x0, y0, x1, y1 = (min(max(round(at), 0), end) for at, end in zip(box, ends, strict=True))
        found.append(Roi(x0, y0, x1 - x0 + 1, y1 - y0 + 1))
    return found
