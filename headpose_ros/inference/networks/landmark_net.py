# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our network for 68 facial landmarks. What its outputs mean: `estimation/pfld.py`.

Each landmark is the centre of mass of a map of its own, at a quarter of the crop's resolution (Sun
et al., Integral Human Pose Regression, 2018), over a feature pyramid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from headpose_ros.inference.networks.layers import (
    Conv,
    EnlargeTo,
    GlobalAverage,
    Linear,
    Network,
    Planes,
    Residual,
    Tensors,
    count_of,
)

POINTS = 68
_PIXEL_MEAN, _PIXEL_SCALE = 127.5, 64.0


class LandmarkNet(Network):
    """Crops (N,S,S,3) to landmarks (N,136), x and y in half crops, and face logits (N,1).

    `widths`, `depths`: of three stages, each of which halves the resolution; `fine`: channels of
    the finest level of the pyramid, from which the maps are made.
    """

    outputs = ('landmarks', 'face')

    def __init__(
        self,
        image_px: int = 112,
        stem: int = 16,
        widths: Sequence[int] = (24, 48, 60),
        depths: Sequence[int] = (1, 1, 2),
        fine: int = 32,
        *,
        norm: bool = False,
    ) -> None:
        super().__init__()
        self.image_px = image_px
        self.planes = Planes((_PIXEL_MEAN,), (_PIXEL_SCALE,))
        self.stem = Conv(3, stem, 3, 2, norm=norm)
        self.stages = nn.ModuleList()
        channels = stem
        for width, depth in zip(widths, depths, strict=True):
            blocks = [Residual(channels, width, 2, 1, norm)]
            blocks += [Residual(width, width, 1, 0, norm) for _ in range(depth - 1)]
            self.stages.append(nn.Sequential(*blocks))
            channels = width
        first, middle, last = widths
        self.top = Conv(last, middle, 1, norm=norm)
        laterals = {'1': Conv(first, fine, 1, norm=norm), '2': Conv(middle, middle, 1, norm=norm)}
        self.lateral = nn.ModuleDict(laterals)
        self.merge = nn.ModuleList([Conv(c, c, 3, norm=norm) for c in (fine, middle)])
        self.down = Conv(middle, fine, 1, norm=norm)
        self.maps = Conv(fine, POINTS, 1)
        self.enlarge, self.average = EnlargeTo(), GlobalAverage()
        self.cells = (image_px // 4) ** 2
        self.grid = Linear(self.cells, 2, bias=False)
        self.grid.weight = nn.Parameter(_cell_centres(image_px // 4), requires_grad=False)
        self.face = Linear(last, 1)

    @staticmethod
    def shaped_as(tensors: Tensors, metadata: Mapping[str, str]) -> LandmarkNet:
        """Return a network that these tensors fit; KeyError names what is missing."""
        widths = [len(tensors[f'stages.{i}.0.conv1.weight']) for i in range(3)]
        depths = [count_of(tensors, f'stages.{i}.{{}}.conv1.weight') for i in range(3)]
        stem, fine = len(tensors['stem.weight']), len(tensors['down.weight'])
        return LandmarkNet(int(metadata['crop_px']), stem, widths, depths, fine)

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """Compute the outputs."""
        x = torch.relu(self.stem(self.planes(crops)))
        levels = []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        fine, middle, coarse = levels
        y = self._merged(self.top(coarse), self.lateral['2'](middle), 1)
        y = self._merged(self.down(y), self.lateral['1'](fine), 0)
        # one map a row, so that the softmax and the centre of mass are over the cells
        maps = torch.softmax(self.maps(y).reshape(-1, self.cells).float(), 1)
        points = self.grid(maps).reshape(-1, 2 * POINTS)
        return points, self.face(self.average(coarse))

    def _merged(self, above: Tensor, level: Tensor, index: int) -> Tensor:
        both = torch.relu(level + self.enlarge(above, level))
        return torch.relu(self.merge[index](both))


def _cell_centres(side: int) -> Tensor:
    """Return x and y (2,side*side) of the cells' centres, in half crops."""
    axis = (np.arange(side) + 0.5) * 2 / side - 1
    y, x = np.meshgrid(axis, axis, indexing='ij')
    return torch.from_numpy(np.stack([x.ravel(), y.ravel()]).astype(np.float32))
