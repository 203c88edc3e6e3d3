# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detectors: flat images in, face boxes out; and the search of what any camera sees with one."""

from __future__ import annotations

from headpose_ros.config import PipelineConfig
from headpose_ros.detection.detector import BoxToFace, Detector
from headpose_ros.detection.search import FaceSearch
from headpose_ros.inference.protocols import Runtime

__all__ = ['BoxToFace', 'Detector', 'FaceSearch', 'create_detector']


def create_detector(config: PipelineConfig, runtime: Runtime, single: bool = False) -> Detector:
    """Return the detector that `config` names, its networks compiled by `runtime`.

    `single`: it is for pictures by themselves, which may take longer than those of a stream.
    Raises WeightsError where its weights or model files cannot be used.
    """
    name = config.detector
    if name == 'auto':
        name = 'retinaface' if single else 'one_pass'
    if name == 'mtcnn':
        from headpose_ros.detection import mtcnn

        return mtcnn.create(config, runtime)
    if name == 'retinaface':
        from headpose_ros.detection import retinaface

        return retinaface.create(config, runtime)
    if name == 'yunet':
        from headpose_ros.detection import yunet

        return yunet.create(config, runtime)
    if name == 'cascade':
        from headpose_ros.detection import cascade

        return cascade.create(config, runtime)
    from headpose_ros.detection import one_pass

    return one_pass.create(config, runtime)
