# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Held-out rendered heads, turned all around: patches every two degrees, kept between runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmark.measure import ROOT
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.face_frame import sellion_from_face_centre
from headpose_ros.typing import Array

from .patches import Patch

HEADS = 14
STEP = 2
"""Degrees from one picture to the next."""

VERSION = 1
CACHE = ROOT / 'out' / 'people_cache'
_DISTANCE, _HALF_WIDTH, _SIZE = 1.2, 0.3, 224
_FOCAL = _SIZE / 2 / (_HALF_WIDTH / _DISTANCE)
_FIRST_IDENTITY = 900_000


def folder() -> Path:
    """Return where the pictures are kept."""
    return CACHE / f'turning_{VERSION}'


def rotation(yaw: float) -> Array:
    """Return rotation_camera_from_face (3,3) of an upright head turned by `yaw`, deg."""
    turn = cv2.Rodrigues(np.array([0.0, np.radians(yaw), 0.0]))[0]
    return turn @ matrix_from_euler(0.0, 0.0, 0.0)


@lru_cache(maxsize=200)
def patch(head: int, yaw: float) -> Patch:
    """Return a head as it looks turned by `yaw`, deg, to the nearest STEP."""
    step = quantised(yaw)
    picture = cv2.imread(str(folder() / f'{head:02d}' / f'{step:03d}.png'), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise FileNotFoundError(f'{folder()}: head {head} at {step} deg is not rendered')
    return as_patch(np.asarray(picture, np.uint8), step)


def as_patch(bgra: NDArray[np.uint8], yaw: float) -> Patch:
    """Return the patch of a picture of `pictures`."""
    return Patch(bgra, _FOCAL, _DISTANCE, rotation(yaw))


def quantised(yaw: float) -> int:
    """Return the angle, deg, of the picture that stands for `yaw`."""
    return round(yaw / STEP) * STEP % 360


def is_rendered(head: int) -> bool:
    """Tell whether all pictures of a head are there."""
    return (folder() / f'{head:02d}' / 'done').is_file()


def render(head: int) -> int:
    """Render a head from all sides, where that is not done yet; return its number."""
    if is_rendered(head):
        return head
    out = folder() / f'{head:02d}'
    out.mkdir(parents=True, exist_ok=True)
    steps = range(0, 360, STEP)
    for step, bgra in zip(steps, pictures(head, steps), strict=True):
        cv2.imwrite(str(out / f'{step:03d}.png'), bgra)
    (out / 'done').touch()
    return head


def pictures(head: int, yaws: Iterable[float]) -> Iterator[NDArray[np.uint8]]:
    """Yield a head's picture (S,S,4) turned by each of these angles, deg."""
    from headpose_training.head_model import HeadModel
    from headpose_training.rendering import photo
    from headpose_training.rendering.camera import SquareCamera
    from headpose_training.rendering.head_parts import HeadParts
    from headpose_training.rendering.lighting import Lighting
    from headpose_training.rendering.person import HELD_OUT_IDENTITIES, Person, Pose
    from headpose_training.rendering.scene import standing
    from headpose_training.rendering.view import photograph

    parts = HeadParts(HeadModel.load())
    first = HELD_OUT_IDENTITIES + _FIRST_IDENTITY + 1000 * head
    candidates = (Person(parts, first + i, plain=True) for i in range(100))
    person = next(p for p in candidates if _shows_face(p))
    expression = person.random_expression(np.random.default_rng([head, 17]))
    lamp = np.array([[0.34, -0.57, -0.75, 0.7, 0.7, 0.7]], np.float32)
    ambient = np.array([[0.45] * 3, [0.0] * 3, [-0.1] * 3, [0.0] * 3], np.float32)
    light, camera = Lighting(lamp, ambient, 2.0, 'front'), SquareCamera(_FOCAL, _SIZE)
    gain = None
    for yaw in yaws:
        turned = rotation(yaw)
        sellion = sellion_from_face_centre(turned, np.array([0.0, 0.0, _DISTANCE]))
        torso = cv2.Rodrigues(np.array([0.0, np.radians(yaw), 0.0]))[0] @ standing(0.0)
        picture = photograph(person, Pose(turned, sellion, torso, expression), camera, light)
        if gain is None:
            exposed = photo.expose(picture.light, picture.skin, 0.25)
            gain = float(exposed.sum() / picture.light.sum())
        alpha = np.clip(picture.coverage, 0, 1)[..., None]
        colours = np.clip(gain * picture.light / np.maximum(alpha, 1e-3), 0, 1) ** (1 / 2.2)
        bgra = np.concatenate([colours * alpha, alpha], -1) * 255
        yield np.rint(bgra).astype(np.uint8)


def _shows_face(person: Any) -> bool:
    about = person.appearance
    return not (about.mask or about.cover or about.glasses == 'dark')
