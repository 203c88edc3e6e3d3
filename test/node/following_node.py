# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The real node and its real tracker, with a search and an estimator that see bright spots.

Each spot is a face that looks at the camera, as large as one 1 m away.
"""

from __future__ import annotations

import sys
from typing import Any

import cv2
import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.heads import Estimates, Faces
from headpose_ros.pipeline import HeadPosePipeline

ROTATION_LOOKING_BACK = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
FACE_ANGLE = 0.2
"""Angular size of each face, rad."""
CAPTURE_RADIUS = 0.45


def spots(image: Any) -> Any:
    """Return the middles (N,2) of the bright spots of an image, pixels."""
    bright = (image.max(axis=2) > 150).astype(np.uint8)
    return cv2.connectedComponentsWithStats(bright)[3][1:]


class SpotSearch:
    """Finds all spots."""

    parts = 1

    def find(self, image: Any, camera: Any, config: Any, up: Any = None) -> Faces:
        found = spots(image)
        if not len(found):
            return Faces.none()
        count = len(found)
        return Faces(camera.rays(found), np.full(count, FACE_ANGLE), np.full(count, 0.95))


class SpotEstimator:
    """Sees the spot nearest to the middle of its crop, if it is near enough."""

    name = 'spots'
    crop_px = 48
    crop_scale = 2.0
    landmark_box_scale = 1.4
    capture_radius = CAPTURE_RADIUS
    refines = True

    def confidences(self, estimates: Estimates) -> Any:
        return estimates.face_probability

    def estimate(self, crops: Any, crop_angles: Any) -> Estimates:
        rows = [self._one(crop, angle) for crop, angle in zip(crops, crop_angles, strict=True)]
        return Estimates(*(np.array(column, float) for column in zip(*rows, strict=True)))

    def _one(self, crop: Any, angle: float) -> tuple[Any, ...]:
        middle = (self.crop_px - 1) / 2
        focal = self.crop_px / 2 / np.tan(angle / 2)
        ray, probability = np.array([0.0, 0.0, 1.0]), 0.03
        offsets = (spots(crop) - middle) / focal
        if len(offsets):
            offset = min(offsets, key=lambda each: float(np.hypot(*each)))
            if np.hypot(*offset) < CAPTURE_RADIUS * FACE_ANGLE / 2:
                ray = np.array([*offset, 1.0]) / np.linalg.norm([*offset, 1.0])
                probability = 0.98
        return ROTATION_LOOKING_BACK, np.full(3, 0.05), ray, FACE_ANGLE, 1.0, probability


def make_pipeline(config: PipelineConfig) -> HeadPosePipeline:
    return HeadPosePipeline(config, search=SpotSearch(), estimator=SpotEstimator())


if __name__ == '__main__':
    from headpose_ros.node.main import main

    sys.exit(main(make_pipeline=make_pipeline))
