# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Faces painted in texture space: tone, lips, brows, lids, stubble, blotches; and eyes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from headpose_ros.typing import Image
from headpose_training.head_model import HeadModel
from headpose_training.rendering.noise import TEXELS, Float, jitter, linear_bgr, noise

_PURE: Float = np.stack(
    [
        linear_bgr(*c)
        for c in (
            (246, 214, 194),
            (236, 194, 166),
            (222, 170, 136),
            (202, 146, 110),
            (176, 120, 84),
            (140, 90, 60),
            (104, 66, 44),
            (72, 45, 32),
        )
    ]
)

TONES: Float = _PURE + 0.15 * (_PURE.mean(axis=1, keepdims=True) - _PURE)
"""Skin tones from light to dark, linear BGR albedo, (8,3)."""

_IRISES: Float = np.stack(
    [
        linear_bgr(*c)
        for c in (
            (52, 30, 18),
            (80, 50, 28),
            (108, 82, 48),
            (96, 110, 84),
            (98, 124, 148),
            (60, 78, 100),
        )
    ]
)
_HALF = TEXELS / 1024  # the outlines below were read off a 1024 px chart
_BEARD = np.array(
    [
        [135, 400],
        [165, 470],
        [225, 580],
        [340, 620],
        [420, 545],
        [452, 486],
        [520, 478],
        [588, 486],
        [620, 545],
        [700, 620],
        [815, 580],
        [875, 470],
        [905, 400],
        [900, 640],
        [770, 815],
        [520, 870],
        [270, 815],
        [140, 640],
    ]
)


@dataclass(frozen=True)
class Complexion:
    """What a face looks like, apart from its shape.

    `tone` indexes `TONES` (fractions between), `albedo` (3,) linear BGR; `stubble`, `makeup`,
    `age` 0..1; `brow` 0..1 thickness; `hair` (3,) colour of brows and beard; `iris` (3,).
    """

    tone: float
    albedo: Float
    stubble: float
    makeup: float
    age: float
    brow: float
    hair: Float
    iris: Float

    @classmethod
    def random(cls, rng: np.random.Generator, hair: Float, bearded: bool) -> Complexion:
        """Draw a complexion; `hair`: linear BGR."""
        tone = float(rng.uniform(0, len(TONES) - 1))
        low = int(tone)
        mixed = TONES[low] + (tone - low) * (TONES[min(low + 1, len(TONES) - 1)] - TONES[low])
        dark = tone / (len(TONES) - 1)
        return cls(
            tone=tone,
            albedo=jitter(rng, mixed * 0.82, 0.09),
            stubble=float(rng.uniform(0.3, 1))
            if bearded
            else (float(rng.uniform(0, 0.8)) if rng.random() < 0.3 else 0.0),
            makeup=float(rng.uniform(0.3, 1)) if not bearded and rng.random() < 0.35 else 0.0,
            age=float(rng.beta(1.2, 2.2)),
            brow=float(rng.uniform(0, 1)),
            hair=hair,
            iris=jitter(rng, _IRISES[int(rng.integers(0, 2 if dark > 0.5 else 6))], 0.2),
        )


