# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rendered pictures of people all around a fisheye, in the posed format.

Unlike the training's, which are to be hard: faces are free (no masks, dark glasses, strands of
hair), in the light of a room, at 0.6 to 2.5 m, and more of them far off axis than near it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.evaluation.posed_files import pose_row, write_rows
from headpose_ros.geometry import CameraModel, boxes_of_spheres, rotation_to_axis
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.face_frame import angular_size_from_distance, sellion_from_face_centre
from headpose_ros.typing import Image
from headpose_training.head_model import HeadModel
from headpose_training.rendering import photo
from headpose_training.rendering.background import Backgrounds
from headpose_training.rendering.camera import SquareCamera
from headpose_training.rendering.head_parts import HeadParts
from headpose_training.rendering.lighting import Lighting
from headpose_training.rendering.person import HELD_OUT_IDENTITIES, Person, Pose
from headpose_training.rendering.scene import Placed, SceneCamera, compose, standing
from headpose_training.rendering.view import photograph

NEAREST, FARTHEST = 0.6, 2.5
RINGS = (0, 15, 30, 45, 60, 75)
"""Edges of the rings off axis, degrees."""
_OFTEN = np.array([1, 1, 1, 1, 2]) / 6  # how often a face is in each ring
YAW, PITCH, ROLL = np.radians([60.0, 20.0, 15.0])
_MIN_VISIBLE = 0.75
_INNER = slice(17, 68)  # landmarks but for the outline, half of which a turned head hides


def fisheye(width: int = 1280, height: int = 960) -> CameraModel:
    """Return a lens that spans about 180 degrees across the image and 130 down."""
    f = width * 0.331
    centre = ((width - 1) / 2, (height - 1) / 2)
    d = (-0.012, 0.004, -0.002, 0.0002)
    return CameraModel(width, height, f, f, *centre, 0.0, 'equidistant', d)


@dataclass(frozen=True)
class Scene:
    """A picture (H,W,3) BGR, its camera, and who is where."""

    image: Image
    camera: CameraModel
    people: list[Placed]


class SceneMaker:
    """Makes scene number k of `people` people, always the same; other ones for each `seed`."""

    def __init__(self, camera: CameraModel, people: int, seed: int) -> None:
        self._parts = HeadParts(HeadModel.load())
        self._camera = SceneCamera(camera)
        self._people = people
        self._seed = seed

    def scene(self, number: int) -> Scene:
        """Return one scene."""
        rng = np.random.default_rng([number, self._seed])
        model = self._camera.model
        people: list[Placed] = []
        while len(people) < self._people:
            person = self._person(rng)
            placed = Placed(person, _pose(rng, person, _place(rng, model)))
            if _fits(model, placed, people) and _share_visible(placed) >= _MIN_VISIBLE:
                people.append(placed)
        light, coverage, skin = compose(self._camera, people, _room_light(rng))
        light = photo.expose(light, skin if skin.any() else coverage > 0.5, 0.25)
        room = photo.to_linear(Backgrounds().room(rng, model.width, model.height))
        both = light + room * (1 - coverage[..., None])
        both = np.clip(both * self._camera.valid[..., None], 0, 1) ** np.float32(1 / 2.2) * 255
        both += rng.standard_normal(both.shape, np.float32) * 2
        return Scene(np.clip(both + 0.5, 0, 255).astype(np.uint8), model, people)

    def _person(self, rng: np.random.Generator) -> Person:
        while True:
            seed = HELD_OUT_IDENTITIES + int(rng.integers(HELD_OUT_IDENTITIES))
            person = Person(self._parts, seed, plain=True)
            about = person.appearance
            if not (about.mask or about.cover or about.glasses == 'dark'):
                return person


