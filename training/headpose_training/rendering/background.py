# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is behind people: walls, rooms, clutter, foliage, screens; or patches of given pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.typing import Image
from headpose_training.rendering.noise import noise

PICTURE_SUFFIXES = ('.jpg', '.jpeg', '.png')


class Backgrounds:
    """Draws backgrounds; with `pictures` (BGR, without faces), some are cut from those."""

    def __init__(self, pictures: Sequence[Image] = (), share: float = 0.5) -> None:
        self.pictures = list(pictures)
        self.share = share if self.pictures else 0.0

    @classmethod
    def from_folder(cls, folder: str | Path | None, limit: int = 400) -> Backgrounds:
        """Read up to `limit` pictures of a folder; ValueError where it has none."""
        if folder is None:
            return cls()
        paths = sorted(p for p in Path(folder).rglob('*') if p.suffix.lower() in PICTURE_SUFFIXES)[
            :limit
        ]
        if not paths:
            raise ValueError(f'no {", ".join(PICTURE_SUFFIXES)} below {folder}')
        pictures = [cv2.imread(str(p)) for p in paths]
        return cls([p for p in pictures if p is not None])

    def draw(self, rng: np.random.Generator, width: int, height: int) -> Image:
        """Return a background (height,width,3), BGR."""
        if rng.random() < self.share:
            return self._patch(rng, width, height)
        painter = _PAINTERS[int(rng.choice(len(_PAINTERS), p=_WEIGHTS))]
        small = painter(rng, max(width, 48), max(height, 48))
        image = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
        if rng.random() < 0.6:
            blur = max(width, height) * rng.uniform(0.002, 0.05)
            image = cv2.GaussianBlur(image, (0, 0), blur)
        return image

    def room(self, rng: np.random.Generator, width: int, height: int) -> Image:
        """Return a room, a little out of focus."""
        return cv2.GaussianBlur(_room(rng, width, height), (0, 0), max(width, height) / 400)

    def _patch(self, rng: np.random.Generator, width: int, height: int) -> Image:
        picture = self.pictures[int(rng.integers(len(self.pictures)))]
        h, w = picture.shape[:2]
        scale = rng.uniform(0.25, 1.0) * min(h / height, w / width)
        ph, pw = max(8, int(height * scale)), max(8, int(width * scale))
        y, x = int(rng.integers(0, h - ph + 1)), int(rng.integers(0, w - pw + 1))
        patch = picture[y : y + ph, x : x + pw]
        patch = patch[:, ::-1] if rng.random() < 0.5 else patch
        return cv2.resize(patch, (width, height), interpolation=cv2.INTER_LINEAR)


def _colour(rng: np.random.Generator) -> NDArray[Any]:
    hsv = np.array([[[rng.uniform(0, 179), rng.beta(1, 2) * 220, rng.uniform(8, 250)]]], np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0].astype(float)


def _tuple(colour: NDArray[Any]) -> tuple[int, int, int]:
    b, g, r = (int(np.clip(v, 0, 255)) for v in colour)
    return b, g, r


def _finish(image: NDArray[Any]) -> Image:
    return np.clip(image, 0, 255).astype(np.uint8)


def _gradient(rng: np.random.Generator, w: int, h: int) -> Image:
    """Paint a wall under uneven light."""
    a, b = _colour(rng), _colour(rng)
    if rng.random() < 0.6:
        b = a * rng.uniform(0.4, 1.2)
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:h, :w] / max(w, h)
    t = np.clip((x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) + 0.5, 0, 1)[..., None]
    image = a + (b - a) * t
    image += rng.uniform(0, 14) * cv2.resize(noise(rng, rng.random(), 128), (w, h))[..., None]
    return _finish(image)


def _clouds(rng: np.random.Generator, w: int, h: int) -> Image:
    """Paint foliage, sky, stone: noise between two or three colours."""
    a, b, c = _colour(rng), _colour(rng), _colour(rng)
    size = int(rng.integers(48, 400))
    n = cv2.resize(noise(rng, rng.uniform(0.1, 0.7), size), (w, h))[..., None]
    m = cv2.resize(noise(rng, rng.uniform(0.0, 0.4), size), (w, h))[..., None]
    image = a + (b - a) * np.clip(0.5 + 0.4 * n, 0, 1)
    return _finish(image + (c - image) * np.clip(0.5 + 0.6 * m, 0, 1))


