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
    ARCHITECTURE,
    ONET_PX,
    PNET_CELL,
    PNET_STRIDE,
    RNET_PX,
    onet,
    pnet,
    rnet,
)
from headpose_ros.estimation.runtime import Runtime
from headpose_ros.estimation.weights import LoadedWeights, load
from headpose_ros.heads import Array, Boxes

_SCALE_STEP = 0.709
_BORDER = 127.5  # what lies outside the image: the networks' zero
_MOST_PROPOSALS = 1024

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Thresholds:
    """Least scores of the three stages, and most overlaps of boxes that are kept apart."""

    pnet: float = 0.6
    rnet: float = 0.7
    onet: float = 0.8
    overlap_level: float = 0.5
    overlap: float = 0.7


class Mtcnn:
    """The detector (`detector.Detector`)."""

    name = 'mtcnn'
    box_to_face = BoxToFace(scale=1.65, dx=0.02, dy=0.08)  # tools/fit_box_to_face.py, 496 faces

    def __init__(
        self, runtime: Runtime, weights: LoadedWeights, thresholds: Thresholds | None = None
    ) -> None:
        tensors = weights.tensors
        self._pnet = runtime.compile(pnet, tensors, (1, None, None, 3), 'float32', exact=True)
        self._rnet = runtime.compile(
            rnet, tensors, (None, RNET_PX, RNET_PX, 3), 'float32', exact=True
        )
        self._onet = runtime.compile(
            onet, tensors, (None, ONET_PX, ONET_PX, 3), 'float32', exact=True
        )
        self._thresholds = thresholds or Thresholds()

    def detect(self, image_bgr: Image, min_face_px: float) -> Boxes:
        """Find faces; boxes may reach out of the image. See `detector.Detector`."""
        return self.detect_between(image_bgr, min_face_px, math.inf)

    def detect_between(self, image_bgr: Image, min_face_px: float, max_face_px: float) -> Boxes:
        """Find faces at those levels of the pyramid only; see `detector.SizedDetector`."""
        boxes = self._refine(image_bgr, self._propose(image_bgr, min_face_px, max_face_px))
        return self._decide(image_bgr, boxes)

    def _propose(self, image: Image, min_face_px: float, max_face_px: float) -> Array:
        height, width = image.shape[:2]
        mosaic = _mosaic(width, height, float(min_face_px), float(max_face_px))
        if not mosaic.levels:
            return np.empty((0, 4))
        scores, corrections = self._pnet(mosaic.paint(image)[None])
        found, found_scores = [], []
        for level in mosaic.levels:
            boxes, level_scores = _cells(
                level, scores[0, 0], corrections[0], self._thresholds.pnet
            )
            kept = suppress(boxes, level_scores, self._thresholds.overlap_level)
            found.append(boxes[kept])
            found_scores.append(level_scores[kept])
        boxes, all_scores = np.concatenate(found), np.concatenate(found_scores)
        return boxes[suppress(boxes, all_scores, self._thresholds.overlap)[:_MOST_PROPOSALS]]

    def _refine(self, image: Image, boxes: Array) -> Array:
        if len(boxes) == 0:
            return boxes
        boxes = squared(boxes)
        scores, corrections = self._rnet(patches(image, boxes, RNET_PX))
        good = scores[:, 0] > self._thresholds.rnet
        boxes = corrected(boxes[good], corrections[good])
        return boxes[suppress(boxes, scores[good, 0], self._thresholds.overlap)]

    def _decide(self, image: Image, boxes: Array) -> Boxes:
        if len(boxes) == 0:
            return Boxes(np.empty((0, 4)), np.empty(0), np.empty((0, 5, 2)))
        boxes = squared(boxes)
        scores, corrections, points = self._onet(patches(image, boxes, ONET_PX))
        good = scores[:, 0] > self._thresholds.onet
        boxes, points = boxes[good], points[good].astype(np.float64)
        size = boxes[:, None, 2:] - boxes[:, None, :2] + 1
        landmarks = (
            np.stack([points[:, :5], points[:, 5:]], axis=2) * size + boxes[:, None, :2] - 1
        )
        boxes = corrected(boxes, corrections[good])
        kept = suppress(boxes, scores[good, 0], self._thresholds.overlap, of_smaller=True)
        return Boxes(boxes[kept], scores[good, 0][kept].astype(np.float64), landmarks[kept])


def create(config: PipelineConfig, runtime: Runtime) -> Mtcnn:
    """Load the shipped weights, or those of `config.detector_weights`. Raises WeightsError."""
    return Mtcnn(
        runtime,
        load(config.detector_weights, 'mtcnn', (ARCHITECTURE,)),
        Thresholds(onet=min(0.5, config.score_threshold)),
    )


@dataclass(frozen=True)
class _Level:
    """One size of the image, `scale` times the whole, and its place in the mosaic."""

    scale: float
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class _Mosaic:
    """Where each level lies in the picture for P-Net. Places are even, as P-Net's cells are."""

    width: int
    height: int
    levels: tuple[_Level, ...]

    def paint(self, image_u8: Image) -> NDArray[np.float32]:
        """Return the picture (height,width,3), not rounded: P-Net's scores would change."""
        canvas = np.zeros((self.height, self.width, 3), np.float32)
        image = image_u8.astype(np.float32)
        for level in self.levels:
            place = canvas[level.y : level.y + level.height, level.x : level.x + level.width]
            cv2.resize(image, (level.width, level.height), place, interpolation=cv2.INTER_AREA)
        return canvas


