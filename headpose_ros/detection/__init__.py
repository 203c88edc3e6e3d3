# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detectors: flat images in, face boxes out; and the search of what any camera sees with one."""

from __future__ import annotations

from headpose_ros.config import PipelineConfig
from headpose_ros.detection.detector import BoxToFace, Detector
from headpose_ros.detection.search import FaceSearch
from headpose_ros.inference.protocols import Runtime

__all__ = ['BoxToFace', 'Detector', 'FaceSearch', 'create_detector']


def create_detector(config: PipelineConfig, runtime: Runtime) -> Detector:
    """Return the detector that `config` names, its networks compiled by `runtime`.

    Raises WeightsError where its weights or model files cannot be used.
    """
    if config.detector == 'mtcnn':
        from headpose_ros.detection import mtcnn

        return mtcnn.create(config, runtime)
    if config.detector == 'retinaface':
        from headpose_ros.detection import retinaface

        return retinaface.create(config, runtime)
    if config.detector == 'yunet':
        from headpose_ros.detection import yunet

        return yunet.create(config, runtime)
    if config.detector == 'cascade':
        from headpose_ros.detection import cascade

        return cascade.create(config, runtime)
    from headpose_ros.detection import one_pass

    return one_pass.create(config, runtime)
