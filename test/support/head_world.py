# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A world without pixels: heads with known motion, a search and an estimator that see them.

A near head hides one behind it, as in a real image, and the estimator reads whichever face is
nearest to the middle of its crop. Errors are added where a test asks for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.face_frame import FACE_SPHERE_RADIUS, face_centre_from_sellion
from headpose_ros.geometry.rotations import matrix_from_vector
from headpose_ros.heads import Estimates, Faces
from headpose_ros.pipeline import HeadPosePipeline
from headpose_ros.result import FrameResult

CAMERA = CameraModel.from_fov(640, 480, np.radians(70.0))
IMAGE = np.zeros((480, 640, 3), np.uint8)
FRONTAL = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
"""rotation_camera_from_face of a head upright and facing a camera straight ahead."""


CAPTURE_RADIUS = 0.45
"""Face radii between a face and its crop's middle from which on networks do not see it: measured
with the shipped ones, see `pose_network.CAPTURE_RADIUS`."""

TURNED_AWAY = np.cos(np.radians(100.0))
READABLE_SIGMA = 0.2
"""Heads turned farther from the camera are seen, but their pose is not read: sigma says so."""


@dataclass
class Person:
    """`sellion(t)` (3,) metres, `rotation(t)` (3,3) camera from face; `there(t)`."""

    name: str
    sellion: Callable[[float], np.ndarray]
    rotation: Callable[[float], np.ndarray] = lambda t: FRONTAL
    there: Callable[[float], bool] = lambda t: True
    head_scale: float = 1.0
    score: float = 0.95

    def centre(self, t):
        return face_centre_from_sellion(self.rotation(t), self.sellion(t))


def walking(name, start, velocity, **options):
    start, velocity = np.array(start, float), np.array(velocity, float)
    return Person(name, lambda t: start + velocity * t, **options)


def turning(axis, rate, frontal_at=0.0):
    """Return a rotation(t) that turns about a camera axis at `rate` rad/s."""
    axis = np.array(axis, float)
    return lambda t: matrix_from_vector(axis * rate * (t - frontal_at)) @ FRONTAL


@dataclass
class World:
    """What is to be seen at time `now`; also counts the calls."""

    people: list[Person]
    now: float = 0.0
    ray_noise: float = 0.0
    size_noise: float = 0.0
    rotation_noise: float = 0.0
    miss_rate: float = 0.0
    seed: int = 0
    searches: list[float] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    result: FrameResult | None = None

    def __post_init__(self):
        self.random = np.random.default_rng(self.seed)

    @property
    def names(self):
        return [person.name for person in self.people]

    def visible(self):
        """Return [(person, ray, angular size)] of those not hidden, at `now`."""
        seen = []
        for person in self.people:
            centre = person.centre(self.now)
            distance = np.linalg.norm(centre)
            size = 2 * np.arcsin(person.head_scale * FACE_SPHERE_RADIUS / distance)
            if person.there(self.now) and CAMERA.contains(CAMERA.pixels(centre[None])[0])[0]:
                seen.append((distance, person, centre / distance, size))
        seen.sort(key=lambda entry: entry[0])
        front = []
        for _, person, ray, size in seen:
            # A face is gone when its centre is well behind another's head.
            if all(np.arccos(np.clip(ray @ r, -1, 1)) > 0.42 * s for _, r, s in front):
                front.append((person, ray, size))
        return front

    def _noisy(self, ray, size):
        ray = ray + self.ray_noise * size / 2 * self.random.standard_normal(3)
        return (
            ray / np.linalg.norm(ray),
            size * np.exp(self.size_noise * self.random.standard_normal()),
        )


class FakeSearch:
    parts = 1

    def __init__(self, world):
        self.world = world

    def find(self, image_bgr, camera, config, up=None):
        self.world.searches.append(self.world.now)
        found = [
            (*self.world._noisy(ray, size), person.score)
            for person, ray, size in self.world.visible()
            if self.world.random.random() >= self.world.miss_rate
            and person.score >= config.score_threshold
        ]
        if not found:
            return Faces.none()
        rays, sizes, scores = zip(*found, strict=True)
        return Faces(np.array(rays), np.array(sizes), np.array(scores))


