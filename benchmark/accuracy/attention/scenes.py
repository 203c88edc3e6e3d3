# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scenes: 1 to 6 people who look, walk, nod and talk, by numbers drawn from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from headpose_ros.attention import CAMERA, Place, Target
from headpose_ros.attention.gaze import EYE_SIGMA_SIDEWAYS, EYE_SIGMA_UPWARDS
from headpose_ros.geometry.rotations import matrix_from_vector
from headpose_ros.typing import Array

from .actors import STILL, Actor, Aim, Gesture, Route, Swaying, points_of

RATE = 30.0
FACING_PEOPLE = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
"""Rotation from a target's frame to the camera's for a plane that faces as the camera does."""

GLANCES = (0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0)
"""Seconds for which something is looked at."""

_EYES = np.array([EYE_SIGMA_SIDEWAYS, EYE_SIGMA_UPWARDS])

ROOM_TARGETS = (Target('screen', size=(0.5, 0.3)), Target('cup', radius=0.05), Target('door'))
ROOM = {
    'screen': Place((-1.0, 0.1, 0.1), FACING_PEOPLE),
    'cup': Place((0.75, 0.55, 0.5)),
    'door': Place((1.9, -0.2, 0.0)),
}


@dataclass(frozen=True)
class Scene:
    """One sequence.

    `group`: what it is counted with. `tells_rotation`: `swaying` is known, as of a robot that
    knows how its head is turned.
    """

    name: str
    group: str
    actors: tuple[Actor, ...]
    seconds: float
    targets: tuple[Target, ...] = ()
    places: tuple[tuple[str, Place], ...] = ()
    swaying: Swaying = STILL
    tells_rotation: bool = False
    rate: float = RATE
    seed: int = 0


def glances(rng: np.random.Generator, people: int, seconds: float, eyes: float = 0.0) -> Scene:
    """Return people who look at things in a room, and elsewhere, each for as long as they like.

    `eyes`: share of the prior by which the eyes are turned in the head.
    """
    actors = [
        _glancer(rng, place, points_of({n: np.asarray(p.position) for n, p in _all_places()}),
                 seconds, eyes)
        for place in _standing(rng, people)
    ]  # fmt: skip
    return Scene('', 'glances', tuple(actors), seconds, ROOM_TARGETS, tuple(ROOM.items()))


def _all_places() -> list[tuple[str, Place]]:
    return [(CAMERA.name, Place((0.0, 0.0, 0.0))), *ROOM.items()]


def _standing(rng: np.random.Generator, people: int) -> list[Array]:
    """Return where people stand: to 3 m away and 40 degrees off the axis, none behind another."""
    azimuths = np.linspace(-36.0, 36.0, people) if people > 1 else rng.uniform(-36, 36, 1)
    azimuths = np.radians(azimuths + rng.uniform(-3.0, 3.0, people))
    elevation = np.radians(rng.uniform(-8.0, 6.0, people))
    distance = rng.uniform(1.1 if people < 5 else 1.6, 2.95, people)
    directions = np.stack(
        [np.sin(azimuths), np.cos(azimuths) * np.tan(elevation), np.cos(azimuths)], axis=1
    )
    return list(distance[:, None] * directions)


def _glancer(
    rng: np.random.Generator,
    place: Array,
    points: dict[str, tuple[float, float, float]],
    seconds: float,
    eyes: float,
) -> Actor:
    aims, time = [], 0.0
    before: str | None = ''
    while time < seconds:
        name = rng.choice([*points, '', ''])
        if name == before:
            continue
        point = points[name] if name else _elsewhere(rng, place, list(points.values()))
        turned = eyes * _EYES * rng.normal(size=2)
        aims.append(Aim(time, name or None, point, (float(turned[0]), float(turned[1]))))
        lasts = float(rng.choice(GLANCES)) if name else float(rng.uniform(1.0, 2.5))
        time += lasts + 0.4
        before = name
    return Actor(_stay(place), tuple(aims), seed=int(rng.integers(1 << 30)))


def _stay(place: Array) -> Route:
    return Route(((0.0, (float(place[0]), float(place[1]), float(place[2]))),))


def _elsewhere(
    rng: np.random.Generator, place: Array, points: Sequence[tuple[float, float, float]]
) -> tuple[float, float, float]:
    """Return a point that is 25 degrees or more from everything there is to look at."""
    to_camera = -place / np.linalg.norm(place)
    while True:
        azimuth, elevation = np.radians([rng.uniform(-65, 65), rng.uniform(-30, 25)])
        turned = np.arctan2(to_camera[0], -to_camera[2]) + azimuth
        way = np.array(
            [
                np.sin(turned) * np.cos(elevation),
                to_camera[1] - np.sin(elevation),
                -np.cos(turned) * np.cos(elevation),
            ]
        )
        way /= np.linalg.norm(way)
        ways = np.array(points) - place
        ways /= np.linalg.norm(ways, axis=1)[:, None]
        if (ways @ way).max() < np.cos(np.radians(25.0)):
            return tuple((place + 2.0 * way).tolist())  # type: ignore[return-value]


