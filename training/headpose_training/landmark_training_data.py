# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures with 68 landmarks, real or rendered, and the crops that the landmark network learns on.

Sources: a folder with landmarks (`landmark_table.py`), or the shards of `headpose synthesize`
(`synthesis.py`), whose crops without a face are negatives.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.estimation.pfld import LANDMARKS
from headpose_ros.evaluation.samples import read_picture
from headpose_ros.typing import Array, Image
from headpose_training.arrays import arrays_of
from headpose_training.landmark_table import MIRRORED, annotated_files
from headpose_training.photometry import Photometry
from headpose_training.warping import crop_from_image


@dataclass(frozen=True)
class LandmarkPicture:
    """An image (H,W,3) BGR and its landmarks (68,2) px, or None where it shows no face."""

    image: Image
    points: Array | None


@dataclass(frozen=True)
class LandmarkViews:
    """Spreads of the crops around the tight box of the landmarks, of `box_scale` times its side.

    A share `wide` of them is rolled uniformly up to `roll_max_deg`; a share `beside` of the crops
    of faces looks past the face and is a negative.
    """

    crop_px: int = 112
    box_scale: float = 1.55
    scale_sigma: float = 0.15
    shift_sigma: float = 0.07
    roll_sigma_deg: float = 12.0
    roll_max_deg: float = 60.0
    wide: float = 0.2
    beside: float = 0.03


@dataclass(frozen=True)
class LandmarkBatch:
    """Crops (B,S,S,3); points (B,68,2) in half crops, NaN without a face; faces (B,) bool."""

    crops: Image
    points: Array
    faces: NDArray[np.bool_]


def read_annotated(folder: Path, part: str = '') -> list[LandmarkPicture]:
    """Read the pictures of `folder`/landmarks68.csv whose file begins with `part`.

    Raises ValueError where the table or a picture is missing or wrong.
    """
    files = annotated_files(folder, lambda file: file.startswith(part), f'begins with {part!r}')
    return [LandmarkPicture(read_picture(path), points) for path, points in files]


def read_shards(paths: Iterable[Path]) -> list[LandmarkPicture]:
    """Read rendered crops; ValueError where a file is no shard."""
    found = []
    for path in paths:
        with arrays_of(path, 'a shard of rendered crops') as shard:
            images, points, faces = (shard[name] for name in ('images', 'landmarks68', 'face'))
        found += [
            LandmarkPicture(image, np.asarray(own, np.float64) if face else None)
            for image, own, face in zip(images, points, faces, strict=True)
        ]
    if not found:
        raise ValueError('no shards of rendered crops were named')
    return found


class LandmarkBatches:
    """Draws batches; batch k depends on the seed and k alone.

    `sources`: pictures and the share of a batch that comes from them.
    """

    def __init__(
        self,
        sources: list[tuple[list[LandmarkPicture], float]],
        views: LandmarkViews,
        size: int,
        seed: int = 0,
    ) -> None:
        if not sources or any(not pictures for pictures, _ in sources):
            raise ValueError('landmark training: expected pictures in every source')
        self._sources = [pictures for pictures, _ in sources]
        shares = np.array([share for _, share in sources], float)
        self._shares = shares / shares.sum()
        self._views, self._size, self._seed = views, size, seed
        self._photometry = Photometry(views.crop_px)

    def __getitem__(self, index: int) -> LandmarkBatch:
        rng = np.random.default_rng([self._seed, index])
        drawn = [self._draw(rng) for _ in range(self._size)]
        points = np.stack([points for _, points in drawn])
        faces = np.all(np.isfinite(points), axis=(1, 2))
        return LandmarkBatch(np.stack([crop for crop, _ in drawn]), points, faces)

    def _draw(self, rng: np.random.Generator) -> tuple[Image, Array]:
        pictures = self._sources[rng.choice(len(self._sources), p=self._shares)]
        picture = pictures[rng.integers(len(pictures))]
        other = pictures[rng.integers(len(pictures))].image
        crop, points = random_view(picture, self._views, rng)
        return self._photometry(crop, rng, other), points


def random_view(
    picture: LandmarkPicture, views: LandmarkViews, rng: np.random.Generator
) -> tuple[Image, Array]:
    """Return a crop and its points in half crops, NaN where it shows no face."""
    height, width = picture.image.shape[:2]
    if picture.points is None:
        low, high = np.zeros(2), np.array([width, height]) * 0.7
    else:
        low, high = picture.points.min(axis=0), picture.points.max(axis=0)
    side = float(np.max(high - low)) * views.box_scale
    side *= float(np.exp(np.clip(rng.normal(0, views.scale_sigma), -0.45, 0.45)))
    shift = np.clip(rng.normal(0, views.shift_sigma, 2), -0.2, 0.2)
    beside = picture.points is None or rng.random() < views.beside
    if picture.points is not None and beside:
        angle = rng.uniform(0, 2 * np.pi)
        shift = rng.uniform(0.8, 1.1) * np.array([np.cos(angle), np.sin(angle)])
    roll = rng.normal(0, views.roll_sigma_deg)
    if rng.random() < views.wide:
        roll = rng.uniform(-views.roll_max_deg, views.roll_max_deg)
    matrix = crop_from_image(
        (low + high) / 2 + shift * side,
        side,
        np.deg2rad(roll),
        views.crop_px,
        mirror=rng.random() < 0.5,
    )
    crop = cv2.warpAffine(
        picture.image,
        matrix,
        (views.crop_px, views.crop_px),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if beside or picture.points is None:
        return np.asarray(crop, np.uint8), np.full((LANDMARKS, 2), np.nan)
    points = picture.points @ matrix[:, :2].T + matrix[:, 2]
    if np.linalg.det(matrix[:, :2]) < 0:
        points = points[MIRRORED]
    return np.asarray(crop, np.uint8), half_crops(points, views.crop_px)


def half_crops(points: Array, crop_px: int) -> Array:
    """Return points (...,2) px of a crop in half crops from its centre."""
    return (points - (crop_px - 1) / 2) / (crop_px / 2)
