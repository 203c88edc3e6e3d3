# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shows the results of a scene to `Attention`, and notes what it tells of whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headpose_ros.attention import CAMERA, Attention, AttentionOptions, HeadEventType, Place
from headpose_ros.heads import Head
from headpose_ros.result import FrameResult
from headpose_ros.typing import Array

from .rendered import camera, images
from .scenes import Scene
from .truth import SURE_FROM, Told

_NEAR = 0.15
"""Metres at the head's distance: a head so near to where somebody's is shown is theirs."""


@dataclass
class Watched:
    """What was told of a scene.

    `chances`: probability of looking, whether it is so, of everybody and every target in every
    image. `apart`: in images in which one of several targets is looked at, whether it is the one
    with the highest probability. `speeds`: told, its deviation and true, m/s.
    """

    told: list[Told] = field(default_factory=list)
    chances: list[tuple[float, bool]] = field(default_factory=list)
    apart: list[bool] = field(default_factory=list)
    decided: list[bool] = field(default_factory=list)
    speeds: list[tuple[float, float, float]] = field(default_factory=list)


def pipeline_results(scene: Scene, pipeline: Any) -> Iterator[FrameResult]:
    """Yield the results of the whole pipeline for the rendered images of a scene."""
    lens = camera()
    pipeline.reset()
    for time, image in images(scene):
        rotation = _known_rotation(scene, time)
        yield pipeline.process(image, lens, time, rotation_fixed_from_camera=rotation)


def _known_rotation(scene: Scene, time: float) -> Array | None:
    return scene.swaying.rotation_fixed_from_camera(time) if scene.tells_rotation else None


def watch(
    scene: Scene, results: Iterable[FrameResult], options: AttentionOptions | None = None
) -> Watched:
    """Return what `Attention` tells of `results`."""
    attention, watched = Attention(scene.targets, options), Watched()
    owners: dict[str, int] = {}
    for result in results:
        time = result.stamp
        assert time is not None
        turn = scene.swaying.rotation_fixed_from_camera(time).T
        owners.update(_owners(scene, result, turn, time))
        places = {name: _turned(place, turn) for name, place in scene.places}
        answer = attention.update(result, places, _known_rotation(scene, time))
        for event in answer.events:
            told = Told(owners.get(event.id, -1), event.type, event.target, event.stamp)
            watched.told.append(told)
        if time > SURE_FROM:
            _note(watched, scene, answer, owners, time)
    return watched


def _note(
    watched: Watched, scene: Scene, answer: Any, owners: dict[str, int], time: float
) -> None:
    for head_id in dict.fromkeys(look.id for look in answer.looks):
        if (owner := owners.get(head_id, -1)) < 0:
            continue
        looks = {look.target: look for look in answer.looks if look.id == head_id}
        target = scene.actors[owner].target(time)
        watched.chances += [
            (look.probability, name == target)
            for name, look in looks.items()
            if not (name == CAMERA.name and scene.group == 'side by side')
        ]
        rivals = {name: look for name, look in looks.items() if name != CAMERA.name}
        if target in rivals and len(rivals) == 2:
            best = max(rivals, key=lambda name: rivals[name].probability)
            watched.apart.append(best == target)
            watched.decided.append([n for n, look in rivals.items() if look.looking] == [target])
    for approach in answer.approaches:
        if (owner := owners.get(approach.id, -1)) >= 0:
            actor = scene.actors[owner]
            before, after = (np.linalg.norm(actor.route.at(time + d)) for d in (-0.1, 0.1))
            watched.speeds.append(
                (approach.speed, approach.deviation, float(before - after) / 0.2)
            )


def _turned(place: Place, turn: Array) -> Place:
    rotation = place.rotation_camera_from_target
    return Place(
        turn @ np.asarray(place.position),
        None if rotation is None else turn @ np.asarray(rotation),
    )


def _owners(scene: Scene, result: FrameResult, turn: Array, time: float) -> dict[str, int]:
    """Return whose each head is; -1 where nobody is near."""
    centres = np.array([turn @ actor.centre(time) for actor in scene.actors])
    rays = centres / np.linalg.norm(centres, axis=1)[:, None]
    return {head.id: _owner(head, rays, centres) for head in result.heads}


def _owner(head: Head, rays: Array, centres: Array) -> int:
    ray = head.position / np.linalg.norm(head.position)
    away = np.linalg.norm(rays - ray, axis=1) * np.linalg.norm(centres, axis=1)
    nearest = int(np.argmin(away))
    return nearest if away[nearest] < _NEAR else -1


LOOKING = (HeadEventType.STARTED_LOOKING, HeadEventType.STOPPED_LOOKING)
WALKING = (HeadEventType.APPROACHED, HeadEventType.MOVED_AWAY)
GESTURES = (HeadEventType.NODDED, HeadEventType.SHOOK)
