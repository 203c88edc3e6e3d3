# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is behind people: real rooms and landscapes without a face, sharp and blurred."""

from __future__ import annotations

import csv
from functools import lru_cache

import cv2
import numpy as np

from benchmark.measure import DATA
from headpose_ros.typing import Image

PHOTOS = DATA / 'photos'
_SOURCES = (
    ('d062_pano_a.jpg', 0.0), ('d065_pano_mountain.jpg', 0.0), ('d063_pano_b.jpg', 0.0),
    ('d060_cathedral_statues.jpg', 6.0), ('d061_fisheye_lunch.jpg', 8.0),
)  # fmt: skip
"""Pictures, and by how many pixels each is blurred at least."""

_WIDE, _HIGH = 1280, 480


@lru_cache(maxsize=8)
def background(number: int) -> Image:
    """Return background `number` (480,1280,3): a picture, its faces painted over, or made."""
    name, blur = _SOURCES[number % len(_SOURCES)]
    path = PHOTOS / name
    if not path.is_file():
        return _made(number)
    image = np.asarray(cv2.imread(str(path)), np.uint8)
    _paint_over_faces(image, name)
    scale = max(_WIDE / image.shape[1], _HIGH / image.shape[0])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = (image.shape[0] - _HIGH) // 2, (image.shape[1] - _WIDE) // 2
    cut = image[top : top + _HIGH, left : left + _WIDE]
    blur += 1.0 * (number // len(_SOURCES) % 2) * 10
    return np.asarray(cv2.GaussianBlur(cut, (0, 0), blur) if blur else cut, np.uint8)


def _paint_over_faces(image: Image, name: str) -> None:
    """Blur every annotated face, and what is around it, until nobody is there."""
    with (PHOTOS / 'faces.csv').open(newline='', encoding='utf-8') as file:
        rows = [row for row in csv.DictReader(file) if row['file'] == name]
    blurred = cv2.GaussianBlur(image, (0, 0), image.shape[1] / 40)
    for row in rows:
        x0, y0, x1, y1 = (int(row[k]) for k in ('x0', 'y0', 'x1', 'y1'))
        w, h = (x1 - x0) // 2, (y1 - y0) // 2
        window = np.s_[max(0, y0 - h) : y1 + h, max(0, x0 - w) : x1 + w]
        image[window] = blurred[window]


def _made(number: int) -> Image:
    """Return a smooth wall, where no pictures are there."""
    rng = np.random.default_rng([5, number])
    coarse = rng.integers(60, 180, (6, 16, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (_WIDE, _HIGH), interpolation=cv2.INTER_CUBIC), np.uint8)
