# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draws the images of a scene: rendered heads, turned exactly as the script has them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from benchmark.accuracy.people.backgrounds import background
from benchmark.accuracy.people.compose import grains, grainy
from benchmark.accuracy.people.patches import Patch, Place, paste
from headpose_ros.geometry import CameraModel, rotation_to_axis
from headpose_ros.geometry.face_frame import sellion_from_face_centre
from headpose_ros.typing import Array, Image

from .actors import Actor
from .scenes import Scene

WIDTH, HEIGHT, HFOV = 1280, 720, np.radians(90.0)
_HALF_WIDTH = 0.3
_SMALLEST, _LARGEST = 72, 144
_FIRST_IDENTITY = 950_000


def camera() -> CameraModel:
    """Return the camera of all scenes."""
    return CameraModel.from_fov(WIDTH, HEIGHT, HFOV)


def images(scene: Scene) -> Iterator[tuple[float, Image]]:
    """Yield times, seconds, and images (720,1280,3) of a scene."""
    lens, rng = camera(), np.random.default_rng([11, scene.seed])
    wall = cv2.resize(background(scene.seed % 4), (WIDTH + 400, HEIGHT))
    wall = np.ascontiguousarray(wall[:, 200 : 200 + WIDTH])
    grain = grains(rng, (HEIGHT, WIDTH, 3))
    for k in range(round(scene.seconds * scene.rate)):
        time = k / scene.rate
        image = wall.copy()
        turned = scene.swaying.rotation_fixed_from_camera(time)
        farthest = sorted(scene.actors, key=lambda a: -float(np.linalg.norm(a.centre(time))))
        for actor in farthest:
            _draw(image, lens, actor, time, turned.T)
        yield time, grainy(image, grain[k % len(grain)])


def _draw(image: Image, lens: CameraModel, actor: Actor, time: float, turn: Array) -> None:
    """Draw somebody; `turn` (3,3): to the camera's frame from that of the level camera."""
    centre, rotation = turn @ actor.centre(time), turn @ actor.rotation(time)
    distance = float(np.linalg.norm(centre))
    upright = rotation_to_axis(centre / distance)
    seen = 2.2 * lens.fx * _HALF_WIDTH / distance
    size = int(np.clip(8 * round(seen / 8), _SMALLEST, _LARGEST))
    # A larger head is drawn nearer.
    near = distance / actor.head_size
    pose = upright @ rotation
    bgra = _photograph(actor, pose, upright @ turn, near, size, time)
    focal = size / 2 * near / _HALF_WIDTH
    paste(image, lens, Patch(bgra, focal, near, pose), Place(near / distance * centre))


@lru_cache(maxsize=1)
def _parts() -> Any:
    from headpose_training.head_model import HeadModel
    from headpose_training.rendering.head_parts import HeadParts

    return HeadParts(HeadModel.load())


@lru_cache(maxsize=8)
def _person(look: int) -> Any:
    """Return one of the held-out people whose face is to be seen."""
    from headpose_training.rendering.person import HELD_OUT_IDENTITIES, Person

    first = HELD_OUT_IDENTITIES + _FIRST_IDENTITY + 1000 * look
    people = (Person(_parts(), first + k, plain=True) for k in range(100))
    return next(
        p
        for p in people
        if not (p.appearance.mask or p.appearance.cover or p.appearance.glasses == 'dark')
    )


def _photograph(
    actor: Actor, pose: Array, upright: Array, distance: float, size: int, time: float
) -> Any:
    """Return the picture (S,S,4) that looks straight at the face centre."""
    from headpose_training.rendering.camera import SquareCamera
    from headpose_training.rendering.lighting import Lighting
    from headpose_training.rendering.person import Pose
    from headpose_training.rendering.scene import standing
    from headpose_training.rendering.view import photograph

    person = _person(actor.look)
    lamp = np.array([[0.34, -0.57, -0.75, 0.7, 0.7, 0.7]], np.float32)
    ambient = np.array([[0.45] * 3, [0.0] * 3, [-0.1] * 3, [0.0] * 3], np.float32)
    shape = distance * person.appearance.head_scale  # so that all heads are average ones
    sellion = sellion_from_face_centre(pose, np.array([0.0, 0.0, shape]))
    view = SquareCamera(size / 2 * distance / _HALF_WIDTH, size)
    picture = photograph(
        person,
        Pose(pose, sellion, upright @ standing(0.0), _expression(actor, time), actor.eyes(time)),
        view,
        Lighting(lamp, ambient, 2.0, 'front'),
    )
    alpha = np.clip(picture.coverage, 0, 1)[..., None]
    colours = np.clip(0.75 * picture.light / np.maximum(alpha, 1e-3), 0, 1) ** (1 / 2.2)
    return np.rint(np.concatenate([colours * alpha, alpha], -1) * 255).astype(np.uint8)


def _expression(actor: Actor, time: float) -> Any:
    """Return a face that blinks, and speaks where the actor talks."""
    names = _parts().model.expression_names
    weights = np.zeros(len(names), np.float32)
    blink = max(0.1, 1 - abs((time + 0.7 * actor.look) % 3.1 - 1.5) / 0.12)
    speech = 0.3 * max(0.0, float(np.sin(time * 11) * np.sin(time * 1.7 + actor.look)))
    for name, weight in (
        ('eyeBlink_L', blink),
        ('eyeBlink_R', blink),
        ('jawOpen', speech if actor.talks else 0.0),
    ):
        weights[names.index(name)] = weight
    return weights
