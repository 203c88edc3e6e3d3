# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our network for 68 facial landmarks, in place of PFLD: the same 112 px crop, size and use.

PFLD: Guo et al., A Practical Facial Landmark Detector, 2019. Unlike it, ours has no matrix from
features to coordinates, which would be most of its parameters: each landmark is the centre of
mass of a map of its own, at a quarter of the crop's resolution (Sun et al., Integral Human Pose
Regression, 2018).

Tensors (float32, batch normalisation folded), C* from their shapes:

    stem                        3x3, stride 2, ReLU
    stages.{i}.{j}.conv1, conv2, shortcut   residual blocks as in `pose_network.py`; the first of
                                each of the three stages halves the resolution
    lateral.{1,2}, top          1x1, of stages 1, 2 to the width of `lateral`; `top` of the last
    merge.{0,1}                 3x3 after each sum of a level and the one above, enlarged
    down                        1x1, to the width of the finest level
    maps                        1x1, (68,C,1,1) and bias; softmax over the map
    grid.weight                 (2,M*M): x and y of the cells' centres, in half crops
    face                        (1,C) and bias: logit of the crop showing a face

Outputs: landmarks (N,136) as x, y pairs in half crops from the crop's centre, x right and y down;
face logits (N,1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headpose_ros.inference.layers import Layers

ARCHITECTURE = 'headpose-landmarks-68'
LANDMARKS = 68
_PIXEL_MEAN = 127.5
_PIXEL_SCALE = 64.0


@dataclass(frozen=True)
class Pfld:
    """The network of one weights file, called with layers and crops."""

    crop_px: int = 112
    crop_scale: float = 0.875
    landmark_box_scale: float = 1.55

    @staticmethod
    def from_metadata(metadata: Mapping[str, str]) -> Pfld:
        """Read the metadata of a weights file; ValueError where they are incomplete."""
        try:
            return Pfld(
                int(metadata['crop_px']),
                float(metadata['crop_scale']),
                float(metadata['landmark_box_scale']),
            )
        except KeyError as missing:
            raise ValueError(f'landmark network: metadata has no {missing}') from None

    def metadata(self) -> dict[str, str]:
        """Return what `from_metadata` reads."""
        return {
            'architecture': ARCHITECTURE,
            'crop_px': str(self.crop_px),
            'crop_scale': repr(self.crop_scale),
            'landmark_box_scale': repr(self.landmark_box_scale),
        }

    @property
    def map_px(self) -> int:
        """Side of the maps."""
        return self.crop_px // 4

    def __call__(self, g: Layers, crops: Any) -> tuple[Any, ...]:
        """Build the network on `crops` (N,S,S,3) uint8 BGR."""
        x = g.image(crops, mean=(_PIXEL_MEAN,) * 3, scale=(_PIXEL_SCALE,) * 3)
        x = g.relu(g.conv(x, 'stem', stride=2, padding=1))
        levels = []
        for i in range(3):
            j = 0
            while g.has(f'stages.{i}.{j}.conv1'):
                x = _block(g, x, f'stages.{i}.{j}', 2 if j == 0 else 1)
                j += 1
            levels.append(x)
        fine, middle, coarse = levels
        y = _merged(g, g.conv(coarse, 'top'), g.conv(middle, 'lateral.2'), 'merge.1')
        y = _merged(g, g.conv(y, 'down'), g.conv(fine, 'lateral.1'), 'merge.0')
        cells = self.map_px**2
        maps = g.softmax(g.reshape(g.conv(y, 'maps'), (-1, cells)), 1)
        points = g.reshape(g.linear(maps, 'grid'), (-1, 2 * LANDMARKS))
        return points, g.linear(g.flatten(g.global_average(coarse)), 'face')


def grid(map_px: int) -> NDArray[np.float32]:
    """Return the tensor `grid.weight` (2,M*M)."""
    axis = (np.arange(map_px) + 0.5) * 2 / map_px - 1
    y, x = np.meshgrid(axis, axis, indexing='ij')
    return np.stack([x.ravel(), y.ravel()]).astype(np.float32)


def _merged(g: Layers, above: Any, level: Any, name: str) -> Any:
    merged = g.relu(g.add(level, g.resize_like(above, level)))
    return g.relu(g.conv(merged, name, padding=1))


def _block(g: Layers, x: Any, name: str, stride: int) -> Any:
    shortcut = x
    if g.has(f'{name}.shortcut'):
        shortcut = g.conv(x, f'{name}.shortcut', stride=stride)
    y = g.relu(g.conv(x, f'{name}.conv1', stride=stride, padding=1))
    return g.relu(g.add(g.conv(y, f'{name}.conv2', padding=1), shortcut))
