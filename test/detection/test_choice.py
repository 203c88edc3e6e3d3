# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which detector `auto` is."""

import pytest

from headpose_ros.config import PipelineConfig
from headpose_ros.detection import create_detector, retinaface
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.inference.weights import WeightsError


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


def test_auto_takes_weights_of_either():
    config = PipelineConfig(detector_weights='proposals_best')
    assert create_detector(config, create_runtime('cpu', 1), single=True).name == 'one_pass'