def _clutter(rng: np.random.Generator, w: int, h: int) -> Image:
    """Paint shapes, lines and blobs on top of each other."""
    image = _gradient(rng, w, h)
    for _ in range(int(rng.integers(6, 40))):
        centre = rng.uniform(-0.1, 1.1, 2) * [w, h]
        size = rng.uniform(0.02, 0.35) * max(w, h)
        colour = _tuple(_colour(rng))
        kind = rng.random()
        if kind < 0.35:
            half = size * rng.uniform(0.2, 1.0, 2)
            cv2.rectangle(
                image,
                (centre - half).astype(int).tolist(),
                (centre + half).astype(int).tolist(),
                colour,
                -1,
            )
        elif kind < 0.6:
            axes = (size * rng.uniform(0.2, 0.8, 2)).astype(int).tolist()
            cv2.ellipse(
                image,
                centre.astype(int).tolist(),
                axes,
                rng.uniform(0, 180),
                0,
                360,
                colour,
                -1,
                cv2.LINE_AA,
            )
        elif kind < 0.8:
            end = centre + rng.normal(0, size, 2)
            cv2.line(
                image,
                centre.astype(int).tolist(),
                end.astype(int).tolist(),
                colour,
                int(rng.integers(1, max(2, w // 20))),
                cv2.LINE_AA,
            )
        else:
            points = centre + rng.normal(0, size * 0.6, (int(rng.integers(3, 7)), 2))
            cv2.fillPoly(image, [points.astype(np.int32)], colour, cv2.LINE_AA)
    return image


def _room(rng: np.random.Generator, w: int, h: int) -> Image:
    """Paint a room: wall, floor, door, windows, shelves, a ceiling lamp."""
    wall = _colour(rng) * 0.4 + 120 if rng.random() < 0.6 else _colour(rng)
    image = np.empty((h, w, 3), np.uint8)
    image[:] = _tuple(wall)
    corner = int(rng.uniform(-0.2, 1.2) * w)
    image[:, : max(0, corner)] = _tuple(wall * rng.uniform(0.6, 1.1))
    floor = int(rng.uniform(0.6, 1.3) * h)
    if floor < h:
        image[floor:] = _tuple(_colour(rng) * 0.7)
    for _ in range(int(rng.integers(1, 5))):
        x, y = rng.uniform(-0.2, 0.9) * w, rng.uniform(-0.3, 0.7) * h
        dx, dy = rng.uniform(0.15, 0.5) * w, rng.uniform(0.2, 0.8) * h
        frame = _tuple(_colour(rng))
        inside = _tuple(_colour(rng) if rng.random() < 0.6 else np.full(3, 240.0))
        a, b = (int(x), int(y)), (int(x + dx), int(y + dy))
        cv2.rectangle(image, a, b, inside, -1)
        cv2.rectangle(image, a, b, frame, max(1, w // int(rng.integers(15, 60))))
        if rng.random() < 0.5:
            _shelf(rng, image, a, b)
    shade = 1 + 0.15 * cv2.resize(noise(rng, 0.1, 128), (w, h))[..., None]
    return _finish(image * shade)


def _shelf(rng: np.random.Generator, image: Image, a: tuple[int, int], b: tuple[int, int]) -> None:
    rows = int(rng.integers(1, 5))
    for r in range(rows):
        top, low = (a[1] + (b[1] - a[1]) * (r + k) // rows for k in (0, 1))
        x = a[0]
        while x < b[0]:
            thick = int(rng.uniform(0.01, 0.06) * image.shape[1]) + 1
            high = int((low - top) * rng.uniform(0.0, 0.4))
            cv2.rectangle(
                image, (x, top + high), (min(b[0], x + thick), low - 2), _tuple(_colour(rng)), -1
            )
            x += thick + 1


def _stripes(rng: np.random.Generator, w: int, h: int) -> Image:
    """Paint curtains, blinds, bricks, fences."""
    a, b = _colour(rng), _colour(rng)
    y, x = np.mgrid[:h, :w].astype(np.float32)
    angle = rng.choice([0.0, np.pi / 2]) + rng.normal(0, 0.05)
    wave = np.sin(
        (x * np.cos(angle) + y * np.sin(angle)) * rng.uniform(4, 60) / max(w, h) * 6.28
        + 2 * cv2.resize(noise(rng, 0.1, 96), (w, h))
    )
    t = np.clip(0.5 + wave * rng.uniform(0.3, 2), 0, 1)[..., None]
    return _finish(a + (b - a) * t * rng.uniform(0.2, 1))


def _screen(rng: np.random.Generator, w: int, h: int) -> Image:
    """Paint a stage or studio: dark or saturated, with lights and writing."""
    base = _colour(rng) * rng.uniform(0.1, 1)
    image = np.empty((h, w, 3), np.uint8)
    image[:] = _tuple(base)
    for _ in range(int(rng.integers(2, 25))):
        centre = (rng.uniform(0, 1, 2) * [w, h]).astype(int).tolist()
        cv2.circle(
            image,
            centre,
            int(rng.uniform(0.005, 0.08) * w) + 1,
            _tuple(_colour(rng) * 1.4),
            -1,
            cv2.LINE_AA,
        )
    for _ in range(int(rng.integers(0, 6))):
        at = (rng.uniform(-0.2, 0.9, 2) * [w, h]).astype(int).tolist()
        word = ''.join(chr(c) for c in rng.integers(65, 91, rng.integers(2, 9)))
        cv2.putText(
            image,
            word,
            at,
            int(rng.integers(0, 4)),
            w / 112 * rng.uniform(0.4, 2.5),
            _tuple(_colour(rng)),
            max(1, w // 50),
            cv2.LINE_AA,
        )
    return image


_PAINTERS = (_gradient, _clouds, _clutter, _room, _stripes, _screen)
_WEIGHTS = (0.26, 0.14, 0.2, 0.24, 0.08, 0.08)
