# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training crops: how people hold their heads, where the crop's camera looks, what it gets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.face_frame import (
    angular_size_from_distance,
    face_centre_from_sellion,
    sellion_from_face_centre,
)
from headpose_ros.typing import Array, Image
from headpose_training.head_model import ROTATION_FACE_FROM_MODEL
from headpose_training.rendering import photo
from headpose_training.rendering.background import Backgrounds
from headpose_training.rendering.camera import SquareCamera
from headpose_training.rendering.lighting import random_lighting
from headpose_training.rendering.person import Appearance, Person, Pose
from headpose_training.rendering.view import photograph

NEAREST, FARTHEST = 0.25, 6.0
"""Range of the distance from the camera to the face centre, metres."""
YAW_LIMIT, PITCH_LIMIT, ROLL_LIMIT = np.deg2rad([100.0, 75.0, 75.0])


@dataclass(frozen=True, eq=False)
class Crop:
    """A picture of a head by a camera that looks at it, and its truth.

    `image` (S,S,3) BGR. All truth is in the crop's own camera: `rotation_virtual_from_face`
    (3,3), `sellion` (3,) metres, `face_centre_px` (2,), `landmarks` (68,2) px. `angular_size` is
    that of the face sphere at its true distance whatever the head's own size; `crop_angle` spans
    the image. `face`: false where there is none, and the truth is void (NaN).
    """

    image: Image
    face: bool
    rotation_virtual_from_face: Array
    sellion: Array
    angular_size: float
    crop_angle: float
    face_centre_px: Array
    landmarks: Array
    visible: NDArray[np.bool_]
    light: str
    appearance: Appearance | None


def random_angles(rng: np.random.Generator) -> tuple[float, float, float]:
    """Draw yaw, pitch, roll (rad): the full range, most where people look."""
    kind = rng.random()
    yaw = (
        rng.normal(0, 25)
        if kind < 0.45
        else rng.uniform(-75, 75)
        if kind < 0.8
        else rng.uniform(-100, 100)
    )
    kind = rng.random()
    pitch = (
        rng.normal(-2, 12)
        if kind < 0.55
        else rng.normal(0, 25)
        if kind < 0.88
        else rng.uniform(-75, 75)
    )
    kind = rng.random()
    roll = (
        rng.normal(0, 7)
        if kind < 0.6
        else rng.normal(0, 22)
        if kind < 0.88
        else rng.uniform(-75, 75)
    )
    limits = (YAW_LIMIT, PITCH_LIMIT, ROLL_LIMIT)
    return tuple(
        float(np.clip(np.deg2rad(a), -m, m))  # type: ignore[return-value]
        for a, m in zip((yaw, pitch, roll), limits, strict=True)
    )


def random_torso(rng: np.random.Generator, yaw: float, pitch: float, roll: float) -> Array:
    """Draw rotation_camera_from_torso (axes of the model frame) for a head held like this."""
    turn = np.clip(yaw * rng.uniform(0, 0.8) + rng.normal(0, 0.25), yaw - 1.3, yaw + 1.3)
    nod = np.clip(pitch * rng.uniform(0, 0.4) + rng.normal(0, 0.1), pitch - 0.8, pitch + 0.8)
    lean = np.clip(roll * rng.uniform(0, 0.5) + rng.normal(0, 0.06), roll - 0.6, roll + 0.6)
    return matrix_from_euler(float(turn), float(nod), float(lean)) @ ROTATION_FACE_FROM_MODEL


def random_distance(rng: np.random.Generator) -> float:
    """Draw a distance in metres: every scale alike, arm's length to a room a little more."""
    low, high = (0.4, 3.0) if rng.random() < 0.4 else (NEAREST, FARTHEST)
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def draw_crop(
    rng: np.random.Generator, person: Person, size: int, backgrounds: Backgrounds
) -> Crop:
    """Photograph a person in a random pose, place and light."""
    angles = random_angles(rng)
    rotation = matrix_from_euler(*angles)
    distance = random_distance(rng)
    scale = person.appearance.head_scale
    apparent = float(angular_size_from_distance(distance, scale))
    spread = float(np.tan(apparent / 2)) * rng.uniform(1.35, 1.55)
    camera = SquareCamera(0.5 * size / spread, size)
    # the crop's camera looks a little beside the face
    offset = np.clip(rng.normal(0, 0.07, 2), -0.18, 0.18) * spread
    centre = np.array([offset[0], offset[1], 1.0])
    centre *= distance / np.linalg.norm(centre)
    sellion = sellion_from_face_centre(rotation, centre)
    pose = Pose(
        rotation,
        sellion,
        random_torso(rng, *angles),
        person.random_expression(rng),
        (float(rng.normal(0, 0.25)), float(rng.normal(-0.03, 0.12))),
    )
    lighting = random_lighting(rng)
    picture = photograph(person, pose, camera, lighting)
    backdrop = backgrounds.draw(rng, size, size)
    image = finish(
        rng,
        picture.light,
        picture.coverage,
        picture.skin,
        backdrop,
        float(person.complexion.albedo[1]),
    )
    return Crop(
        image,
        True,
        rotation,
        sellion,
        float(angular_size_from_distance(distance)),
        camera.angle,
        camera.pixels(face_centre_from_sellion(rotation, sellion)),
        picture.landmarks.astype(float),
        picture.visible,
        lighting.kind,
        person.appearance,
    )


