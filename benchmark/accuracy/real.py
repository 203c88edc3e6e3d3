# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Real faces that no training saw: agreement with the teacher, and what must hold without labels.

Nobody measured the poses of these faces. What can be measured is whether an estimator contradicts
itself: when the camera turns, the pose must turn with it, by as much.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from headpose_ros.estimation.estimator import Estimator
from headpose_ros.geometry import CameraModel
from headpose_ros.geometry.face_frame import FACE_SPHERE_RADIUS
from headpose_ros.geometry.rotations import geodesic_distance, matrix_from_vector
from headpose_ros.geometry.sampling import Crops, sample_crops, sample_plain_crops
from headpose_ros.geometry.virtual_camera import crop_angles
from headpose_ros.typing import Array, Image
from headpose_training.face_crops import FaceCrops
from headpose_training.report import estimator_predictor
from headpose_training.validation import (
    Looker,
    box_sensitivity,
    equivariance_deg,
    rotation_errors_deg,
)

MAX_TURN_DEG = 25.0
_DISTANCE = 1.0
_CAMERA = CameraModel.from_fov(640, 640, np.deg2rad(80.0))

Sampler = Callable[[Image, CameraModel, Array, Array, int], Crops]


def test_faces(path: Path, data: Path, authors: Path) -> FaceCrops | None:
    """Return the labelled test split; label it where that was not done; None without the data."""
    if not path.exists():
        photographs = data / 'faces_youtube'
        if not (photographs / 'landmarks68.csv').exists() or not authors.exists():
            return None
        command = [sys.executable, '-m', 'headpose_ros.cli.main', 'train', 'label']
        command += [str(photographs), '--split', 'test', '--teacher', str(authors)]
        subprocess.run([*command, '--out', str(path)], check=True)
    crops = FaceCrops.load(path)
    return crops.subset(crops.is_face)


def figures(estimator: Estimator, faces: FaceCrops, seed: int = 0) -> dict[str, Any]:
    """Return agreement, sensitivity to boxes, and both equivariance errors, degrees."""
    looker = _looker(estimator)
    found = {
        'count': len(faces),
        **in_crops(estimator, faces, seed),
        'boxes_mae': box_sensitivity(looker, faces),
        'equivariance_camera': {
            'rectified': _turned_camera(estimator, faces, sample_crops, seed),
            'plain': _turned_camera(estimator, faces, sample_plain_crops, seed),
        },
    }
    if estimator.refines:
        found['boxes_mae_second_look'] = box_sensitivity(looker, faces, looks=2)
        found['equivariance_second_look'] = equivariance_deg(looker, faces, seed, looks=2)
    return found


def in_crops(estimator: Estimator, faces: FaceCrops, seed: int = 0) -> dict[str, Any]:
    """Return agreement and equivariance within the crop, degrees."""
    looker = _looker(estimator)
    return {
        'agreement': rotation_errors_deg(*looker.rotations(faces)),
        'equivariance_in_crop': equivariance_deg(looker, faces, seed),
    }


def _looker(estimator: Estimator) -> Looker:
    return Looker(estimator_predictor(estimator), estimator.crop_px, estimator.crop_scale)


def _turned_camera(estimator: Estimator, faces: FaceCrops, sampler: Sampler, seed: int) -> float:
    """Mean geodesic error where a pinhole camera turns by up to 25 deg about any axis.

    The photographs' cameras are unknown; the face is taken to be 1 m away, in the middle of an
    image of 80 degrees, and the turned camera's image is made from that. Expected: the pose seen
    before, turned.
    """
    rng = np.random.default_rng(seed)
    axes = rng.normal(size=(len(faces), 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    turns = np.deg2rad(rng.uniform(0, MAX_TURN_DEG, (len(faces), 1))) * axes
    turned_from_camera = matrix_from_vector(turns)
    still = np.tile(np.eye(3), (len(faces), 1, 1))
    before, after = (
        _poses(estimator, faces, rotations, sampler) for rotations in (still, turned_from_camera)
    )
    apart = geodesic_distance(after, turned_from_camera @ before)
    return round(float(np.rad2deg(apart).mean()), 3)


def _poses(
    estimator: Estimator, faces: FaceCrops, turned_from_camera: Array, sampler: Sampler
) -> Array:
    sphere = 2 * np.arcsin(FACE_SPHERE_RADIUS / _DISTANCE)
    angles = crop_angles([sphere], estimator.crop_scale)
    found = []
    for i, turn in enumerate(turned_from_camera):
        image = _image(faces, i, turn)
        crops = sampler(image, _CAMERA, turn[None, :, 2], angles, estimator.crop_px)
        estimates = estimator.estimate(crops.images, angles)
        found.append(crops.cameras.rotations_to_camera(estimates.rotations_virtual_from_face)[0])
    return np.array(found)


def _image(faces: FaceCrops, index: int, turned_from_camera: Array) -> Image:
    """Return the image of the camera after its turn; beyond the stored crop its border goes on."""
    half = np.tan(np.arcsin(FACE_SPHERE_RADIUS / _DISTANCE)) / float(faces.sizes[index])
    middle = (faces.size_px - 1) / 2
    focal = faces.size_px / 2 / half
    stored = np.array([[focal, 0, middle], [0, focal, middle], [0, 0, 1]])
    homography = _CAMERA.matrix @ turned_from_camera @ np.linalg.inv(stored)
    return cv2.warpPerspective(
        faces.images[index],
        homography,
        (_CAMERA.width, _CAMERA.height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
