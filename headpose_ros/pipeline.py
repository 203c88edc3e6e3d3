# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images in, heads out: the stages in order, for programs with or without ROS."""

from __future__ import annotations

import time as clock
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headpose_ros.config import PipelineConfig
from headpose_ros.estimation.estimator import Estimator
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.footprint import Footprints
from headpose_ros.geometry.sampling import Crops, sample_crops, sample_plain_crops
from headpose_ros.geometry.virtual_camera import VirtualCameras
from headpose_ros.heads import Faces, Head
from headpose_ros.inference.fallback import is_out_of_memory
from headpose_ros.inference.runtime import Runtime
from headpose_ros.tracking.looks import Looks, note_ups
from headpose_ros.tracking.posing import Readings, Scene, pose_heads
from headpose_ros.tracking.principal import PrincipalChoice, salience
from headpose_ros.tracking.schedule import SearchSchedule
from headpose_ros.tracking.track import Track
from headpose_ros.tracking.tracker import Tracker
from headpose_ros.typing import Array, Image

IMAGE_PERIOD = 1.0 / 30.0
"""Seconds from image to image where they carry no stamps."""

LONGEST_GAP = 3.0
GAP_RATIO = 3.0
"""A gap between images of more seconds than LONGEST_GAP and `keep_lost`, and so many times longer
than the one before, means: another scene."""

MOST_REDUCED = 8
"""The most by which decoders of JPEG reduce an image."""

LIVE_OPTIONS = frozenset(item.name for item in fields(PipelineConfig) if item.metadata['live'])
"""Names of the options that `HeadPosePipeline.configure_live` takes."""


class Search(Protocol):
    """Finds the faces in a whole image: `detection.search.FaceSearch`, or a stand-in in tests.

    `config`: the options in force; the pipeline replaces it when they change. A search that can be
    divided also has `parts` and `find_part`, as `FaceSearch`.
    """

    config: PipelineConfig

    def find(self, image_bgr: Image, camera: CameraModel) -> Faces:
        """Return all faces that `camera` sees in `image_bgr` (H,W,3)."""
        ...


class Candidate:
    """A face that has not been seen often enough yet to be reported."""

    def __init__(self, head: Head, track: Track) -> None:
        self._head, self._track = head, track

    @property
    def head(self) -> Head | None:
        """The head as it was in its image, once it is confirmed; None until then."""
        return replace(self._head, id=self._track.id) if self._track.id else None

    def is_of(self, others: Iterable[Candidate]) -> bool:
        """Return whether one of `others`, of a later image, is the same face."""
        return any(self._track is other._track for other in others)


