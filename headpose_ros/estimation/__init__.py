# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Estimators: crops of faces in, head poses out; and the runtimes that compute networks."""

from __future__ import annotations

import importlib

from headpose_ros.config import PipelineConfig
from headpose_ros.estimation.estimator import Estimator
from headpose_ros.inference.runtime import Runtime

__all__ = ['Estimator', 'create_estimator']

_MODULES = {
    'cnn': 'headpose_ros.estimation.cnn',
    'landmarks': 'headpose_ros.estimation.landmarks',
}


def create_estimator(config: PipelineConfig, runtime: Runtime) -> Estimator:
    """Return the estimator that `config` names, its network compiled by `runtime`.

    Raises WeightsError where its weights cannot be used.
    """
    estimator: Estimator = importlib.import_module(_MODULES[config.estimator]).create(
        config, runtime
    )
    return estimator
