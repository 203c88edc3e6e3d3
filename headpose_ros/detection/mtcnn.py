# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MTCNN: a cascade of three small networks. Finds what the PyPI package `mtcnn` 1.0.0 finds.

P-Net looks at all sizes at once: the levels of the image pyramid lie side by side in one picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.config import PipelineConfig
from headpose_ros.detection.detector import BoxToFace
from headpose_ros.detection.mtcnn_networks import (
    PNET,
    PNET_CELL,
    PNET_STRIDE,
)
from headpose_ros.detection.mtcnn_stages import FaceCheck, Thresholds, suppress
from headpose_ros.heads import Boxes
from headpose_ros.inference.protocols import Runtime
from headpose_ros.inference.weights import LoadedWeights, fitted, load
from headpose_ros.typing import Array, Image

_SCALE_STEP = 0.709
_PNET_SCORE, _LEVEL_OVERLAP = 0.6, 0.5
_MAX_PROPOSALS = 1024


class Mtcnn:
    """The detector (`detector.Detector`)."""

    name = 'mtcnn'
    box_to_face = BoxToFace(scale=1.65, dx=0.02, dy=0.08)  # tools/fit_box_to_face.py, 496 faces

    def __init__(
        self, runtime: Runtime, weights: LoadedWeights, thresholds: Thresholds | None = None
    ) -> None:
        self._pnet = runtime.compile(weights, exact=True)
        self._thresholds = thresholds or Thresholds()
        self._check = FaceCheck(runtime, self._thresholds)
        self._canvas = np.empty(0, np.float32)  # kept, since new memory costs more than painting

    def detect(self, image_bgr: Image, min_face_px: float) -> Boxes:
        """Find faces; boxes may reach out of the image. See `detector.Detector`."""
        return self._check(image_bgr, self._propose(image_bgr, min_face_px))

    def _propose(self, image: Image, min_face_px: float) -> Array:
        height, width = image.shape[:2]
        mosaic = mosaic_of(width, height, float(min_face_px))
        if not mosaic.levels:
            return np.empty((0, 4))
        if self._canvas.size < mosaic.values:
            self._canvas = np.zeros(mosaic.values, np.float32)
        (cells,) = self._pnet(mosaic.paint(image, self._canvas)[None])
        boxes, scores, levels = _cells(mosaic, cells[0], _PNET_SCORE)
        kept = np.concatenate(
            [
                own[suppress(boxes[own], scores[own], _LEVEL_OVERLAP)]
                for own in (np.flatnonzero(levels == i) for i in range(len(mosaic.levels)))
            ]
        )
        boxes, scores = boxes[kept], scores[kept]
        return boxes[suppress(boxes, scores, self._thresholds.overlap)[:_MAX_PROPOSALS]]


def create(config: PipelineConfig, runtime: Runtime) -> Mtcnn:
    """Load P-Net, shipped or `config.detector_weights`; R- and O-Net are shipped: WeightsError."""
    weights = load(config.detector_weights, 'mtcnn', (PNET,))
    with fitted(weights):
        return Mtcnn(runtime, weights, Thresholds(onet=min(0.5, config.score_threshold)))


