# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What RetinaFace's outputs mean. The network itself: `inference/networks/retinaface_net.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headpose_ros.inference.networks import RETINAFACE
from headpose_ros.typing import Array

ARCHITECTURE = RETINAFACE

_STEPS_AND_SIZES = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
_VARIANCES = (0.1, 0.2)


def decode(
    outputs: tuple[NDArray[np.floating[Any]], ...], height: int, width: int
) -> tuple[Array, Array, Array]:
    """Return corners (A,4), scores (A,) and landmarks (A,5,2), pixels of the network's input."""
    offsets, classes, points = (np.asarray(output[0], np.float64) for output in outputs)
    centres, sizes = anchors(height, width)
    near, far = _VARIANCES
    middle = centres + near * offsets[:, :2] * sizes
    half = sizes * np.exp(far * offsets[:, 2:]) / 2
    landmarks = centres[:, None] + near * points.reshape(-1, 5, 2) * sizes[:, None]
    return np.hstack([middle - half, middle + half]), classes[:, 1], landmarks


def anchors(height: int, width: int) -> tuple[Array, Array]:
    """Return centres (A,2) and sides (A,1) of the anchors, pixels, in the network's order."""
    centres, sizes = [], []
    for step, sides in _STEPS_AND_SIZES:
        rows, columns = -(-height // step), -(-width // step)
        y, x = np.meshgrid(np.arange(rows), np.arange(columns), indexing='ij')
        cells = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * step
        centres.append(np.repeat(cells, len(sides), axis=0))
        sizes.append(np.tile(np.array(sides, float), len(cells)))
    return np.concatenate(centres), np.concatenate(sizes)[:, None]
