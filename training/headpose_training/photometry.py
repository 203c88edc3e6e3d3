# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Photometric augmentation of one crop: light, colour, sharpness, noise, codecs, things in front.

Everything works on (S,S,3) uint8 with OpenCV, which is several times faster than float tensors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]

_GREY = np.array([0.114, 0.587, 0.299])
_BANK = 64


@dataclass(frozen=True)
class PhotometryChances:
    """How often each disturbance happens, and how often `none` of them."""

    none: float = 0.35
    tone: float = 0.8
    colour: float = 0.3
    grey: float = 0.1
    shading: float = 0.2
    blur: float = 0.2
    motion: float = 0.08
    low_resolution: float = 0.25
    noise: float = 0.25
    jpeg: float = 0.25
    cover: float = 0.2
    cut: float = 0.1


class Photometry:
    """Disturbs crops of one size; all randomness comes from the generator given."""

    def __init__(self, crop_px: int, chances: PhotometryChances | None = None) -> None:
        self._px = crop_px
        self._chances = chances or PhotometryChances()
        rng = np.random.default_rng(0)
        self._noise = _noise_bank(rng, crop_px)
        self._shading = _shading_bank(rng, crop_px)

    def __call__(self, image: Image, rng: np.random.Generator, other: Image) -> Image:
        """Return `image` disturbed; pieces of `other`, of any size, may cover it."""
        chances, r = self._chances, rng.random(12)
        if r[11] < chances.none:
            return image
        if r[0] < chances.cover:
            image = _cover(image, rng, other)
        if r[1] < chances.shading:
            image = self._shade(image, rng)
        if r[2] < chances.colour:
            image = _mix_colours(image, rng)
        if r[3] < chances.tone:
            image = _tone(image, rng)
        if r[4] < chances.motion:
            image = _motion_blur(image, rng)
        elif r[5] < chances.blur:
            image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.3, 1.8)))
        if r[6] < chances.low_resolution:
            image = _low_resolution(image, rng)
        if r[7] < chances.noise:
            image = self._add_noise(image, rng)
        if r[8] < chances.grey:
            image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        if r[9] < chances.jpeg:
            image = _jpeg(image, rng)
        if r[10] < chances.cut:
            image = _cut(image, rng)
        return image

    def _shade(self, image: Image, rng: np.random.Generator) -> Image:
        field = self._shading[rng.integers(_BANK)]
        return cv2.multiply(image, field, dtype=cv2.CV_8U)

    def _add_noise(self, image: Image, rng: np.random.Generator) -> Image:
        noise = self._noise[rng.integers(_BANK)]
        strength = float(np.exp(rng.uniform(np.log(2.0), np.log(14.0)))) / 32
        x, y = rng.integers(0, 32, 2)
        part = noise[y : y + self._px, x : x + self._px]
        if rng.random() < 0.3:
            part = np.repeat(part[..., :1], 3, axis=2)
        return cv2.addWeighted(image, 1.0, part, strength, 0.0, dtype=cv2.CV_8U)


def _noise_bank(rng: np.random.Generator, px: int) -> NDArray[np.int8]:
    """White noise and noise with grain of two pixels, 32 of standard deviation."""
    bank = rng.normal(0.0, 32.0, (_BANK, px + 32, px + 32, 3))
    for i in range(0, _BANK, 2):
        smooth = cv2.GaussianBlur(bank[i], (0, 0), 0.8)
        bank[i] = smooth * (32.0 / smooth.std())
    return np.clip(bank, -127, 127).astype(np.int8)


def _shading_bank(rng: np.random.Generator, px: int) -> NDArray[np.float32]:
    """Smooth gains, coloured a little: light from one side, shadows with soft or hard edges."""
    axis = np.linspace(-1, 1, px)
    bank = np.empty((_BANK, px, px, 3), np.float32)
    for i in range(_BANK):
        angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.5, 0.5)
        across = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None] - offset
        if i % 2:
            across = np.tanh(across * rng.uniform(3, 30))
        tint = 1 + rng.normal(0, 0.1, 3)
        bank[i] = np.exp(rng.uniform(0.2, 0.8) * across)[..., None] * tint
    return bank


