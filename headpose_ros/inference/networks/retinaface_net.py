# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""RetinaFace with MobileNet-0.25. What its outputs mean: `detection/retinaface_network.py`.

Architecture and parameter names: the public PyTorch implementation (MIT, biubug6,
Pytorch_Retinaface) of Deng et al., RetinaFace: Single-Shot Multi-Level Face Localisation in the
Wild, 2020. Layer `body.stage1.0.0` here has the batch normalisation `body.stage1.0.1` there.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from headpose_ros.inference.networks.layers import Conv, EnlargeTo, Network, Planes, Rows

_MEAN_BGR = (104.0, 117.0, 123.0)
_LEAK = 0.1
_STAGES = {
    'stage1': ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1)),
    'stage2': ((128, 2), *((128, 1),) * 5),
    'stage3': ((256, 2), (256, 1)),
}
"""Channels and stride of each depthwise block."""

_WIDTH = 64
_ANCHORS = 2


class RetinaFaceNet(Network):
    """Images (N,H,W,3) to offsets (N,A,4), logits (N,A,2; face last), point offsets (N,A,10)."""

    outputs = ('offsets', 'classes', 'points')

    def __init__(self, norm: bool = False) -> None:
        super().__init__()
        self.planes = Planes(_MEAN_BGR, (1.0,) * 3)
        self.body = nn.ModuleDict()
        channels, stages = 8, []
        for stage, blocks in _STAGES.items():
            layers: list[nn.Module] = []
            if stage == 'stage1':
                layers.append(_LeakyConvs({'0': Conv(3, channels, 3, 2, norm=norm)}))
            for width, stride in blocks:
                deep = Conv(channels, channels, 3, stride, groups=channels, norm=norm)
                layers.append(_LeakyConvs({'0': deep, '3': Conv(channels, width, 1, norm=norm)}))
                channels = width
            self.body[stage] = nn.Sequential(*layers)
            stages.append(channels)
        self.fpn = _Pyramid(stages, norm)
        self.ssh1, self.ssh2, self.ssh3 = (_Context(norm) for _ in range(3))
        self.BboxHead, self.ClassHead, self.LandmarkHead = (
            nn.ModuleList([_Head(size) for _ in range(3)]) for size in (4, 2, 10)
        )

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Compute the outputs."""
        x = self.planes(images)
        features = []
        for stage in self.body.values():
            x = stage(x)
            features.append(x)
        fine, middle, coarse = self.fpn(features)
        levels = (self.ssh1(fine), self.ssh2(middle), self.ssh3(coarse))
        offsets, classes, points = (
            torch.cat([head(level) for head, level in zip(heads, levels, strict=True)], 1)
            for heads in (self.BboxHead, self.ClassHead, self.LandmarkHead)
        )
        return offsets, classes, points


class _LeakyConvs(nn.ModuleDict):
    """Convolutions one after another, each with a leaky ReLU."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply them."""
        for conv in self.values():
            x = functional.leaky_relu(conv(x), _LEAK)
        return x


class _ConvOf(nn.Sequential):
    """A convolution under the name that it has there, `.0`."""

    def __init__(self, inputs: int, outputs: int, kernel: int, norm: bool) -> None:
        super().__init__(Conv(inputs, outputs, kernel, norm=norm))


class _Pyramid(nn.Module):
    """Adds what coarser levels see to finer ones."""

    def __init__(self, channels: Sequence[int], norm: bool) -> None:
        super().__init__()
        self.output1, self.output2, self.output3 = (_ConvOf(c, _WIDTH, 1, norm) for c in channels)
        self.merge1, self.merge2 = (_ConvOf(_WIDTH, _WIDTH, 3, norm) for _ in range(2))
        self.enlarge = EnlargeTo(twice=False)

    def forward(self, features: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Return three levels, finest first."""
        fine = functional.leaky_relu(self.output1(features[0]), _LEAK)
        middle = functional.leaky_relu(self.output2(features[1]), _LEAK)
        coarse = functional.leaky_relu(self.output3(features[2]), _LEAK)
        middle = middle + self.enlarge(coarse, middle)
        middle = functional.leaky_relu(self.merge2(middle), _LEAK)
        fine = fine + self.enlarge(middle, fine)
        return functional.leaky_relu(self.merge1(fine), _LEAK), middle, coarse


class _Context(nn.Module):
    """Sees a level with kernels of 3, 5 and 7 pixels."""

    def __init__(self, norm: bool) -> None:
        super().__init__()
        self.conv3X3 = _ConvOf(_WIDTH, 32, 3, norm)
        self.conv5X5_1 = _ConvOf(_WIDTH, 16, 3, norm)
        self.conv5X5_2 = _ConvOf(16, 16, 3, norm)
        self.conv7X7_2 = _ConvOf(16, 16, 3, norm)
        self.conv7x7_3 = _ConvOf(16, 16, 3, norm)

    def forward(self, x: Tensor) -> Tensor:
        """Return what they see, joined."""
        shared = functional.leaky_relu(self.conv5X5_1(x), _LEAK)
        widest = self.conv7x7_3(functional.leaky_relu(self.conv7X7_2(shared), _LEAK))
        return torch.relu(torch.cat([self.conv3X3(x), self.conv5X5_2(shared), widest], 1))


class _Head(nn.Module):
    """`size` values of each anchor."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.conv1x1 = Conv(_WIDTH, _ANCHORS * size, 1)
        self.rows = Rows(size)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N,A,size)."""
        return self.rows(self.conv1x1(x))
