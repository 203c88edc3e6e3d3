# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scenes without images: the script's poses with the pipeline's measured errors on them.

Hours of people in minutes. What the network makes of a face is not in it beyond those errors; the
rendered scenes have that.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.geometry.face_frame import (
    FACE_CENTRE_IN_FACE,
    FACE_SPHERE_RADIUS,
    angular_size_from_distance,
    facing_angle,
)
from headpose_ros.geometry.rays import off_axis_angle
from headpose_ros.geometry.rotations import matrix_from_vector
from headpose_ros.heads import Head, Roi
from headpose_ros.result import FrameResult
from headpose_ros.tracking.distance import HEAD_SIZE_SIGMA, SIZE_SIGMA
from headpose_ros.tracking.smoothing import HeadSmoother, Smoothing
from headpose_ros.tracking.uncertainty import pose_covariance
from headpose_ros.typing import Array

from .actors import Actor
from .errors import NAMES, SIGMA, Error
from .scenes import Scene


def results(scene: Scene, errors: dict[str, Error]) -> Iterator[FrameResult]:
    """Yield the results of a scene, as the pipeline with these `errors` would give them."""
    simulated = [
        _Simulated(f'f{number:04d}', actor, errors, [scene.seed, number])
        for number, actor in enumerate(scene.actors, 1)
    ]
    for k in range(round(scene.seconds * scene.rate)):
        time = k / scene.rate
        turn = scene.swaying.rotation_fixed_from_camera(time).T
        heads = tuple(one.head(time, turn, 1.0 / scene.rate) for one in simulated)
        ids = frozenset(head.id for head in heads)
        yield FrameResult(heads, heads[0].id, time, followed_ids=ids)


class _Simulated:
    """One actor as the pipeline would see them."""

    def __init__(self, id: str, actor: Actor, errors: dict[str, Error], seed: list[int]) -> None:
        self._id, self._actor = id, actor
        self._rng = np.random.default_rng([29, *seed])
        self._lasting = self._rng.normal(size=len(NAMES) + 1)
        self._fresh_sigma, self._lasting_sigma, self._memory = (
            np.array([getattr(errors[name], part) for name in (*NAMES, NAMES[-1])])
            for part in ('fresh', 'lasting', 'memory')
        )
        self._smoother = HeadSmoother()

    def head(self, time: float, turn: Array, period: float) -> Head:
        """Return the head at a time; `turn` (3,3): to the camera's frame from the level one."""
        actor = self._actor
        centre = turn @ actor.centre(time)
        distance = float(np.linalg.norm(centre))
        *wrong, log, across, upwards = self._wrong(period)
        rotation = turn @ actor.rotation(time) @ matrix_from_vector(np.array(wrong))
        size = float(angular_size_from_distance(distance, actor.head_size))
        shift = np.array([across, upwards, 0.0]) * FACE_SPHERE_RADIUS / distance
        ray = centre / distance + shift
        ray = ray / np.linalg.norm(ray)
        log_distance = float(np.log(distance / actor.head_size) + log)
        config = PipelineConfig()
        setting = Smoothing(config.smoothing_min_cutoff, config.smoothing_beta)
        smooth, smooth_ray, smooth_log = self._smoother.update(
            rotation, ray, log_distance, size, period, setting
        )
        arm = -(smooth @ FACE_CENTRE_IN_FACE)
        position = np.exp(smooth_log) * smooth_ray + arm
        return Head(
            id=self._id,
            rotation_camera_from_face=smooth,
            position=position,
            covariance=pose_covariance(
                SIGMA**2 * np.eye(3),
                smooth_ray,
                float(np.exp(smooth_log)),
                float(np.hypot(HEAD_SIZE_SIGMA, SIZE_SIGMA)),
                size,
                arm,
                1.0,
                1.0,
            ),
            confidence=1.0,
            roi=Roi(0, 0, 100, 100),
            off_axis_angle=float(off_axis_angle(ray)),
            facing_angle=float(facing_angle(smooth, position)),
            measured_rotation_camera_from_face=rotation,
            measured_position=np.exp(log_distance) * ray - rotation @ FACE_CENTRE_IN_FACE,
        )

    def _wrong(self, period: float) -> Array:
        """Return the errors of this image: as NAMES has them, with `across` both ways."""
        keep = np.exp(-period / self._memory)
        new = self._rng.normal(size=(2, len(NAMES) + 1))
        self._lasting = keep * self._lasting + np.sqrt(1.0 - keep**2) * new[0]
        return np.asarray(self._lasting_sigma * self._lasting + self._fresh_sigma * new[1])