class FaceChart:
    """Where the features lie in the face's texture: (TEXELS,TEXELS) masks, 0..1, made once."""

    def __init__(self, model: HeadModel) -> None:
        of_vertex = np.zeros(len(model.neutral), np.int32)
        of_vertex[model.triangles.ravel()] = model.uv_triangles.ravel()
        uv = model.uv[of_vertex[model.landmarks68]]
        self.landmarks = np.stack([uv[:, 0], 1 - uv[:, 1]], -1) * TEXELS
        self.lips = self._polygon(self.landmarks[48:60], 2.0)
        self.beard = self._polygon(_BEARD * _HALF, 9.0) * (
            1 - self._polygon(self.landmarks[48:60], 3.0)
        )
        self.lids = self._lids()
        eyes = [self.landmarks[36:42].mean(0), self.landmarks[42:48].mean(0)]
        self.sockets = self._spots_at(eyes, -4, 34, 22)
        self.bags = self._spots_at(eyes, 14, 24, 9)
        self.shadow = self._spots_at(eyes, -9, 26, 10)
        nose = self.landmarks[30]
        self.ruddy = (
            self._spot(nose + [-112, 18], 52, 40)
            + self._spot(nose + [112, 18], 52, 40)
            + 0.8 * self._spot(nose + [0, 8], 24, 20)
            + self._spot([40, 215], 30, 50)
            + self._spot([472, 215], 30, 50)
        )

    @staticmethod
    def _polygon(points: NDArray[Any], blur: float) -> Float:
        mask = np.zeros((TEXELS, TEXELS), np.float32)
        cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 1.0)
        return cv2.GaussianBlur(mask, (0, 0), blur)

    @staticmethod
    def _spot(centre: ArrayLike, width: float, height: float) -> Float:
        at = np.asarray(centre)
        y, x = np.mgrid[:TEXELS, :TEXELS].astype(np.float32)
        return np.exp(-(((x - at[0]) / width) ** 2) - ((y - at[1]) / height) ** 2).astype(
            np.float32
        )

    def _spots_at(self, eyes: list[Any], down: float, width: float, height: float) -> Float:
        spots = [self._spot(eye + [0, down], width, height) for eye in eyes]
        return spots[0] + spots[1]

    def _lids(self) -> Float:
        mask = np.zeros((TEXELS, TEXELS), np.float32)
        for first in (36, 42):
            loop = self.landmarks[first : first + 6]
            cv2.polylines(mask, [np.round(loop).astype(np.int32)], True, 1.0, 3)
            upper = np.round(loop[:4] - [0, 2]).astype(np.int32)
            cv2.polylines(mask, [upper], False, 1.0, 3)
        return cv2.GaussianBlur(mask, (0, 0), 1.2)

    def paint(self, rng: np.random.Generator, who: Complexion) -> Image:
        """Return the texture that multiplies the albedo, (TEXELS,TEXELS,3), 128 means once."""
        grey = 1 + (0.03 + 0.05 * who.age) * noise(rng, 0.75) + 0.05 * noise(rng, 0.35)
        factor = np.repeat(grey[..., None], 3, -1).astype(np.float32)
        light = 1 - who.tone / (len(TONES) - 1)
        ruddy = self.ruddy * (0.10 + 0.25 * rng.random() * (0.4 + light) + 0.2 * who.makeup)
        factor *= 1 - ruddy[..., None] * np.array([0.75, 0.7, 0.05], np.float32)
        dark: Any = 0.30 * rng.random() * self.sockets + 0.25 * rng.random() * who.age * self.bags
        factor *= 1 - np.minimum(dark, 0.6)[..., None] * np.array([0.9, 1, 0.85], np.float32)
        self._spots(rng, factor, who)
        self._wrinkles(rng, factor, who.age)
        if who.makeup:
            colour = rng.uniform(0.3, 0.9, 3).astype(np.float32)
            self._tint(factor, self.shadow * who.makeup * 0.7, colour)
        lips = np.array([0.62, 0.60, 0.92], np.float32) * rng.uniform(0.85, 1.1)
        if who.makeup > 0.3:
            lips = np.array([0.35, 0.25, rng.uniform(0.75, 1.2)], np.float32)
        self._tint(factor, self.lips * rng.uniform(0.5, 0.95), lips)
        hair = np.clip(who.hair / who.albedo, 0.05, 1.9)
        if who.stubble:
            grain = np.clip(0.75 + 0.45 * noise(rng, 0.95), 0, 1)
            self._tint(factor, self.beard * grain * who.stubble * 0.75, hair)
        self._brows(rng, factor, who.brow, np.minimum(hair, 1.3) * 0.8)
        self._tint(factor, self.lids * rng.uniform(0.4, 0.95), np.full(3, 0.12, np.float32))
        return np.clip(factor * 128, 0, 255).astype(np.uint8)

    @staticmethod
    def _tint(factor: Float, mask: Float, colour: Float) -> None:
        """Mix a colour in where the mask is, touching only the rows and columns it covers."""
        rows, columns = (
            np.flatnonzero(mask.max(axis=1) > 0.004),
            np.flatnonzero(mask.max(axis=0) > 0.004),
        )
        if len(rows) == 0:
            return
        window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        part = factor[window]
        part += np.minimum(mask[window], 1)[..., None] * (colour - part)

    @staticmethod
    def _spots(rng: np.random.Generator, factor: Float, who: Complexion) -> None:
        freckled = rng.random() < 0.12
        for _ in range(int(rng.integers(0, 6)) + (120 if freckled else 0)):
            x, y = rng.uniform(90, TEXELS - 90, 2)
            depth = rng.uniform(0.75, 0.95) if freckled else rng.uniform(0.3, 0.85)
            radius = 1 if freckled or rng.random() < 0.8 else 2
            i, j = int(y), int(x)
            factor[i - radius : i + radius + 1, j - radius : j + radius + 1] *= depth

    def _wrinkles(self, rng: np.random.Generator, factor: Float, age: float) -> None:
        if age < 0.25:
            return
        lines = np.zeros((TEXELS, TEXELS), np.float32)
        x = np.linspace(-1, 1, 24)
        for i in range(int(rng.integers(2, 6))):
            y = 72 - 13 * i + 5 * x**2 * rng.uniform(-1, 1.5) + rng.normal(0, 1)
            line = np.stack([256 + x * rng.uniform(50, 90), y + 6 * np.abs(x)], -1)
            cv2.polylines(lines, [np.round(line).astype(np.int32)], False, 1.0, 2)
        for side in (-1, 1):
            nose, mouth = self.landmarks[33], self.landmarks[54 if side > 0 else 48]
            line = np.array(
                [nose + [side * 34, -14], mouth + [side * 14, -12], mouth + [side * 20, 14]]
            )
            cv2.polylines(lines, [np.round(line).astype(np.int32)], False, 1.0, 2)
        lines = cv2.GaussianBlur(lines, (0, 0), 2.0)
        factor *= (1 - 0.6 * (age - 0.2) * np.minimum(lines, 1))[..., None]

    def _brows(self, rng: np.random.Generator, factor: Float, thick: float, colour: Float) -> None:
        mask = np.zeros((TEXELS, TEXELS), np.float32)
        lift, count = rng.uniform(-4, 6), int(150 + 250 * thick)
        for first in (17, 22):
            line = self.landmarks[first : first + 5] + [0, lift]
            inner = line[::-1] if first == 17 else line  # from the nose outwards
            t = rng.uniform(0, 1, count)
            at = np.stack([np.interp(t * 4, np.arange(5), inner[:, k]) for k in (0, 1)], -1)
            width = (3 + 5 * thick) * (1 - 0.55 * t)
            at[:, 1] += rng.uniform(-1, 1, count) * width + 3
            out = -1 if first == 17 else 1
            end = at + np.stack(
                [out * rng.uniform(3, 9, count), -5 * (1 - 1.6 * t) + rng.normal(0, 1.2, count)],
                -1,
            )
            for a, b in zip(
                np.round(at * 4).astype(int), np.round(end * 4).astype(int), strict=True
            ):
                cv2.line(mask, a.tolist(), b.tolist(), 1.0, 1, cv2.LINE_AA, 2)
        mask = cv2.GaussianBlur(mask, (0, 0), 0.8)
        self._tint(factor, np.minimum(mask * rng.uniform(0.6, 1.1), 0.95), colour)


def eye_colours(rng: np.random.Generator, points: Float, gaze: NDArray[Any], iris: Float) -> Float:
    """Colour an eyeball's (V,3) points for a gaze (unit vector, model frame); linear BGR."""
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    out = points - centre
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    angle = np.arccos(np.clip(out @ gaze.astype(np.float32), -1, 1))[:, None]
    white = np.array([0.62, 0.66, 0.72], np.float32) * rng.uniform(0.75, 1.0)
    edge, pupil = 0.47, rng.uniform(0.16, 0.27)
    colours = np.where(angle > edge, white, iris * np.where(angle > edge - 0.07, 0.5, 1.0))
    return np.where(angle < pupil, np.float32(0.004), colours).astype(np.float32)