def _tone(image: Image, rng: np.random.Generator) -> Image:
    """Exposure, gamma, contrast, white balance, by one table a channel."""
    gamma = np.exp(rng.normal(0.0, 0.3))
    gain = np.exp(rng.normal(0.0, 0.17) + rng.normal(0.0, 0.06, 3))
    lift = rng.normal(0.0, 0.05)
    ramp = np.linspace(0, 1, 256)[:, None] ** gamma
    table = np.clip((ramp * gain + lift) * 255, 0, 255).astype(np.uint8)
    return cv2.LUT(image, table.reshape(1, 256, 3))


def _mix_colours(image: Image, rng: np.random.Generator) -> Image:
    """Saturation and a little cross-talk between the channels."""
    saturation = rng.uniform(0.2, 1.6)
    matrix = saturation * np.eye(3) + (1 - saturation) * _GREY
    matrix += rng.normal(0, 0.04, (3, 3))
    return cv2.transform(image, matrix)


def _motion_blur(image: Image, rng: np.random.Generator) -> Image:
    length = int(rng.integers(3, 12))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    turn = cv2.getRotationMatrix2D(((length - 1) / 2,) * 2, float(rng.uniform(0, 180)), 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def _low_resolution(image: Image, rng: np.random.Generator) -> Image:
    """As a small face in the image, enlarged by the crop sampler."""
    px = image.shape[0]
    small = int(np.exp(rng.uniform(np.log(24), np.log(px))))
    down = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    up = (cv2.INTER_LINEAR, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)
    return cv2.resize(down, (px, px), interpolation=up[rng.integers(len(up))])


def _jpeg(image: Image, rng: np.random.Generator) -> Image:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(12, 85))]
    decoded: Any = cv2.imdecode(cv2.imencode('.jpg', image, quality)[1], cv2.IMREAD_COLOR)
    return decoded


def _cover(image: Image, rng: np.random.Generator, other: Image) -> Image:
    """Put a plain or textured rectangle or ellipse in front of the face."""
    px = image.shape[0]
    image = image.copy()
    w, h = (px * rng.uniform(0.1, 0.5, 2)).astype(int)
    x, y = rng.integers(0, px - w), rng.integers(0, px - h)
    if rng.random() < 0.5:
        fill = np.empty((h, w, 3), np.uint8)
        fill[:] = rng.integers(0, 256, 3)
    else:
        top, left = rng.integers(0, other.shape[0] - h), rng.integers(0, other.shape[1] - w)
        fill = other[top : top + h, left : left + w]
    mask = np.zeros((h, w), np.uint8)
    if rng.random() < 0.6:
        centre, axes = (int(w) // 2, int(h) // 2), (int(w) // 2, int(h) // 2)
        cv2.ellipse(mask, centre, axes, 0.0, 0.0, 360.0, 255, -1)
    else:
        mask[:] = 255
    cv2.copyTo(fill, mask, image[y : y + h, x : x + w])
    return image


def _cut(image: Image, rng: np.random.Generator) -> Image:
    """End the image at a line, as for faces at its border: the last row goes on, or black."""
    px = image.shape[0]
    depth = int(px * rng.uniform(0.03, 0.35))
    edge = int(rng.integers(4))
    kept = np.ascontiguousarray(np.rot90(image, edge))[depth:]
    mode = cv2.BORDER_REPLICATE if rng.random() < 0.7 else cv2.BORDER_CONSTANT
    whole = cv2.copyMakeBorder(kept, depth, 0, 0, 0, mode)
    return np.ascontiguousarray(np.rot90(whole, -edge))
