# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""People who follow a script: where they are, which way their heads point, and what they do.

All in the frame of a level camera that stands still: x right, y down, z forward, metres, seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from headpose_ros.geometry.rotations import matrix_from_vector
from headpose_ros.typing import Array

GRID = 120.0
"""Samples a second of what wanders: swaying and talking."""

WALK = 0.5
"""Metres a second and metres: who comes or goes at least so fast, and so far, walks."""


@dataclass(frozen=True)
class Aim:
    """From `begin` on, the head is turned to `target`, or to a point in space where it is None.

    `eyes` (2,): rad, how far short of it the head stays, to the left and upwards: the eyes do
    the rest.
    """

    begin: float
    target: str | None
    point: tuple[float, float, float]
    eyes: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Gesture:
    """A 'nod' or 'shake' from `begin` on: `size`, rad, from end to end; `rate`, Hz."""

    kind: str
    begin: float
    size: float
    rate: float
    cycles: int

    @property
    def end(self) -> float:
        """When it is over."""
        return self.begin + self.cycles / self.rate

    def angle(self, time: float) -> float:
        """Return how far the head is turned, rad: down, or to the left."""
        since = time - self.begin
        if not 0.0 < since < self.cycles / self.rate:
            return 0.0
        phase = 2.0 * np.pi * self.rate * since
        if self.kind == 'nod':
            return 0.5 * self.size * float(1.0 - np.cos(phase))
        fade = min(1.0, 2.0 * self.rate * min(since, self.end - time))
        return 0.5 * self.size * fade * float(np.sin(phase))


@dataclass(frozen=True)
class Route:
    """Points (3,) of the face centre by times; it goes straight between them."""

    stops: tuple[tuple[float, tuple[float, float, float]], ...]

    def at(self, time: float) -> Array:
        """Return where the face centre is."""
        if len(self.stops) == 1:
            return np.array(self.stops[0][1])
        for (before, a), (after, b) in pairwise(self.stops):
            if time < after:
                share = max(0.0, time - before) / (after - before)
                return (1.0 - share) * np.array(a) + share * np.array(b)
        return np.array(self.stops[-1][1])


