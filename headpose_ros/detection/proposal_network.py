# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What our proposal network's outputs mean. The network: `inference/networks/proposal_net.py`.

It finds where faces of all sizes may be, in one pass over one image. It stands in for P-Net, which
sees one size only and so needs a pyramid of images. Its cells tell squares, since that is what
R-Net takes.

Outputs, of strides 8, 16, 32: (N,4,h,w) float32, with b twice the stride:

    0      logit of a face here
    1, 2   its centre from the cell's, x right and y down, over b
    3      log of the square's side over b
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from headpose_ros.inference.networks import PROPOSALS
from headpose_ros.typing import Array

ARCHITECTURE = PROPOSALS
STRIDES = (8, 16, 32)
SMALLEST_PX, LARGEST_PX = 14.0, 230.0
"""Sides of the faces' boxes that it is asked to find, in pixels of its image.

It is trained from 8 px on: like P-Net it should find some that are smaller than asked for.
"""


def squares(outputs: Sequence[NDArray[np.float32]], min_score: float) -> tuple[Array, Array]:
    """Return squares (N,4) as x0, y0, x1, y1, and scores (N,), of one image's outputs.

    Pixels of the image; a pixel's centre is an integer. Cells below `min_score` are left out.
    """
    least = np.log(min_score / (1 - min_score))
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
