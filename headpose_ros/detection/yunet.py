# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""YuNet through OpenCV (cv2.FaceDetectorYN), with a model file that the user names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.detection.detector import BoxToFace
from headpose_ros.detection.scaling import scaled
from headpose_ros.heads import Boxes
from headpose_ros.inference.protocols import Runtime
from headpose_ros.inference.weights import WeightsError
from headpose_ros.typing import Image

_SMALLEST_PX = 16.0
"""Images are scaled so that the smallest face wanted is this large; YuNet finds 10 to 300 px."""
_MAX_OVERLAP = 0.3
_MAX_FACES = 5000
_MIN_SIDE = 32


class YuNet:
    """The detector (`detector.Detector`); OpenCV runs it, on the CPU."""

    name = 'yunet'
    box_to_face = BoxToFace(scale=1.60, dy=0.08)  # as RetinaFace's, trained on the same boxes

    def __init__(self, model: Path, min_score: float = 0.5) -> None:
        if not hasattr(cv2, 'FaceDetectorYN'):
            raise WeightsError(
                f'detector yunet: OpenCV {cv2.__version__} has no FaceDetectorYN; it needs 4.5.4'
            )
        try:
            self._net = cv2.FaceDetectorYN.create(
                str(model), '', (_MIN_SIDE, _MIN_SIDE), min_score, _MAX_OVERLAP, _MAX_FACES
            )
        except cv2.error as error:
            raise WeightsError(f'detector yunet: {model}: {error.err}') from None

    def detect(self, image_bgr: Image, min_face_px: float) -> Boxes:
        """Find faces; see `detector.Detector`."""
        small, scale = scaled(image_bgr, _SMALLEST_PX / min_face_px, _MIN_SIDE)
        self._net.setInputSize((small.shape[1], small.shape[0]))
        found: Any = self._net.detect(small)[1]
        rows = np.empty((0, 15)) if found is None else np.asarray(found, np.float64)
        points = rows[:, :14].reshape(-1, 7, 2) / scale
        corners = np.hstack([points[:, 0], points[:, 0] + points[:, 1]]) - 0.5
        return Boxes(corners.astype(np.float64), rows[:, 14], points[:, 2:] - 0.5)


def create(config: PipelineConfig, runtime: Runtime) -> YuNet:
    """Load the file `config.detector_weights`. Raises WeightsError."""
    if not config.detector_weights:
        raise WeightsError(
            'detector yunet: needs detector_weights, a file such as '
            'face_detection_yunet_2023mar.onnx from the OpenCV Zoo'
        )
    model = Path(config.detector_weights).expanduser()
    if not model.is_file():
        raise WeightsError(f'detector yunet: {model} not found')
    return YuNet(model, min(0.5, config.score_threshold))
