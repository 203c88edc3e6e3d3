# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A head as a camera that looks straight at it sees it, and how it is laid into an image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry import CameraModel, rotation_to_axis
from headpose_ros.geometry.face_frame import angular_size_from_distance
from headpose_ros.typing import Array, Image

_COARSEST = 24


@dataclass(frozen=True, eq=False)
class Patch:
    """A head seen by a square pinhole of `focal` px that looks along the ray to its face centre.

    `bgra` (S,S,4) uint8, colours times coverage; `distance`: metres from which it looks as it
    does; `rotation_patch_from_face` (3,3).
    """

    bgra: NDArray[np.uint8]
    focal: float
    distance: float
    rotation_patch_from_face: Array

    @cached_property
    def levels(self) -> list[NDArray[np.uint8]]:
        """The picture at half the size again and again."""
        levels = [self.bgra]
        while levels[-1].shape[0] > 2 * _COARSEST:
            levels.append(np.asarray(cv2.pyrDown(levels[-1]), np.uint8))
        return levels


@dataclass(frozen=True)
class Place:
    """Where a head is: its face centre (3,), metres in the camera frame, and a roll, rad."""

    centre: Array
    roll: float = 0.0

    @property
    def rotation_patch_from_camera(self) -> Array:
        """The minimal rotation that takes the ray to the face centre to z, then the roll."""
        c, s = np.cos(self.roll), np.sin(self.roll)
        roll = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
        return roll @ rotation_to_axis(self.centre[None] / np.linalg.norm(self.centre))[0]

    @property
    def angular_size(self) -> float:
        """The full angle, rad, that the face sphere subtends."""
        return float(angular_size_from_distance(np.linalg.norm(self.centre)))


def paste(image: Image, camera: CameraModel, patch: Patch, place: Place) -> None:
    """Draw a head into `image` (H,W,3) of a pinhole `camera`, in place."""
    if place.centre[2] < 0.2:
        return
    turn = place.rotation_patch_from_camera
    nearer = np.tan(angular_size_from_distance(patch.distance) / 2)
    scale = float(nearer / np.tan(place.angular_size / 2)) * patch.focal
    half = patch.bgra.shape[0] / 2
    window = _window(camera, turn, half / scale)
    if window is None:
        return
    x0, y0, x1, y1 = window
    level = min(int(np.round(np.log2(max(scale / camera.fx, 1.0)))), len(patch.levels) - 1)
    factor = 2.0**-level
    to_patch = np.diag([factor, factor, 1.0]) @ np.array(
        [[scale, 0.0, half - 0.5], [0.0, scale, half - 0.5], [0.0, 0.0, 1.0]]
    )
    to_rays = np.array(
        [
            [1 / camera.fx, 0.0, (x0 - camera.cx) / camera.fx],
            [0.0, 1 / camera.fy, (y0 - camera.cy) / camera.fy],
            [0.0, 0.0, 1.0],
        ]
    )
    drawn = cv2.warpPerspective(
        patch.levels[level],
        to_patch @ turn @ to_rays,
        (x1 - x0, y1 - y0),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    under = image[y0:y1, x0:x1]
    clear = cv2.merge([255 - drawn[..., 3]] * 3)
    image[y0:y1, x0:x1] = cv2.add(
        cv2.multiply(under, clear, scale=1 / 255), np.ascontiguousarray(drawn[..., :3])
    )


def _window(camera: CameraModel, turn: Array, reach: float) -> tuple[int, int, int, int] | None:
    """Return the part of the image, x0, y0, x1, y1, that a patch of this half width covers."""
    corners = np.array([[x, y, 1.0] for x in (-reach, reach) for y in (-reach, reach)]) @ turn
    if corners[:, 2].min() < 0.05:
        return 0, 0, camera.width, camera.height  # very near: the plane of the patch cuts it
    x = camera.fx * corners[:, 0] / corners[:, 2] + camera.cx
    y = camera.fy * corners[:, 1] / corners[:, 2] + camera.cy
    x0, y0 = max(0, int(x.min())), max(0, int(y.min()))
    x1, y1 = min(camera.width, int(x.max()) + 2), min(camera.height, int(y.max()) + 2)
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
