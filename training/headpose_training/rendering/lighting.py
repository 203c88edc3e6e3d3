# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Light: a few far lamps with colour, one with a shadow, and what comes from all around."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headpose_training.rendering.noise import Float

KINDS = ('front', 'side', 'back', 'top', 'flat')
_KIND_WEIGHTS = (0.42, 0.24, 0.08, 0.12, 0.14)


@dataclass(frozen=True, eq=False)
class Lighting:
    """Light in a camera's optical frame.

    `lights` (K,6): unit vector towards the light, linear BGR; the first casts the shadow, its
    edge `softness` shadow pixels wide. `ambient` (4,3): constant and x, y, z slopes. `kind`: of
    `KINDS`.
    """

    lights: Float
    ambient: Float
    softness: float
    kind: str

    def turned(self, rotation_new_from_old: Float) -> Lighting:
        """Return the same light in another camera's frame."""
        lights, ambient = self.lights.copy(), self.ambient.copy()
        lights[:, :3] = self.lights[:, :3] @ np.asarray(rotation_new_from_old, np.float32).T
        ambient[1:] = np.asarray(rotation_new_from_old, np.float32) @ self.ambient[1:]
        return Lighting(lights, ambient, self.softness, self.kind)


def _direction(azimuth: float, elevation: float) -> Float:
    """Return the unit vector to a lamp: azimuth 0 lies behind the camera, elevation is up."""
    return np.array(
        [
            np.cos(elevation) * np.sin(azimuth),
            -np.sin(elevation),
            -np.cos(elevation) * np.cos(azimuth),
        ],
        np.float32,
    )


def _tint(rng: np.random.Generator, spread: float) -> Float:
    """Return a lamp's colour, warm to cold, of brightness one."""
    warm = rng.normal(0.05, spread)
    colour = np.array([1 - warm, 1.0 + rng.normal(0, 0.03), 1 + warm], np.float32)
    if rng.random() < 0.05:  # stage light
        colour = rng.uniform(0.1, 1.2, 3).astype(np.float32)
    return np.clip(colour, 0.05, 2)


def random_lighting(rng: np.random.Generator) -> Lighting:
    """Draw the light of a room, a street or a stage."""
    kind = str(rng.choice(KINDS, p=_KIND_WEIGHTS))
    side = rng.choice([-1.0, 1.0])
    azimuth, elevation, key, around = {
        'front': (rng.normal(0, 0.5), rng.uniform(0.0, 0.9), 1.0, rng.uniform(0.15, 0.6)),
        'side': (
            side * rng.uniform(0.8, 1.8),
            rng.uniform(-0.2, 0.9),
            1.1,
            rng.uniform(0.08, 0.45),
        ),
        'back': (np.pi + rng.normal(0, 0.6), rng.uniform(0.0, 0.8), 1.4, rng.uniform(0.25, 0.6)),
        'top': (rng.normal(0, 1.2), rng.uniform(0.9, 1.45), 1.1, rng.uniform(0.2, 0.6)),
        'flat': (rng.normal(0, 1.0), rng.uniform(-0.3, 0.9), 0.25, rng.uniform(0.6, 0.9)),
    }[kind]
    lights = [np.concatenate([_direction(azimuth, elevation), key * _tint(rng, 0.12)])]
    for _ in range(int(rng.integers(0, 3))):
        strength = rng.uniform(0.08, 0.5) * (1.0 if kind != 'flat' else 0.4)
        lights.append(
            np.concatenate(
                [
                    _direction(rng.uniform(-np.pi, np.pi), rng.uniform(-0.3, 1.0)),
                    strength * _tint(rng, 0.16),
                ]
            )
        )
    ambient = np.zeros((4, 3), np.float32)
    ambient[0] = around * _tint(rng, 0.10)
    ambient[2] = -around * rng.uniform(0.0, 0.6) * _tint(rng, 0.1)  # more from above (y is down)
    ambient[1] = around * rng.normal(0, 0.25) * _tint(rng, 0.1)
    ambient[3] = around * rng.normal(0, 0.2) * _tint(rng, 0.1)
    return Lighting(
        np.stack(lights).astype(np.float32), ambient, float(rng.uniform(0.4, 3.0)), kind
    )
