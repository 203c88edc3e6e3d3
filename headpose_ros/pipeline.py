# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images in, heads out: the stages in order, for programs with or without ROS."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, Literal, NoReturn

from numpy.typing import ArrayLike, NDArray

from headpose_ros.config import PipelineConfig
from headpose_ros.estimation.estimator import Estimator
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.inputs import (
    Picture,
    checked_camera,
    checked_picture,
    checked_pictures,
    checked_rotation,
    checked_stamp,
)
from headpose_ros.result import FrameResult
from headpose_ros.single_images import process_images
from headpose_ros.stage_timer import StageTimer
from headpose_ros.stages import Search, Stages
from headpose_ros.stream import Stream
from headpose_ros.tracking.posing import Readings
from headpose_ros.tracking.schedule import WHOLE, Part
from headpose_ros.tracking.track import Track
from headpose_ros.typing import Image
from headpose_ros.upright import read_upright

MODES = ('image', 'video')

LIVE_OPTIONS = frozenset(item.name for item in fields(PipelineConfig) if item.metadata['live'])
"""Names of the options that `HeadPosePipeline.configure_live` takes."""


class HeadPosePipeline:
    """Finds, follows and measures all heads in a stream of images, or in single pictures.

    `mode`: 'video' follows people from image to image: use one pipeline per camera. 'image' takes
    each picture by itself: every face is reported at once, ids only tell the heads of one picture
    apart, and `process_batch` takes many pictures.

    `search`, `estimator`: stages of your own in place of those that `config` names. Crops for an
    estimator of your own are NumPy arrays.

    `process` is not to be called from two threads at once; `configure_live` may be called from
    other threads meanwhile. Use it with `with`, or call `close`, to free the networks early.

    Raises TypeError or ValueError for wrong arguments, and an error that says what is missing
    where a weights file or the device asked for is not there.
    """

    def __init__(
        self,
        config: PipelineConfig | None = None,
        *,
        mode: Literal['image', 'video'] = 'video',
        search: Search | None = None,
        estimator: Estimator | None = None,
    ) -> None:
        if config is not None and not isinstance(config, PipelineConfig):
            raise TypeError(f'config: expected a PipelineConfig, got {config!r}')
        if mode not in MODES:
            raise ValueError(f'mode: expected {" or ".join(MODES)}, got {mode!r}')
        self.mode = mode
        self._config = PipelineConfig() if config is None else config
        self._config_lock = threading.Lock()
        stages = Stages.create(self._config, search, estimator, single=mode == 'image')
        self._open_stages: Stages | None = stages
        runtime = stages.runtime
        self.device = 'cpu' if runtime is None else runtime.device
        """Where networks are computed: cpu, cuda:N; cpu where all stages are your own."""
        self.runtime_name = 'custom' if runtime is None else runtime.name
        """What computes the networks: openvino, torch; custom where all stages are your own."""
        self.weights_name = stages.weights_name
        """Name of the estimator's weights file, without folder and ending."""
        self.detector_name = stages.detector_name
        """Which detector searches: what `auto` chose; custom where the search is your own."""
        self._stream = Stream(stages.estimator.refines, stages.estimator.capture_radius)

    @property
    def config(self) -> PipelineConfig:
        """The options in force."""
        return self._config

    @property
    def warning(self) -> str | None:
        """What cannot be done for now, though results come; None where all is well.

        The device, too many people, or images that come too slowly to follow those who move.
        """
        return '; '.join(self.warnings.values()) or None

    @property
    def warnings(self) -> dict[str, str]:
        """The parts of `warning` by subject: 'device', 'max_heads', 'rate'."""
        runtime = self._open_stages and self._open_stages.runtime
        device = runtime and runtime.warning
        about_device = {'device': device} if device else {}
        return about_device | self._stream.warnings(self._config)

    def close(self) -> None:
        """Free the networks; nothing can be processed any more. Harmless when done twice."""
        self._open_stages = None

    def __enter__(self) -> HeadPosePipeline:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = '' if self._open_stages else ', closed'
        return (
            f'HeadPosePipeline(mode={self.mode!r}, weights {self.weights_name}, '
            f'{self.runtime_name} on {self.device}{state})'
        )

    def __reduce__(self) -> NoReturn:
        raise TypeError('a HeadPosePipeline cannot be copied; build one in each process')

    def reset(self) -> None:
        """Forget everybody and the time, as at the start of another video."""
        self._stream.reset()

    def configure_live(self, **changes: Any) -> None:
        """Change options while running; they hold from the next image on.

        Raises ValueError for an option that cannot change at run time, or a value out of range;
        then none is changed.
        """
        fixed = sorted(set(changes) - LIVE_OPTIONS)
        if fixed:
            raise ValueError(
                f'{", ".join(fixed)}: cannot change while running; these can: '
                f'{", ".join(sorted(LIVE_OPTIONS))}'
            )
        with self._config_lock:
            self._config = replace(self._config, **changes)

    def reduction(self, camera: CameraModel) -> int:
        """Return by how much the next image of `camera` may be reduced: 1, 2, 4 or 8.

        More than 1 where everybody's crop averages that many pixels each way anyway and the whole
        image is not to be searched: then the heads are the same, and whoever decodes a JPEG may
        leave the details out. See `process`.
        """
        camera, config = checked_camera(camera), self._config
        if not (config.rectify and self._stream.may_reduce(config)):
            return 1
        return self._stages.reader.max_reduction(camera, self._stream.tracks, config)

    def process(
        self,
        image: Image,
        camera: CameraModel,
        stamp: float | None = None,
        depth: NDArray[Any] | None = None,
        reduction: int = 1,
        *,
        channels: Literal['bgr', 'rgb', 'grey'] = 'bgr',
        rotation_fixed_from_camera: ArrayLike | None = None,
    ) -> FrameResult:
        """Return the heads in `image` (H,W,3), uint8 in BGR order as OpenCV reads it.

        `channels`: what the image is otherwise: 'rgb', or 'grey', (H,W). `camera` describes the
        image, or the same image at another resolution. `stamp`: seconds; None counts images at
        30 Hz. In a stream, stamps may repeat, jitter, or come up to 0.13 s late; an image up to
        0.3 s late is dropped, as its result says; stamps that go further back, or leave a gap of
        more than three seconds, start anew. `depth` (h,w): metres along the optical axis, aligned
        with the image, of any resolution; NaN, infinite or not positive where unknown.
        `reduction`: how many pixels of `camera` each way one of `image` is the mean of, where it
        was decoded so: 1, 2, 4 or 8; the heads are in pixels of `camera` all the same.
        `rotation_fixed_from_camera` (3,3): how the camera of a robot that moves is turned, in a
        frame that stands still and whose z axis points up; then the robot's own turning is not
        taken for the people's, and the option `camera_roll` is not used.

        Raises TypeError or ValueError where an argument is not what is described here; then
        nothing has changed.
        """
        timer = StageTimer()
        stages, config, stream = self._stages, self._config, self._stream
        picture = checked_picture(image, camera, depth, reduction, channels)
        stamp, turned = checked_stamp(stamp), checked_rotation(rotation_fixed_from_camera)
        if self.mode == 'image':
            return process_images([picture], [stamp], stages, config, timer)[0]
        if not stream.begin(stamp, picture, config, turned):
            return replace(stream.dropped(picture), timings=timer.milliseconds())
        self._search_if_due(picture, stream, config, timer)
        self._read(picture, stream, stream.tracks, config, timer)
        if reduction == 1 and stream.wants_second_search(config):
            self._search(picture, stream, WHOLE, config, timer)
            self._read(picture, stream, stream.found_elsewhere(), config, timer)
        result = stream.finish(picture, config)
        return replace(result, timings=timer.milliseconds())

    def process_batch(
        self,
        images: Sequence[Image],
        cameras: CameraModel | Sequence[CameraModel],
        *,
        channels: Literal['bgr', 'rgb', 'grey'] = 'bgr',
    ) -> list[FrameResult]:
        """Return the heads in each of `images`, whose sizes may differ, in mode 'image'.

        As `process` one by one, but all faces go through the network together. `cameras`: one for
        each image, or one that describes them all.

        Raises TypeError or ValueError as `process`, and ValueError in mode 'video'.
        """
        timer = StageTimer()
        stages, config = self._stages, self._config
        if self.mode != 'image':
            raise ValueError(
                "process_batch: a stream is followed image by image; use mode='image' for "
                'pictures, or process'
            )
        pictures = checked_pictures(images, cameras, channels)
        return process_images(pictures, [None] * len(pictures), stages, config, timer)

    @property
    def _stages(self) -> Stages:
        if self._open_stages is None:
            raise RuntimeError('this HeadPosePipeline is closed; build another')
        return self._open_stages

    def _search_if_due(
        self, picture: Picture, stream: Stream, config: PipelineConfig, timer: StageTimer
    ) -> None:
        """Search the whole image if it is time to."""
        part = stream.due(self._stages.search.parts, config)
        if part is not None:
            self._search(picture, stream, part, config, timer)

    def _search(
        self,
        picture: Picture,
        stream: Stream,
        part: Part,
        config: PipelineConfig,
        timer: StageTimer,
    ) -> None:
        with timer.stage('search'):
            faces = self._stages.find(
                picture.image, picture.seen_by, config, stream.up_if_turned, part, stream.thorough
            )
        stream.detect(faces, config, complete=part.total == 1)

    def _read(
        self,
        picture: Picture,
        stream: Stream,
        tracks: list[Track],
        config: PipelineConfig,
        timer: StageTimer,
    ) -> None:
        """Read `tracks`, those twice that a detection only tells where to look for."""

        def read(some: Sequence[Track]) -> Readings:
            return self._stages.reader.read(picture.image, picture.seen_by, some, config, timer)

        if coarse := stream.coarse(tracks):
            stream.place(coarse, read_upright(read, coarse))
        stream.observe(tracks, read(tracks))
