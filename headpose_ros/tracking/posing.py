# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From what the estimator reads in one image to the head that is published."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headpose_ros.config import PipelineConfig
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.face_frame import FACE_CENTRE_IN_FACE, facing_angle
from headpose_ros.geometry.rays import off_axis_angle
from headpose_ros.heads import Head
from headpose_ros.tracking.distance import log_distance_from_depth, log_distance_from_size
from headpose_ros.tracking.roi import rois
from headpose_ros.tracking.smoothing import Smoothing
from headpose_ros.tracking.track import Track
from headpose_ros.tracking.uncertainty import pose_covariance
from headpose_ros.typing import Array


@dataclass(frozen=True)
class Readings:
    """What was read about N faces in one image, in the camera frame.

    `rotations` (N,3,3) camera from face; `rotation_covariances` (N,3,3) rad^2 about the camera's
    axes; `rays` (N,3) to the face centres; `angular_sizes` (N,) rad; `head_scales` (N,);
    `probabilities` (N,) of a face, NaN where unknown; `confidences` (N,) that the pose is right,
    see `Estimator`; `inside` (N,): the share of each crop that lies inside the image;
    `landmark_rays` (N,68,3), of any length, or None. `Estimates` says more about each.
    """

    rotations: Array
    rotation_covariances: Array
    rays: Array
    angular_sizes: Array
    head_scales: Array
    probabilities: Array
    confidences: Array
    inside: Array
    landmark_rays: Array | None = None

    @staticmethod
    def none() -> Readings:
        """Return no reading at all."""
        rotations, rays, numbers = np.empty((0, 3, 3)), np.empty((0, 3)), np.empty(0)
        return Readings(rotations, rotations, rays, *[numbers] * 5)

    def take(self, indices: Sequence[int]) -> Readings:
        """Return those of some faces."""
        columns: list[Any] = [getattr(self, item.name) for item in fields(self)]
        some: list[Any] = [None if column is None else column[list(indices)] for column in columns]
        return Readings(*some)

    @staticmethod
    def joined(some: Sequence[Readings]) -> Readings:
        """Return all of `some`, one after the other."""
        some = [readings for readings in some if len(readings.inside)] or list(some[:1])
        columns = [[getattr(r, item.name) for r in some] for item in fields(Readings)]
        whole: list[Any] = [None if p[0] is None else np.concatenate(p) for p in columns]
        return Readings(*whole)


@dataclass(frozen=True)
class Scene:
    """The image that readings are from: its camera, its time in seconds, its aligned depth."""

    camera: CameraModel
    time: float
    depth: NDArray[np.floating] | None = None


def pose_heads(
    tracks: list[Track], readings: Readings, scene: Scene, config: PipelineConfig
) -> list[tuple[Track, Head]]:
    """Return those of `tracks` that are visible, with their heads: filtered, with uncertainty.

    `readings` belong to `tracks`, one to one. Faces not confirmed yet are among them; the id of
    their heads is ''.
    """
    index_list = [index for index, track in enumerate(tracks) if track.visible]
    if not index_list:
        return []
    poses = [_pose(tracks[index], readings, index, scene, config) for index in index_list]
    rays, sizes = readings.rays[index_list], readings.angular_sizes[index_list]
    off_axis = off_axis_angle(rays).tolist()
    facing = facing_angle(
        [pose['rotation_camera_from_face'] for pose in poses], [pose['position'] for pose in poses]
    ).tolist()
    regions = rois(scene.camera, rays, sizes)
    landmarks = _landmarks(readings, index_list, scene.camera)
    visible = [tracks[index] for index in index_list]
    return [
        (
            track,
            Head(
                id=track.id,
                confidence=track.confidence,
                roi=regions[n],
                off_axis_angle=off_axis[n],
                facing_angle=facing[n],
                **poses[n],
                landmarks=landmarks[n],
            ),
        )
        for n, track in enumerate(visible)
    ]


def _landmarks(
    readings: Readings, indices: Sequence[int], camera: CameraModel
) -> Sequence[Array | None]:
    """Return the landmarks (P,2) of some faces, pixels, NaN outside the lens; or None each."""
    if readings.landmark_rays is None:
        return [None] * len(indices)
    rays = readings.landmark_rays[list(indices)]
    pixels, valid = camera.pixels(rays.reshape(-1, 3))
    pixels = np.where(valid[:, None], pixels, np.nan)
    return list(pixels.reshape(*rays.shape[:2], 2))


def _pose(
    track: Track, readings: Readings, index: int, scene: Scene, config: PipelineConfig
) -> dict[str, Array]:
    """Run the filters of one track; return what `Head` says of its pose, by the names there."""
    measured_rotation, measured_ray = readings.rotations[index], readings.rays[index]
    size = float(readings.angular_sizes[index])
    elapsed = track.elapsed_since_filtered(scene.time)
    head_scale = float(readings.head_scales[index])
    by_size = log_distance_from_size(size, head_scale)
    by_depth = _depth(measured_rotation, measured_ray, size, by_size, scene)
    measured = track.distance.update(by_size, by_depth, elapsed, bool(track.id))
    rotation, ray, log_distance = measured_rotation, measured_ray, measured
    if config.smoothing:
        setting = Smoothing(config.smoothing_min_cutoff, config.smoothing_beta)
        rotation, ray, log_distance = track.smoother.update(
            rotation, ray, log_distance, size, elapsed, setting
        )
    else:
        track.smoother.restart()
    distance = math.exp(log_distance)
    arm = -(rotation @ FACE_CENTRE_IN_FACE)
    covariance = pose_covariance(
        readings.rotation_covariances[index],
        ray,
        distance,
        track.distance.sigma,
        size,
        arm,
        track.confidence,
        float(readings.inside[index]),
    )
    measured_arm = -(measured_rotation @ FACE_CENTRE_IN_FACE)
    return {
        'rotation_camera_from_face': rotation,
        'position': distance * ray + arm,
        'covariance': covariance,
        'measured_rotation_camera_from_face': measured_rotation,
        'measured_position': math.exp(measured) * measured_ray + measured_arm,
    }


def _depth(
    rotation: Array, ray: Array, angular_size: float, log_expected: float, scene: Scene
) -> float | None:
    if scene.depth is None:
        return None
    facing = math.acos(max(-1.0, min(1.0, -float(rotation[:, 0].dot(ray)))))
    return log_distance_from_depth(
        scene.depth, scene.camera, ray, angular_size, facing, log_expected
    )
