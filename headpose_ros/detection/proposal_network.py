# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our proposal network: where faces of all sizes may be, in one pass over one image.

It stands in for P-Net, which sees one size only and so needs a pyramid of images. The feature
pyramid is after Lin et al. (Feature Pyramid Networks, 2017), cells without anchors after Tian et
al. (FCOS, 2019), but squares, since that is what R-Net takes.

Tensors (float32, batch normalisation folded), channels from their shapes; all convolutions pad by
kernel // 2:

    stem                      3x3, stride 2, ReLU
    early                     3x3, stride 2, ReLU
    stages.{i}.down           3x3, stride 2, ReLU: stages 0, 1, 2 have strides 8, 16 and 32
    stages.{i}.conv1, conv2   3x3; the sum with what `down` gave, ReLU
    top.{i}                   1x1, of stage i + 1 to the width of stage i, enlarged and added, ReLU
    merge.{i}                 3x3 after that sum, ReLU; i = 0, 1
    heads.{i}                 1x1 with bias, four channels

Outputs, of strides 8, 16, 32: (N,4,h,w) float32, with b twice the stride:

    0      logit of a face here
    1, 2   its centre from the cell's, x right and y down, over b
    3      log of the square's side over b
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headpose_ros.inference.layers import Layers
from headpose_ros.typing import Array

ARCHITECTURE = 'headpose-proposal-network'
STRIDES = (8, 16, 32)
SMALLEST_PX, LARGEST_PX = 14.0, 230.0
"""Sides of the faces' boxes that it is asked to find, in pixels of its image.

It is trained from 8 px on: like P-Net it should find some that are smaller than asked for.
"""

_PIXEL_MEAN = 127.5
_PIXEL_SCALE = 64.0


def shapes(
    stem: int = 8, early: int = 16, widths: Sequence[int] = (32, 48, 64)
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors that a training makes."""
    found: dict[str, tuple[int, ...]] = {
        'stem.weight': (stem, 3, 3, 3),
        'early.weight': (early, stem, 3, 3),
    }
    channels = early
    for i, width in enumerate(widths):
        found[f'stages.{i}.down.weight'] = (width, channels, 3, 3)
        for name in ('conv1', 'conv2'):
            found[f'stages.{i}.{name}.weight'] = (width, width, 3, 3)
        found[f'heads.{i}.weight'] = (4, width, 1, 1)
        found[f'heads.{i}.bias'] = (4,)
        channels = width
    for i in range(len(widths) - 1):
        found[f'top.{i}.weight'] = (widths[i], widths[i + 1], 1, 1)
        found[f'merge.{i}.weight'] = (widths[i], widths[i], 3, 3)
    return found


def proposal_network(g: Layers, images: Any) -> tuple[Any, ...]:
    """Build the network on `images` (N,H,W,3) uint8 BGR, H and W multiples of 32."""
    x = g.image(images, mean=(_PIXEL_MEAN,) * 3, scale=(_PIXEL_SCALE,) * 3)
    x = g.relu(g.conv(x, 'stem', stride=2, padding=1))
    x = g.relu(g.conv(x, 'early', stride=2, padding=1))
    levels = []
    for i in range(len(STRIDES)):
        x = g.relu(g.conv(x, f'stages.{i}.down', stride=2, padding=1))
        y = g.relu(g.conv(x, f'stages.{i}.conv1', padding=1))
        x = g.relu(g.add(g.conv(y, f'stages.{i}.conv2', padding=1), x))
        levels.append(x)
    for i in reversed(range(len(STRIDES) - 1)):
        above = g.resize_like(g.conv(levels[i + 1], f'top.{i}'), levels[i])
        merged = g.relu(g.add(levels[i], above))
        levels[i] = g.relu(g.conv(merged, f'merge.{i}', padding=1))
    return tuple(g.conv(level, f'heads.{i}') for i, level in enumerate(levels))


def squares(outputs: Sequence[NDArray[np.float32]], least_score: float) -> tuple[Array, Array]:
    """Return squares (N,4) as x0, y0, x1, y1, and scores (N,), of one image's outputs.

    Pixels of the image; a pixel's centre is an integer. Cells below `least_score` are left out.
    """
    least = np.log(least_score / (1 - least_score))
    found = []
    for stride, output in zip(STRIDES, outputs, strict=True):
        rows, columns = np.nonzero(output[0, 0] > least)
        logit, x, y, log_side = output[0][:, rows, columns].astype(np.float64)
        base = 2.0 * stride
        half = base * np.exp(np.minimum(log_side, 4.0)) / 2
        x = (columns + 0.5) * stride - 0.5 + base * x
        y = (rows + 0.5) * stride - 0.5 + base * y
        found.append(np.column_stack([x - half, y - half, x + half, y + half, logit]))
    rows_of_all = np.concatenate(found)
    return rows_of_all[:, :4], 1 / (1 + np.exp(-rows_of_all[:, 4]))


def metadata() -> Mapping[str, str]:
    """Return the metadata of a weights file that tell what it is."""
    return {'architecture': ARCHITECTURE, 'what': 'face proposals in one pass, for R- and O-Net'}
