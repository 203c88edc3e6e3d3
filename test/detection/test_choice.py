# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which detector `auto` is."""

import numpy as np
import pytest

from headpose_ros import CameraModel, HeadPosePipeline
from headpose_ros.config import PipelineConfig
from headpose_ros.detection import create_detector, retinaface
from headpose_ros.heads import Faces
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.inference.weights import WeightsError
from headpose_ros.stages import Stages


@pytest.mark.parametrize(('single', 'name'), [(True, 'retinaface'), (False, 'one_pass')])
def test_auto_goes_by_what_is_searched(single, name):
    detector = create_detector(PipelineConfig(), create_runtime('cpu', 1), single)
    assert detector.name == name


def test_auto_does_without_retinaface_where_it_cannot_run(monkeypatch, caplog):
    def refuse(config, runtime):
        raise WeightsError('OpenCV cannot read it')

    monkeypatch.setattr(retinaface, 'create', refuse)
    detector = create_detector(PipelineConfig(), create_runtime('cpu', 1), single=True)
    assert detector.name == 'one_pass'
    assert 'detector auto: one_pass, since OpenCV cannot read it' in caplog.text
    with pytest.raises(WeightsError):
        create_detector(PipelineConfig(detector='retinaface'), create_runtime('cpu', 1), True)


def test_a_stream_without_retinaface_is_told(monkeypatch, caplog):
    def refuse(config, runtime):
        raise WeightsError('OpenCV cannot read it')

    monkeypatch.setattr(retinaface, 'create', refuse)
    assert Stages.create(PipelineConfig(device='cpu')).search.thorough is None
    assert 'detector auto: one_pass, since OpenCV cannot read it' in caplog.text


def test_auto_takes_weights_of_either():
    config = PipelineConfig(detector_weights='proposals_best')
    assert create_detector(config, create_runtime('cpu', 1), single=True).name == 'one_pass'


@pytest.mark.parametrize(
    ('detector', 'single', 'name'),
    [('auto', False, 'retinaface'), ('auto', True, None), ('mtcnn', False, None)],
)
def test_streams_of_auto_are_searched_thoroughly_at_times(detector, single, name):
    config = PipelineConfig(detector=detector, device='cpu')
    thorough = Stages.create(config, single=single).search.thorough
    assert getattr(thorough, 'name', None) == name


def test_a_stream_asks_for_thorough_searches():
    asked = []

    class Nobody:
        parts, thorough = 1, 'one of its own'

        def find(self, image_bgr, camera, config, thorough=False):
            asked.append(thorough)
            return Faces(np.empty((0, 3)), np.empty(0), np.empty(0))

    camera = CameraModel.from_fov(64, 48, 1.0)
    with HeadPosePipeline(PipelineConfig(device='cpu'), search=Nobody()) as pipeline:
        for number in range(60):
            pipeline.process(np.zeros((48, 64, 3), np.uint8), camera, number / 30)
    assert len(asked) >= 6
    assert asked[:4] == [False, True, False, True]
