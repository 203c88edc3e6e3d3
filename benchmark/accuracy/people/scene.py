# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A scene in a few words: who is where, when images are taken, in what light, and their stamps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .paths import Path


@dataclass(frozen=True)
class Person:
    """Somebody: number of a real face, the path of it, roll of the head, deg, and when hidden.

    `hidden`: (from, to), seconds, when something is before the face. `turn`: for rendered heads,
    seconds that a turn takes and how far it goes, deg, from second 1.5 on; beyond 180 deg all
    around, and otherwise there and back.
    """

    face: int
    path: Path
    roll: float = 0.0
    hidden: tuple[tuple[float, float], ...] = ()
    turn: tuple[float, float] | None = None

    def yaw(self, time: float) -> float:
        """Return how far a rendered head is turned, degrees, 0 to 360."""
        if self.turn is None:
            return 0.0
        seconds, reach = self.turn
        gone = float(np.clip((time - TURN_BEGINS) / seconds, 0.0, 1.0))
        yaw = reach * gone if reach > 180 else reach * (1 - abs(1 - 2 * gone))
        return (-yaw if self.face % 2 else yaw) % 360.0


TURN_BEGINS = 1.5


@dataclass(frozen=True)
class Scene:
    """One sequence.

    `group`: what it is counted with. `rate`: images a second. `light`: what each image is
    multiplied by, again and again. `exposure`: the light changes in steps and slowly.
    `uneven`: images are taken up to this share of a period early or late. `pan`: degrees each
    way, and swings a second, of the camera. `stamps`: see `delivery`. `rendered`: heads of the
    renderer. `background`: its number. `ordinary`: whether it is part of the ordinary scenes.
    """

    name: str
    group: str
    people: tuple[Person, ...]
    rate: float
    seconds: float
    light: tuple[float, ...] = (1.0,)
    exposure: bool = False
    uneven: float = 0.0
    pan: tuple[float, float] = (0.0, 0.0)
    stamps: str = 'exact'
    rendered: bool = False
    background: int = 0
    ordinary: bool = False
    seed: int = 0

    def gain(self, k: int, time: float) -> float:
        """Return what the light of image `k` is multiplied by."""
        gain = self.light[k % len(self.light)]
        if self.exposure:
            step = (0.45, 1.0, 1.5, 0.7)[int(time / 2.0) % 4]
            gain *= step * (1 + 0.2 * np.sin(2 * np.pi * 0.8 * time))
        return float(gain)

    def yaw_of_camera(self, time: float) -> float:
        """Return how far the camera has turned to its right, rad."""
        return float(np.radians(self.pan[0]) * np.sin(2 * np.pi * self.pan[1] * time))


def capture_times(scene: Scene) -> list[float]:
    """Return when the images are taken, seconds from 0."""
    rng = np.random.default_rng([7, scene.seed])
    count = round(scene.rate * scene.seconds)
    early = scene.uneven * rng.uniform(-1, 1, count)
    return [max(0.0, (k + early[k]) / scene.rate) for k in range(count)]


def delivery(scene: Scene) -> Iterator[tuple[int, float, float]]:
    """Yield the number, the time and the stamp of each image as they arrive.

    `stamps`: 'exact'; 'repeat N': N images each carry the stamp of the first of them; 'whole':
    whole seconds; 'jitter': off by up to 60 ms each way; 'late': two images in a row, every two
    seconds, come after the image that was taken after them; 'single late': stamps 10 ms early.
    """
    times = capture_times(scene)
    rng = np.random.default_rng([11, scene.seed])
    order = list(range(len(times)))
    if scene.stamps == 'late':
        for k in range(round(2 * scene.rate), len(order) - 2, round(2 * scene.rate)):
            order[k : k + 3] = [k + 2, k, k + 1]
    kind, _, number = scene.stamps.partition(' ')
    for k in order:
        stamp = times[k]
        if kind == 'repeat':
            stamp = times[k - k % int(number)]
        elif kind == 'whole':
            stamp = float(np.floor(stamp))
        elif kind == 'jitter':
            stamp += rng.uniform(-0.06, 0.06)
        elif kind == 'single':
            stamp -= (1 / scene.rate + 0.01) * (k % round(2 * scene.rate) == 1 and k > 1)
        yield k, times[k], 100.0 + stamp
