# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Head poses from facial landmarks: a network for the points, then a linear model or PnP."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.estimation.estimator import check_estimator
from headpose_ros.estimation.landmark_onnx import OnnxLandmarks
from headpose_ros.estimation.linear_pose import AUTHORS, LinearPose
from headpose_ros.estimation.pfld import LANDMARKS, Pfld
from headpose_ros.estimation.pnp import place, solve_pnp
from headpose_ros.geometry.face_frame import FACE_CENTRE_IN_FACE, FACE_SPHERE_RADIUS
from headpose_ros.heads import Estimates
from headpose_ros.inference.networks import LANDMARKS as ARCHITECTURE
from headpose_ros.inference.protocols import Runtime
from headpose_ros.inference.runtime import cpu_runtime
from headpose_ros.inference.weights import LoadedWeights, fitted, load_any
from headpose_ros.typing import Array

FITTED = LinearPose(yaw=(62.8, 0.0), pitch=(42.9, -8.2), roll=(51.7, 0.0))
"""For networks that bring no linear model of their own: fitted to what PFLD_GhostOne finds."""

CAPTURE_RADIUS = 0.35
"""Face radii beside the middle of its crop at which our landmark network still sees the face."""

SIGMA_KEY = 'rotation_sigma_deg'
_SIGMA_DEG = {'linear': (8.0,) * 3, 'linear_authors': (15.0,) * 3, 'pnp': (6.0,) * 3}
"""One standard deviation about the virtual camera's axes, for networks nobody measured."""


class LandmarkModel(Protocol):
    """A network for 68 landmarks and how its crops are to be cut (`estimator.Estimator`).

    `linear`: its fitted linear model, or None. `sigma_deg`: measured errors by way of getting the
    pose, or empty. `refines`: whether it tells faces from others.
    """

    crop_px: int
    crop_scale: float
    landmark_box_scale: float
    linear: LinearPose | None
    sigma_deg: Mapping[str, Sequence[float]]
    refines: bool

    def __call__(self, crops: Any) -> tuple[Array, Array | None]:
        """Return landmarks (N,68,2) in half crops from the centre, and face logits (N,)."""
        ...


class LandmarkEstimator:
    """The estimator (`estimator.Estimator`) over a landmark network.

    With face logits, ray and size are those of the mean head that fits the landmarks; without,
    those of the crop.
    """

    name = 'landmarks'

    def __init__(self, model: LandmarkModel, pose: str) -> None:
        self.crop_px = model.crop_px
        self.crop_scale = model.crop_scale
        self.landmark_box_scale = model.landmark_box_scale
        self.refines = model.refines
        self.capture_radius = CAPTURE_RADIUS
        self._model = model
        self._pose = pose
        self._linear = AUTHORS if pose == 'linear_authors' else model.linear or FITTED
        self._sigma = np.deg2rad((_SIGMA_DEG | dict(model.sigma_deg))[pose])

    def confidences(self, estimates: Estimates) -> Array:
        """Return the face probability: a linear model and PnP do not tell what they err by."""
        return estimates.face_probability

    def estimate(self, crops: Any, crop_angles: Array) -> Estimates:
        """Estimate N heads in one forward; see `estimator.Estimator`."""
        count = len(crops)
        if count == 0:
            return Estimates.none()
        points, logits = self._model(crops)
        tangents = np.tan(np.asarray(crop_angles, np.float64) / 2)
        rotations, sellions = self.from_landmarks(points, crop_angles)
        rays, sizes = _spheres(sellions, rotations)
        if logits is None:
            rays = np.tile([0.0, 0.0, 1.0], (count, 1))
            sizes = 2 * np.arctan(tangents / self.crop_scale)
            probability = np.full(count, np.nan)
        else:
            probability = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
        return Estimates(
            rotations_virtual_from_face=rotations,
            rotation_sigma=np.tile(self._sigma, (count, 1)),
            rays_virtual=rays,
            angular_sizes=sizes,
            head_scale=np.ones(count),
            face_probability=probability,
            landmarks=points,
        )

    def from_landmarks(self, points: Array, crop_angles: Array) -> tuple[Array, Array]:
        """Return rotations (N,3,3) and sellions (N,3), m, for landmarks (N,68,2) in half crops."""
        plane = points * np.tan(np.asarray(crop_angles, np.float64) / 2)[:, None, None]
        if self._pose == 'pnp':
            return solve_pnp(plane)
        rotations = self._linear.rotations(points)
        return rotations, place(plane, rotations)


class _OurLandmarks:
    """`pfld.Pfld` compiled by a runtime."""

    refines = True

    def __init__(self, loaded: LoadedWeights, runtime: Runtime) -> None:
        pfld = Pfld.from_metadata(loaded.metadata)
        self.linear = LinearPose.from_metadata(loaded.metadata)
        self.sigma_deg = json.loads(loaded.metadata.get(SIGMA_KEY, '{}'))
        self._network = runtime.compile(loaded)
        self.crop_px = pfld.crop_px
        self.crop_scale = pfld.crop_scale
        self.landmark_box_scale = pfld.landmark_box_scale

    def __call__(self, crops: Any) -> tuple[Array, Array | None]:
        points, logits = self._network(crops)
        return points.astype(np.float64).reshape(-1, LANDMARKS, 2), logits[:, 0].astype(np.float64)


def create(config: PipelineConfig, runtime: Runtime) -> LandmarkEstimator:
    """Load `config.weights`: '' for the shipped ones, or an ONNX file. Raises WeightsError."""
    loaded = load_any(config.weights, 'landmarks')
    with fitted(loaded):
        model = _model_of(loaded, runtime, config.threads)
        estimator = LandmarkEstimator(model, config.landmark_pose)
        check_estimator(estimator)
    return estimator


def load_model(weights: str, runtime: Runtime, threads: int = 0) -> LandmarkModel:
    """Return the landmark network of a file or a shipped name. Raises WeightsError."""
    loaded = load_any(weights, 'landmarks')
    with fitted(loaded):
        return _model_of(loaded, runtime, threads)


def _model_of(loaded: LoadedWeights, runtime: Runtime, threads: int) -> LandmarkModel:
    """Ours is known by its metadata; what others publish says nothing of itself."""
    architecture = loaded.metadata.get('architecture')
    if architecture is None:
        return OnnxLandmarks(loaded, cpu_runtime(threads))
    if architecture != ARCHITECTURE:
        raise ValueError(f'architecture {architecture}, but landmarks needs {ARCHITECTURE}')
    return _OurLandmarks(loaded, runtime)


def _spheres(sellions: Array, rotations: Array) -> tuple[Array, Array]:
    """Return rays (N,3) and angular sizes (N,) of the face spheres of mean heads."""
    centres = sellions + rotations @ FACE_CENTRE_IN_FACE
    distances = np.linalg.norm(centres, axis=1)
    sizes = 2 * np.arcsin(np.minimum(FACE_SPHERE_RADIUS / distances, 0.99))
    return centres / distances[:, None], sizes
