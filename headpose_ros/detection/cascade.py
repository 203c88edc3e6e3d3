# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""OpenCV's cascade classifier: its own frontal Haar cascade, or a file (Haar or LBP) to be named.

Kept to compare with older systems; it finds frontal faces only.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.detection.detector import BoxToFace
from headpose_ros.detection.scaling import scaled
from headpose_ros.heads import Boxes
from headpose_ros.inference.protocols import Runtime
from headpose_ros.inference.weights import WeightsError
from headpose_ros.typing import Image

_DEFAULT = 'haarcascade_frontalface_default.xml'
_SYSTEM_FOLDERS = ('/usr/share/opencv4/haarcascades', '/usr/share/opencv/haarcascades')
_WINDOW_PX = 24
_SCALE_STEP = 1.1
_MIN_NEIGHBOURS = 3
_HALF_SURE = 2.0


class Cascade:
    """The detector (`detector.Detector`).

    A cascade gives no probability. The score is n / (n + 2) for n overlapping hits: 0.6 for the
    3 that are the least, 0.71 for the 5 that are usually asked for.
    """

    name = 'cascade'
    box_to_face = BoxToFace(scale=1.50, dy=0.08)  # tools/fit_box_to_face.py: 111 faces, like mtcnn

    def __init__(self, path: Path) -> None:
        if not hasattr(cv2, 'CascadeClassifier'):
            raise WeightsError(
                f'detector cascade: OpenCV {cv2.__version__} has no cascade '
                'classifier; install OpenCV 4, or use detector mtcnn'
            )
        self._classifier = cv2.CascadeClassifier()
        try:
            loaded = self._classifier.load(str(path))
        except cv2.error:
            loaded = False
        if not loaded:
            raise WeightsError(f'detector cascade: {path} is not a cascade that OpenCV can read')

    def detect(self, image_bgr: Image, min_face_px: float) -> Boxes:
        """Find faces; see `detector.Detector`."""
        scale = min(_WINDOW_PX / min_face_px, 1.0)
        small, per_axis = scaled(image_bgr, scale)
        grey = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY))
        least = max(_WINDOW_PX, round(min_face_px * scale))
        found, neighbours = self._classifier.detectMultiScale2(
            grey, scaleFactor=_SCALE_STEP, minNeighbors=_MIN_NEIGHBOURS, minSize=(least, least)
        )
        if len(found) == 0:
            return Boxes(np.empty((0, 4)), np.empty(0))
        boxes = np.asarray(found, np.float64)
        hits = np.asarray(neighbours, np.float64).reshape(-1)
        low = boxes[:, :2] / per_axis - 0.5
        return Boxes(np.hstack([low, low + boxes[:, 2:] / per_axis]), hits / (hits + _HALF_SURE))


def create(config: PipelineConfig, runtime: Runtime) -> Cascade:
    """Load `config.detector_weights`, or OpenCV's frontal face. Raises WeightsError."""
    if not config.detector_weights:
        return Cascade(_default_file())
    path = Path(config.detector_weights).expanduser()
    if not path.is_file():
        raise WeightsError(f'detector cascade: {path} not found')
    return Cascade(path)


def _default_file() -> Path:
    folders = [*_SYSTEM_FOLDERS]
    if hasattr(cv2, 'data'):
        folders.insert(0, cv2.data.haarcascades)
    for folder in folders:
        path = Path(folder) / _DEFAULT
        if path.is_file():
            return path
    raise WeightsError(
        f'detector cascade: the installed OpenCV {cv2.__version__} comes without '
        f'{_DEFAULT}; name a cascade file in detector_weights'
    )
