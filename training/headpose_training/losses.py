# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What training minimises, and the rotation that joins the two kinds of truth."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from headpose_ros.estimation.pose_network import (
    CENTRE,
    FACE_LOGIT,
    LOG_HEAD_SCALE,
    LOG_SIGMA,
    LOG_SIZE,
    ROTATION,
)
from headpose_training.batches import Batch


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms; errors are in radians, half crops and logarithms.

    `spread_scale_deg`: a label this uncertain counts half.
    """

    rotation: float = 1.0
    sigma: float = 0.02
    centre: float = 0.5
    size: float = 0.3
    head_scale: float = 0.1
    face: float = 0.05
    landmarks: float = 1.0
    spread_scale_deg: float = 5.0


class ZeroOffset(nn.Module):
    """The constant rotation from the head model's zero to the one of the real labels.

    `vector` (3,), rad, in the face frame: rotation_virtual_from_face of a rendered label is
    multiplied from the right by its matrix. Fitted along with the network.
    """

    def __init__(self) -> None:
        super().__init__()
        self.vector = nn.Parameter(torch.zeros(3))

    def forward(self, rotations: Tensor, is_synthetic: Tensor) -> Tensor:
        """Return rotations (B,3,3) with those of renders turned."""
        turned = rotations @ matrix_from_vector(self.vector)
        return torch.where(is_synthetic[:, None, None], turned, rotations)


def matrix_from_vector(vector: Tensor) -> Tensor:
    """Return the rotation (3,3) of a rotation vector (3,), differentiable at zero too."""
    zero = torch.zeros((), dtype=vector.dtype, device=vector.device)
    x, y, z = vector.unbind()
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero]).reshape(3, 3)
    return torch.linalg.matrix_exp(skew)


def rotation_from_columns(columns: Tensor) -> Tensor:
    """Return rotations (B,3,3) of the 6D form (B,6) by Gram-Schmidt."""
    x = functional.normalize(columns[:, :3], dim=1)
    y = columns[:, 3:]
    y = functional.normalize(y - (x * y).sum(1, keepdim=True) * x, dim=1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=2)


def rotation_errors(predicted: Tensor, truth: Tensor) -> Tensor:
    """Return rotation vectors (B,3), rad, in the camera frame, from `truth` to `predicted`."""
    turn = predicted @ truth.transpose(1, 2)
    axis = (
        torch.stack(
            [
                turn[:, 2, 1] - turn[:, 1, 2],
                turn[:, 0, 2] - turn[:, 2, 0],
                turn[:, 1, 0] - turn[:, 0, 1],
            ],
            dim=1,
        )
        / 2
    )
    sine = axis.norm(dim=1, keepdim=True)
    cosine = (turn.diagonal(dim1=1, dim2=2).sum(1, keepdim=True) - 1) / 2
    angle = torch.atan2(sine, cosine)
    return axis * torch.where(sine > 1e-6, angle / sine.clamp_min(1e-6), torch.ones_like(sine))


def pose_loss(
    outputs: Tensor, landmarks: Tensor, batch: Batch, zero: ZeroOffset, weights: LossWeights
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss and its terms, each the mean over the crops that it concerns.

    `landmarks` (B,68,2): in half crops, as the network tells them.

    The rotation term is the chord 2 sin(angle / 2), robust and smooth everywhere; the standard
    deviations are fitted to the errors by their Gaussian likelihood, which does not pull the
    rotation itself.
    """
    truth = zero(batch['rotations'], batch['is_synthetic'])
    face = batch['is_face'].float()
    trust = face / (
        1 + (batch['spreads'] / torch.deg2rad(torch.tensor(weights.spread_scale_deg))) ** 2
    )
    predicted = rotation_from_columns(outputs[:, ROTATION])
    chord = torch.sqrt((predicted - truth).square().sum((1, 2)) / 2 + 1e-6)

    errors = rotation_errors(predicted, truth).detach()
    log_sigma = outputs[:, LOG_SIGMA].clamp(-6.0, 1.5)
    likelihood = (errors.square() * torch.exp(-2 * log_sigma) / 2 + log_sigma).sum(1)
    known = torch.isfinite(batch['log_head_scales'])
    marked = torch.isfinite(batch['landmarks']).all(2)
    logits = functional.binary_cross_entropy_with_logits(outputs[:, FACE_LOGIT], face)
    terms = {
        'rotation': _mean(chord, trust),
        'sigma': _mean(likelihood, face),
        'centre': _mean(_distance(outputs[:, CENTRE], batch['centres']).sum(1), face),
        'size': _mean(_distance(outputs[:, LOG_SIZE], batch['log_sizes']), face),
        'head_scale': _mean(
            _distance(outputs[:, LOG_HEAD_SCALE], batch['log_head_scales'].nan_to_num(0.0)),
            face * known,
        ),
        'face': logits,
        'landmarks': _mean(
            _distance(landmarks, batch['landmarks'].nan_to_num(0.0)).sum(2),
            trust[:, None] * marked,
        ),
    }
    loss = sum((getattr(weights, k) * v for k, v in terms.items()), torch.zeros(()))
    return loss, terms


def _distance(predicted: Tensor, truth: Tensor) -> Tensor:
    """Return the absolute difference, elementwise; smooth near 0."""
    return functional.smooth_l1_loss(predicted, truth, reduction='none', beta=0.05)


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp_min(1e-6)
