# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What RetinaFace's outputs mean. The network itself: `inference/networks/retinaface_net.py`."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from headpose_ros.inference.networks import RETINAFACE
from headpose_ros.typing import Array

ARCHITECTURE = RETINAFACE

_STEPS_AND_SIZES = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
_VARIANCES = (0.1, 0.2)


def decode(
    offsets: NDArray[np.float32],
    logits: NDArray[np.float32],
    height: int,
    width: int,
    min_score: float,
) -> tuple[Array, Array]:
    """Return corners (K,4), pixels of the network's input, and scores (K,) of at least so much.

    `offsets` (A,4), `logits` (A,2) of no face and of one. What scores less is not decoded: of ten
    thousand anchors a few see a face.
    """
    difference = logits[:, 1] - logits[:, 0]
    found = np.flatnonzero(difference >= math.log(min_score / (1 - min_score)))
    centres, sizes = (values[found] for values in anchors(height, width))
    near, far = _VARIANCES
    of_found = offsets[found].astype(np.float64)
    middle = centres + near * of_found[:, :2] * sizes
    half = sizes * np.exp(far * of_found[:, 2:]) / 2
    scores = 1 / (1 + np.exp(-difference[found].astype(np.float64)))
    return np.hstack([middle - half, middle + half]), scores


@lru_cache(maxsize=16)
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
