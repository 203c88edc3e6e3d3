# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fits the linear model of estimator `landmarks` to crops of known pose, and measures its error.

The landmarks are those that the network finds, so that its habits are part of the fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from headpose_ros.estimation.landmarks import LandmarkEstimator, LandmarkModel
from headpose_ros.estimation.linear_pose import LinearPose, measures
from headpose_ros.geometry.euler import euler_from_matrix
from headpose_ros.geometry.face_frame import FACE_SPHERE_RADIUS
from headpose_ros.geometry.rotations import geodesic_distance, vector_from_matrix
from headpose_ros.typing import Array
from headpose_training.face_crops import FaceCrops
from headpose_training.warping import Views, plan_warp, warp_image

FIT_LIMITS_DEG = (60.0, 40.0, 40.0)
"""Largest yaw, pitch and roll that the fit uses: beyond, the measures are no longer linear."""

_SOFT_DEG = 6.0
_LEAST = 20
_BATCH = 64


@dataclass(frozen=True)
class SeenCrops:
    """N plain crops as the network saw them.

    `points` (N,68,2): landmarks in half crops; `angles` (N,): rad, what the crops span;
    `rotations` (N,3,3): true, in the crops' virtual cameras.
    """

    points: Array
    angles: Array
    rotations: Array


def see(model: LandmarkModel, crops: FaceCrops) -> SeenCrops:
    """Find the landmarks in the faces of `crops`, each centred and at the model's scale."""
    index = np.flatnonzero(crops.is_face)
    points, angles, rotations = [], [], []
    for first in range(0, len(index), _BATCH):
        some = index[first : first + _BATCH]
        views = Views.plain(len(some))
        warp = plan_warp(crops, some, views, model.crop_px, model.crop_scale)
        images = np.stack(
            [
                warp_image(crops.images[i], homography, model.crop_px)
                for i, homography in zip(some, warp.homographies, strict=True)
            ]
        )
        points.append(model(images)[0])
        rotations.append(warp.rotations)
        angles.append(_angles(crops, some, views, model.crop_scale))
    if not points:
        raise ValueError('linear fit: the crops show no face')
    return SeenCrops(np.concatenate(points), np.concatenate(angles), np.concatenate(rotations))


def fit(seen: SeenCrops) -> LinearPose:
    """Fit slope and offset of each angle, with a soft L1 loss against outliers.

    Raises ValueError where fewer than 20 faces are within `FIT_LIMITS_DEG`.
    """
    truth = np.rad2deg(np.stack(euler_from_matrix(seen.rotations), axis=1))
    used = np.all(np.abs(truth) <= FIT_LIMITS_DEG, axis=1)
    if used.sum() < _LEAST:
        raise ValueError(
            f'linear fit: expected at least {_LEAST} faces within yaw, pitch, roll of '
            f'{FIT_LIMITS_DEG} deg, got {used.sum()}'
        )
    measured = measures(seen.points)[used]
    pairs = [_line(measured[:, i], truth[used, i]) for i in range(3)]
    return LinearPose(yaw=pairs[0], pitch=pairs[1], roll=pairs[2])


def errors(model: LandmarkModel, pose: str, seen: SeenCrops) -> tuple[Array, Array]:
    """Return the geodesic errors (N,) and the error vectors (N,3) in the virtual cameras, rad."""
    found = LandmarkEstimator(model, pose).from_landmarks(seen.points, seen.angles)[0]
    vectors = vector_from_matrix(found @ np.swapaxes(seen.rotations, 1, 2))
    return geodesic_distance(found, seen.rotations), vectors


def sigma_deg(vectors: Array) -> Array:
    """Return a standard deviation (3,), degrees, of error vectors that outliers do not rule."""
    return np.asarray(np.rad2deg(1.4826 * np.median(np.abs(vectors), axis=0)))


def _line(measured: Array, truth: Array) -> tuple[float, float]:
    start = np.polyfit(measured, truth, 1)
    best = least_squares(
        lambda line: line[0] * measured + line[1] - truth,
        start,
        loss='soft_l1',
        f_scale=_SOFT_DEG,
    )
    return round(float(best.x[0]), 3), round(float(best.x[1]), 3)


def _angles(
    crops: FaceCrops,
    index: np.ndarray,
    views: Views,
    crop_scale: float,
) -> Array:
    """Return the angles that plain crops of `plan_warp` span, rad."""
    sphere = FACE_SPHERE_RADIUS / views.distances
    known = crops.half_tangents[index] * crops.sizes[index]
    tangents = np.where(np.isnan(known), sphere / np.sqrt(1 - sphere**2), known)
    return np.asarray(2 * np.arctan(tangents * crop_scale))
