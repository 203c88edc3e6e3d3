# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the faces of a picture to the crops an estimator is given.

Sets without intrinsics get a nominal camera. It only carries squares of the image to the sampler
as directions and angles; nothing is turned by it, so its field of view does not matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from headpose_ros.evaluation.samples import Picture, TrueFace
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.face_frame import FACE_SPHERE_RADIUS, angular_size_from_distance
from headpose_ros.geometry.rays import angle_between
from headpose_ros.geometry.rotations import rotation_to_axis
from headpose_ros.geometry.sampling import Crops, sample_crops, sample_plain_crops
from headpose_ros.geometry.sphere_projection import pixels_per_radian
from headpose_ros.geometry.virtual_camera import crop_angles
from headpose_ros.typing import Array, Image

if TYPE_CHECKING:
    from headpose_ros.config import PipelineConfig
    from headpose_ros.detection.detector import Detector
    from headpose_ros.estimation.estimator import Estimator

NOMINAL_HFOV = math.radians(60.0)


@dataclass(frozen=True)
class Scene:
    """A picture in memory and the faces that it shows: their centre lies in the image.

    `known`: whether `camera` is the picture's own or the nominal one.
    """

    image: Image
    faces: tuple[TrueFace, ...]
    camera: CameraModel
    known: bool

    @staticmethod
    def of(picture: Picture, image: Image, hfov: float | None) -> Scene:
        """Take the picture's own lens, else a pinhole of `hfov` rad, else the nominal one.

        Raises ValueError where the lens is none, or a face is nearer than its own radius.
        """
        height, width = image.shape[:2]
        if picture.lens is None:
            camera = CameraModel.from_fov(width, height, hfov or NOMINAL_HFOV)
        else:
            camera = picture.lens.camera(width, height)
        faces = tuple(face for face in picture.faces if _is_shown(face, camera))
        return Scene(image, faces, camera, picture.lens is not None or hfov is not None)


def _is_shown(face: TrueFace, camera: CameraModel) -> bool:
    """Return whether a face's centre lies in the image; true where only landmarks are known."""
    if face.centre is None:
        return True
    distance = float(np.linalg.norm(face.centre))
    if distance <= FACE_SPHERE_RADIUS:
        raise ValueError(
            f'a face centre {distance:.3g} m from the camera: expected metres, and more than '
            f'{FACE_SPHERE_RADIUS}'
        )
    pixels, valid = camera.pixels(face.centre[None])
    return bool(valid[0] and camera.contains(pixels)[0])


@dataclass(frozen=True)
class Found:
    """Where the crop for a true face lies: its direction (3,) and the full angle it spans, rad.

    `up` (3,): camera frame, what shall point upwards in it; zero leaves that open.
    """

    face: TrueFace
    ray: Array
    crop_angle: float
    up: Array = field(default_factory=lambda: np.zeros(3))


class FaceFinder(Protocol):
    """Says where the true faces of a scene are; those it misses are left out."""

    def find(self, scene: Scene, estimator: Estimator) -> list[Found]:
        """Return the faces found."""
        ...


class TrueBoxes:
    """Crops from the truth, as design.md section 6 has them: the papers' protocol."""

    def find(self, scene: Scene, estimator: Estimator) -> list[Found]:
        """Return every face; ValueError where one has neither a position nor landmarks."""
        return [_true_box(scene, estimator, face) for face in scene.faces]


class DetectedBoxes:
    """Crops from a face detector; each true face takes the nearest one that covers its centre."""

    def __init__(self, detector: Detector, config: PipelineConfig) -> None:
        from headpose_ros.detection import FaceSearch

        self._search = FaceSearch(detector, config)

    def find(self, scene: Scene, estimator: Estimator) -> list[Found]:
        """Return the true faces that were detected, one detection each."""
        seen = self._search.find(scene.image, scene.camera)
        true = TrueBoxes().find(scene, estimator)
        if not len(seen) or not true:
            return []
        rays, angles = seen.rays, crop_angles(seen.angular_sizes, estimator.crop_scale)
        apart = angle_between(np.array([one.ray for one in true])[:, None], rays)
        reach = np.minimum(np.array([t.crop_angle for t in true])[:, None], angles[None]) / 2
        cost = np.where(apart < reach, apart, 1e3)
        return [
            Found(true[i].face, rays[j], float(angles[j]))
            for i, j in zip(*linear_sum_assignment(cost), strict=True)
            if apart[i, j] < reach[i, j]
        ]


def views_of_squares(camera: CameraModel, centres: ArrayLike, sides: Array) -> tuple[Array, Array]:
    """Return the rays (N,3) and angles (N,), rad, of which `sample_plain_crops` makes squares.

    `centres` (N,2), `sides` (N,): pixels.
    """
    rays = camera.rays(centres)
    return rays, 2 * np.arctan(sides / 2 / pixels_per_radian(camera, rays))


def perturbed(found: Found, scale: float, shift: Sequence[float]) -> Found:
    """Return the crop made larger by `scale` and moved by `shift` (right, down) of its side."""
    tangent = math.tan(found.crop_angle / 2)
    offset = np.array([2 * tangent * shift[0], 2 * tangent * shift[1], 1.0])
    ray = rotation_to_axis(found.ray).T @ (offset / np.linalg.norm(offset))
    return Found(found.face, ray, float(crop_angles(found.crop_angle, scale)))


def _true_box(scene: Scene, estimator: Estimator, face: TrueFace) -> Found:
    if face.centre is not None:
        distance = float(np.linalg.norm(face.centre))
        size = angular_size_from_distance(distance)
        return Found(face, face.centre / distance, float(crop_angles(size, estimator.crop_scale)))
    if face.landmarks is None:
        raise ValueError('a face has neither a position nor landmarks')
    low, high = face.landmarks.min(axis=0), face.landmarks.max(axis=0)
    side = np.max(high - low) * estimator.landmark_box_scale
    rays, angles = views_of_squares(scene.camera, [(low + high) / 2], np.array([side]))
    return Found(face, rays[0], float(angles[0]))


def crops_of(scene: Scene, found: Sequence[Found], size_px: int, rectify: bool) -> Crops:
    """Return the crops; plain squares of the image where the camera is not known."""
    rays = np.array([one.ray for one in found])
    angles = np.array([one.crop_angle for one in found])
    if rectify and scene.known:
        ups = np.array([one.up for one in found])
        return sample_crops(scene.image, scene.camera, rays, angles, size_px, ups=ups)
    return sample_plain_crops(scene.image, scene.camera, rays, angles, size_px)
