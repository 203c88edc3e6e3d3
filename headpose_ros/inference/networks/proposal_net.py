# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our proposal network. What its outputs mean: `detection/proposal_network.py`.

The feature pyramid is after Lin et al. (Feature Pyramid Networks, 2017), cells without anchors
after Tian et al. (FCOS, 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from headpose_ros.inference.networks.layers import (
    Conv,
    EnlargeTo,
    Network,
    Planes,
    Tensors,
    count_of,
)

_CELL_VALUES = 4
_PIXEL_MEAN, _PIXEL_SCALE = 127.5, 64.0


class ProposalNet(Network):
    """Images (N,H,W,3), H and W multiples of 32, to a map (N,4,h,w) of each stride, 8, 16, 32."""

    outputs = ('stride_8', 'stride_16', 'stride_32')

    def __init__(
        self,
        stem: int = 8,
        early: int = 16,
        widths: Sequence[int] = (32, 48, 64),
        *,
        norm: bool = False,
    ) -> None:
        super().__init__()
        self.planes = Planes((_PIXEL_MEAN,), (_PIXEL_SCALE,))
        self.stem = Conv(3, stem, 3, 2, norm=norm)
        self.early = Conv(stem, early, 3, 2, norm=norm)
        inputs = (early, *widths[:-1])
        self.stages = nn.ModuleList(
            [_Stage(i, o, norm) for i, o in zip(inputs, widths, strict=True)]
        )
        self.top = nn.ModuleList([Conv(b, a, 1, norm=norm) for a, b in pairwise(widths)])
        self.merge = nn.ModuleList([Conv(w, w, 3, norm=norm) for w in widths[:-1]])
        self.heads = nn.ModuleList([Conv(w, _CELL_VALUES, 1) for w in widths])
        self.enlarge = EnlargeTo()

    @staticmethod
    def shaped_as(tensors: Tensors) -> ProposalNet:
        """Return a network that these tensors fit; KeyError names what is missing."""
        stages = count_of(tensors, 'stages.{}.down.weight')
        widths = [len(tensors[f'stages.{i}.down.weight']) for i in range(stages)]
        return ProposalNet(len(tensors['stem.weight']), len(tensors['early.weight']), widths)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Compute the maps."""
        x = torch.relu(self.stem(self.planes(images)))
        x = torch.relu(self.early(x))
        levels = []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        for i in reversed(range(len(self.top))):
            above = self.enlarge(self.top[i](levels[i + 1]), levels[i])
            levels[i] = torch.relu(self.merge[i](torch.relu(levels[i] + above)))
        return tuple(head(level) for head, level in zip(self.heads, levels, strict=True))


class _Stage(nn.Module):
    """Halves the resolution, then adds what two convolutions find."""

    def __init__(self, inputs: int, outputs: int, norm: bool) -> None:
        super().__init__()
        self.down = Conv(inputs, outputs, 3, 2, norm=norm)
        self.conv1 = Conv(outputs, outputs, 3, norm=norm)
        self.conv2 = Conv(outputs, outputs, 3, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the stage."""
        x = torch.relu(self.down(x))
        return torch.relu(self.conv2(torch.relu(self.conv1(x))) + x)
