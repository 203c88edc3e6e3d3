# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Head poses straight from a CNN: ours, or that of Lightweight Head Pose Estimation.

Which of the two it is stands in the weights file.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.config import PipelineConfig
from headpose_ros.heads import Estimates
from headpose_ros.inference.layers import Layers
from headpose_ros.inference.runtime import CompiledNetwork, Runtime
from headpose_ros.inference.weights import LoadedWeights, WeightsError, fitted, load
from headpose_ros.typing import Array

_HOME_OF = {
    'headpose-pose-network': ('headpose_ros.estimation.pose_network', 'PoseNetwork'),
    'lightweight-hpe': ('headpose_ros.estimation.lightweight_hpe', 'LightweightHpe'),
}


class PoseModel(Protocol):
    """A network that reads poses from crops, and what its output means.

    `exact`: half precision would move its poses by more than 0.05 deg. One that may be asked about
    mirrored crops too has `mean_with_mirrored`, as `pose_network.PoseNetwork`.
    """

    crop_px: int
    crop_scale: float
    landmark_box_scale: float
    refines: bool
    exact: bool

    def __call__(self, g: Layers, crops: Any) -> tuple[Any, ...]:
        """Build the network; one output."""
        ...

    def decode(self, output: ArrayLike, crop_angles: ArrayLike) -> Estimates:
        """Turn the output for crops of `crop_angles` (N,), rad, into estimates."""
        ...


class CnnEstimator:
    """An estimator (`estimator.Estimator`) whose one network gives the whole answer.

    `mirror`: ask about each crop mirrored as well, where the model can be asked so.
    """

    name = 'cnn'

    def __init__(self, model: PoseModel, network: CompiledNetwork, mirror: bool = False) -> None:
        self.crop_px = model.crop_px
        self.crop_scale = model.crop_scale
        self.landmark_box_scale = model.landmark_box_scale
        self.refines = model.refines
        self._model = model
        self._network = network
        self._mean_with_mirrored: Callable[[ArrayLike, ArrayLike], Array] | None = (
            getattr(model, 'mean_with_mirrored', None) if mirror else None
        )

    def estimate(self, crops: Any, crop_angles: Array) -> Estimates:
        """Estimate N heads in one forward; see `estimator.Estimator`."""
        if len(crops) == 0:
            return Estimates.none()
        if self._mean_with_mirrored is None:
            (output,) = self._network(crops)
            return self._model.decode(output, crop_angles)
        (both,) = self._network(_with_mirrored(crops))
        mean = self._mean_with_mirrored(both[: len(crops)], both[len(crops) :])
        return self._model.decode(mean, crop_angles)


def _with_mirrored(crops: Any) -> Any:
    """Return crops (2N,S,S,3): those given (N,S,S,3), then the same left for right."""
    if isinstance(crops, np.ndarray):
        both = np.concatenate([crops, crops])
        for crop, mirrored in zip(crops, both[len(crops) :], strict=True):
            cv2.flip(crop, 1, mirrored)  # ten times as fast as copying a reversed view
        return both
    import torch

    return torch.cat([crops, crops.flip(2)])


def create(config: PipelineConfig, runtime: Runtime) -> CnnEstimator:
    """Load `config.weights` and compile their network. Raises WeightsError."""
    weights = load(config.weights, 'cnn', _HOME_OF)
    model = model_of(weights)
    mirror = config.mirror and hasattr(model, 'mean_with_mirrored')
    shape = (None, model.crop_px, model.crop_px, 3)
    with fitted(weights):
        network = runtime.compile(
            model, weights.tensors, shape, exact=model.exact, usual=2 if mirror else 1
        )
    return CnnEstimator(model, network, mirror)


def model_of(weights: LoadedWeights) -> PoseModel:
    """Return the network that a weights file is for, with the options of its metadata."""
    module, name = _HOME_OF[weights.metadata['architecture']]
    try:
        model: PoseModel = getattr(importlib.import_module(module), name).from_metadata(
            weights.metadata
        )
    except ValueError as error:
        raise WeightsError(f'weights {weights.path}: {error}') from None
    return model
