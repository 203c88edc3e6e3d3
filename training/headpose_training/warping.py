# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Geometric augmentation: other virtual cameras on the same face, with the truth turned along.

A stored crop's camera may be turned (which moves the face in the crop), rolled, zoomed and
mirrored. Each is an exact homography between two pinhole cameras with a common centre. Of pictures
whose camera nobody asks about, squares are cut by an affine map instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry.face_frame import FACE_SPHERE_RADIUS
from headpose_ros.geometry.rotations import rotation_to_axis
from headpose_ros.typing import Array, Image
from headpose_training.face_crops import FaceCrops
from headpose_training.landmark_table import MIRRORED

_MIRROR_CAMERA = np.diag([-1.0, 1.0, 1.0])
_MIRROR_FACE = np.diag([1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Views:
    """How to look at each of B faces anew.

    `rolls` (B,): rad, the virtual camera is turned by this about its axis. `centres` (B,2): where
    the face centre shall be, in half crops. `scales` (B,): crop over the nominal one.
    `mirrored` (B,) bool. `distances` (B,): metres, taken for crops of unknown camera.
    """

    rolls: Array
    centres: Array
    scales: Array
    mirrored: NDArray[np.bool_]
    distances: Array

    @staticmethod
    def plain(count: int) -> Views:
        """Return the nominal views."""
        zero = np.zeros(count)
        return Views(
            zero, np.zeros((count, 2)), np.ones(count), np.zeros(count, bool), np.ones(count)
        )


@dataclass(frozen=True)
class WarpLimits:
    """Spreads of random views: most are moderate, `wide_fraction` uniform over the whole range."""

    roll_sigma_deg: float = 6.0
    roll_max_deg: float = 40.0
    shift_sigma: float = 0.035
    shift_max: float = 0.3
    scale_sigma: float = 0.05
    scale_max: float = 1.5
    wide_fraction: float = 0.12
    min_distance: float = 0.5
    max_distance: float = 4.0

    def draw(self, rng: np.random.Generator, count: int) -> Views:
        """Draw random views."""

        def mixed(sigma: float, most: float, shape: tuple[int, ...]) -> Array:
            wide = rng.random(count) < self.wide_fraction
            wide = wide.reshape(count, *[1] * (len(shape) - 1))
            values = np.where(wide, rng.uniform(-most, most, shape), rng.normal(0.0, sigma, shape))
            return np.clip(values, -most, most)

        return Views(
            rolls=np.deg2rad(mixed(self.roll_sigma_deg, self.roll_max_deg, (count,))),
            centres=mixed(self.shift_sigma, self.shift_max, (count, 2)),
            scales=np.exp(mixed(self.scale_sigma, np.log(self.scale_max), (count,))),
            mirrored=rng.random(count) < 0.5,
            distances=np.exp(
                rng.uniform(np.log(self.min_distance), np.log(self.max_distance), count)
            ),
        )


@dataclass(frozen=True)
class Warp:
    """Homographies (B,3,3) from pixels of the new crop to those of the stored one, new truth.

    `rotations`, `centres`, `log_sizes` are the network's targets (`pose_network.py`); `landmarks`
    (B,68,2) are in half crops from the middle, NaN where unknown.
    """

    homographies: Array
    rotations: Array
    centres: Array
    log_sizes: Array
    landmarks: Array


def plan_warp(
    crops: FaceCrops, index: NDArray[np.intp], views: Views, crop_px: int, crop_scale: float
) -> Warp:
    """Compute the homographies and targets of `views` on the crops `index` (B,)."""
    known = crops.half_tangents[index]
    sphere = FACE_SPHERE_RADIUS / views.distances
    sizes = np.where(crops.is_face[index], crops.sizes[index], 0.5)
    from_distance = sphere / np.sqrt(1 - sphere**2) / sizes
    source_tangents = np.where(np.isnan(known), from_distance, known)
    target_tangents = source_tangents * sizes * crop_scale * views.scales

    to_face_from_source = rotation_to_axis(_rays(crops.centres[index], source_tangents))
    to_face_from_target = rotation_to_axis(_rays(views.centres, target_tangents))
    roll = _about_axis(views.rolls)
    source_from_target = np.swapaxes(to_face_from_source, 1, 2) @ roll @ to_face_from_target
    homographies = (
        _pixels_from_rays(source_tangents, crops.size_px)
        @ source_from_target
        @ np.linalg.inv(_pixels_from_rays(target_tangents, crop_px))
    )
    rotations = np.swapaxes(roll, 1, 2) @ crops.rotations[index]
    centres = views.centres.copy()

    flip = np.array([[-1.0, 0.0, crop_px - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    m = views.mirrored
    homographies[m] = homographies[m] @ flip
    rotations[m] = _MIRROR_CAMERA @ rotations[m] @ _MIRROR_FACE
    centres[m, 0] *= -1
    landmarks = _warp_landmarks(crops.landmarks[index], crops.size_px, homographies, crop_px)
    landmarks[m] = landmarks[m][:, MIRRORED]
    return Warp(homographies, rotations, centres, -np.log(views.scales), landmarks)


def warp_image(image: Image, homography: Array, crop_px: int) -> Image:
    """Sample one crop; beyond the stored one its border goes on."""
    return cv2.warpPerspective(
        image,
        homography,
        (crop_px, crop_px),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def crop_from_image(
    centre: Array, side: float, roll: float, crop_px: int, mirror: bool = False
) -> Array:
    """Return the affine map (2,3) from pixels of the image to those of a square crop.

    `centre` (2,), `side`: pixels; `roll`: rad, how far the crop turns what it shows, clockwise.
    """
    scale = crop_px / side
    c, s = scale * np.cos(roll), scale * np.sin(roll)
    linear = np.array([[c, -s], [s, c]])
    if mirror:
        linear = np.diag([-1.0, 1.0]) @ linear
    return np.hstack([linear, ((crop_px - 1) / 2 - linear @ centre)[:, None]])


def _warp_landmarks(landmarks: Array, size_px: int, homographies: Array, crop_px: int) -> Array:
    """Take landmarks (B,68,2), half crops, from stored crops to those of `homographies`."""
    pixels = landmarks * (size_px / 2) + (size_px - 1) / 2
    back = np.linalg.inv(homographies)
    warped = pixels @ np.swapaxes(back[:, :, :2], 1, 2) + back[:, None, :, 2]
    found: Array = (warped[..., :2] / warped[..., 2:] - (crop_px - 1) / 2) / (crop_px / 2)
    return found


def _rays(centres: Array, half_tangents: Array) -> Array:
    return np.column_stack([centres * half_tangents[:, None], np.ones(len(centres))])


def _about_axis(angles: Array) -> Array:
    c, s, zero, one = np.cos(angles), np.sin(angles), np.zeros_like(angles), np.ones_like(angles)
    return np.stack([c, -s, zero, s, c, zero, zero, zero, one], 1).reshape(-1, 3, 3)


def _pixels_from_rays(half_tangents: Array, size_px: int) -> Array:
    matrices = np.zeros((len(half_tangents), 3, 3))
    matrices[:, 0, 0] = matrices[:, 1, 1] = size_px / 2 / half_tangents
    matrices[:, :2, 2] = (size_px - 1) / 2
    matrices[:, 2, 2] = 1
    return matrices
