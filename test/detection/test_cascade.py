# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_face import drawn_face

from headpose_ros.config import PipelineConfig
from headpose_ros.detection import cascade, create_detector
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.inference.weights import WeightsError

# A whole cascade of local binary patterns: one stage that any window passes.
LBP_CASCADE = """<?xml version="1.0"?>
<opencv_storage><cascade>
  <stageType>BOOST</stageType><featureType>LBP</featureType><height>24</height><width>24</width>
  <stageParams><maxWeakCount>1</maxWeakCount></stageParams>
  <featureParams><maxCatCount>256</maxCatCount></featureParams>
  <stageNum>1</stageNum>
  <stages><_><maxWeakCount>1</maxWeakCount><stageThreshold>-1.</stageThreshold>
    <weakClassifiers><_>
      <internalNodes>0 -1 0 -1 -1 -1 -1 -1 -1 -1 -1</internalNodes>
      <leafValues>1. 1.</leafValues></_></weakClassifiers></_></stages>
  <features><_><rect>0 0 4 4</rect></_></features>
</cascade></opencv_storage>
"""


def make(path=''):
    config = PipelineConfig(detector='cascade', detector_weights=str(path))
    return create_detector(config, create_runtime('cpu'))


@pytest.mark.parametrize('face', [60, 100, 140])
def test_finds_a_drawn_face(face):
    found = make().detect(drawn_face(face), 30)
    best = found.scores.argmax()
    x0, y0, x1, y1 = found.corners[best]
    assert x0 < 100 < x1
    assert y0 < 80 < y1
    assert 0.7 * face < x1 - x0 < 1.3 * face
    assert 0.9 < found.scores[best] < 1


def test_the_smallest_face_is_kept_to_and_boxes_are_those_of_the_whole_image():
    image = drawn_face(60)
    assert len(make().detect(image, 100)) == 0
    large = cv2.resize(image, None, fx=4, fy=4)
    found = make().detect(large, 120)  # shrunk to a fifth inside
    assert len(found) == 1
    assert np.abs(found.corners[0].reshape(2, 2).mean(0) - [400, 320]).max() < 20


def test_an_empty_image_holds_no_face():
    found = make().detect(np.zeros((480, 640, 3), np.uint8), 24)
    assert found.corners.shape == (0, 4)


def test_reads_cascades_of_local_binary_patterns(tmp_path):
    path = tmp_path / 'lbp.xml'
    path.write_text(LBP_CASCADE)
    assert len(make(path).detect(np.zeros((48, 48, 3), np.uint8), 24)) > 0


def test_files_that_are_no_cascade_are_refused(tmp_path):
    with pytest.raises(WeightsError, match=r'none.xml not found'):
        make(tmp_path / 'none.xml')
    for text in ('', 'no cascade', '<?xml version="1.0"?><opencv_storage/>'):
        (tmp_path / 'bad.xml').write_text(text)
        with pytest.raises(WeightsError, match='is not a cascade that OpenCV can read'):
            make(tmp_path / 'bad.xml')


def test_opencv_without_cascades_is_told(monkeypatch):
    monkeypatch.delattr(cv2, 'CascadeClassifier')
    with pytest.raises(WeightsError, match='has no cascade classifier; install OpenCV 4'):
        make()


def test_opencv_without_the_default_file_is_told(monkeypatch):
    monkeypatch.setattr(cascade, '_SYSTEM_FOLDERS', ())
    monkeypatch.setattr(cv2.data, 'haarcascades', str(Path('/nowhere')))
    with pytest.raises(WeightsError, match='name a cascade file in detector_weights'):
        make()
    monkeypatch.delattr(cv2, 'data')
    with pytest.raises(WeightsError, match='name a cascade file in detector_weights'):
        make()
