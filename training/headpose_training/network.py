# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The trainable twin of `estimation/pose_network.py`: the same function, with batch normalisation.

Layer names are those of the weights file. `folded_weights` makes that file's tensors: each batch
normalisation becomes part of the convolution before it, so that inference is convolutions, ReLU
and one matrix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headpose_ros.estimation.pfld import LANDMARKS
from headpose_ros.estimation.pose_network import OUTPUTS, PIXEL_MEAN, PIXEL_SCALE

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


class TrainablePoseNetwork(nn.Module):
    """`PoseNetwork` with batch normalisation. Raises ValueError where it would be too large.

    forward: crops (N,S,S,3) uint8 BGR to the outputs (N,14) float32 of `pose_network.py`.
    `landmarks` is for training alone: to tell where 68 landmarks are as well teaches the
    convolutions what a face is made of. It is in no weights file.
    """

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        self.stem = _ConvNorm(3, shape.stem, 3, shape.strides[0])
        self.stages = nn.ModuleList()
        channels = shape.stem
        for width, depth, stride in zip(
            shape.widths, shape.depths, shape.strides[1:], strict=True
        ):
            blocks = nn.ModuleList()
            for j in range(depth):
                blocks.append(_Block(channels, width, stride if j == 0 else 1))
                channels = width
            self.stages.append(blocks)
        self.head = nn.Linear(channels * shape.grid_px**2, OUTPUTS)
        self.landmarks = nn.Linear(channels * shape.grid_px**2, 2 * LANDMARKS)
        self._initialise()
        count = sum(t.size for t in self.folded_weights().values())
        if count > MAX_PARAMETERS:
            raise ValueError(f'network: expected at most {MAX_PARAMETERS} parameters, got {count}')

    def forward(self, crops: Tensor) -> Tensor:
        """Compute the outputs; under autocast the convolutions run in its precision."""
        features = self._features(crops)
        with torch.autocast(features.device.type, enabled=False):
            return self.head(features)

    def with_landmarks(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs, and landmarks (N,68,2) in half crops from the middle."""
        features = self._features(crops)
        with torch.autocast(features.device.type, enabled=False):
            return self.head(features), self.landmarks(features).unflatten(1, (LANDMARKS, 2))

    def _features(self, crops: Tensor) -> Tensor:
        """Return the last grid, flattened, in float32."""
        x = (crops.permute(0, 3, 1, 2).float() - PIXEL_MEAN) / PIXEL_SCALE
        x = torch.relu(self.stem(x.contiguous(memory_format=torch.channels_last)))
        for blocks in self.stages:
            for block in blocks:  # type: ignore[attr-defined]
                x = block(x)
        return x.float().contiguous().flatten(1)

    def folded_weights(self) -> dict[str, NDArray[np.float32]]:
        """Return the tensors of the weights file, as `pose_network.py` names them."""
        tensors: dict[str, Tensor] = {}
        for name, module in self.named_modules():
            if isinstance(module, _ConvNorm):
                tensors[f'{name}.weight'], tensors[f'{name}.bias'] = module.folded()
        tensors['head.weight'], tensors['head.bias'] = self.head.weight, self.head.bias
        return {k: np.ascontiguousarray(v.detach().cpu().float()) for k, v in tensors.items()}

    def load_folded(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        """Take folded weights, with neutral normalisations: to evaluate a weights file."""
        for name, module in self.named_modules():
            if isinstance(module, _ConvNorm):
                module.set_folded(weights[f'{name}.weight'], weights[f'{name}.bias'])
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(weights['head.weight']))
            self.head.bias.copy_(torch.from_numpy(weights['head.bias']))

    @torch.no_grad()
    def renormalise(self, crops: Tensor) -> None:
        """Give every normalisation the statistics that it meets on `crops` (N,S,S,3) uint8.

        In evaluation mode the outputs stay what they were; in training mode, where batches are
        normalised by their own statistics, they become nearly that. So a training can start from
        folded weights.
        """
        layers = [module for module in self.modules() if isinstance(module, _ConvNorm)]
        met: dict[nn.Module, Tensor] = {}
        hooks = [
            layer.conv.register_forward_hook(lambda conv, _, output: met.update({conv: output}))
            for layer in layers
        ]
        was_training = self.training
        self.eval()
        self(crops)
        self.train(was_training)
        for hook in hooks:
            hook.remove()
        for layer in layers:
            layer.take_statistics(met[layer.conv])

    def _initialise(self) -> None:
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.normal_(self.landmarks.weight, std=0.01)
        with torch.no_grad():
            bias = torch.zeros(OUTPUTS)
            # a face that looks into the camera: face y is the image's x, face x its -z
            bias[2], bias[3], bias[6:9] = -1.0, 1.0, -2.5
            self.head.bias.copy_(bias)


class _ConvNorm(nn.Module):
    """A convolution without bias and its batch normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        nn.init.kaiming_normal_(self.conv.weight, mode='fan_out', nonlinearity='relu')

    def forward(self, x: Tensor) -> Tensor:
        """Convolve and normalise."""
        return self.norm(self.conv(x))

    def folded(self) -> tuple[Tensor, Tensor]:
        """Return weight and bias of the convolution that equals both in evaluation mode."""
        norm = self.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        weight = self.conv.weight.double() * gain[:, None, None, None]
        return weight, norm.bias.double() - norm.running_mean.double() * gain

    @torch.no_grad()
    def set_folded(self, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        """Become the convolution with this weight and bias."""
        norm = self.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        self.conv.weight.copy_(torch.from_numpy(np.array(weight)))
        norm.running_mean.zero_()
        norm.running_var.fill_(1.0 - norm.eps)
        norm.weight.fill_(1.0)
        norm.bias.copy_(torch.from_numpy(np.array(bias)))

    def take_statistics(self, outputs: Tensor) -> None:
        """Normalise by the statistics of `outputs`, the convolution's, and compute the same."""
        norm = self.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        offset = norm.bias - norm.running_mean * gain
        norm.running_mean.copy_(outputs.mean((0, 2, 3)))
        norm.running_var.copy_(outputs.var((0, 2, 3), correction=0))
        norm.weight.copy_(gain * torch.sqrt(norm.running_var + norm.eps))
        norm.bias.copy_(offset + gain * norm.running_mean)


class _Block(nn.Module):
    """relu(conv2(relu(conv1(x))) + shortcut(x))."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _ConvNorm(inputs, outputs, 3, stride)
        self.conv2 = _ConvNorm(outputs, outputs, 3, 1)
        nn.init.constant_(self.conv2.norm.weight, 0.2)  # starts close to the shortcut
        self.shortcut = (
            _ConvNorm(inputs, outputs, 1, stride) if stride > 1 or inputs != outputs else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        y = self.conv2(torch.relu(self.conv1(x)))
        return torch.relu(y + (x if self.shortcut is None else self.shortcut(x)))
