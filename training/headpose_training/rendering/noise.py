# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Random textures, made once a process and cut and turned afterwards; colours."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from headpose_ros.typing import Image

Float = NDArray[np.float32]
TEXELS = 512
"""Side of every texture, pixels."""


def linear_bgr(red: float, green: float, blue: float) -> Float:
    """Return a colour given in sRGB, 0..255, as linear BGR, 0..1."""
    c = np.array([blue, green, red], np.float32) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4).astype(np.float32)


@lru_cache(maxsize=1)
def _bank() -> Float:
    """Return eight noise fields, mean 0, deviation 1, smooth to rough, each laid out 2 x 2."""
    rng = np.random.default_rng(20240501)
    frequency = np.hypot(np.fft.fftfreq(TEXELS)[:, None], np.fft.rfftfreq(TEXELS)[None])
    frequency[0, 0] = 1.0
    fields = []
    for slope in (2.6, 2.2, 1.9, 1.6, 1.3, 1.0, 0.7, 0.4):
        spectrum = np.fft.rfft2(rng.standard_normal((TEXELS, TEXELS))) / frequency**slope
        spectrum[0, 0] = 0
        field = np.fft.irfft2(spectrum, (TEXELS, TEXELS))
        fields.append(field / field.std())
    return np.tile(np.stack(fields).astype(np.float32), (1, 2, 2))


def noise(rng: np.random.Generator, roughness: float, size: int = TEXELS) -> Float:
    """Return a (size,size) cut of a noise field; `roughness` 0 (clouds) to 1 (grain)."""
    top, left = TEXELS - rng.integers(0, TEXELS, 2)
    field = _bank()[min(7, int(roughness * 8)), top : top + size, left : left + size]
    if rng.random() < 0.5:
        field = field.T
    return np.ascontiguousarray(field[:, ::-1] if rng.random() < 0.5 else field)


@lru_cache(maxsize=1)
def strands() -> Image:
    """Return a texture of strands along v, grey, mean about 128, (TEXELS,TEXELS,3)."""
    rng = np.random.default_rng(7)
    fine = rng.standard_normal((TEXELS, TEXELS)).astype(np.float32)
    fine = cv2.GaussianBlur(fine, (0, 0), sigmaX=0.8, sigmaY=40)
    wide = rng.standard_normal((TEXELS, TEXELS)).astype(np.float32)
    wide = cv2.GaussianBlur(wide, (0, 0), sigmaX=4, sigmaY=60)
    grey = 128 + 34 * fine / fine.std() + 22 * wide / wide.std()
    return np.repeat(np.clip(grey, 20, 250).astype(np.uint8)[..., None], 3, -1)


def mottled(rng: np.random.Generator, strength: float, roughness: float) -> Image:
    """Return a grey texture that changes a colour by about `strength`, its mean by nothing."""
    grey = 128 * (1 + strength * noise(rng, roughness))
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, -1)


def jitter(rng: np.random.Generator, colour: ArrayLike, amount: float) -> Float:
    """Return the colour, brighter or darker and a little of another hue."""
    colour = np.asarray(colour, np.float32)
    factor = np.exp(rng.normal(0, amount) + rng.normal(0, amount / 3, 3))
    return np.clip(colour * factor, 0.002, 0.95).astype(np.float32)


def any_colour(rng: np.random.Generator) -> Float:
    """Return a colour as clothes and things have them: mostly dull, some bright, (3,) linear."""
    hue, value = rng.uniform(0, 179), rng.beta(1.1, 1.3) * 235 + 12
    saturation = rng.uniform(0, 60) if rng.random() < 0.55 else rng.uniform(60, 230)
    pixel = np.array([[[hue, saturation, value]]], np.uint8)
    b, g, r = cv2.cvtColor(pixel, cv2.COLOR_HSV2BGR)[0, 0]
    return linear_bgr(float(r), float(g), float(b))


def pattern(rng: np.random.Generator) -> Image:
    """Return a texture of cloth or of a thing: plain, striped, checked, printed, mottled."""
    kind = rng.random()
    texture = mottled(rng, rng.uniform(0.03, 0.12), rng.uniform(0.2, 0.9)).astype(np.int16)
    if kind < 0.45:
        return texture.astype(np.uint8)
    shade = np.asarray(rng.uniform(-90, 110, 3) if rng.random() < 0.4 else rng.uniform(-90, 110))
    period = int(rng.choice([8, 16, 32, 64, 128]))
    ramp = (np.arange(TEXELS) % period) < period * rng.uniform(0.15, 0.6)
    if kind < 0.62:
        mask = np.broadcast_to(ramp[:, None], (TEXELS, TEXELS))
        mask = mask.T if rng.random() < 0.5 else mask
        texture = texture + mask[..., None] * shade
    elif kind < 0.75:
        texture = texture + (ramp[:, None, None] * 0.5 + ramp[None, :, None] * 0.5) * shade
    elif kind < 0.87:
        blobs = noise(rng, rng.uniform(0.1, 0.5)) > rng.uniform(0.2, 1.2)
        texture = texture + blobs[..., None] * shade
    else:
        texture = np.clip(texture, 0, 255).astype(np.uint8)
        for _ in range(rng.integers(2, 12)):
            x, y = (int(v) for v in rng.integers(0, TEXELS, 2))
            word = ''.join(chr(c) for c in rng.integers(65, 91, rng.integers(2, 7)))
            cv2.putText(
                texture,
                word,
                (x, y),
                int(rng.integers(0, 5)),
                rng.uniform(1, 4),
                tuple(int(c) for c in rng.integers(0, 255, 3)),
                int(rng.integers(2, 9)),
            )
    return np.clip(texture, 0, 255).astype(np.uint8)
