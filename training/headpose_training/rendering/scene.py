# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several people before a camera of any lens: each rendered by a pinhole, put together by rays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry import CameraModel, rotation_to_axis
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.face_frame import (
    FACE_SPHERE_RADIUS,
    face_centre_from_sellion,
    sellion_from_face_centre,
)
from headpose_ros.typing import Array, Image
from headpose_training.head_model import ROTATION_FACE_FROM_MODEL
from headpose_training.rendering import photo
from headpose_training.rendering.background import Backgrounds
from headpose_training.rendering.camera import SquareCamera
from headpose_training.rendering.crops import (
    random_angles,
    random_torso,
)
from headpose_training.rendering.lighting import Lighting, random_lighting
from headpose_training.rendering.noise import Float
from headpose_training.rendering.person import Person, Pose
from headpose_training.rendering.view import Picture, photograph

REACH = 0.65
"""Metres around the chest that are rendered of a person."""
WIDEST_PATCH = np.deg2rad(64.0)
"""Half angle of the widest patch: what is nearer to the camera is cut off there."""
FARTHEST_OFF_AXIS = np.deg2rad(75.0)


@dataclass(frozen=True, eq=False)
class Placed:
    """A person and a pose, both in the scene camera's frame."""

    person: Person
    pose: Pose


class SceneCamera:
    """A lens with its rays, worked out once."""

    def __init__(self, model: CameraModel) -> None:
        self.model = model
        v, u = np.mgrid[: model.height, : model.width]
        pixels = np.stack([u, v], -1).reshape(-1, 2)
        rays, valid = model.rays_and_validity(pixels)
        self.rays = rays.reshape(model.height, model.width, 3).astype(np.float32)
        self.valid = valid.reshape(model.height, model.width)

    @cached_property
    def density(self) -> float:
        """The finest resolution anywhere in the image, pixels a rad."""
        across = self.rays[:, 1:] * self.rays[:, :-1]
        cosine = np.clip(across.sum(axis=-1, dtype=np.float64), -1, 1)
        both = self.valid[:, 1:] & self.valid[:, :-1]
        return float(1 / np.quantile(np.arccos(cosine)[both], 0.05))


def _patch(
    camera: SceneCamera, placed: Placed, lighting: Lighting
) -> tuple[Array, Picture, SquareCamera]:
    """Render a person straight ahead: rotation_virtual_from_camera, the picture, its camera."""
    pose = placed.pose
    middle = face_centre_from_sellion(pose.rotation_camera_from_face, pose.sellion) + [0, 0.35, 0]
    distance = float(np.linalg.norm(middle))
    turn = rotation_to_axis((middle / distance)[None])[0]
    half = min(float(np.arctan(REACH / max(distance - 0.1, 0.05))), WIDEST_PATCH)
    size = int(np.ceil(2 * np.tan(half) * camera.density)) + 4
    turned = Pose(
        turn @ pose.rotation_camera_from_face,
        turn @ pose.sellion,
        turn @ pose.rotation_camera_from_torso,
        pose.expression,
        pose.gaze,
    )
    pinhole = SquareCamera(0.5 * size / np.tan(half), size)
    return turn, photograph(placed.person, turned, pinhole, lighting.turned(turn)), pinhole


def compose(
    camera: SceneCamera, people: list[Placed], lighting: Lighting
) -> tuple[Float, Float, NDArray[np.bool_]]:
    """Return the light (H,W,3) of all people times coverage, the coverage (H,W), and their skin.

    The nearer hides the farther; `lighting` is in the camera's frame.
    """
    h, w = camera.model.height, camera.model.width
    light, coverage = np.zeros((h, w, 3), np.float32), np.zeros((h, w), np.float32)
    skin = np.zeros((h, w), np.bool_)
    order = sorted(people, key=lambda p: -float(np.linalg.norm(p.pose.sellion)))
    for placed in order:
        turn, picture, pinhole = _patch(camera, placed, lighting)
        ahead = camera.rays @ turn[2].astype(np.float32)
        edge = np.cos(np.arctan(np.sqrt(2) * 0.5 * pinhole.size / pinhole.focal))
        rows = np.flatnonzero((ahead > edge).any(axis=1))
        columns = np.flatnonzero((ahead > edge).any(axis=0))
        if len(rows) == 0:
            continue
        window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        rays = camera.rays[window] @ turn.T.astype(np.float32)
        z = np.where(rays[..., 2] > 0.05, rays[..., 2], np.nan)
        at = rays[..., :2] / z[..., None] * np.float32(pinhole.focal) + np.float32(pinhole.centre)
        at = np.nan_to_num(at, nan=-1e4).astype(np.float32)
        drawn = np.dstack([picture.light, picture.coverage, picture.skin.astype(np.float32)])
        got = _remap(drawn, at)
        got *= camera.valid[window][..., None]
        rest = 1 - got[..., 3]
        light[window] = got[..., :3] + light[window] * rest[..., None]
        coverage[window] = got[..., 3] + coverage[window] * rest
        skin[window] = np.where(got[..., 3] > 0.5, got[..., 4] > 0.5, skin[window])
    return light, coverage, skin


