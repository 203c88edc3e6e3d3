# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scenes at infinity that any lens can be asked to show, exact at every pixel."""

import numpy as np

_RNG = np.random.default_rng(7)
_WAVES = _RNG.normal(size=(10, 3, 3))
_PHASES = _RNG.uniform(0, 2 * np.pi, (10, 3))


def texture(rays, cycles):
    """Return colours (...,3), 0..255, of directions (...,3): waves up to `cycles` per radian."""
    waves = _WAVES / np.linalg.norm(_WAVES, axis=1, keepdims=True)
    scale = 2 * np.pi * cycles * np.linspace(0.2, 1.0, len(waves))
    value = np.zeros(rays.shape)
    for wave, phase, k in zip(waves, _PHASES, scale, strict=True):
        value += np.sin(k * (rays @ wave) + phase)
    return np.clip(127.5 + 35.0 * value, 0, 255)


def render(camera, rotation=None, cycles=12.0):
    """Return the image (H,W,3) of `camera` in the textured sphere turned back by `rotation`."""
    u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    rays = camera.rays(np.column_stack([u.ravel(), v.ravel()]).astype(float))
    if rotation is not None:
        rays = rays @ rotation.T
    colours = texture(rays, cycles).reshape(camera.height, camera.width, 3)
    return np.rint(colours).astype(np.uint8)


def psnr(a, b):
    """Return the peak signal-to-noise ratio of two 8-bit images, dB."""
    error = np.mean((np.asarray(a, float) - np.asarray(b, float)) ** 2)
    return 10 * np.log10(255.0**2 / max(error, 1e-12))
