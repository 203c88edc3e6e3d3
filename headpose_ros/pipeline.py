# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images in, heads out: the stages in order, for programs with or without ROS."""

from __future__ import annotations

import threading
from dataclasses import fields, replace
from typing import Any

from numpy.typing import NDArray

from headpose_ros.config import PipelineConfig
from headpose_ros.crops import CropReader
from headpose_ros.estimation.estimator import Estimator
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.inputs import Picture, checked_picture, checked_stamp
from headpose_ros.result import FrameResult
from headpose_ros.stage_timer import StageTimer
from headpose_ros.stages import Search, Stages
from headpose_ros.stream import Stream
from headpose_ros.tracking.posing import Readings
from headpose_ros.tracking.track import Track
from headpose_ros.typing import Image

LIVE_OPTIONS = frozenset(item.name for item in fields(PipelineConfig) if item.metadata['live'])
"""Names of the options that `HeadPosePipeline.configure_live` takes."""


class HeadPosePipeline:
    """Finds, follows and measures all heads in a stream of images.

    Holds the state of one stream: use one pipeline per camera. `process` is not to be called from
    two threads at once; `configure_live` may be called from other threads meanwhile.

    `search`, `estimator`: stages of your own in place of those that `config` names. Crops for an
    estimator of your own are NumPy arrays.

    Raises ValueError, or an error of its own that says what is missing, where a weights file or
    the device asked for is not there.
    """

    def __init__(
        self,
        config: PipelineConfig | None = None,
        *,
        search: Search | None = None,
        estimator: Estimator | None = None,
    ) -> None:
        self._config = PipelineConfig() if config is None else config
        self._config_lock = threading.Lock()
        self._stages = Stages.create(self._config, search, estimator)
        self._reader = CropReader(self._stages.estimator, self._stages.crop_device)
        self._stream = Stream(self._stages.estimator.refines)

    @property
    def config(self) -> PipelineConfig:
        """The options in force."""
        return self._config

    @property
    def device(self) -> str:
        """Where networks are computed: cpu, cuda:N; cpu where all stages are your own."""
        return 'cpu' if self._stages.runtime is None else self._stages.runtime.device

    @property
    def runtime_name(self) -> str:
        """What computes the networks: openvino, torch; custom where all stages are your own."""
        return 'custom' if self._stages.runtime is None else self._stages.runtime.name

    @property
    def weights_name(self) -> str:
        """Name of the estimator's weights file, without folder and ending."""
        return self._stages.weights_name

    @property
    def warning(self) -> str | None:
        """What the device cannot do for now, though results come; None where all is well."""
        return getattr(self._stages.runtime, 'trouble', None)

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
        config = self._config
        if not (config.rectify and self._stream.may_reduce(config)):
            return 1
        return self._reader.max_reduction(camera, self._stream.tracks, config)

    def process(
        self,
        image_bgr: Image,
        camera: CameraModel,
        stamp: float | None = None,
        depth: NDArray[Any] | None = None,
        reduction: int = 1,
    ) -> FrameResult:
        """Return the heads in `image_bgr` (H,W,3), uint8.

        `camera` describes the image, or the same image at another resolution. `stamp`: seconds;
        None counts images at 30 Hz. An image that comes twice, or up to 0.2 s late, is dropped,
        as its result says; stamps that go further back, or leave a gap of more than three seconds,
        start anew. `depth` (h,w): metres along the optical axis, aligned with the image, of any
        resolution; NaN, infinite or not positive where unknown. `reduction`: how many pixels of
        `camera` each way one of `image_bgr` is the mean of, where it was decoded so: 1, 2, 4 or 8;
        the heads are in pixels of `camera` all the same.

        Raises TypeError or ValueError where an argument is not what is described here; then
        nothing has changed.
        """
        timer = StageTimer()
        picture = checked_picture(image_bgr, camera, depth, reduction)
        stamp = checked_stamp(stamp)
        config, stream = self._config, self._stream
        if not stream.begin(stamp, config):
            return replace(stream.dropped(picture), timings=timer.milliseconds())
        self._search_if_due(picture, stream, config, timer)
        if new := stream.new_tracks:
            stream.place(new, self._read(picture, new, config, timer))
        readings = self._read(picture, stream.tracks, config, timer)
        result = stream.finish(picture, readings, config)
        return replace(result, timings=timer.milliseconds())

    def _search_if_due(
        self, picture: Picture, stream: Stream, config: PipelineConfig, timer: StageTimer
    ) -> None:
        """Search the whole image if it is time to."""
        search = self._stages.search
        part = stream.due(search.parts, config)
        if part is None:
            return
        with timer.stage('search'):
            if part.total == 1:
                faces = search.find(picture.image, picture.seen_by, config)
            else:
                faces = search.find_part(picture.image, picture.seen_by, part.number, config)
        stream.detect(faces, config)

    def _read(
        self, picture: Picture, tracks: list[Track], config: PipelineConfig, timer: StageTimer
    ) -> Readings:
        return self._reader.read(picture.image, picture.seen_by, tracks, config, timer)
