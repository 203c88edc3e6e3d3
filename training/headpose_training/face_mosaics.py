# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mosaics of face crops: images full of faces of all sizes, whose places are known.

Labelled crops (`face_crops.py`) show one face each, or none, with what is around it. A canvas is
divided into squares, halved again and again at random, and each shows a window of some crop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.detection.detector import BoxToFace
from headpose_ros.typing import Array, Image
from headpose_training.batches import Source
from headpose_training.face_crops import FaceCrops
from headpose_training.photometry import Photometry, PhotometryChances
from headpose_training.warping import crop_from_image

_MAX_SPREAD = np.deg2rad(6.0)
_MIN_VISIBLE = 0.7


@dataclass(frozen=True)
class MosaicLimits:
    """How mosaics are made. `divide`: chances of dividing squares of each size, largest first.

    `canvas_px` over two to the power of their number is the smallest square. A face's box is
    `share` of its square's side, where the crop is wide enough, at least `least_px`, and is rolled
    by `roll_sigma_deg`.
    """

    canvas_px: int = 288
    divide: tuple[float, ...] = (0.85, 0.7, 0.5, 0.2)
    empty: float = 0.4
    share: tuple[float, float] = (0.22, 0.75)
    least_px: float = 8.0
    roll_sigma_deg: float = 12.0
    photometry: PhotometryChances = field(
        default_factory=lambda: PhotometryChances(cover=0.0, cut=0.0, low_resolution=0.1)
    )


@dataclass(frozen=True)
class Mosaic:
    """An image (H,W,3) BGR. `boxes` (N,3): x, y of the centres and sides of squares, pixels.

    `sure` (N,) bool: false for faces cut or hidden for the most part, about which nobody is asked.
    """

    image: Image
    boxes: Array
    sure: NDArray[np.bool_]


class MosaicMaker:
    """Draws mosaics. `relation`: between the boxes wanted and the face spheres of the crops."""

    def __init__(
        self, sources: Sequence[Source], relation: BoxToFace, limits: MosaicLimits | None = None
    ) -> None:
        if not sources or any(len(source.crops) == 0 for source in sources):
            raise ValueError('mosaics: expected crops in every source')
        self._limits = limits or MosaicLimits()
        self._crops = [source.crops for source in sources]
        shares = np.array([source.share for source in sources], float)
        self._shares = shares / shares.sum()
        self._boxes = [_boxes_of(crops, relation) for crops in self._crops]
        self._of_kind = [
            {is_face: np.flatnonzero(crops.is_face == is_face) for is_face in (True, False)}
            for crops in self._crops
        ]
        self._photometry = Photometry(self._limits.canvas_px, self._limits.photometry)

    def draw(self, rng: np.random.Generator) -> Mosaic:
        """Return a mosaic."""
        side = self._limits.canvas_px
        canvas = np.empty((side, side, 3), np.uint8)
        found: list[tuple[float, float, float, bool]] = []
        for x, y, px in self._squares(0, 0, side, 0, rng):
            tile, box = self._tile(px, rng)
            canvas[y : y + px, x : x + px] = tile
            if box is not None:
                found.append((x + box[0], y + box[1], box[2], box[3]))
        rows = np.array(found, float).reshape(-1, 4)
        canvas = np.asarray(self._photometry(canvas, rng, canvas), np.uint8)
        return Mosaic(canvas, rows[:, :3], rows[:, 3] > 0)

    def _squares(
        self, x: int, y: int, px: int, depth: int, rng: np.random.Generator
    ) -> Iterator[tuple[int, int, int]]:
        divide = self._limits.divide
        if depth == len(divide) or rng.random() >= divide[depth]:
            yield x, y, px
            return
        half = px // 2
        for i in range(4):
            yield from self._squares(x + i % 2 * half, y + i // 2 * half, half, depth + 1, rng)

    def _tile(
        self, px: int, rng: np.random.Generator
    ) -> tuple[Image, tuple[float, float, float, bool] | None]:
        """Return a square of an image, and the face's centre, side and whether it is sure."""
        which = int(rng.choice(len(self._crops), p=self._shares))
        crops, boxes = self._crops[which], self._boxes[which]
        index = self._pick(which, rng)
        x, y, side = boxes[index]
        window, centre = self._window(px, crops.size_px, boxes[index], crops.is_face[index], rng)
        roll = np.deg2rad(rng.normal(0, self._limits.roll_sigma_deg))
        image = crops.images[index]
        shrink = 1
        while window >= 2 * px * shrink:
            shrink *= 2
        if shrink > 1:
            small = (crops.size_px // shrink,) * 2
            image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
        to_tile = crop_from_image(
            (centre + 0.5) / shrink - 0.5, window / shrink, roll, px, mirror=rng.random() < 0.5
        )
        tile = cv2.warpAffine(image, to_tile, (px, px), borderMode=cv2.BORDER_REFLECT_101)
        if not crops.is_face[index]:
            return np.asarray(tile, np.uint8), None
        u, v = to_tile[:, :2] @ ((np.array([x, y]) + 0.5) / shrink - 0.5) + to_tile[:, 2]
        side *= px / window
        seen = _overlap(u, side, px) * _overlap(v, side, px)
        sure = seen >= _MIN_VISIBLE and crops.spreads[index] <= _MAX_SPREAD
        return np.asarray(tile, np.uint8), (float(u), float(v), float(side), bool(sure))

    def _pick(self, which: int, rng: np.random.Generator) -> int:
        """Return a crop of a source, without a face as often as wanted, where there is such."""
        is_face = rng.random() >= self._limits.empty
        of_kind = self._of_kind[which][is_face]
        if len(of_kind) == 0:
            of_kind = self._of_kind[which][not is_face]
        return int(of_kind[rng.integers(len(of_kind))])

    def _window(
        self, px: int, crop_px: int, box: Array, is_face: bool, rng: np.random.Generator
    ) -> tuple[float, Array]:
        """Return side and centre (2,), in pixels of the crop, of what a tile shows of it."""
        low, high = self._limits.share
        if is_face:
            low = min(max(low, self._limits.least_px / px), high)
            share = np.exp(rng.uniform(np.log(low), np.log(high)))
            side = min(float(box[2]) / share, float(crop_px))
            centre = box[:2] + rng.uniform(-0.4, 0.4, 2) * side
        else:
            side = crop_px * np.exp(rng.uniform(np.log(0.3), 0.0))
            centre = rng.uniform(0, crop_px, 2)
        margin = min(side / 2, crop_px / 2)
        return side, np.clip(centre, margin - 0.5, crop_px - margin - 0.5)


def _boxes_of(crops: FaceCrops, relation: BoxToFace) -> Array:
    """Return the boxes (N,3), centre and side in pixels, whose face spheres crops show."""
    px = crops.size_px
    sides = crops.sizes * px / relation.scale
    centres = (px - 1) / 2 + crops.centres * px / 2 - sides[:, None] * [relation.dx, relation.dy]
    return np.column_stack([centres, sides])


def _overlap(centre: float, side: float, px: int) -> float:
    """Return the share of an interval about `centre` that is within the tile."""
    low, high = max(centre - side / 2, -0.5), min(centre + side / 2, px - 0.5)
    return max(high - low, 0.0) / side
