# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network of Lightweight Head Pose Estimation; its outputs: `estimation/lightweight_hpe.py`.

Seven bottlenecks of a grouped 1x1, a depthwise and a 1x1 convolution. Written from the names and
shapes of the published state dict and the description of the network.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from headpose_ros.inference.networks.layers import Conv, GlobalAverage, Linear, Network, Planes

_CHANNELS = (16, 32, 64, 96, 96, 128, 128, 128)
_KERNELS = (3, 3, 3, 5, 5, 5, 3)
_STRIDES = (2, 2, 1, 2, 1, 2, 1)
_RELU_BLOCKS = 3  # the later ones use hard swish
_GROUPS = 4
_OUTPUTS = 198

_MEAN_BGR = tuple(255 * v for v in (0.406, 0.456, 0.485))
_SCALE_BGR = tuple(255 * v for v in (0.225, 0.224, 0.229))


class LightweightHpeNet(Network):
    """Crops (N,224,224,3) to logits (N,198) of yaw, pitch and roll."""

    image_px = 224
    outputs = ('angles',)

    def __init__(self, norm: bool = False) -> None:
        super().__init__()
        self.planes = Planes(_MEAN_BGR, _SCALE_BGR)
        self.stem = Conv(3, _CHANNELS[0], 3, 2, norm=norm)
        self.blocks = nn.Sequential(*(_Bottleneck(i, norm) for i in range(len(_KERNELS))))
        self.average = GlobalAverage()
        self.angles = Linear(_CHANNELS[-1], _OUTPUTS)

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """Compute the logits."""
        x = self.blocks(torch.relu(self.stem(self.planes(crops))))
        return (self.angles(torch.relu(self.average(x))),)


class _Bottleneck(nn.Module):
    """Block `index`."""

    def __init__(self, index: int, norm: bool) -> None:
        super().__init__()
        inputs, outputs = _CHANNELS[index : index + 2]
        width, kernel = 2 * inputs, _KERNELS[index]
        self.expand = Conv(inputs, width, 1, groups=_GROUPS, norm=norm)
        self.depthwise = Conv(width, width, kernel, _STRIDES[index], groups=width, norm=norm)
        self.project = Conv(width, outputs, 1, norm=norm)
        self.swish = index >= _RELU_BLOCKS

    def forward(self, x: Tensor) -> Tensor:
        """Apply the three convolutions."""
        for conv in (self.expand, self.depthwise, self.project):
            x = functional.hardswish(conv(x)) if self.swish else torch.relu(conv(x))
        return x
