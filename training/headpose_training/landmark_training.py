# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training of the landmark network (`estimation/pfld.py`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headpose_ros.estimation.pfld import Pfld
from headpose_ros.inference.networks.export import write
from headpose_ros.inference.networks.landmark_net import LandmarkNet
from headpose_ros.inference.networks.layers import Network, folded_tensors
from headpose_ros.inference.weights import WeightsFile
from headpose_ros.typing import Array
from headpose_training.landmark_training_data import (
    LandmarkBatch,
    LandmarkBatches,
    LandmarkPicture,
    LandmarkViews,
    random_view,
)
from headpose_training.network_training import NetworkRun, train_network
from headpose_training.optimizer import AdamW

_BETA = 0.02
_FACE_WEIGHT = 0.02
_OUTSIDE = 1.0


def train(
    sources: list[tuple[list[LandmarkPicture], float]],
    run: NetworkRun,
    learning_rate: float,
    say: Callable[[str], None] = print,
) -> Network:
    """Train to the end of the run and return the averaged network; see `train_network`."""
    torch.manual_seed(run.seed)
    pfld = Pfld()
    network = LandmarkNet(pfld.crop_px, norm=True)
    views = LandmarkViews(pfld.crop_px, pfld.landmark_box_scale)
    batches = LandmarkBatches(sources, views, run.batch_size, run.seed)

    def optimizer_of(network: Network) -> AdamW:
        return AdamW(network, learning_rate, weight_decay=1e-3)

    return train_network(network, landmark_loss, batches, optimizer_of, run, say)


def landmark_loss(network: Network, batch: LandmarkBatch) -> Tensor:
    """Return the smooth L1 loss of landmarks inside the crop, plus that of the face logit."""
    found, logits = network(torch.from_numpy(batch.crops))
    faces = torch.from_numpy(batch.faces)
    truth = torch.from_numpy(np.nan_to_num(batch.points)).float().flatten(1)
    inside = faces[:, None] & (truth.abs() < _OUTSIDE)
    errors = torch.nn.functional.smooth_l1_loss(found, truth, beta=_BETA, reduction='none')
    face_loss = torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], faces.float())
    return (errors * inside).sum() / inside.sum().clamp(min=1) + _FACE_WEIGHT * face_loss


@torch.no_grad()
def normalised_mean_error(network: Network, pictures: list[LandmarkPicture]) -> float:
    """Return the mean distance of the landmarks from the truth over that of the outer eye corners.

    On plain crops, as the papers state it (iBUG 300-W, inter-ocular).
    """
    plain = replace(
        LandmarkViews(),
        scale_sigma=0.0,
        shift_sigma=0.0,
        roll_sigma_deg=0.0,
        wide=0.0,
        beside=0.0,
    )
    rng = np.random.default_rng(0)
    errors: list[float] = []
    for first in range(0, len(pictures), 64):
        drawn = [random_view(p, plain, rng) for p in pictures[first : first + 64]]
        found = network(torch.from_numpy(np.stack([crop for crop, _ in drawn])))[0]
        errors += _errors(found.numpy(), np.stack([points for _, points in drawn])).tolist()
    return float(np.mean(errors))


def _errors(found: NDArray[Any], truth: Array) -> Array:
    distance = np.linalg.norm(found.reshape(truth.shape) - truth, axis=2).mean(axis=1)
    return np.asarray(distance / np.linalg.norm(truth[:, 36] - truth[:, 45], axis=1))


def write_weights(network: Network, out: Path, licence: str, error: float | None) -> WeightsFile:
    """Write `out`/landmarks.onnx. `linear_fit.py` adds the linear model to it."""
    metadata = Pfld().metadata() | {
        'what': '68 facial landmarks for head poses',
        'licence': licence,
        'origin': 'trained by headpose train landmarks',
    }
    if error is not None:
        metadata['normalised_mean_error'] = f'{error:.4f}'
    return write(out / 'landmarks.onnx', folded_tensors(network), metadata)
