# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""RetinaFace with MobileNet-0.25, on our runtimes, or the Caffe model of FacePose_pytorch."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.config import PipelineConfig
from headpose_ros.detection.detector import BoxToFace, Detector
from headpose_ros.detection.retinaface_network import ARCHITECTURE, decode
from headpose_ros.detection.scaling import scaled
from headpose_ros.heads import Boxes
from headpose_ros.inference.protocols import Runtime
from headpose_ros.inference.weights import LoadedWeights, WeightsError, fitted, load
from headpose_ros.typing import Array, Image

SMALLEST_PX = 24.0
"""Images are scaled so that the smallest face wanted is this large. The smallest anchor is 16; of
upright faces in photographs, 79 % are found from 16 to 18 px, 93 % from 24 to 32, 97 % above."""
_CAFFE_SMALLEST_PX = 12.0
_MAX_OVERLAP = 0.4
_MEAN_BGR = (104.0, 117.0, 123.0)
_MIN_SIDE = 32
_MIN_SCORE = 0.01  # with less, all anchors would be decoded


class RetinaFace:
    """The detector (`detector.Detector`). Scores below `min_score` are not worth a look."""

    name = 'retinaface'
    box_to_face = BoxToFace(scale=1.60, dy=0.08)  # tools/fit_box_to_face.py, 570 faces

    def __init__(self, runtime: Runtime, weights: LoadedWeights, min_score: float = 0.5) -> None:
        # Without the landmarks, which nobody uses and which take an eighth of the time.
        self._network = runtime.compile(weights.with_outputs(2))
        self._min_score = max(min_score, _MIN_SCORE)

    def detect(self, image_bgr: Image, min_face_px: float) -> Boxes:
        """Find faces; boxes may reach out of the image. See `detector.Detector`."""
        small, scale = scaled(image_bgr, SMALLEST_PX / min_face_px, _MIN_SIDE)
        offsets, logits = self._network(small[None])[:2]
        height, width = small.shape[:2]
        corners, scores = decode(offsets[0], logits[0], height, width, self._min_score)
        kept = _apart(corners, scores)
        # The network counts pixels from the corner of the first, where anchors begin.
        return Boxes(corners[kept] / np.tile(scale, 2) - 0.5, scores[kept])


class CaffeRetinaFace:
    """The detector of FacePose_pytorch, run by OpenCV; it gives no landmarks."""

    name = 'retinaface'
    box_to_face = BoxToFace(scale=1.54, dy=0.06)

    def __init__(self, caffemodel: Path, min_score: float = 0.5) -> None:
        prototxt = caffemodel.with_suffix('.prototxt')
        for path in (caffemodel, prototxt):
            if not path.is_file():
                raise WeightsError(
                    f'detector retinaface: {path} not found; a .caffemodel needs its .prototxt '
                    'of the same name beside it'
                )
        if not hasattr(cv2.dnn, 'readNetFromCaffe'):
            raise WeightsError(
                f'detector retinaface: OpenCV {cv2.__version__} cannot read Caffe models; use '
                'OpenCV 4, or the PyTorch checkpoint (headpose weights import)'
            )
        try:
            self._net = cv2.dnn.readNetFromCaffe(str(prototxt), str(caffemodel))
        except cv2.error as error:
            raise WeightsError(f'detector retinaface: {caffemodel}: {error.err}') from None
        self._min_score = min_score

    def detect(self, image_bgr: Image, min_face_px: float) -> Boxes:
        """Find faces; boxes may reach out of the image. See `detector.Detector`."""
        small, _ = scaled(image_bgr, _CAFFE_SMALLEST_PX / min_face_px, _MIN_SIDE)
        self._net.setInput(cv2.dnn.blobFromImage(small, mean=_MEAN_BGR), 'data')
        rows = np.asarray(self._net.forward('detection_out'), np.float64).reshape(-1, 7)
        rows = rows[rows[:, 2] >= self._min_score]
        height, width = image_bgr.shape[:2]
        return Boxes(rows[:, 3:] * [width, height, width, height] - 0.5, rows[:, 2])


def create(config: PipelineConfig, runtime: Runtime) -> Detector:
    """Load `config.detector_weights`: ONNX, or a .caffemodel. Raises WeightsError."""
    min_score = min(0.5, config.score_threshold)
    if Path(config.detector_weights).suffix == '.caffemodel':
        return CaffeRetinaFace(Path(config.detector_weights).expanduser(), min_score)
    weights = load(config.detector_weights, 'retinaface', (ARCHITECTURE,))
    with fitted(weights):
        return RetinaFace(runtime, weights, min_score)


def _apart(corners: Array, scores: Array) -> NDArray[np.intp]:
    """Return the indices, best first, that non-maximum suppression keeps."""
    sides = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    kept = cv2.dnn.NMSBoxes(sides.tolist(), scores.tolist(), 0.0, _MAX_OVERLAP)
    return np.asarray(kept, np.intp).reshape(-1)
