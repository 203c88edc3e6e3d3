# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pieces of an image that are searched one by one: small faces in tiles, large ones in few.

All lengths are in pixels of the image. What a search costs goes by area over `smallest` squared,
so that pieces with twice the smallest face may be twice as large each way for the same time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from headpose_ros.typing import Array, Image

OVERLAP = 8 / 3
"""Of tiles, in smallest faces. Twice the smallest face is found whole in one of them; larger ones
are found among the pieces for faces twice as large."""

_BORDER = 0.1
"""How near a border, in smallest faces, a box counts as cut: it may have lost pixels there that
did not fill a block when the piece was shrunk."""


@dataclass(frozen=True)
class Piece:
    """Columns `x0` to `x1` and rows `y0` to `y1` of an image, searched for faces from `smallest`.

    The ends are exclusive.
    """

    x0: int
    y0: int
    x1: int
    y1: int
    smallest: float

    def of(self, image: Image) -> Image:
        """Return what the piece shows of an image (H,W,3)."""
        return image[self.y0 : self.y1, self.x0 : self.x1]

    def is_cut(self, corners: Array, width: int, height: int) -> NDArray[np.bool_]:
        """Tell which boxes (N,4), in pixels of the piece, are cut by it and not by the image."""
        x0, y0, x1, y1 = corners.T
        near = _BORDER * self.smallest
        across, down = self.x1 - self.x0 - 1, self.y1 - self.y0 - 1
        cut: NDArray[np.bool_] = (
            ((x0 < near) & (self.x0 > 0))
            | ((y0 < near) & (self.y0 > 0))
            | ((x1 > across - near) & (self.x1 < width))
            | ((y1 > down - near) & (self.y1 < height))
        )
        return cut


@lru_cache(maxsize=64)
def pieces(width: int, height: int, smallest: float, side: float) -> tuple[Piece, ...]:
    """Return the pieces of an image in which all faces from `smallest` on are found.

    `side`: of a tile, in smallest faces. Tiles for the smallest faces come first, in rows; the
    tiles of a size are equally large. The last piece is the whole image.
    """
    found: list[Piece] = []
    while width * height > (side * smallest) ** 2:
        columns = _spans(width, side * smallest, OVERLAP * smallest)
        rows = _spans(height, side * smallest, OVERLAP * smallest)
        found += [Piece(x0, y0, x1, y1, smallest) for y0, y1 in rows for x0, x1 in columns]
        smallest *= 2
    return (*found, Piece(0, 0, width, height, smallest))


def _spans(length: int, side: float, overlap: float) -> list[tuple[int, int]]:
    """Return the ends of as few equal, overlapping parts of a length as are not over `side`."""
    count = 1 if length <= side else math.ceil((length - overlap) / (side - overlap))
    size = min(length, math.ceil((length + (count - 1) * overlap) / count))
    starts = np.linspace(0, length - size, count).round().astype(int).tolist()
    return [(start, start + size) for start in starts]
