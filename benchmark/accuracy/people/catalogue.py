# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scenes: which there are, how they are grouped, and which of them are the ordinary part.

The *ordinary part* are the scenes that a robot among people meets all day, each at 10 and 30 Hz:
walking past at 0.5 to 2 m/s, coming nearer, standing, swinging, crossing, hidden for up to a
second, entering and leaving, 2 to 16 people, changing light, a camera that pans. Slow and uneven
images, 2.5 m/s, hidden for longer, strobed light, turns, tilted heads and stamps that are wrong
have rows of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from .paths import OUTSIDE, Approach, Path, Stand, Swing, Walk
from .scene import Person, Scene
from .turning import HEADS

SPEEDS, WALKING_RATES = (0.5, 1.0, 1.5, 2.0, 2.5), (5.0, 10.0, 15.0, 30.0)
DISTANCES = (1.0, 2.0, 3.0, 4.0)
BOTH = (10.0, 30.0)
HIDDEN_SECONDS = (0.2, 0.5, 1.0, 1.5, 3.0)


def scenes(quick: bool = False) -> list[Scene]:
    """Return all scenes; `quick`: about a fifth of them."""
    parts = (_walking, _slow, _moving, _hidden, _several, _light, _stamps, _tilted, _turns)
    made = [scene for part in parts for scene in part()]
    made = [replace(s, seed=k, background=_wall(s, k)) for k, s in enumerate(made)]
    return [s for s in made if s.name in QUICK] if quick else made


QUICK = frozenset(
    {
        'walk 0.5 m/s, 10 Hz', 'walk 1.5 m/s, 10 Hz', 'walk 1.5 m/s, 5 Hz', 'walk 1.5 m/s, 30 Hz',
        'stand, 3 Hz', 'swing, 10 Hz', 'cross, 10 Hz', 'hidden 1 s, 10 Hz', '4 people, 10 Hz',
        'dark 1 of 2', 'stamps repeat 3, 30 Hz', 'stamps jitter, 30 Hz',
        'turn 360 in 6 s, head 1, 10 Hz', 'turn 180 in 6 s, head 1, 10 Hz',
    }
)  # fmt: skip
"""Names of the scenes of a quick run."""


def _wall(scene: Scene, k: int) -> int:
    """Return a background; that of a turning head is smooth, as the head is."""
    return 3 if scene.pan[0] else k % 12


def _walkers(speed: float, first: int) -> tuple[tuple[Person, ...], float]:
    """Return people who walk past one after the other, at all distances, and how long it takes."""
    begin, people = 0.5, []
    for k, distance in enumerate(DISTANCES):
        walk = Walk(speed, distance, begin, leftwards=k % 2 == 1)
        people.append(Person(first + k, walk))
        begin = walk.end + 0.7
    return tuple(people), begin


def _walking() -> Iterator[Scene]:
    for i, speed in enumerate(SPEEDS):
        for rate in WALKING_RATES:
            people, seconds = _walkers(speed, 4 * i)
            yield Scene(
                f'walk {speed:g} m/s, {rate:g} Hz', f'walk {speed:g} m/s, {rate:g} Hz', people,
                rate, seconds, ordinary=rate in BOTH and speed <= 2.0,
            )  # fmt: skip
    for rate in BOTH:
        people, seconds = _walkers(1.0, 9)
        yield Scene(
            f'walk 1 m/s, {rate:g} Hz uneven', 'walk 1 m/s, images uneven', people, rate, seconds,
            uneven=0.4,
        )  # fmt: skip


def _slow() -> Iterator[Scene]:
    for rate in (2.0, 3.0, 60.0):
        seconds = 15.0 if rate < 10 else 5.0
        for k, distance in enumerate((1.0, 2.5)):
            people = (Person(3 + k, Stand(0.2 * distance, distance, 0.5)),)
            group = f'stand, {rate:g} Hz'
            yield Scene(f'{group}' + (', far' if k else ''), group, people, rate, seconds)
        people, seconds = _walkers(0.5, 6)
        if rate < 10:
            name = f'walk 0.5 m/s, {rate:g} Hz'
            yield Scene(name, name, people, rate, seconds)
    people, seconds = _walkers(1.5, 13)
    yield Scene('walk 1.5 m/s, 60 Hz', 'walk 1.5 m/s, 60 Hz', people, 60.0, seconds)


def _moving() -> Iterator[Scene]:
    ways: dict[str, tuple[Path, float]] = {
        'stand': (Stand(-0.2, 1.5, 0.5), 8.0),
        'come nearer, 1 m/s': (Approach(1.0, 4.0, 0.8), 12.8),
        'swing': (Swing(0.3, 1.0, 1.5), 12.0),
    }
    for rate in BOTH:
        for k, (name, (path, seconds)) in enumerate(ways.items()):
            people = (Person(5 + k, path),)
            yield Scene(
                f'{name}, {rate:g} Hz', f'{name}, {rate:g} Hz', people, rate, seconds,
                ordinary=True,
            )  # fmt: skip
        swing = (Person(14, Swing(0.3, 1.0, 1.0)),)
        yield Scene(f'swing near, {rate:g} Hz', f'swing, {rate:g} Hz', swing, rate, 12.0)
        for name, reach, hz in (('slow', 15.0, 0.25), ('fast', 15.0, 0.5)):
            still = (Person(11, Stand(0.0, 1.8)),)
            yield Scene(
                f'pan {name}, {rate:g} Hz', f'camera pans, {rate:g} Hz', still, rate, 8.0,
                pan=(reach, hz), ordinary=True,
            )  # fmt: skip


