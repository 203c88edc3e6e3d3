# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detectors: flat images in, face boxes out; and the search of what any camera sees with one."""

from __future__ import annotations

import logging
from dataclasses import replace

from headpose_ros.config import PipelineConfig
from headpose_ros.detection.detector import BoxToFace, Detector
from headpose_ros.detection.search import FaceSearch
from headpose_ros.inference.protocols import Runtime
from headpose_ros.inference.weights import WeightsError

__all__ = ['BoxToFace', 'Detector', 'FaceSearch', 'create_detector', 'create_thorough_detector']


def create_detector(config: PipelineConfig, runtime: Runtime, single: bool = False) -> Detector:
    """Return the detector that `config` names, its networks compiled by `runtime`.

    `single`: it is for pictures by themselves, which may take longer than those of a stream.
    Raises WeightsError where its weights or model files cannot be used.
    """
    name = config.detector
    if name == 'auto' and single and (best := _retinaface(config, runtime)):
        return best
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


def create_thorough_detector(config: PipelineConfig, runtime: Runtime) -> Detector | None:
    """Return the detector for some searches of a stream, which finds more than the usual one.

    None where `config` names a detector, or the runtime or the weights suit only the usual one.
    """
    return _retinaface(config, runtime) if config.detector == 'auto' else None


def _retinaface(config: PipelineConfig, runtime: Runtime) -> Detector | None:
    """Return RetinaFace; None, with a warning, where runtime or weights suit only one_pass.

    OpenCV 4.5.4 without another runtime cannot read RetinaFace.
    """
    try:
        return create_detector(replace(config, detector='retinaface'), runtime)
    except WeightsError as error:
        logging.getLogger(__name__).warning('detector auto: one_pass, since %s', error)
        return None