@dataclass(frozen=True)
class _Level:
    """One size of the image, `scale` times the whole, and its place in the mosaic."""

    scale: float
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class Mosaic:
    """Where each level lies in the picture for P-Net. Places are even, as P-Net's cells are.

    `level_of` (rows,columns): the level that a cell of P-Net sees, -1 where it sees none or two.
    """

    width: int
    height: int
    levels: tuple[_Level, ...]
    level_of: NDArray[np.int8]

    @property
    def values(self) -> int:
        """How many numbers the picture holds."""
        return self.height * self.width * 3

    def paint(self, image_u8: Image, memory: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the picture (height,width,3), not rounded: P-Net's scores would change.

        It lies in `memory`, flat; what is between the levels stays as it was.
        """
        canvas = memory[: self.values].reshape(self.height, self.width, 3)
        image = image_u8.astype(np.float32)
        for level in self.levels:
            place = canvas[level.y : level.y + level.height, level.x : level.x + level.width]
            cv2.resize(image, (level.width, level.height), place, interpolation=cv2.INTER_AREA)
        return canvas


@lru_cache(maxsize=16)
def mosaic_of(width: int, height: int, min_face_px: float) -> Mosaic:
    """Return the mosaic of an image for faces from so many pixels on.

    The levels lie in the least area that shelves of some width give.
    """
    sizes = []
    first = scale = PNET_CELL / min_face_px
    while min(width, height) * scale >= PNET_CELL:
        sizes.append((int(width * scale), int(height * scale)))
        scale *= _SCALE_STEP
    if not sizes:
        return Mosaic(0, 0, (), np.empty((0, 0), np.int8))
    layouts = [_shelves(sizes, int(sizes[0][0] * k)) for k in np.linspace(1.0, 2.0, 51)]
    places, full_width, full_height = min(layouts, key=lambda layout: layout[1] * layout[2])
    levels = tuple(
        _Level(first * _SCALE_STEP**i, x, y, w, h)
        for i, ((x, y), (w, h)) in enumerate(zip(places, sizes, strict=True))
    )
    level_of = np.full([_columns(side) for side in (full_height, full_width)], -1, np.int8)
    for i, level in enumerate(levels):
        x, y = level.x // PNET_STRIDE, level.y // PNET_STRIDE
        rows, columns = (_columns(side - side % 2) for side in (level.height, level.width))
        level_of[y : y + rows, x : x + columns] = i
    return Mosaic(full_width, full_height, levels, level_of)


def _columns(pixels: int) -> int:
    """Return how many cells P-Net makes of so many pixels in a row; if odd, the last is cut."""
    return (pixels + 1 - PNET_CELL) // PNET_STRIDE + 1


class _Shelf:
    """A row of piles of levels, as high as the first level put there."""

    def __init__(self, top: int, height: int) -> None:
        self._top, self._bottom = top, top + height
        self._left = self._right = 0  # of the last pile
        self._free = top

    def place(self, w: int, h: int, width: int) -> tuple[int, int] | None:
        """Return where a level fits, on the last pile or beside it; None where it does not."""
        if w > self._right - self._left or self._free + h > self._bottom:
            if self._right + w > width:
                return None
            self._left, self._right = self._right, self._right + w + w % 2
            self._free = self._top
        self._free += h + h % 2
        return self._left, self._free - h - h % 2


def _shelves(sizes: list[tuple[int, int]], width: int) -> tuple[list[tuple[int, int]], int, int]:
    """Place sizes, falling, on shelves (first fit); return the places and the area's size."""
    places: list[tuple[int, int]] = []
    shelves: list[_Shelf] = []
    top = used = 0
    for w, h in sizes:
        place = next((at for shelf in shelves if (at := shelf.place(w, h, width))), None)
        if place is None:
            shelves.append(_Shelf(top, h))
            top += h + h % 2
            place = shelves[-1].place(w, h, width)
            assert place is not None  # no size is wider than the first
        places.append(place)
        used = max(used, place[0] + w)
    return places, used, top


def _cells(
    mosaic: Mosaic, cells: NDArray[np.float32], least: float
) -> tuple[Array, Array, NDArray[np.int8]]:
    """Return the cells with a face: boxes (N,4) in the image, scores (N,), levels (N,).

    `cells` (5,rows,columns): the logit of the score, and the box's corrections.
    """
    found = np.flatnonzero(cells[0] > math.log(least / (1 - least)))
    levels = mosaic.level_of.ravel()[found]
    found, levels = found[levels >= 0], levels[levels >= 0]
    rows, columns = np.divmod(found, cells.shape[2])
    of_cells = cells.reshape(5, -1)[:, found]
    places = np.array([(level.x, level.y, level.scale) for level in mosaic.levels])[levels]
    corners = np.column_stack([columns, rows, columns, rows]) * PNET_STRIDE
    corners = corners + [1, 1, PNET_CELL, PNET_CELL] - np.tile(places[:, :2], 2)
    boxes = (corners + of_cells[1:].T * (PNET_CELL - 1.0)) / places[:, 2:]
    return boxes, 1 / (1 + np.exp(-of_cells[0].astype(np.float64))), levels