def _hidden() -> Iterator[Scene]:
    for rate in BOTH:
        for k, seconds in enumerate(HIDDEN_SECONDS):
            for side, distance in ((-0.3, 1.2), (0.4, 2.2)):
                hidden = ((3.0, 3.0 + seconds),)
                person = Person(2 * k + (side > 0), Stand(side, distance), hidden=hidden)
                name = f'hidden {seconds:g} s, {rate:g} Hz'
                yield Scene(
                    name + (', far' if side > 0 else ''), name, (person,), rate, 6.0 + seconds,
                    ordinary=seconds <= 1.0,
                )  # fmt: skip


def _several() -> Iterator[Scene]:
    for rate in BOTH:
        wait = (2.0 * 0.577 + OUTSIDE) / 0.8
        cross = (
            Person(1, Walk(0.8, 2.0, 0.0)),
            Person(2, Walk(0.8, 2.6, max(0.0, wait - (2.6 * 0.577 + OUTSIDE) / 0.8), True)),
        )
        yield Scene(f'cross, {rate:g} Hz', f'cross, {rate:g} Hz', cross, rate, 4.2, ordinary=True)
        still = (Person(8, Stand(0.0, 3.0)), Person(9, Walk(0.8, 1.6, 2.0)))
        yield Scene(
            f'cross before one, {rate:g} Hz', f'cross, {rate:g} Hz', still, rate, 7.0,
            ordinary=True,
        )  # fmt: skip
        visits = tuple(
            Person(10 + k, Stand(x, d, 0.5 + 1.2 * k, 3.5 + 2.0 * k))
            for k, (x, d) in enumerate(((-0.5, 1.6), (0.6, 2.2), (0.0, 1.4), (0.9, 2.6)))
        )
        yield Scene(
            f'enter and leave, {rate:g} Hz', f'enter and leave, {rate:g} Hz', visits, rate, 11.0,
            ordinary=True,
        )  # fmt: skip
        for count in (2, 4, 8, 16):
            name = f'{count} people, {rate:g} Hz'
            yield Scene(name, name, tuple(_seated(count)), rate, 5.0, ordinary=True)


def _seated(count: int) -> Iterator[Person]:
    """Yield people in rows of up to eight, 1.4 to 3.2 m away, who sway."""
    columns = min(count, 8)
    distance = {2: 1.4, 4: 2.0, 8: 3.0}[columns]
    for k in range(count):
        row, column = divmod(k, columns)
        x = (column - (columns - 1) / 2) * 1.9 * distance * 0.577 / columns * 0.95
        height = 0.0 if count <= 8 else (row - 0.5) * 0.9
        yield Person(k, Stand(x, distance + 0.1 * (column % 2), 0.3, height=height))


def _light() -> Iterator[Scene]:
    dark = 0.01
    kinds = {
        'dark 1 of 2': (1.0, dark),
        'dark 1 of 3': (1.0, 1.0, dark),
        'dark 2 of 3': (1.0, dark, dark),
    }
    for name, light in kinds.items():
        still = (Person(4, Stand(0.2, 1.6)),)
        yield Scene(name, f'light, {name}', still, 30.0, 8.0, light=light)
    for rate in BOTH:
        people = (Person(12, Stand(0.3, 1.6)), Person(17, Stand(-0.5, 2.2)))
        yield Scene(
            f'exposure, {rate:g} Hz', f'exposure changes, {rate:g} Hz', people, rate, 10.0,
            exposure=True, ordinary=True,
        )  # fmt: skip


def _stamps() -> Iterator[Scene]:
    kinds = ('repeat 2', 'repeat 3', 'repeat 5', 'repeat 10', 'whole', 'jitter', 'late', 'single')
    for kind in kinds:
        for rate in (30.0,) if kind != 'jitter' else (10.0, 30.0):
            name = f'stamps {kind}, {rate:g} Hz'
            still = (Person(6, Stand(-0.2, 1.7)),)
            yield Scene(name, f'stamps {kind}', still, rate, 8.0, stamps=kind)


def _tilted() -> Iterator[Scene]:
    for roll in (15.0, -30.0, 45.0, -60.0):
        for face in (0, 7, 12, 18):
            people = (Person(face, Stand(0.1, 1.5, 0.3), roll=roll),)
            group = f'head tilted {abs(roll):g} deg'
            yield Scene(f'{group}, face {face}', group, people, 10.0, 3.0)


def _turns() -> Iterator[Scene]:
    for head in range(HEADS):
        seconds = (4.0, 6.0, 8.0)[head % 3]
        for reach in (180.0, 360.0):
            for rate in BOTH if reach > 180 or head % 3 == 0 else (10.0,):
                name = f'turn {reach:g} in {seconds:g} s, head {head}, {rate:g} Hz'
                path = Stand(0.2 * np.sin(head), 1.2 + 0.1 * (head % 6))
                person = Person(head, path, turn=(seconds, reach))
                yield Scene(
                    name, f'turn {reach:g} deg, {rate:g} Hz', (person,), rate, seconds + 3.5,
                    rendered=True,
                )  # fmt: skip