def side_by_side(rng: np.random.Generator, seconds: float) -> Scene:
    """Return somebody who looks at one or the other of two targets of 10 degrees, 15 apart."""
    (place,) = _standing(rng, 1)
    aside = np.radians(rng.uniform(30.0, 45.0)) * rng.choice([-1.0, 1.0])
    middle = place + matrix_from_vector(np.array([0.0, aside, 0.0])) @ -place
    reach = float(np.linalg.norm(middle - place))
    ahead = (middle - place) / reach
    aside = np.cross(ahead, [0.0, 1.0, 0.0])
    aside /= np.linalg.norm(aside)
    half = np.radians(7.5)
    where = {
        name: place + reach * (np.cos(half) * ahead + way * np.sin(half) * aside)
        for name, way in (('one', -1), ('other', 1))
    }
    radius = reach * float(np.sin(np.radians(5.0)))
    points, aims, time = points_of(where), [], 0.0
    while time < seconds:
        name = ('one', 'other')[len(aims) % 2]
        away, way = np.radians(4.5) * np.sqrt(rng.uniform()), rng.uniform(0.0, 2 * np.pi)
        somewhere = float(away * np.cos(way)), float(away * np.sin(way))
        aims.append(Aim(time, name, points[name], somewhere))
        time += float(rng.uniform(1.0, 3.0)) + 0.4
    actor = Actor(_stay(place), tuple(aims), seed=int(rng.integers(1 << 30)))
    targets = tuple(Target(name, radius=radius) for name in where)
    places = tuple((name, Place(at)) for name, at in where.items())
    return Scene('', 'side by side', (actor,), seconds, targets, places)


def gestures(rng: np.random.Generator, people: int, seconds: float) -> Scene:
    """Return people who look at the camera and nod, or shake the head, every few seconds."""
    actors = []
    for place in _standing(rng, people):
        done, time = [], float(rng.uniform(1.0, 2.0))
        while True:
            kind = str(rng.choice(['nod', 'shake']))
            rate = float(np.exp(rng.uniform(np.log(0.5), np.log(3.0))))
            gesture = Gesture(
                kind, time, float(np.radians(rng.uniform(5, 25))), rate, int(rng.integers(2, 5))
            )
            if gesture.end > seconds - 1.0:
                break
            done.append(gesture)
            time = gesture.end + float(rng.uniform(1.5, 3.0))
        aim = Aim(0.0, CAMERA.name, (0.0, 0.0, 0.0))
        seed = int(rng.integers(1 << 30))
        actors.append(Actor(_stay(place), (aim,), tuple(done), seed=seed))
    return Scene('', 'gestures', tuple(actors), seconds)


def talking(rng: np.random.Generator, people: int, seconds: float) -> Scene:
    """Return people who talk and look around, and do nothing else."""
    scene = glances(rng, people, seconds)
    actors = tuple(replace(actor, talks=True) for actor in scene.actors)
    return replace(scene, group='talking', actors=actors)


def walking(rng: np.random.Generator, seconds: float) -> Scene:
    """Return somebody who comes, stops, goes, or passes; and one who stands and looks around."""
    depth, side, time = float(rng.uniform(2.6, 3.4)), float(rng.uniform(-0.8, 0.8)), 0.0
    stops = [(0.0, (side, 0.0, depth))]
    while time < seconds:
        time += float(rng.uniform(1.0, 2.5))
        stops.append((time, stops[-1][1]))
        here = np.array(stops[-1][1])
        depth = float(rng.uniform(1.0, 1.6) if here[2] > 2.0 else rng.uniform(2.5, 3.6))
        there = np.array([depth * float(rng.uniform(-0.4, 0.4)), 0.0, depth])
        time += float(np.linalg.norm(there - here)) / float(rng.uniform(0.6, 1.4))
        stops.append((time, (float(there[0]), 0.0, float(there[2]))))
    walker = Actor(
        Route(tuple(stops)),
        (Aim(0.0, CAMERA.name, (0.0, 0.0, 0.0)),),
        talks=bool(rng.random() < 0.5),
        seed=int(rng.integers(1 << 30)),
    )
    spot = np.array([1.5 * float(rng.choice([-1.0, 1.0])), -0.1, 2.2])
    stander = replace(
        _glancer(rng, spot, {CAMERA.name: (0.0, 0.0, 0.0)}, seconds, 0.0),
        talks=bool(rng.random() < 0.5),
    )
    return Scene('', 'walking', (walker, stander), seconds)


def turning_camera(rng: np.random.Generator, people: int, seconds: float) -> Scene:
    """Return people who look at the camera, which pans and tilts as fast as a head that nods."""
    scene = gestures(rng, people, seconds)
    actors = tuple(replace(actor, gestures=(), talks=True) for actor in scene.actors)
    pan, tilt = np.radians(rng.uniform(0.0, 12.0, 2))
    swaying = Swaying(float(pan), float(tilt), float(rng.uniform(0.4, 2.0)))
    return replace(
        scene, group='turning camera', actors=actors, swaying=swaying,
        tells_rotation=bool(rng.random() < 0.5),
    )  # fmt: skip


MAKERS = {
    'glances': lambda rng, n, s: glances(rng, n, s),
    'glances, eyes turned': lambda rng, n, s: replace(
        glances(rng, n, s, 1.0), group='glances, eyes turned'
    ),
    'side by side': lambda rng, n, s: side_by_side(rng, s),
    'gestures': gestures,
    'talking': talking,
    'walking': lambda rng, n, s: walking(rng, s),
    'turning camera': turning_camera,
}


def scenes(seed: int, plan: Sequence[tuple[str, int, float]]) -> list[Scene]:
    """Return a scene for each of `plan`: group, people, seconds. Another seed, other scenes."""
    made = []
    for number, (group, people, seconds) in enumerate(plan):
        rng = np.random.default_rng([seed, number, people])
        scene = MAKERS[group](rng, people, seconds)
        actors = tuple(
            replace(
                actor,
                look=(number + k) % 6,
                head_size=float(np.exp(0.045 * rng.normal())),
            )
            for k, actor in enumerate(scene.actors)
        )
        made.append(replace(scene, name=f'{group} {number}', actors=actors, seed=number))
    return made