@lru_cache(maxsize=16)
def _mosaic(width: int, height: int, min_face_px: float, max_face_px: float = math.inf) -> _Mosaic:
    """Lay the levels out in the least area that shelves of some width give."""
    sizes = []
    first = scale = PNET_CELL / min_face_px
    # A level sees faces up to half a step larger than its cells.
    least_scale = PNET_CELL / (max_face_px * math.sqrt(_SCALE_STEP))
    while min(width, height) * scale >= PNET_CELL and scale >= least_scale:
        sizes.append((int(width * scale), int(height * scale)))
        scale *= _SCALE_STEP
    if not sizes:
        return _Mosaic(0, 0, ())
    layouts = [_shelves(sizes, int(sizes[0][0] * k)) for k in np.linspace(1.0, 2.0, 51)]
    places, full_width, full_height = min(layouts, key=lambda layout: layout[1] * layout[2])
    levels = tuple(
        _Level(first * _SCALE_STEP**i, x, y, w, h)
        for i, ((x, y), (w, h)) in enumerate(zip(places, sizes, strict=True))
    )
    return _Mosaic(full_width, full_height, levels)


def _shelves(sizes: list[tuple[int, int]], width: int) -> tuple[list[tuple[int, int]], int, int]:
    """Place sizes, falling, on shelves (first fit); return the places and the area's size."""
    places: list[tuple[int, int]] = []
    shelves: list[list[int]] = []  # y, x where free
    top = used = 0
    for w, h in sizes:
        shelf = next((s for s in shelves if s[1] + w <= width), None)
        if shelf is None:
            shelf = [top, 0]
            shelves.append(shelf)
            top += h + h % 2
        places.append((shelf[1], shelf[0]))
        used = max(used, shelf[1] + w)
        shelf[1] += w + w % 2
    return places, used, top


def _cells(
    level: _Level, scores: NDArray[np.float32], corrections: NDArray[np.float32], least: float
) -> tuple[Array, Array]:
    """Return boxes (N,4) in the image and scores (N,) of the cells of `level` with a face."""
    x, y = level.x // PNET_STRIDE, level.y // PNET_STRIDE
    columns = (level.width - PNET_CELL) // PNET_STRIDE + 1
    rows = (level.height - PNET_CELL) // PNET_STRIDE + 1
    own = scores[y : y + rows, x : x + columns]
    j, i = np.nonzero(own > least)
    cells = np.column_stack([i, j, i, j]) * PNET_STRIDE + [1, 1, PNET_CELL, PNET_CELL]
    boxes = cells + corrections[:, y + j, x + i].T * (PNET_CELL - 1.0)
    return boxes / level.scale, own[j, i].astype(np.float64)


def suppress(
    boxes: Array, scores: Array, most_overlap: float, of_smaller: bool = False
) -> NDArray[np.intp]:
    """Return indices, best first, of boxes (N,4) that no better box overlaps more than allowed.

    The overlap is the intersection over the union, or over the smaller box. Unlike usual
    non-maximum suppression, a box that is itself suppressed suppresses others.
    """
    order = np.argsort(-scores, kind='stable')
    x0, y0, x1, y1 = boxes[order].astype(np.float32).T
    area = (x1 - x0) * (y1 - y0)
    w = np.minimum(x1[:, None], x1) - np.maximum(x0[:, None], x0)
    h = np.minimum(y1[:, None], y1) - np.maximum(y0[:, None], y0)
    common = np.maximum(w, 0) * np.maximum(h, 0)
    whole = np.minimum(area[:, None], area) if of_smaller else area[:, None] + area - common
    too_close = np.triu(common > most_overlap * whole, 1)
    kept: NDArray[np.intp] = order[~too_close.any(axis=0)]
    return kept


def squared(boxes: Array) -> Array:
    """Return boxes (N,4) grown to squares about their centres."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.hstack([centres - half, centres + half])


def corrected(boxes: Array, corrections: NDArray[np.float32]) -> Array:
    """Move the sides of boxes (N,4) by fractions (N,4) of their size, which counts both ends."""
    size = boxes[:, 2:] - boxes[:, :2] + 1
    return boxes + corrections * np.hstack([size, size])


def patches(image: Image, boxes: Array, side: int) -> NDArray[np.float32]:
    """Sample boxes (N,4) as patches (N,side,side,3), bilinearly, at points from edge to edge.

    In float32: scores near a threshold change with the rounding of OpenCV's own sampling.
    """
    height, width = image.shape[:2]
    step = np.linspace(0.0, 1.0, side)
    # Edges count as fractions of the image's size, whose last pixel is at 1: the training's way.
    shrink = np.array([(width - 1) / width, (height - 1) / height] * 2)
    x0, y0, x1, y1 = (boxes * shrink).T[..., None]
    left, x_weight, x_inside = _taps(x0 + (x1 - x0) * step, width)
    top, y_weight, y_inside = _taps(y0 + (y1 - y0) * step, height)
    pixels = image.reshape(-1, 3)
    rows = [top * width, np.minimum(top + 1, height - 1) * width]
    columns = [left, np.minimum(left + 1, width - 1)]
    corners = [pixels[(r[:, :, None] + c[:, None, :])] for r in rows for c in columns]
    a, b, c, d = (corner.astype(np.float32) for corner in corners)
    x_weight, y_weight = x_weight[:, None, :, None], y_weight[:, :, None, None]
    upper, lower = a + (b - a) * x_weight, c + (d - c) * x_weight
    sampled: NDArray[np.float32] = upper + (lower - upper) * y_weight
    sampled[~(y_inside[:, :, None] & x_inside[:, None, :])] = _BORDER
    return sampled


def _taps(
    at: Array, count: int
) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.bool_]]:
    """Return the pixels before positions, the weights of those after, and which are inside."""
    inside = (at >= 0) & (at <= count - 1)
    before = np.clip(np.floor(at), 0, count - 1).astype(np.intp)
    return before, np.clip(at - before, 0, 1).astype(np.float32), inside