def finish(
    rng: np.random.Generator,
    light: NDArray[np.float32],
    coverage: NDArray[np.float32],
    metered: NDArray[np.bool_],
    backdrop: Image,
    albedo: float = 0.3,
) -> Image:
    """Expose a head, lay it over a background, and do to both what cameras do.

    `albedo`: of what is metered; cameras meter the scene, so that dark skin stays darker.
    """
    target = float(np.exp(rng.normal(np.log(0.22), 0.5)) * (albedo / 0.3) ** 0.35)
    light = photo.expose(
        light, metered if metered.sum() > 20 else coverage > 0.5, min(target, 0.75)
    )
    behind = photo.to_linear(backdrop) * np.float32(np.exp(rng.normal(0, 0.3)))
    both = light + behind * (1 - coverage[..., None])
    both = photo.blur_lens(rng, both, 0.035 * len(light))
    image = photo.develop(rng, both)
    if rng.random() < 0.06:
        image = photo.cover_part(rng, image)
    return photo.degrade(rng, image)


def draw_negative(
    rng: np.random.Generator, person: Person, size: int, backgrounds: Backgrounds
) -> Crop:
    """Photograph no face: a background, the back of a head, or a body beside the crop's middle."""
    kind = rng.random()
    angle, lighting = float(rng.uniform(0.05, 0.9)), random_lighting(rng)
    backdrop = backgrounds.draw(rng, size, size)
    if kind < 0.4:
        blurred = photo.blur_lens(rng, photo.to_linear(backdrop), 0.035 * size)
        image = photo.degrade(rng, photo.develop(rng, blurred))
        return _without_truth(image, angle, lighting.kind, None)
    camera, pose = _faceless(rng, person, size, aside=kind < 0.7)
    picture = photograph(person, pose, camera, lighting)
    image = finish(rng, picture.light, picture.coverage, picture.coverage > 0.5, backdrop)
    return _without_truth(image, camera.angle, lighting.kind, person.appearance)


def _faceless(
    rng: np.random.Generator, person: Person, size: int, aside: bool
) -> tuple[SquareCamera, Pose]:
    """Draw a view of a head's back; `aside`: of shoulders or hair, the face well outside."""
    yaw = float(np.pi + rng.uniform(-0.6, 0.6))
    rotation = matrix_from_euler(yaw, float(rng.normal(0, 0.2)), float(rng.normal(0, 0.15)))
    distance = random_distance(rng)
    apparent = float(angular_size_from_distance(distance))
    spread = float(np.tan(apparent / 2)) * rng.uniform(1.2, 1.9)
    centre = np.array([*(rng.normal(0, 0.1, 2) * spread), 1.0]) * distance
    if aside:
        yaw = float(rng.uniform(-1.5, 1.5))
        rotation = matrix_from_euler(yaw, 0.0, 0.0)
        side = rng.uniform(0, 2 * np.pi)
        away = 1.9 + rng.uniform(0, 0.6)
        place = [np.cos(side) * spread * away, np.sin(side) * spread * away, 1.0]
        centre = np.array(place) * distance
    torso = matrix_from_euler(yaw, 0.0, 0.0) @ ROTATION_FACE_FROM_MODEL
    sellion = sellion_from_face_centre(rotation, centre)
    pose = Pose(rotation, sellion, torso, person.random_expression(rng))
    return SquareCamera(0.5 * size / spread, size), pose


def _without_truth(image: Image, angle: float, light: str, who: Appearance | None) -> Crop:
    void = np.full((3, 3), np.nan)
    return Crop(
        image=image,
        face=False,
        rotation_virtual_from_face=void,
        sellion=void[0],
        angular_size=np.nan,
        crop_angle=angle,
        face_centre_px=void[0, :2],
        landmarks=np.full((68, 2), np.nan),
        visible=np.zeros(68, bool),
        light=light,
        appearance=who,
    )
