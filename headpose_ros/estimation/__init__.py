# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Estimators: crops of faces in, head poses out."""

from __future__ import annotations

from headpose_ros.config import PipelineConfig
from headpose_ros.estimation.estimator import Estimator
from headpose_ros.inference.protocols import Runtime

__all__ = ['Estimator', 'create_estimator']


def create_estimator(config: PipelineConfig, runtime: Runtime) -> Estimator:
    """Return the estimator that `config` names, its network compiled by `runtime`.

    Raises WeightsError where its weights cannot be used.
    """
    if config.estimator == 'landmarks':
        from headpose_ros.estimation import landmarks

        return landmarks.create(config, runtime)
    from headpose_ros.estimation import cnn

    return cnn.create(config, runtime)
