# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from headpose_ros.config import PipelineConfig
from headpose_ros.detection import yunet
from headpose_ros.inference.weights import WeightsError


class FakeYuNet:
    """Answers as cv2.FaceDetectorYN does: one bright square, its points and a score."""

    def __init__(self):
        self.sizes = []

    def setInputSize(self, size):  # OpenCV's name
        self.sizes.append(size)

    def detect(self, image):
        assert image.shape[1::-1] == self.sizes[-1]
        mask = (image[..., 0] > 128).astype(np.uint8)
        if not mask.any():
            return 1, None
        x, y, w, h = cv2.boundingRect(mask)
        points = [x, y, x + w, y, x + w / 2, y + h / 2, x, y + h, x + w, y + h]
        return 1, np.array([[x, y, w, h, *points, 0.9]], np.float32)


@pytest.fixture
def detector(monkeypatch, tmp_path):
    fake = FakeYuNet()
    stand_in = SimpleNamespace(create=lambda *_: fake)  # OpenCV 4.5's class cannot be changed
    monkeypatch.setattr(cv2, 'FaceDetectorYN', stand_in)
    (tmp_path / 'm.onnx').touch()
    config = PipelineConfig(detector='yunet', detector_weights=str(tmp_path / 'm.onnx'))
    made = yunet.create(config, None)
    made.fake = fake
    return made


@pytest.mark.parametrize('min_face_px', [16.0, 32.0])
def test_boxes_and_points_are_in_the_images_pixels(detector, min_face_px):
    image = np.zeros((240, 320, 3), np.uint8)
    image[60:160, 80:200] = 255
    found = detector.detect(image, min_face_px)
    assert found.corners[0] == pytest.approx([79.5, 59.5, 199.5, 159.5], abs=1e-6)
    assert found.scores[0] == pytest.approx(0.9)
    assert found.landmarks[0, 2] == pytest.approx([139.5, 109.5], abs=1e-6)
    assert detector.fake.sizes[-1] == (320 * 16 / min_face_px, 240 * 16 / min_face_px)


def test_nobody(detector):
    found = detector.detect(np.zeros((240, 320, 3), np.uint8), 24.0)
    assert (found.corners.shape, found.landmarks.shape) == ((0, 4), (0, 5, 2))


def test_model_missing_or_wrong(tmp_path):
    with pytest.raises(WeightsError, match='needs detector_weights'):
        yunet.create(PipelineConfig(detector='yunet'), None)
    path = tmp_path / 'yunet.onnx'
    config = PipelineConfig(detector='yunet', detector_weights=str(path))
    with pytest.raises(WeightsError, match=r'yunet\.onnx not found'):
        yunet.create(config, None)
    path.write_bytes(b'not a network')
    with pytest.raises(WeightsError, match=r'detector yunet: .*yunet\.onnx: '):
        yunet.create(config, None)
