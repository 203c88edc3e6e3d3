# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What cameras do: exposure, blur, tone curve, white balance, noise, resolution, JPEG."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.typing import Image
from headpose_training.rendering.noise import Float


def to_linear(image: Image) -> Float:
    """Return an 8-bit picture as linear light, 0..1."""
    return _TO_LINEAR[image]


_TO_LINEAR: Float = ((np.arange(256) / 255.0) ** 2.2).astype(np.float32)


def expose(image: Float, metered: NDArray[np.bool_], target: float) -> Float:
    """Scale linear light so that the mean of the metered pixels' green is `target`."""
    level = float(image[..., 1][metered].mean()) if metered.any() else 0.2
    return image * np.float32(target / max(level, 1e-3))


def blur_lens(rng: np.random.Generator, image: Float, px: float) -> Float:
    """Defocus by a disc, and smear by motion, each up to about `px` pixels of the image."""
    if rng.random() < 0.35:
        radius = px * rng.beta(1, 3)
        if radius > 0.35:
            image = cv2.GaussianBlur(image, (0, 0), radius * 0.6)
    if rng.random() < 0.18:
        length = px * rng.beta(1, 2.5) * 2.2
        if length > 1:
            image = cv2.filter2D(image, -1, _motion_kernel(length, rng.uniform(0, np.pi)))
    return image


def _motion_kernel(length: float, angle: float) -> Float:
    half = int(np.ceil(length / 2)) + 1
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    along = np.abs(x * np.cos(angle) + y * np.sin(angle))
    across = np.abs(-x * np.sin(angle) + y * np.cos(angle))
    kernel = np.clip(length / 2 + 0.5 - along, 0, 1) * np.clip(1.0 - across, 0, 1)
    return (kernel / kernel.sum()).astype(np.float32)


def develop(rng: np.random.Generator, image: Float) -> Image:
    """Turn linear light into an 8-bit picture, as some camera would."""
    gain = np.exp(rng.normal(0, 0.07, 3)).astype(np.float32)
    image = np.maximum(image * gain, 0)
    shoulder = rng.uniform(0.6, 1.0)  # soft clipping begins here
    over = np.maximum(image - shoulder, 0)
    image = np.minimum(image, shoulder) + (1.02 - shoulder) * (
        1 - np.exp(-over / (1.02 - shoulder + 1e-3))
    )
    image = image ** np.float32(1 / rng.uniform(1.9, 2.5))
    contrast = rng.normal(1.05, 0.14)
    image = (image - 0.45) * np.float32(contrast) + np.float32(0.45 + rng.normal(0, 0.02))
    if rng.random() < 0.35:
        grey = image @ np.array([0.114, 0.587, 0.299], np.float32)
        image = grey[..., None] + (image - grey[..., None]) * np.float32(rng.uniform(0.3, 1.5))
    sigma = 0.004 + 0.03 * rng.beta(1, 4)
    h, w = image.shape[:2]
    grain = rng.standard_normal((h, w, 3), np.float32) * np.float32(sigma)
    if rng.random() < 0.4:  # noise reduction leaves blotches
        grain = cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.5, 1.2)) * 2
    image = image + grain * (0.5 + np.sqrt(np.clip(image, 0, 1)))
    return np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)


def degrade(rng: np.random.Generator, image: Image) -> Image:
    """Lose resolution, sharpen, compress, drop the colour: each sometimes."""
    h, w = image.shape[:2]
    if rng.random() < 0.3:
        share = rng.uniform(0.22, 0.9)
        small = cv2.resize(
            image, (max(8, int(w * share)), max(8, int(h * share))), interpolation=cv2.INTER_AREA
        )
        small = compress(rng, small) if rng.random() < 0.5 else small
        image = cv2.resize(
            small,
            (w, h),
            interpolation=cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_CUBIC,
        )
    if rng.random() < 0.25:
        soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.7, 1.6))
        image = cv2.addWeighted(image, 1 + (a := rng.uniform(0.2, 1.2)), soft, -a, 0)
    if rng.random() < 0.5:
        image = compress(rng, image)
    if rng.random() < 0.07:
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None], 3, -1)
    return image


def compress(rng: np.random.Generator, image: Image) -> Image:
    """Return what JPEG leaves of a picture."""
    quality = int(rng.uniform(25, 95))
    _, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    back: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return back


def cover_part(rng: np.random.Generator, image: Image) -> Image:
    """Lay a flat thing over an edge or a corner: a banner, a frame, someone's back."""
    h, w = image.shape[:2]
    image = image.copy()
    colour = tuple(int(v) for v in rng.integers(0, 256, 3))
    depth = int(rng.uniform(0.08, 0.38) * w)
    kind = rng.random()
    if kind < 0.4:
        rows = slice(h - depth, h) if rng.random() < 0.7 else slice(0, depth)
        image[rows] = colour
        if kind < 0.25:
            word = ''.join(chr(c) for c in rng.integers(65, 91, 12))
            cv2.putText(
                image,
                word,
                (int(rng.integers(0, w // 3)), rows.stop - depth // 4),
                0,
                depth / 40,
                tuple(int(v) for v in rng.integers(0, 256, 3)),
                1,
                cv2.LINE_AA,
            )
    elif kind < 0.7:
        columns = slice(0, depth) if rng.random() < 0.5 else slice(w - depth, w)
        image[:, columns] = colour
    else:
        centre = rng.choice([0.0, 1.0], 2) * [w, h] + rng.normal(0, 0.1 * w, 2)
        axes = rng.uniform(0.15, 0.45, 2) * w
        cv2.ellipse(
            image,
            centre.astype(int).tolist(),
            axes.astype(int).tolist(),
            rng.uniform(0, 180),
            0,
            360,
            colour,
            -1,
            cv2.LINE_AA,
        )
    return image
