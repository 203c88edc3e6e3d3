# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Toy heads whose pose can be seen: coloured marks on a sphere, drawn in perspective."""

from __future__ import annotations

import cv2
import numpy as np

from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.face_frame import FACE_SPHERE_RADIUS
from headpose_training.face_crops import FaceCrops

# directions in the face frame (x out of the face, y left, z up), BGR
MARKS = (
    ((1.0, 0.5, 0.35), (255, 60, 60)),
    ((1.0, -0.5, 0.35), (60, 255, 60)),
    ((1.0, 0.0, 0.0), (60, 60, 255)),
    ((1.0, 0.0, -0.7), (60, 255, 255)),
)
MARK_LANDMARKS = (45, 36, 30, 8)
"""Which of the 68 landmarks the marks are: left and right eye, nose, chin."""
HALF_TANGENT = 0.2


def mark_points(rotation, distance):
    """Marks (4,3) in metres in the camera that looks at the centre of the sphere."""
    directions = np.array([d for d, _ in MARKS])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions * FACE_SPHERE_RADIUS @ rotation.T + [0.0, 0.0, distance]


def project(points, half_tangent, size):
    """Pixels (N,2) in a crop that spans +-half_tangent."""
    return points[:, :2] / points[:, 2:] / half_tangent * size / 2 + (size - 1) / 2


def draw(rotation, distance, size, rng):
    image = np.full((size, size, 3), rng.integers(20, 90, 3), np.uint8)
    radius = FACE_SPHERE_RADIUS / distance / HALF_TANGENT * size / 2
    cv2.circle(image, (size // 2, size // 2), int(radius), (170, 190, 210), -1, cv2.LINE_AA)
    points = mark_points(rotation, distance)
    for pixel, (_, colour) in zip(project(points, HALF_TANGENT, size), MARKS, strict=True):
        cv2.circle(image, tuple(np.round(pixel).astype(int).tolist()), size // 16, colour, -1)
    return image


def made_crops(count, seed=0, size=80, synthetic=False, negatives=0):
    """`count` crops, the last `negatives` of them of nothing."""
    rng = np.random.default_rng(seed)
    angles = np.deg2rad(rng.uniform(-35, 35, (3, count)))
    rotations = matrix_from_euler(*angles)
    distances = rng.uniform(0.9, 1.3, count)
    images = np.stack([draw(r, d, size, rng) for r, d in zip(rotations, distances, strict=True)])
    landmarks = np.full((count, 68, 2), np.nan)
    for i, (r, d) in enumerate(zip(rotations, distances, strict=True)):
        points = mark_points(r, d)
        landmarks[i, list(MARK_LANDMARKS)] = points[:, :2] / points[:, 2:] / HALF_TANGENT
    is_face = np.arange(count) < count - negatives
    images[~is_face] = rng.integers(0, 255, (negatives, 1, 1, 3))
    sphere = FACE_SPHERE_RADIUS / distances
    return FaceCrops(
        images=images,
        rotations=rotations,
        centres=np.zeros((count, 2)),
        sizes=sphere / np.sqrt(1 - sphere**2) / HALF_TANGENT,
        half_tangents=np.full(count, HALF_TANGENT),
        head_scales=np.ones(count),
        spreads=np.zeros(count),
        landmarks=landmarks,
        is_face=is_face,
        is_synthetic=np.full(count, synthetic),
    )


def discs(count=6, faces=4, spread=0.0):
    """Crops with a bright disc for a face: right of the middle, a third of the crop across."""
    images = np.full((count, 128, 128, 3), 60, np.uint8)
    for image in images[:faces]:
        cv2.circle(image, (76, 64), 21, (250, 250, 250), -1)
    return FaceCrops(
        images=images,
        rotations=np.tile(np.eye(3), (count, 1, 1)),
        centres=np.tile([(76 - 63.5) / 64, 0.5 / 64], (count, 1)),
        sizes=np.full(count, 43 / 128),
        half_tangents=np.full(count, np.nan),
        head_scales=np.full(count, np.nan),
        spreads=np.full(count, spread),
        landmarks=np.full((count, 68, 2), np.nan),
        is_face=np.arange(count) < faces,
        is_synthetic=np.zeros(count, bool),
    )
