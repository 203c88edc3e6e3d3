# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Head poses straight from a CNN: ours, or that of Lightweight Head Pose Estimation.

Which of the two it is stands in the weights file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.config import PipelineConfig
from headpose_ros.estimation.estimator import check_estimator
from headpose_ros.estimation.lightweight_hpe import LightweightHpe
from headpose_ros.estimation.pose_network import PoseNetwork
from headpose_ros.heads import Estimates
from headpose_ros.inference.networks import LIGHTWEIGHT_HPE, POSE
from headpose_ros.inference.protocols import CompiledNetwork, Runtime
from headpose_ros.inference.weights import LoadedWeights, fitted, load
from headpose_ros.typing import Array

PoseModel: TypeAlias = PoseNetwork | LightweightHpe
"""How to use a network that reads poses from crops, and what its output means."""


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
        self.capture_radius = model.capture_radius
        self._model = model
        self._network = network
        self._mean_with_mirrored: Callable[[ArrayLike, ArrayLike], Array] | None = (
            model.mean_with_mirrored if mirror and isinstance(model, PoseNetwork) else None
        )

    def confidences(self, estimates: Estimates) -> Array:
        """Return the chance (N,) that each pose is right; see `estimator.Estimator`."""
        return self._model.confidences(estimates)

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
    weights = load(config.weights, 'cnn', (POSE, LIGHTWEIGHT_HPE))
    model = model_of(weights)
    mirror = config.mirror and isinstance(model, PoseNetwork)
    with fitted(weights):
        outputs = weights.outputs[0].shape
        if len(weights.outputs) != 1 or outputs[1:] != (model.outputs,):
            raise ValueError(f'expected one output (N,{model.outputs}), got {outputs}')
        network = runtime.compile(weights, exact=model.exact, usual=2 if mirror else 1)
        estimator = CnnEstimator(model, network, mirror)
        check_estimator(estimator)
    return estimator


def model_of(weights: LoadedWeights) -> PoseModel:
    """Return how to use the network of a model file, by its metadata. Raises WeightsError."""
    with fitted(weights):
        if weights.metadata['architecture'] == LIGHTWEIGHT_HPE:
            return LightweightHpe.from_metadata(weights.metadata)
        return PoseNetwork.from_metadata(weights.metadata)
