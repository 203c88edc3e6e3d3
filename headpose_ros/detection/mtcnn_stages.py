# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The last two stages of MTCNN: R-Net refines what may be faces, O-Net decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headpose_ros.detection.mtcnn_networks import ONET, ONET_PX, RNET, RNET_PX
from headpose_ros.heads import Boxes
from headpose_ros.inference.protocols import Runtime
from headpose_ros.inference.weights import load
from headpose_ros.typing import Array, Image

_USUAL = 8  # proposals where there is one face
_BORDER = 127.5  # what lies outside the image: the networks' zero


@dataclass(frozen=True)
class Thresholds:
    """Least scores of both stages, and the most overlap of boxes that are kept apart."""

    rnet: float = 0.7
    onet: float = 0.8
    overlap: float = 0.7


class FaceCheck:
    """Tells which proposals are faces, where exactly, and where their landmarks are.

    Its networks are the shipped ones; raises WeightsError where they cannot be used.
    """

    def __init__(self, runtime: Runtime, thresholds: Thresholds) -> None:
        rnet, onet = load('', 'rnet', (RNET,)), load('', 'onet', (ONET,))
        self._rnet = runtime.compile(rnet, exact=True, usual=_USUAL)
        self._onet = runtime.compile(onet, exact=True, usual=1)
        self._thresholds = thresholds

    def __call__(self, image: Image, proposals: Array) -> Boxes:
        """Return the faces among `proposals` (N,4), which may reach out of `image`."""
        return self._decide(image, self._refine(image, proposals))

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


def intersection_over_union(a: Array, b: Array) -> Array:
    """Return the overlaps (N,M) of boxes (N,4) and (M,4), as x0, y0, x1, y1."""
    common = np.minimum(a[:, None, 2:], b[:, 2:]) - np.maximum(a[:, None, :2], b[:, :2])
    common_area = np.maximum(common, 0).prod(axis=2)
    area_a, area_b = ((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (a, b))
    overlaps: Array = common_area / (area_a[:, None] + area_b - common_area)
    return overlaps


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
    places = (r[:, :, None] + c[:, None, :] for r in rows for c in columns)
    # `take` and sums in place: half the time of indexing and of as many new arrays.
    a, b, c, d = (pixels.take(place, axis=0).astype(np.float32) for place in places)
    upper = _blend(a, b, x_weight[:, None, :, None])
    lower = _blend(c, d, x_weight[:, None, :, None])
    sampled = _blend(upper, lower, y_weight[:, :, None, None])
    sampled[~(y_inside[:, :, None] & x_inside[:, None, :])] = _BORDER
    return sampled


def _blend(
    a: NDArray[np.float32], b: NDArray[np.float32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return a + (b - a) * weight; the memory of both is used up."""
    b -= a
    b *= weight
    a += b
    return a


def _taps(
    at: Array, count: int
) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.bool_]]:
    """Return the pixels before positions, the weights of those after, and which are inside."""
    inside = (at >= 0) & (at <= count - 1)
    before = np.clip(np.floor(at), 0, count - 1).astype(np.intp)
    return before, np.clip(at - before, 0, 1).astype(np.float32), inside
