# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detectors: flat images in, face boxes out; and the search of what any camera sees with one."""

from __future__ import annotations

import importlib

from headpose_ros.config import PipelineConfig
from headpose_ros.detection.detector import BoxToFace, Detector
from headpose_ros.detection.search import FaceSearch
from headpose_ros.inference.runtime import Runtime

__all__ = ['BoxToFace', 'Detector', 'FaceSearch', 'create_detector']

_MODULES = {
    'one_pass': 'headpose_ros.detection.one_pass',
    'mtcnn': 'headpose_ros.detection.mtcnn',
    'retinaface': 'headpose_ros.detection.retinaface',
    'yunet': 'headpose_ros.detection.yunet',
    'cascade': 'headpose_ros.detection.cascade',
}


def create_detector(config: PipelineConfig, runtime: Runtime) -> Detector:
    """Return the detector that `config` names, its networks compiled by `runtime`.

    Raises WeightsError where its weights or model files cannot be used.
    """
    detector: Detector = importlib.import_module(_MODULES[config.detector]).create(config, runtime)
    return detector
