# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stages of a pipeline: what finds faces, and what estimates poses; named or brought along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from headpose_ros.config import PipelineConfig
from headpose_ros.crops import CropReader
from headpose_ros.estimation.estimator import Estimator
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.heads import Faces
from headpose_ros.inference.protocols import Runtime
from headpose_ros.tracking.schedule import WHOLE, Part
from headpose_ros.typing import Array, Image


class Search(Protocol):
    """Finds the faces in a whole image: `detection.FaceSearch`, or one of your own.

    For a camera that is not held upright both methods are called with `up` as well, (3,): the
    direction against gravity in the camera's frame. One that knows upright faces only needs it.

    `parts`: in how many parts a search can be divided, so that none takes long; 1: it cannot.

    One that has an attribute `thorough`, not None, is called with `thorough=True` now and then,
    for a search that finds more and may take longer.
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


_OF_ESTIMATORS = (
    'name', 'crop_px', 'crop_scale', 'refines', 'capture_radius', 'estimate', 'confidences',
)  # fmt: skip


@dataclass(frozen=True)
class Stages:
    """What a pipeline computes with.

    `reader`: cuts the crops that `estimator` reads, on its device. `runtime`: that of the
    networks; None where both stages were brought along. `weights_name`: of the estimator.
    """

    search: Search
    estimator: Estimator
    reader: CropReader
    runtime: Runtime | None
    weights_name: str

    @property
    def detector_name(self) -> str:
        """Name of the detector that searches; custom where the search is one brought along."""
        name: str = getattr(getattr(self.search, 'detector', None), 'name', 'custom')
        return name

    def find(
        self,
        image: Image,
        camera: CameraModel,
        config: PipelineConfig,
        up: Array | None = None,
        part: Part = WHOLE,
        thorough: bool = False,
    ) -> Faces:
        """Search a `part` of `image`; `up` (3,): against gravity, where that is not up in it.

        `thorough`: by the detector that finds more, where the search has one.
        """
        held: dict[str, Any] = {} if up is None else {'up': up}
        if thorough and getattr(self.search, 'thorough', None) is not None:
            held['thorough'] = True
        if part.total == 1:
            return self.search.find(image, camera, config, **held)
        return self.search.find_part(image, camera, part.number, config, **held)

    @staticmethod
    def create(
        config: PipelineConfig,
        search: Search | None = None,
        estimator: Estimator | None = None,
        single: bool = False,
    ) -> Stages:
        """Return the stages that `config` names, in place of those that are not given.

        `single`: images are pictures by themselves, not those of a stream.

        Raises TypeError where a given one lacks what its protocol asks for.
        """
        _require('search', search, ('parts', 'find'), '; a detector goes into a FaceSearch')
        _require('estimator', estimator, _OF_ESTIMATORS)
        own = estimator is not None
        runtime = None
        if search is None or estimator is None:
            from headpose_ros.inference.runtime import create_runtime

            runtime = create_runtime(config.device, config.threads)
            search = search or _create_search(config, runtime, single)
            estimator = estimator or _create_estimator(config, runtime)
        name = estimator.name if own else _weights_name(config)
        device = 'cpu' if own or runtime is None else runtime.device
        return Stages(search, estimator, CropReader(estimator, device), runtime, name)


def _require(what: str, stage: object, names: tuple[str, ...], cure: str = '') -> None:
    missing = [name for name in names if stage is not None and not hasattr(stage, name)]
    if missing:
        raise TypeError(f'{what}: {type(stage).__name__} has no {", no ".join(missing)}{cure}')


def _create_search(config: PipelineConfig, runtime: Runtime, single: bool) -> Search:
    from headpose_ros.detection import FaceSearch, create_detector, create_thorough_detector
    from headpose_ros.geometry.coverage import covering_views
    from headpose_ros.geometry.near_views import NearViews

    views = covering_views if single else NearViews()
    detector = create_detector(config, runtime, single)
    thorough = None if single else create_thorough_detector(config, runtime)
    return FaceSearch(detector, config, views, single, thorough)


def _create_estimator(config: PipelineConfig, runtime: Runtime) -> Estimator:
    from headpose_ros.estimation import create_estimator

    return create_estimator(config, runtime)


def _weights_name(config: PipelineConfig) -> str:
    from headpose_ros.inference.weights import resolve

    return resolve(config.weights, config.estimator)[0].stem
