# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pose network as it is trained (`inference/networks/pose_net.py`), and how large it may be.

`folded_weights` gives the tensors of the model file: each batch normalisation becomes part of the
convolution before it, so that inference is convolutions, ReLU and one matrix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headpose_ros.estimation.pfld import LANDMARKS
from headpose_ros.estimation.pose_network import OUTPUTS
from headpose_ros.inference.networks.layers import Arrays, Conv, Linear, Residual, folded_tensors
from headpose_ros.inference.networks.pose_net import PoseNet

MAX_PARAMETERS = 220_000
"""0.88 MB of float32."""


@dataclass(frozen=True)
class NetworkShape:
    """How large a pose network is: side of the crop in pixels, channels, blocks and strides."""

    crop_px: int = 96
    stem: int = 16
    widths: tuple[int, ...] = (32, 48, 64)
    depths: tuple[int, ...] = (1, 2, 1)
    strides: tuple[int, ...] = (2, 2, 2, 2)
    """Of the stem, then of each stage."""

    def __post_init__(self) -> None:
        if not len(self.widths) == len(self.depths) == len(self.strides) - 1 > 0:
            raise ValueError(
                'network: expected as many widths as depths, and strides for the stem and each '
                f'stage, got {self}'
            )

    @property
    def grid_px(self) -> int:
        """Side of the last feature map."""
        side = self.crop_px
        for stride in self.strides:
            side = -(-side // stride)
        return side


class TrainablePoseNetwork(PoseNet):
    """`PoseNet` with batch normalisation. Raises ValueError where it would be too large.

    `landmarks` is for training alone: to tell where 68 landmarks are as well teaches the
    convolutions what a face is made of. It is in no model file.
    """

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__(
            shape.crop_px,
            shape.stem,
            shape.widths,
            shape.depths,
            shape.strides,
            OUTPUTS,
            norm=True,
        )
        self.landmarks = Linear(self.features, 2 * LANDMARKS)
        self._initialise()
        count = sum(t.size for t in self.folded_weights().values())
        if count > MAX_PARAMETERS:
            raise ValueError(f'network: expected at most {MAX_PARAMETERS} parameters, got {count}')

    def with_landmarks(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs, and landmarks (N,68,2) in half crops from the middle."""
        features = self.features_of(crops)
        return self.head(features), self.landmarks(features).unflatten(1, (LANDMARKS, 2))

    def folded_weights(self) -> Arrays:
        """Return the tensors of the model file."""
        tensors = folded_tensors(self)
        return {n: t for n, t in tensors.items() if not n.startswith('landmarks.')}

    @torch.no_grad()
    def load_folded(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        """Take folded weights, with neutral normalisations: to evaluate a model file."""
        for name, conv in self._convs().items():
            norm = _norm_of(conv)
            conv.weight.copy_(_tensor(weights[f'{name}.weight']))
            norm.running_mean.zero_()
            norm.running_var.fill_(1.0 - norm.eps)
            norm.weight.fill_(1.0)
            norm.bias.copy_(_tensor(weights[f'{name}.bias']))
        self.head.weight.copy_(_tensor(weights['head.weight']))
        self.head.bias.copy_(_tensor(weights['head.bias']))

    @torch.no_grad()
    def renormalise(self, crops: Tensor) -> None:
        """Give every normalisation the statistics that it meets on `crops` (N,S,S,3) uint8.

        In evaluation mode the outputs stay what they were; in training mode, where batches are
        normalised by their own statistics, they become nearly that. So a training can start from
        folded weights.
        """
        met: dict[Conv, Tensor] = {}
        convs = self._convs().values()

        def note(norm: nn.Module, inputs: tuple[Tensor]) -> None:
            met[owners[norm]] = inputs[0]

        owners = {_norm_of(conv): conv for conv in convs}
        hooks = [norm.register_forward_pre_hook(note) for norm in owners]
        was_training = self.training
        self.eval()
        self(crops)
        self.train(was_training)
        for hook in hooks:
            hook.remove()
        for conv in convs:
            _take_statistics(_norm_of(conv), met[conv])

    def _convs(self) -> dict[str, Conv]:
        return {n: m for n, m in self.named_modules() if isinstance(m, Conv)}

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, Residual):  # starts close to the shortcut
                nn.init.constant_(_norm_of(module.conv2).weight, 0.2)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.normal_(self.landmarks.weight, std=0.01)
        with torch.no_grad():
            bias = torch.zeros(OUTPUTS)
            # a face that looks into the camera: face y is the image's x, face x its -z
            bias[2], bias[3], bias[6:9] = -1.0, 1.0, -2.5
            self.head.bias.copy_(bias)


def _take_statistics(norm: Any, outputs: Tensor) -> None:
    """Normalise by the statistics of `outputs`, the convolution's, and compute the same."""
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    offset = norm.bias - norm.running_mean * gain
    norm.running_mean.copy_(outputs.mean((0, 2, 3)))
    norm.running_var.copy_(outputs.var((0, 2, 3), correction=0))
    norm.weight.copy_(gain * torch.sqrt(norm.running_var + norm.eps))
    norm.bias.copy_(offset + gain * norm.running_mean)


def _norm_of(conv: Conv) -> Any:
    """Return its batch normalisation; PyTorch types the statistics of one as optional."""
    assert conv.norm is not None
    return conv.norm


def _tensor(values: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.array(values, np.float32))