class FakeEstimator:
    """Knows the crops' rays from the pipeline's call of `crop_angles`, through `spy`."""

    name = 'fake'
    crop_px = 16
    crop_scale = 1.5
    landmark_box_scale = 1.4
    capture_radius = CAPTURE_RADIUS

    def __init__(self, world, refines=True):
        self.world = world
        self.refines = refines
        self.cameras = None

    def confidences(self, estimates):
        sigma = np.linalg.norm(estimates.rotation_sigma, axis=1)
        return np.where(sigma > READABLE_SIGMA, 0.02, estimates.face_probability)

    def estimate(self, crops, crop_angles):
        self.world.batches.append(len(crops))
        rows = [self._one(i, angle) for i, angle in enumerate(crop_angles)]
        columns = [np.array(column, float) for column in zip(*rows, strict=True)]
        return Estimates(*columns)

    def _one(self, i, crop_angle):
        turn = self.cameras.rotation_virtual_from_camera[i]
        middle = turn[2]
        crop_size = 2 * np.arctan(np.tan(crop_angle / 2) / self.crop_scale)
        best = min(self.world.visible(), key=lambda v: -(v[1] @ middle), default=None)
        sigma = np.full(3, 0.05)
        nothing = turn @ FRONTAL, sigma, (0, 0, 1), crop_size, 1.0
        if best is None:
            return *nothing, 0.02
        person, ray, size = best
        offset = np.arccos(np.clip(ray @ middle, -1, 1)) / (size / 2)
        if offset > CAPTURE_RADIUS:
            return *nothing, 0.38 if offset < CAPTURE_RADIUS + 0.05 else 0.03
        if -person.rotation(self.world.now)[:, 0] @ ray < TURNED_AWAY:
            sigma = np.full(3, 0.35)
        rotation = person.rotation(self.world.now)
        if self.world.rotation_noise:
            vector = self.world.rotation_noise * self.world.random.standard_normal(3)
            rotation = matrix_from_vector(vector) @ rotation
        if not self.refines:
            return turn @ rotation, sigma, (0, 0, 1), crop_size, 1.0, np.nan
        ray, size = self.world._noisy(ray, size)
        return turn @ rotation, sigma, turn @ ray, size, person.head_scale, 0.98


def make_pipeline(world, monkeypatch, refines=True, **options):
    """Return a pipeline that looks into `world`, through crops that carry no pixels."""
    from headpose_ros import crops as module
    from headpose_ros.geometry.sampling import Crops
    from headpose_ros.geometry.virtual_camera import VirtualCameras

    estimator = FakeEstimator(world, refines)

    def sample(image, camera, rays, angles, size_px, *, ups, device=None):
        estimator.cameras = VirtualCameras.look_along(rays, angles, size_px, ups)
        crops = np.zeros((len(rays), size_px, size_px, 3), np.uint8)
        return Crops(crops, np.ones(len(rays)), estimator.cameras)

    monkeypatch.setattr(module, 'sample_crops', sample)
    options.setdefault('smoothing', False)
    return HeadPosePipeline(
        PipelineConfig(**options), search=FakeSearch(world), estimator=estimator
    )


def play(pipeline, world, times, depth=None):
    """Process images at `times`; yield (time, {name of the person nearest to it: Head}).

    `world.result` is what the pipeline returned for the newest.

    While two people are less than 0.35 m apart nobody can say which of them a noisy head is: then
    theirs are left out.
    """
    for t in times:
        world.now = float(t)
        depth_now = depth(world) if depth else None
        result = pipeline.process(IMAGE, CAMERA, stamp=float(t), depth=depth_now)
        world.result = result
        places = {person.name: person.sellion(world.now) for person in world.people}
        named = {}
        for head in result:
            name = min(places, key=lambda n: np.linalg.norm(places[n] - head.position))
            gaps = [np.linalg.norm(places[n] - places[name]) for n in places if n != name]
            if min(gaps, default=1.0) < 0.35:
                continue
            assert name not in named, 'two heads for one person'
            named[name] = head
        yield float(t), named
