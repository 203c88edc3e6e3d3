# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Views of a camera that is not held upright, in which people stand upright all the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.sphere_projection import spheres_of_squares
from headpose_ros.typing import Array, Image

UPWARDS = np.array([0.0, -1.0, 0.0])
"""Against gravity, in the frame of a camera that is held upright. Read-only."""
UPWARDS.setflags(write=False)

UPRIGHT_ENOUGH = math.radians(12.0)
"""A camera turned by less is searched as an upright one: detectors find such faces as well."""

_STEP = math.radians(7.5)
_ALONG_AXIS = math.radians(25.0)


def roll_of(up: ArrayLike) -> float | None:
    """Return by how much a camera is turned about its optical axis, rad, clockwise from behind.

    `up` (3,): against gravity, in its frame. A multiple of 7.5 deg; 0 where it is upright enough;
    None where it looks straight up or down, so that no direction in its image is upwards.
    """
    x, y, z = (float(value) for value in np.asarray(up, np.float64))
    if math.hypot(x, y) < math.tan(_ALONG_AXIS) * abs(z):
        return None
    roll = math.atan2(-x, -y)
    return 0.0 if abs(roll) < UPRIGHT_ENOUGH else round(roll / _STEP) * _STEP


def up_of_roll(roll: float) -> Array:
    """Return the direction (3,) against gravity in the frame of a camera turned by `roll`, rad."""
    return np.array([-math.sin(roll), -math.cos(roll), 0.0])


@dataclass(frozen=True, eq=False)
class TurnedView:
    """A whole image turned in its plane, as `coverage.View`.

    `camera`: a pinhole of the turned image's size, and of about its focal length. `lens`: that of
    the image itself. `turned_from_image` (2,3): takes its pixels to those of the turned one.
    """

    camera: CameraModel
    lens: CameraModel
    rotation_view_from_camera: Array
    turned_from_image: Array
    quarter: int | None
    is_whole_image: bool = True

    @staticmethod
    def of(lens: CameraModel, roll: float) -> TurnedView:
        """Return the view of `lens` for a camera turned by `roll`, rad: turned back."""
        c, s = math.cos(roll), math.sin(roll)
        width, height = lens.width, lens.height
        size = (
            math.ceil(abs(c) * width + abs(s) * height - 1e-6),
            math.ceil(abs(s) * width + abs(c) * height - 1e-6),
        )
        turn = np.array([[c, -s], [s, c]])
        old, new = (np.array([w - 1, h - 1]) / 2 for w, h in ((width, height), size))
        focal = math.sqrt(lens.fx * lens.fy)
        pinhole = CameraModel(*size, focal, focal, *new)
        quarters = roll / (math.pi / 2)
        quarter = round(quarters) % 4 if abs(quarters - round(quarters)) < 1e-6 else None
        rotation = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
        matrix = np.column_stack([turn, new - turn @ old])
        return TurnedView(pinhole, lens, rotation, matrix, quarter)

    def render(self, image: Image) -> Image:
        """Return the image (H,W,3) or (H,W), turned; black in the corners beside it."""
        if self.quarter is not None:
            return np.ascontiguousarray(np.rot90(image, -self.quarter))
        size = (self.camera.width, self.camera.height)
        return np.asarray(cv2.warpAffine(image, self.turned_from_image, size), np.uint8)

    def faces_from_squares(
        self, centres_px: ArrayLike, sides_px: ArrayLike
    ) -> tuple[Array, Array]:
        """Return rays (M,3) in the camera frame and angular sizes (M,), rad, of squares here."""
        matrix, shift = self.turned_from_image[:, :2], self.turned_from_image[:, 2]
        centres = np.asarray(centres_px, np.float64).reshape(-1, 2)
        return spheres_of_squares(self.lens, (centres - shift) @ matrix, sides_px)


def rotation_level_from_camera(up: ArrayLike) -> Array:
    """Return the rotation (3,3) to an upright frame, the one that turns least."""
    u = np.asarray(up, np.float64) / np.linalg.norm(up)
    axis, cosine = np.cross(u, UPWARDS), float(u @ UPWARDS)
    if cosine < -1.0 + 1e-9:
        return np.diag([-1.0, -1.0, 1.0])  # about the optical axis
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    rotation: Array = np.eye(3) + cross + cross @ cross / (1.0 + cosine)
    return rotation


RING_VIEWS = 6
RING_TILT = math.radians(40.0)
RING_ANGLE = math.radians(80.0)
"""How a wide lens that looks down from a ceiling is searched: all around, each view 40 deg below
(or above) the horizon and spanning 80 deg. Straight below only hair is to be seen."""


def ring_pans_and_tilts(up: Sequence[float]) -> tuple[Array, Array]:
    """Return pans and tilts (K,), rad, in the upright frame, for a lens that looks down or up."""
    pans = np.linspace(0.0, 2 * math.pi, RING_VIEWS, endpoint=False)
    tilts: Array = np.full(RING_VIEWS, RING_TILT if up[2] < 0 else -RING_TILT)
    return pans, tilts