@dataclass(frozen=True)
class Actor:
    """Somebody. `look`: number of the rendered head; `talks`: speech-like movements of the head.

    `head_size`: of the head over that of an average adult.
    """

    route: Route
    aims: tuple[Aim, ...]
    gestures: tuple[Gesture, ...] = ()
    talks: bool = False
    look: int = 0
    head_size: float = 1.0
    seed: int = 0
    _wander: dict[str, Array] = field(default_factory=dict, compare=False, repr=False)
    _newest: dict[str, tuple[float, Array]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def centre(self, time: float) -> Array:
        """Return the face centre (3,); who stands sways by a centimetre, who walks bobs."""
        if self._newest.get('centre', (None,))[0] != time:
            self._newest['centre'] = time, self._centre(time)
        return self._newest['centre'][1]

    def rotation(self, time: float) -> Array:
        """Return rotation_camera_from_face (3,3)."""
        if self._newest.get('rotation', (None,))[0] != time:
            self._newest['rotation'] = time, self._rotation(time)
        return self._newest['rotation'][1]

    def _centre(self, time: float) -> Array:
        here = self.route.at(time)
        walks = len(self.route.stops) > 1 and math.dist(self.route.at(time + 0.05), here) > 0.015
        bob = 0.02 * math.sin(4 * math.pi * time) if walks else 0.0
        return here + 0.008 * self._noise('sway', time) + np.array([0.0, bob, 0.0])

    def _rotation(self, time: float) -> Array:
        facing = _upright(self._direction(time))
        turn = np.radians(0.5) * self._noise('calm', time)
        if self.talks:
            turn = turn + self._speech(time)
        for gesture in self.gestures:
            turn = turn + gesture.angle(time) * np.array(
                [0.0, gesture.kind == 'nod', gesture.kind == 'shake']
            )
        return facing @ matrix_from_vector(turn)

    def eyes(self, time: float) -> tuple[float, float]:
        """Return how far the eyes are turned in the head, rad, to the left and upwards."""
        point = np.array(self._aim(time).point)
        left, up = self._offset(time, point)
        return float(np.clip(left, -0.5, 0.5)), float(np.clip(up, -0.4, 0.4))

    def target(self, time: float) -> str | None:
        """Return what is looked at; it changes in the middle of a turn of the head."""
        return self._aim(time).target

    def changes(self, until: float) -> list[tuple[float, str | None]]:
        """Return when it changes what is looked at, and to what."""
        found: list[tuple[float, str | None]] = []
        for number, aim in enumerate(self.aims):
            time = aim.begin + 0.5 * self._turning_time(number)
            if time < until and (not found or found[-1][1] != aim.target):
                found.append((time if number else -1.0, aim.target))
        return found

    def walks(self, until: float) -> list[tuple[float, float, int]]:
        """Return from when to when somebody comes nearer (1) or goes away (-1)."""
        times = np.arange(0.0, until, 0.05)
        distance = np.linalg.norm([self.route.at(t) for t in times], axis=1)
        speed = -np.gradient(distance, times)
        found = []
        for way in (1, -1):
            fast = np.concatenate([[False], way * speed >= WALK - 1e-6, [False]]).astype(int)
            begins, ends = np.flatnonzero(np.diff(fast) == 1), np.flatnonzero(np.diff(fast) == -1)
            for a, b in zip(begins, ends - 1, strict=True):
                if abs(distance[b] - distance[a]) >= WALK:
                    found.append((float(times[a]), float(times[b]), way))
        return found

    def _aim(self, time: float) -> Aim:
        current = self.aims[0]
        for number, aim in enumerate(self.aims):
            if number and time >= aim.begin + 0.5 * self._turning_time(number):
                current = aim
        return current

    def _turning_time(self, number: int) -> float:
        """Return the seconds that the head takes to turn to an aim."""
        return self._turning_times[number]

    @cached_property
    def _turning_times(self) -> list[float]:
        times = [0.0]
        for before, aim in pairwise(self.aims):
            here = self._centre(aim.begin)
            way = _angle(np.array(before.point) - here, np.array(aim.point) - here)
            times.append(0.3 + way / float(np.radians(250.0)))
        return times

    def _direction(self, time: float) -> Array:
        """Return the way the head points, unit (3,), between gestures."""
        begun = sum(aim.begin < time for aim in self.aims)
        first = max(0, begun - 3)
        direction = self._towards(self.aims[first], time)
        for number in range(first + 1, begun):
            aim = self.aims[number]
            share = min(1.0, (time - aim.begin) / self._turning_time(number))
            share = share**3 * (10.0 - 15.0 * share + 6.0 * share**2)  # minimum jerk
            direction = _between(direction, self._towards(aim, time), share)
        return direction

    def _towards(self, aim: Aim, time: float) -> Array:
        direction = np.array(aim.point) - self.centre(time)
        facing = _upright(direction / np.linalg.norm(direction))
        left, up = aim.eyes
        return (facing @ matrix_from_vector(np.array([0.0, up, -left])))[:, 0]

    def _offset(self, time: float, point: Array) -> tuple[float, float]:
        x, y, z = self.rotation(time).T @ (point - self.centre(time))
        return float(np.arctan2(y, x)), float(np.arctan2(z, np.hypot(x, y)))

    def _speech(self, time: float) -> Array:
        """Return the turn (3,), rad, about the face's axes that goes with talking.

        Most of it nodding, 0.5 to 4 Hz, of 1 degree rms, with a beat of 3 to 7 degrees that
        falls together with a stressed word every three seconds or so.
        """
        wander = np.radians([0.8, 1.0, 0.8]) * self._noise('speech', time)
        beats = sum(
            size * np.exp(-0.5 * ((time - at) / width) ** 2) for at, size, width in self._beats
        )
        return wander + np.array([0.0, beats, 0.0])

    @cached_property
    def _beats(self) -> list[tuple[float, float, float]]:
        rng = np.random.default_rng([self.seed, 5])
        at = np.cumsum(rng.exponential(3.0, 400))
        sizes, widths = np.radians(rng.uniform(3.0, 7.0, 400)), rng.uniform(0.07, 0.16, 400)
        return list(zip(at.tolist(), sizes.tolist(), widths.tolist(), strict=True))

    def _noise(self, name: str, time: float) -> Array:
        """Return three numbers that wander about 0 with a standard deviation of 1."""
        if name not in self._wander:
            number, (low, high) = list(_BANDS).index(name), _BANDS[name]
            rng = np.random.default_rng([self.seed, number])
            size = 1 << 17
            frequency = np.fft.rfftfreq(size, 1.0 / GRID)
            shape = np.where((frequency > low) & (frequency < high), 1.0, 0.0)
            noise = np.fft.irfft(shape * np.fft.rfft(rng.normal(size=(3, size))), axis=1).T
            self._wander[name] = noise / noise.std(axis=0)
        at = min(max(time, 0.0) * GRID, len(self._wander[name]) - 2.0)
        k = int(at)
        a, b = self._wander[name][k : k + 2]
        return np.asarray(a + (at - k) * (b - a))


_BANDS = {'sway': (0.05, 0.5), 'calm': (0.05, 1.0), 'speech': (0.5, 4.0)}


@dataclass(frozen=True)
class Swaying:
    """A camera that turns to and fro: rad each way, about the vertical and across, and Hz."""

    pan: float = 0.0
    tilt: float = 0.0
    rate: float = 0.5

    def rotation_fixed_from_camera(self, time: float) -> Array:
        """Return how the camera is turned, (3,3), in the frame of the level camera."""
        swing = float(np.sin(2.0 * np.pi * self.rate * time))
        return matrix_from_vector(np.array([0.0, self.pan * swing, 0.0])) @ matrix_from_vector(
            np.array([self.tilt * swing, 0.0, 0.0])
        )


STILL = Swaying()


def points_of(targets: Mapping[str, Array]) -> dict[str, tuple[float, float, float]]:
    """Return positions as `Aim` takes them."""
    return {name: (float(p[0]), float(p[1]), float(p[2])) for name, p in targets.items()}


def _upright(direction: Array) -> Array:
    """Return the rotation (3,3) of an upright head that points in a unit `direction`."""
    x, y, z = direction.tolist()
    level = math.hypot(x, z)
    a, c = -z / level, x / level  # left = up x direction
    return np.array([[x, a, y * c], [y, 0.0, z * a - x * c], [z, c, -y * a]])


def _angle(a: Array, b: Array) -> float:
    cosine = float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))
    return math.acos(max(-1.0, min(1.0, cosine)))


def _between(a: Array, b: Array, share: float) -> Array:
    angle = _angle(a, b)
    if angle < 1e-9:
        return b
    mixed: Array = (np.sin((1.0 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
    return mixed
