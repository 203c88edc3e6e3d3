# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our head pose network. What its outputs mean: `estimation/pose_network.py`.

A plain residual network of 3x3 convolutions and ReLU, which is what CPUs run fastest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from headpose_ros.inference.networks.layers import (
    Conv,
    GlobalAverage,
    Linear,
    Network,
    Planes,
    Residual,
    Tensors,
    count_of,
)

PIXEL_MEAN, PIXEL_SCALE = 127.5, 64.0


class PoseNet(Network):
    """Crops (N,S,S,3) to outputs (N,O).

    `widths`, `depths`: channels and blocks of each stage; `strides`: of the stem, then of each
    stage. `shortcut`: kernel where a block changes the size. `average`: the head sees the mean of
    the last map, else all of it.
    """

    outputs = ('pose',)

    def __init__(
        self,
        image_px: int,
        stem: int,
        widths: Sequence[int],
        depths: Sequence[int],
        strides: Sequence[int],
        outputs: int,
        *,
        shortcut: int = 1,
        average: bool = False,
        norm: bool = False,
    ) -> None:
        super().__init__()
        self.image_px = image_px
        self.planes = Planes((PIXEL_MEAN,), (PIXEL_SCALE,))
        self.stem = Conv(3, stem, 3, strides[0], norm=norm)
        self.stages = nn.ModuleList()
        channels, side = stem, -(-image_px // strides[0])
        for width, depth, stride in zip(widths, depths, strides[1:], strict=True):
            blocks = nn.ModuleList()
            for j in range(depth):
                own = stride if j == 0 else 1
                changes = own > 1 or channels != width
                blocks.append(Residual(channels, width, own, shortcut * changes, norm))
                channels = width
            self.stages.append(blocks)
            side = -(-side // stride)
        self.average = GlobalAverage() if average else None
        self.features = channels * (1 if average else side**2)
        self.head = Linear(self.features, outputs)

    @staticmethod
    def shaped_as(tensors: Tensors, metadata: Mapping[str, str]) -> PoseNet:
        """Return a network that these tensors fit; KeyError names what is missing."""
        strides = [int(s) for s in metadata['strides'].split(',')]
        stages = len(strides) - 1
        depths = [count_of(tensors, f'stages.{i}.{{}}.conv1.weight') for i in range(stages)]
        widths = [len(tensors[f'stages.{i}.0.conv1.weight']) for i in range(stages)]
        kernels = {t.shape[2] for name, t in tensors.items() if name.endswith('.shortcut.weight')}
        outputs = len(tensors['head.weight'])
        return PoseNet(
            int(metadata['crop_px']),
            len(tensors['stem.weight']),
            widths,
            depths,
            strides,
            outputs,
            shortcut=max(kernels, default=1),
            average=tensors['head.weight'].size == outputs * widths[-1],
        )

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """Compute the outputs."""
        return (self.head(self.features_of(crops)),)

    def features_of(self, crops: Tensor) -> Tensor:
        """Return what the head sees: (N,F), float32."""
        x = torch.relu(self.stem(self.planes(crops)))
        for blocks in self.stages:
            for block in blocks:  # type: ignore[attr-defined]
                x = block(x)
        return torch.flatten(x, 1).float() if self.average is None else self.average(x)
