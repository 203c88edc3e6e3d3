# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a training to a weights file that the package can run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headpose_ros.estimation.pose_network import LOG_SIGMA, PoseNetwork
from headpose_ros.inference.networks.export import write
from headpose_ros.inference.weights import WeightsFile
from headpose_ros.typing import Array
from headpose_training.data_files import load_validation
from headpose_training.losses import matrix_from_vector
from headpose_training.recipe import Recipe
from headpose_training.trainer import averaged_task, load_checkpoint
from headpose_training.validation import Looker, network_predictor, sigma_scale


def export(recipe: Recipe, training: Path, data: Path, output: Path) -> WeightsFile:
    """Write the averaged network of `training`, folded, its standard deviations calibrated.

    The calibration is one factor an axis, fitted on the recipe's validation sets: the geometric
    mean over them. Raises ValueError where there is no checkpoint, or one of another recipe (whose
    licence is another), or no validation data.
    """
    checkpoint = load_checkpoint(training)
    if checkpoint['recipe'] != recipe.name:
        raise ValueError(
            f'{training}: a training of recipe {checkpoint["recipe"]!r}, not {recipe.name!r}'
        )
    task = averaged_task(recipe, training)
    looker = Looker(network_predictor(task.network), recipe.network.crop_px, recipe.crop_scale)
    validation = load_validation(recipe, data)
    zero = matrix_from_vector(task.zero.vector.detach()).double().numpy()
    factors = np.array([sigma_scale(looker, crops, zero) for crops in validation.values()])
    weights = task.network.folded_weights()
    calibrate(weights, np.exp(np.log(factors).mean(axis=0)))
    origin = f'headpose train pose --recipe {recipe.name}'
    if checkpoint['start']:
        origin += f' --start {checkpoint["start"]}'
    metadata = {
        **inference_network(recipe).metadata(),
        'what': recipe.what,
        'licence': recipe.licence,
        'origin': f'{origin}, step {checkpoint["step"]} of {recipe.steps}',
    }
    return write(output, weights, metadata)


def inference_network(recipe: Recipe) -> PoseNetwork:
    """Return the network that runs a recipe's weights."""
    return PoseNetwork(
        recipe.network.crop_px,
        recipe.crop_scale,
        recipe.landmark_box_scale,
        recipe.network.strides,
    )


def calibrate(weights: dict[str, NDArray[np.float32]], factors: Array) -> None:
    """Multiply the standard deviations that `weights` predict by `factors` (3,), in place."""
    weights['head.bias'] = weights['head.bias'].copy()
    weights['head.bias'][LOG_SIGMA] += np.log(factors).astype(np.float32)