def write_scenes(folder: Path, maker: SceneMaker, count: int) -> None:
    """Write scenes 0 to `count` - 1 and poses.csv into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for k in range(count):
        scene, name = maker.scene(k), f'{k:06d}.png'
        cv2.imwrite(str(folder / name), scene.image)
        rows += [
            pose_row(name, scene.camera, p.pose.rotation_camera_from_face, p.pose.sellion)
            | {'head_scale': p.person.appearance.head_scale}
            for p in scene.people
        ]
    write_rows(folder / 'poses.csv', rows, ('head_scale',))


def _place(rng: np.random.Generator, camera: CameraModel) -> NDArray[np.float64]:
    """Draw the centre (3,) of a face whose sphere the image shows whole."""
    ring = int(rng.choice(len(_OFTEN), p=_OFTEN))
    while True:
        off_axis = np.radians(rng.uniform(RINGS[ring], RINGS[ring + 1]))
        azimuth = rng.uniform(-np.pi, np.pi)
        distance = float(np.exp(rng.uniform(np.log(NEAREST), np.log(FARTHEST))))
        across = np.sin(off_axis)
        ray = np.array([across * np.cos(azimuth), across * np.sin(azimuth), np.cos(off_axis)])
        box, valid = boxes_of_spheres(camera, ray[None], angular_size_from_distance(distance))
        if valid[0] and camera.contains(box.reshape(2, 2)).all():
            return ray * distance


def _pose(rng: np.random.Generator, person: Person, centre: NDArray[np.float64]) -> Pose:
    """Draw the pose of an upright person who more or less looks at the camera."""
    azimuth = float(np.arctan2(centre[0], centre[2]))
    elevation = float(np.arctan2(-centre[1], np.hypot(centre[0], centre[2])))
    upright = cv2.Rodrigues(np.array([[0.0], [azimuth], [0.0]]))[0]
    yaw, pitch, roll = rng.uniform(-1, 1, 3) * [YAW, PITCH, ROLL]
    rotation = upright @ matrix_from_euler(yaw, pitch - elevation, roll)
    return Pose(
        rotation,
        sellion_from_face_centre(rotation, centre),
        upright @ standing(0.5 * yaw),
        person.random_expression(rng),
    )


def _fits(camera: CameraModel, new: Placed, others: list[Placed]) -> bool:
    """Tell whether neither hides the other's face: head and shoulders of both are apart."""
    for other in others:
        near, far = sorted((new, other), key=lambda p: float(np.linalg.norm(p.pose.sellion)))
        head = far.pose.sellion / np.linalg.norm(far.pose.sellion)
        for below, radius in ((0.0, 0.2), (0.25, 0.3), (0.5, 0.4)):
            body = near.pose.sellion + [0.0, below, 0.0]
            distance = float(np.linalg.norm(body))
            apart = np.arccos(np.clip(head @ body / distance, -1, 1))
            size = angular_size_from_distance(np.linalg.norm(far.pose.sellion)) / 2
            if apart < np.arcsin(min(radius / distance, 1.0)) + size:
                return False
    return True


def _share_visible(placed: Placed) -> float:
    """Return how many of the inner landmarks a camera that looks at the face would see."""
    pose = placed.pose
    turn = rotation_to_axis(pose.sellion[None])[0]
    turned = Pose(
        turn @ pose.rotation_camera_from_face,
        turn @ pose.sellion,
        turn @ pose.rotation_camera_from_torso,
        pose.expression,
    )
    size = 1.6 * float(angular_size_from_distance(np.linalg.norm(pose.sellion)))
    camera = SquareCamera.spanning(size, 96)
    picture = photograph(placed.person, turned, camera, _room_light(None), samples=1)
    return float(picture.visible[_INNER].mean())


def _room_light(rng: np.random.Generator | None) -> Lighting:
    """Return a lamp somewhere behind the camera, and white walls."""
    x, y = (0.3, -0.5) if rng is None else rng.uniform((-0.8, -0.8), (0.8, -0.1))
    direction = np.array([x, y, -0.8]) / np.linalg.norm([x, y, -0.8])
    light = np.array([[*direction, 0.7, 0.7, 0.7]], np.float32)
    ambient = np.array([[0.45] * 3, [0.0] * 3, [-0.1] * 3, [0.0] * 3], np.float32)
    return Lighting(light, ambient, 2.0, 'front')