def _remap(image: Float, at: Float) -> Float:
    """Sample the five channels of an image; OpenCV takes four at once. Zero outside."""
    front = cv2.remap(np.ascontiguousarray(image[..., :4]), at, None, cv2.INTER_LINEAR)
    return np.dstack([front, cv2.remap(image[..., 4].copy(), at, None, cv2.INTER_LINEAR)])


def random_people(
    rng: np.random.Generator, camera: CameraModel, people: list[Person], nearest: float = 0.5
) -> list[Placed]:
    """Place people in the image, apart from each other, up to `FARTHEST_OFF_AXIS`."""
    placed: list[Placed] = []
    taken: list[tuple[Array, float]] = []
    for person in people:
        for _ in range(60):
            margin = 0.04
            pixel = rng.uniform(margin, 1 - margin, 2) * [camera.width, camera.height]
            rays, valid = camera.rays_and_validity(pixel[None])
            ray = rays[0]
            distance = float(np.exp(rng.uniform(np.log(nearest), np.log(4.0))))
            radius = float(np.arcsin(min(0.9, 1.3 * FACE_SPHERE_RADIUS / distance)))
            if not valid[0] or np.arccos(ray[2]) > FARTHEST_OFF_AXIS:
                continue
            if all(np.arccos(np.clip(ray @ r, -1, 1)) > radius + s for r, s in taken):
                taken.append((ray, radius))
                placed.append(Placed(person, _random_pose(rng, person, ray * distance)))
                break
    return placed


def _random_pose(rng: np.random.Generator, person: Person, centre: Array) -> Pose:
    """Draw a pose of an upright person whose zero looks at the camera's place."""
    azimuth = float(np.arctan2(centre[0], centre[2]))
    upright = cv2.Rodrigues(np.array([[0.0], [azimuth], [0.0]]))[0]
    angles = random_angles(rng)
    rotation = upright @ matrix_from_euler(*angles)
    return Pose(
        rotation,
        sellion_from_face_centre(rotation, centre),
        upright @ random_torso(rng, *angles),
        person.random_expression(rng),
        (float(rng.normal(0, 0.25)), float(rng.normal(0, 0.1))),
    )


def take_picture(
    rng: np.random.Generator,
    camera: SceneCamera,
    people: list[Placed],
    backgrounds: Backgrounds,
) -> Image:
    """Photograph people in a random light and place; (H,W,3) BGR, black where the lens ends."""
    lighting = random_lighting(rng)
    light, coverage, skin = compose(camera, people, lighting)
    target = float(np.exp(rng.normal(np.log(0.22), 0.4)))
    light = photo.expose(light, skin if skin.any() else coverage > 0.5, target)
    backdrop = photo.to_linear(backgrounds.draw(rng, camera.model.width, camera.model.height))
    both = (light + backdrop * (1 - coverage[..., None])) * camera.valid[..., None]
    both = photo.blur_lens(rng, both.astype(np.float32), 2.5)
    return photo.compress(rng, photo.develop(rng, both))


def standing(yaw: float) -> Array:
    """Return rotation_camera_from_torso of someone upright who faces the camera but for `yaw`."""
    return matrix_from_euler(yaw, 0.0, 0.0) @ ROTATION_FACE_FROM_MODEL
