# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draws the images of a scene, and says where every head is in each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from headpose_ros.geometry import CameraModel, boxes_of_spheres
from headpose_ros.typing import Array, Image

from . import turning
from .backgrounds import background
from .faces import real_faces
from .patches import Patch, Place, paste
from .scene import Person, Scene, delivery

WIDTH, HEIGHT = 640, 480
VISIBLE, UNSURE, HIDDEN = 'visible', 'unsure', 'hidden'
DARK = 0.2
"""An image with less of the light than this shows nobody plainly."""

_PLAIN_YAW, _NO_FACE_YAW = 45.0, 100.0
_GRAIN = 3.0


@dataclass(frozen=True)
class Truth:
    """A head: who, its face centre (3,), metres, rotation (3,3), size, rad, and how plain it is.

    `state`: 'visible', whole in the image and plain to see: it has to be found; 'unsure', and
    'hidden', nothing of it can be seen: a head there counts neither way.
    """

    person: int
    centre: Array
    rotation_camera_from_face: Array
    angular_size: float
    state: str


@dataclass(frozen=True)
class Frame:
    """An image (480,640,3) as it arrives, its time and stamp, seconds, and everybody's truth."""

    image: Image
    time: float
    stamp: float
    truth: tuple[Truth, ...]


def camera() -> CameraModel:
    """Return the camera of all scenes."""
    return CameraModel.from_fov(WIDTH, HEIGHT, np.radians(60.0))


def frames(scene: Scene) -> Iterator[Frame]:
    """Yield the images of a scene."""
    lens, rng = camera(), np.random.default_rng([3, scene.seed])
    wall = background(scene.background)
    grain = grains(rng, (HEIGHT, WIDTH, 3))
    for k, time, stamp in delivery(scene):
        yaw = scene.yaw_of_camera(time)
        image = _behind(wall, lens, yaw)
        present = _present(scene, time, yaw)
        for person, place in present:
            paste(image, lens, _patch(scene, person, time), place)
            if _cover(person, time) > 0:
                _paint_cover(image, lens, wall, place, _cover(person, time))
        gain = scene.gain(k, time)
        image = grainy(cv2.convertScaleAbs(image, alpha=gain), grain[k % len(grain)])
        truth = _truth(scene, lens, present, time, gain)
        yield Frame(image, time, stamp, truth)


def grains(rng: np.random.Generator, shape: tuple[int, ...]) -> list[tuple[Image, Image]]:
    """Return the noise of a few images: what is added to each, and what is taken away."""
    noise = [rng.normal(0, _GRAIN, shape).round() for _ in range(4)]
    return [(np.maximum(n, 0).astype(np.uint8), np.maximum(-n, 0).astype(np.uint8)) for n in noise]


def grainy(image: Image, grain: tuple[Image, Image]) -> Image:
    """Return an image with one of `grains`."""
    return np.asarray(cv2.subtract(cv2.add(image, grain[0]), grain[1]), np.uint8)


def _present(scene: Scene, time: float, yaw: float) -> list[tuple[Person, Place]]:
    """Return who is there and where, the farthest first."""
    turn = cv2.Rodrigues(np.array([0.0, -yaw, 0.0]))[0]
    found = [(p, p.path.at(time)) for p in scene.people]
    placed = [(p, Place(turn @ at, np.radians(p.roll))) for p, at in found if at is not None]
    return sorted(placed, key=lambda pair: -float(np.linalg.norm(pair[1].centre)))


def _patch(scene: Scene, person: Person, time: float) -> Patch:
    if scene.rendered:
        return turning.patch(person.face, person.yaw(time))
    faces = real_faces()
    return faces[person.face % len(faces)]


def _behind(wall: Image, lens: CameraModel, yaw: float) -> Image:
    """Return the part of the background that the camera looks at."""
    room = wall.shape[1] - WIDTH
    left = float(np.clip(room / 2 + lens.fx * np.tan(yaw), 0, room))
    shift = np.array([[1.0, 0.0, -left], [0.0, 1.0, 0.0]])
    return np.asarray(cv2.warpAffine(wall, shift, (WIDTH, HEIGHT)), np.uint8)


_SLIDE = 0.1


def _cover(person: Person, time: float) -> float:
    """Return how much of a face is hidden, 0 to 1: it slides over it, and away, in 0.1 s."""
    shares = [min(time - a + _SLIDE, b + _SLIDE - time) / _SLIDE for a, b in person.hidden]
    return float(np.clip(max(shares, default=0.0), 0, 1))


def _paint_cover(image: Image, lens: CameraModel, wall: Image, place: Place, share: float) -> None:
    """Draw a board that has come over a face from the left, by `share` of its width."""
    x, y, z = place.centre
    radius = lens.fx * np.tan(place.angular_size / 2) * 1.7
    u, v = lens.fx * x / z + lens.cx, lens.fy * y / z + lens.cy
    x0, x1 = int(u - radius), int(u - radius + 2 * radius * share)
    y0, y1 = int(v - 1.3 * radius), int(v + 1.3 * radius)
    x0, x1 = (int(np.clip(w, 0, WIDTH)) for w in (x0, x1))
    y0, y1 = (int(np.clip(w, 0, HEIGHT)) for w in (y0, y1))
    if x0 < x1 and y0 < y1:
        part = wall[HEIGHT // 2 : HEIGHT // 2 + 60, 200:260] // 2 + 60
        image[y0:y1, x0:x1] = cv2.resize(part, (x1 - x0, y1 - y0))


def _truth(
    scene: Scene,
    lens: CameraModel,
    present: list[tuple[Person, Place]],
    time: float,
    gain: float,
) -> tuple[Truth, ...]:
    truth = []
    for i, (person, place) in enumerate(present):
        patch = _patch(scene, person, time)
        turn = place.rotation_patch_from_camera.T
        state = _state(lens, place, [p for _, p in present[i + 1 :]])
        if gain < DARK or (cover := _cover(person, time)) >= 1:
            state = HIDDEN
        elif cover > 0 and state == VISIBLE:
            state = UNSURE
        yaw = abs((person.yaw(time) + 180) % 360 - 180)
        if yaw > _PLAIN_YAW and state == VISIBLE:
            state = UNSURE
        if yaw > _NO_FACE_YAW:
            state = HIDDEN
        truth.append(
            Truth(
                scene.people.index(person),
                place.centre,
                turn @ patch.rotation_patch_from_face,
                place.angular_size,
                state,
            )
        )
    return tuple(truth)


def _state(lens: CameraModel, place: Place, nearer: list[Place]) -> str:
    """Return how plainly a face is to be seen beside the edge of the image and those before it."""
    if place.centre[2] < 0.2:
        return HIDDEN
    ray = place.centre / np.linalg.norm(place.centre)
    boxes, valid = boxes_of_spheres(lens, ray[None], place.angular_size)
    state = VISIBLE
    if not valid[0] or not lens.contains(boxes[0].reshape(2, 2)).all():
        inside = lens.contains(np.array([boxes[0].reshape(2, 2).mean(0)]))[0]
        state = UNSURE if valid[0] and inside else HIDDEN
    for other in nearer:
        apart = np.arccos(np.clip(ray @ other.centre / np.linalg.norm(other.centre), -1, 1))
        if apart < 0.5 * (1.5 * other.angular_size + place.angular_size):
            covered = apart < 0.5 * other.angular_size
            state = HIDDEN if covered or state == HIDDEN else UNSURE
    return state
