# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stages of a pipeline: what finds faces, and what estimates poses; named or brought along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from headpose_ros.config import PipelineConfig
from headpose_ros.estimation.estimator import Estimator
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.heads import Faces
from headpose_ros.inference.runtime import Runtime
from headpose_ros.typing import Image


class Search(Protocol):
    """Finds the faces in a whole image: `detection.FaceSearch`, or one of your own.

    `parts`: in how many parts a search can be divided, so that none takes long; 1: it cannot.
    """

    parts: int

    def find(self, image_bgr: Image, camera: CameraModel, config: PipelineConfig) -> Faces:
        """Return all faces that `camera` sees in `image_bgr` (H,W,3)."""
        ...

    def find_part(
        self, image_bgr: Image, camera: CameraModel, part: int, config: PipelineConfig
    ) -> Faces:
        """Return the faces that part `part` of `parts` finds; not called where `parts` is 1."""
        ...


@dataclass(frozen=True)
class Stages:
    """What a pipeline computes with.

    `runtime`: that of the networks; None where both stages were brought along. `crop_device`:
    where the estimator wants its crops. `weights_name`: of the estimator.
    """

    search: Search
    estimator: Estimator
    runtime: Runtime | None
    crop_device: str
    weights_name: str

    @staticmethod
    def create(
        config: PipelineConfig, search: Search | None = None, estimator: Estimator | None = None
    ) -> Stages:
        """Return the stages that `config` names, in place of those that are not given."""
        if search is not None and estimator is not None:
            return Stages(search, estimator, None, 'cpu', estimator.name)
        from headpose_ros.detection import FaceSearch, create_detector
        from headpose_ros.estimation import create_estimator
        from headpose_ros.inference.runtime import create_runtime
        from headpose_ros.inference.weights import resolve

        runtime = create_runtime(config.device, config.threads)
        search = search or FaceSearch(create_detector(config, runtime), config)
        if estimator is not None:
            return Stages(search, estimator, runtime, 'cpu', estimator.name)
        name = resolve(config.weights, config.estimator)[0].stem
        estimator = create_estimator(config, runtime)
        return Stages(search, estimator, runtime, runtime.device, name)
