# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images made smaller by powers of two, whole or in part, every pixel counting once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from headpose_ros.typing import Array, Image


@dataclass(frozen=True)
class ReducedRegion:
    """A region of an image whose blocks of pixels were averaged to one pixel each.

    `x0`, `y0`: its first pixel. `block`: how many pixels were averaged, each way.
    """

    x0: int
    y0: int
    block: int

    def place(self, pixels: Array) -> Array:
        """Return where columns and rows (2,...) of the image are in the reduced region."""
        if self == WHOLE_IMAGE:
            return pixels
        first = np.array([self.x0, self.y0]).reshape(2, *(1,) * (pixels.ndim - 1)) - 0.5
        placed: Array = (pixels - first) / self.block - 0.5
        return placed


WHOLE_IMAGE = ReducedRegion(0, 0, 1)
"""The image itself."""


def reduce_region(
    image: Image, box: Array, block: int, wraps: bool
) -> tuple[Image, ReducedRegion]:
    """Return what the image shows in `box`, averaged in blocks, and where it is from.

    `box` (4,): x0, y0, x1, y1, pixels. `block`: a power of two, pixels. Blocks are aligned with
    the image; what is left over at its right and lower edge is dropped. `wraps`: columns beyond
    an edge are those at the other, see `CameraModel.wraps`.
    """
    width = image.shape[1]
    around = wraps and (box[0] < 1 or box[2] > width - 2)
    if block == 1 and not around:
        return image, WHOLE_IMAGE
    y0, y1 = block_span(box[1], box[3], block, image.shape[0])
    x0, x1 = (
        wrapped_span(box[0], box[2], block) if around else block_span(box[0], box[2], block, width)
    )
    region = columns_of(image[y0:y1], x0, x1)
    return halved(region, block.bit_length() - 1), ReducedRegion(x0, y0, block)


def columns_of(image: Any, x0: int, x1: int) -> Any:
    """Return the columns from `x0` to `x1` - 1 of an image or a tensor, coming round its edges."""
    if x0 >= 0 and x1 <= image.shape[1]:
        return image[:, x0:x1]
    return image[:, np.arange(x0, x1) % image.shape[1]]


def wrapped_span(low: float, high: float, block: int) -> tuple[int, int]:
    """Return the first column, and the last + 1, of whole blocks that show low..high."""
    return (int(low // block) - 1) * block, (int(high // block) + 2) * block


def block_span(low: float, high: float, block: int, length: int) -> tuple[int, int]:
    """Return the first pixel, and the last + 1, of the whole blocks that show low..high."""
    count = max(1, length // block)
    first = min(max(int(low // block) - 1, 0), count - 1)
    last = min(max(int(high // block) + 2, first + 1), count)
    return first * block, min(last * block, length)


def halved(image: Image, times: int) -> Image:
    """Return the image with both sides halved so many times, at least 1 pixel each.

    Two by two pixels are averaged, for which OpenCV is fastest: three times as fast as averages
    over sixteen at once.
    """
    for _ in range(times):
        size = (max(image.shape[1] // 2, 1), max(image.shape[0] // 2, 1))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return image