class HeadPosePipeline:
    """Finds, follows and measures all heads in a stream of images.

    Holds the state of one stream: use one pipeline per camera. `process` is not to be called from
    two threads at once; `configure_live` may be called from another thread meanwhile.

    Raises ValueError, or an error of its own that says what is missing, where a weights file or
    the device asked for is not there.
    """

    _runtime: Runtime | None = None

    def __init__(self, config: PipelineConfig | None = None) -> None:
        from headpose_ros.detection import FaceSearch, create_detector
        from headpose_ros.estimation import create_estimator
        from headpose_ros.inference.runtime import create_runtime
        from headpose_ros.inference.weights import resolve

        config = config or PipelineConfig()
        runtime = create_runtime(config.device, config.threads)
        search = FaceSearch(create_detector(config, runtime), config)
        self._assemble(config, search, create_estimator(config, runtime))
        self._weights_name = resolve(config.weights, config.estimator)[0].stem
        self._runtime = runtime
        self.device = runtime.device
        self.runtime_name = runtime.name

    @classmethod
    def from_stages(
        cls, search: Search, estimator: Estimator, config: PipelineConfig | None = None
    ) -> HeadPosePipeline:
        """Build a pipeline from stages of your own; it then runs on the CPU as they do."""
        pipeline = cls.__new__(cls)
        pipeline._assemble(config or PipelineConfig(), search, estimator)
        pipeline.device, pipeline.runtime_name = 'cpu', 'custom'
        pipeline._weights_name = estimator.name
        return pipeline

    def _assemble(self, config: PipelineConfig, search: Search, estimator: Estimator) -> None:
        self._config = config
        self._search = search
        self._estimator = estimator
        self._tracker = Tracker(estimator.refines)
        self._schedule = SearchSchedule()
        self._principal = PrincipalChoice()
        self._time: float | None = None
        self._gap = 0.0
        self._candidates: list[Candidate] = []
        self.timings: dict[str, float] = {}
        """Milliseconds that the last image took, by stage: search, crop, estimate, track, total;
        search is 0 where the image was not searched."""

    @property
    def config(self) -> PipelineConfig:
        """The options in force."""
        return self._config

    @property
    def weights_name(self) -> str:
        """Name of the estimator's weights file, without folder and ending."""
        return self._weights_name

    @property
    def trouble(self) -> str | None:
        """What the device cannot do for now, though results come; None where all is well."""
        return getattr(self._runtime, 'trouble', None)

    @property
    def principal_id(self) -> str | None:
        """Id of the head to attend to; it may be lost for the moment. None where nobody is."""
        return self._principal.id

    @property
    def candidates(self) -> list[Candidate]:
        """What is seen in the newest image and may turn out to be a head: `Hindsight` waits."""
        return self._candidates

    @property
    def followed_ids(self) -> frozenset[str]:
        """Ids of everybody followed, those lost for the moment included."""
        return frozenset(self._tracker.ids)

    def reset(self) -> None:
        """Forget everybody and the time, as at the start of another video."""
        self._tracker.clear()
        self._schedule.reset()
        self._principal = PrincipalChoice()
        self._time = None
        self._candidates = []

    def configure_live(self, **changes: Any) -> None:
        """Change options while running; they hold from the next image on.

        Raises ValueError for an option that cannot change at run time, or a value out of range.
        """
        fixed = sorted(set(changes) - LIVE_OPTIONS)
        if fixed:
            raise ValueError(
                f'{", ".join(fixed)}: cannot change while running; these can: '
                f'{", ".join(sorted(LIVE_OPTIONS))}'
            )
        self._config = replace(self._config, **changes)

    def reduction(self, camera: CameraModel) -> int:
        """Return by how much the next image of `camera` may be reduced: 1, 2, 4 or 8.

        More than 1 where everybody's crop averages that many pixels each way anyway and the whole
        image is not to be searched: then the heads are the same, and whoever decodes a JPEG may
        leave the details out. See `process`.
        """
        config, tracker = self._config, self._tracker
        if not (config.rectify and tracker.settled and self._schedule.rests(self._every(config))):
            return 1
        looks = self._looks(tracker.followed(), config)
        size = self._estimator.crop_px
        if (np.tan(looks.angles / 2) * max(camera.fx, camera.fy)).min() < size / 2:
            return 1  # most often; nowhere in the image would it be 2
        cameras = VirtualCameras.look_along(looks.rays, looks.angles, size, looks.ups)
        least = float(Footprints.of(cameras, camera).shrink[:, 0].min())
        return min(1 << max(0, int(least).bit_length() - 1), MOST_REDUCED)

    def process(
        self,
        image_bgr: Image,
        camera: CameraModel,
        stamp: float | None = None,
        depth: NDArray[np.floating] | None = None,
        reduction: int = 1,
    ) -> list[Head]:
        """Return the heads in `image_bgr` (H,W,3), uint8.

        `camera` describes the image, or the same image at another resolution. `stamp`: seconds;
        None counts images at 30 Hz. Stamps that go back, or leave a gap of more than three
        seconds, start anew. `depth` (h,w): metres along the optical axis, aligned with the image,
        of any resolution; NaN, infinite or not positive where unknown. `reduction`: how many
        pixels of `camera` each way one of `image_bgr` is the mean of, where it was decoded so;
        the heads are in pixels of `camera` all the same.

        Raises ValueError where an argument is not what is described here.
        """
        config = self._config
        began = clock.perf_counter()
        camera, seen_by = _checked(image_bgr, camera, depth, reduction)
        time = self._advance(stamp, config)
        tracker = self._tracker
        tracker.predict(time, config)
        searched = self._search_if_due(image_bgr, seen_by, time, config)
        tracks = tracker.followed()
        first_look = self._place_new(image_bgr, seen_by, tracks, time, config)
        readings, look = self._read(image_bgr, seen_by, tracks, config)
        tracker.observe(
            tracks, readings.rays, readings.angular_sizes, readings.probabilities, time, config
        )
        if self._estimator.refines:
            note_ups(tracks, readings.rotations)
        if tracker.wants_search:
            self._schedule.urge()
        posed = pose_heads(tracks, readings, Scene(camera, time, depth), config)
        heads = [head for track, head in posed if track.id]
        self._candidates = [Candidate(head, track) for track, head in posed if not track.id]
        self._choose_principal(heads, tracks, time)
        total = clock.perf_counter() - began
        stages = {'search': searched}
        stages |= {stage: look[stage] + first_look.get(stage, 0.0) for stage in look}
        stages['track'] = total - sum(stages.values())
        self.timings = {name: 1e3 * spent for name, spent in {**stages, 'total': total}.items()}
        return heads

    def _advance(self, stamp: float | None, config: PipelineConfig) -> float:
        """Return the time of this image, having started anew where time jumped."""
        before = self._time
        if stamp is None:
            stamp = 0.0 if before is None else before + IMAGE_PERIOD
        elif not np.isfinite(stamp):
            raise ValueError(f'stamp: expected finite seconds, got {stamp!r}')
        if before is not None:
            gap = stamp - before
            if gap < 0.0 or gap > max(LONGEST_GAP, config.keep_lost, GAP_RATIO * self._gap):
                self.reset()
            self._gap = gap
        self._time = float(stamp)
        return self._time

    def _search_if_due(
        self, image: Image, camera: CameraModel, time: float, config: PipelineConfig
    ) -> float:
        """Search the whole image if it is time to; return the seconds that took."""
        search: Any = self._search
        parts = getattr(search, 'parts', 1) if self._tracker.settled else 1
        part = self._schedule.due(self._every(config), self._tracker.urgent, parts)
        if part is None:
            return 0.0
        began = clock.perf_counter()
        search.config = config
        if part.total == 1:
            faces = search.find(image, camera)
        else:
            faces = search.find_part(image, camera, part.number)
        spent = clock.perf_counter() - began
        self._tracker.detect(faces, time, config)
        return spent

    def _place_new(
        self,
        image: Image,
        camera: CameraModel,
        tracks: list[Track],
        time: float,
        config: PipelineConfig,
    ) -> dict[str, float]:
        """Let an estimator that refines put right where the detector saw new faces.

        Otherwise their first poses would be read from crops that are off by what a box is. Return
        the seconds that took, by stage.
        """
        new = [track for track in tracks if track.is_new]
        if not (new and self._estimator.refines):
            return {}
        first, look = self._read(image, camera, new, config)
        self._tracker.place(new, first.rays, first.angular_sizes, first.probabilities, time)
        note_ups(new, first.rotations)
        return look

    def _every(self, config: PipelineConfig) -> int:
        # Between searches a face that the estimator cannot follow only moves on as it moved.
        return config.detect_every if self._estimator.refines else -(-config.detect_every // 2)

    def _looks(self, tracks: list[Track], config: PipelineConfig) -> Looks:
        return Looks.at(tracks, self._estimator.crop_scale * config.box_scale)

    def _read(
        self,
        image: Image,
        camera: CameraModel,
        tracks: list[Track],
        config: PipelineConfig,
    ) -> tuple[Readings, dict[str, float]]:
        """Look at all tracks in one batch; return it and the seconds that took, by stage."""
        if not tracks:
            return _NOTHING, {'crop': 0.0, 'estimate': 0.0}
        began = clock.perf_counter()
        estimator = self._estimator
        looks = self._looks(tracks, config)
        if config.rectify:
            crops = self._sample(image, camera, looks)
        else:
            size = estimator.crop_px
            crops = sample_plain_crops(image, camera, looks.rays, looks.angles, size)
        cropped = clock.perf_counter()
        estimates = estimator.estimate(crops.images, looks.angles)
        done = clock.perf_counter()
        views = crops.cameras
        to_virtual = views.rotation_virtual_from_camera
        # Where an estimator says nothing of the face, its size is the crop's, box_scale and all.
        unsure = np.isnan(estimates.face_probability)
        spread = estimates.rotation_sigma[:, :, None] ** 2 * to_virtual
        readings = Readings(
            rotations=views.rotations_to_camera(estimates.rotations_virtual_from_face),
            rotation_covariances=views.rotations_to_camera(spread),
            rays=views.rays_to_camera(estimates.rays_virtual),
            angular_sizes=np.where(unsure, looks.angular_sizes, estimates.angular_sizes),
            head_scales=estimates.head_scale,
            probabilities=estimates.face_probability,
            inside=crops.inside,
        )
        return readings, {'crop': cropped - began, 'estimate': done - cropped}

    def _sample(self, image: Image, camera: CameraModel, looks: Looks) -> Crops:
        size = self._estimator.crop_px
        rays, angles, ups = looks.rays, looks.angles, looks.ups
        try:
            return sample_crops(image, camera, rays, angles, size, ups=ups, device=self.device)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        return sample_crops(image, camera, rays, angles, size, ups=ups)

    def _choose_principal(self, heads: list[Head], tracks: list[Track], time: float) -> None:
        sizes = {track.id: track.motion.angular_size for track in tracks}
        saliences = [(head.id, salience(head, sizes[head.id])) for head in heads]
        self._principal.update(saliences, self._tracker.ids, time)


def _empty(*shape: int) -> Array:
    return np.empty(shape)


_NOTHING = Readings(
    _empty(0, 3, 3), _empty(0, 3, 3), _empty(0, 3), _empty(0), _empty(0), _empty(0), _empty(0)
)


def _checked(
    image: Image,
    camera: CameraModel,
    depth: NDArray[np.floating] | None,
    reduction: int,
) -> tuple[CameraModel, CameraModel]:
    """Return the camera in whose pixels results are, and that of the image as it is.

    Raises ValueError where something does not fit.
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        got = getattr(image, 'dtype', type(image).__name__)
        raise ValueError(f'image: expected a uint8 array (H,W,3) in BGR order, got {got}')
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f'image: expected shape (H,W,3), not empty, got {image.shape}')
    if depth is not None and (
        getattr(depth, 'ndim', 0) != 2 or depth.size == 0 or depth.dtype.kind != 'f'
    ):
        raise ValueError(
            'depth: expected float metres (H,W), got '
            f'{getattr(depth, "dtype", type(depth).__name__)} {getattr(depth, "shape", "")}'
        )
    height, width = image.shape[:2]
    if reduction == 1:
        camera = camera.scaled_to(width, height)
        return camera, camera
    if (width, height) != (-(-camera.width // reduction), -(-camera.height // reduction)):
        raise ValueError(
            f'image: {width}x{height} is not {camera.width}x{camera.height} over {reduction}'
        )
    return camera, camera.resampled(1 / reduction, 1 / reduction, width, height)
