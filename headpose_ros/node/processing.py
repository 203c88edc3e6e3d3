# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What happens to one image: decode, find its camera, estimate, publish. Runs in the worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image

from headpose_ros.geometry import CameraModel
from headpose_ros.node.camera_source import CameraInfoError, CameraSource
from headpose_ros.node.complaints import Complaints
from headpose_ros.node.depth import DepthBuffer, nanoseconds
from headpose_ros.node.diagnostics import Statistics
from headpose_ros.node.images import Bgr, ImageError, jpeg_size, to_bgr, to_bgr_compressed
from headpose_ros.node.outputs import Outputs
from headpose_ros.node.stamps import BACK, NANO, Moment, StampWatch
from headpose_ros.result import FrameResult
from headpose_ros.tracking.clock import Passage

if TYPE_CHECKING:
    from headpose_ros.node.parameters import NodeConfig


class Pipeline(Protocol):
    """What the node needs of `HeadPosePipeline`."""

    device: str
    runtime_name: str

    @property
    def weights_name(self) -> str: ...  # noqa: D102
    @property
    def warning(self) -> str | None: ...  # noqa: D102

    def process(  # noqa: D102
        self,
        image_bgr: Bgr,
        camera: CameraModel,
        stamp: float | None = None,
        depth: NDArray[np.float32] | None = None,
        reduction: int = 1,
    ) -> FrameResult: ...
    def reduction(self, camera: CameraModel) -> int: ...  # noqa: D102
    def reset(self) -> None: ...  # noqa: D102
    def configure_live(self, **changes: Any) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class Job:
    """An image message and when it came, in seconds of the steady clock."""

    message: Image | CompressedImage
    received: float


@dataclass(frozen=True)
class Decoded:
    """An image's pixels, each the mean of `reduction` each way; its own size as published."""

    pixels: Bgr
    width: int
    height: int
    reduction: int

    @staticmethod
    def whole(pixels: Bgr) -> Decoded:
        """Return an image of which nothing was left out."""
        return Decoded(pixels, pixels.shape[1], pixels.shape[0], 1)


@dataclass(frozen=True)
class Topics:
    """Names for complaints."""

    image: str
    camera_info: str
    depth: str


class Processor:
    """Takes each `Job` from message to published heads, and says why where it cannot."""

    def __init__(
        self,
        pipeline: Pipeline,
        cameras: CameraSource,
        depths: DepthBuffer,
        outputs: Outputs,
        complaints: Complaints,
        statistics: Statistics,
        topics: Topics,
        options: Callable[[], NodeConfig],
        now_ns: Callable[[], int],
    ) -> None:
        self._pipeline = pipeline
        self._cameras = cameras
        self._depths = depths
        self._outputs = outputs
        self._complaints = complaints
        self._statistics = statistics
        self._topics = topics
        self._options = options
        self._now_ns = now_ns
        self._stamps = StampWatch()
        self._changes: dict[str, Any] = {}
        self._changes_lock = threading.Lock()
        self._closed = False
        self._publishing = threading.Lock()

    def close(self) -> None:
        """Publish nothing from now on; an image in hand is finished in silence."""
        with self._publishing:
            self._closed = True

    def change(self, changes: Mapping[str, Any]) -> None:
        """Apply live options of the pipeline before the next image."""
        with self._changes_lock:
            self._changes.update(changes)

    def handle(self, job: Job) -> None:
        """Work on one image."""
        self._apply_changes()
        header = job.message.header
        moment = self._stamps.judge(nanoseconds(header), self._now_ns(), job.received)
        if moment.passage is Passage.LATE:
            return
        self._tell_time(moment)
        image = self._decode(job.message)
        camera = None if image is None else self._camera_of(header, image)
        if image is None or camera is None:
            return
        depth = self._depth_at(header, image)
        start = time.monotonic()
        result = self._pipeline.process(
            image.pixels, camera, moment.seconds, depth, image.reduction
        )
        took = time.monotonic() - start
        with self._publishing:
            if self._closed:
                return
            principal = result.principal_id
            length = self._options().marker_sight_length
            self._outputs.publish(result, principal, header, length)
            self._statistics.record(self._latency(job), took, len(result))
            if image.reduction == 1:
                self._outputs.publish_drawing(result, principal, header, image.pixels, camera)
            self._complaints.settle('processing')
            self._tell_trouble()

    def _apply_changes(self) -> None:
        with self._changes_lock:
            changes, self._changes = self._changes, {}
        if changes:
            self._pipeline.configure_live(**changes)

    def _tell_time(self, moment: Moment) -> None:
        if moment.passage is Passage.JUMP:
            self._pipeline.reset()
            self._depths.clear()
        if moment.trouble is None:
            self._complaints.settle('stamp')
            return
        kind, text = moment.trouble
        self._complaints.say(f'stamp.{kind}', f'{self._topics.image}: {text}')
        if kind == BACK:
            self._complaints.drop(f'stamp.{kind}')

    def _tell_trouble(self) -> None:
        if warning := self._pipeline.warning:
            self._complaints.say('device', warning)
        else:
            self._complaints.settle('device')

    def _decode(self, message: Image | CompressedImage) -> Decoded | None:
        try:
            if isinstance(message, Image):
                image = Decoded.whole(to_bgr(message))
            else:
                image = self._decode_compressed(message)
        except ImageError as error:
            self._complaints.say(
                f'content.{error.kind}', f'{self._topics.image}: {error}', error=True
            )
            return None
        self._complaints.settle('content')
        return image

    def _decode_compressed(self, message: CompressedImage) -> Decoded:
        """Decode a JPEG no finer than the pipeline has use for, unless someone watches it."""
        size = jpeg_size(message.data)
        if size is None or self._outputs.draws():
            return Decoded.whole(to_bgr_compressed(message))
        try:
            reduction = self._pipeline.reduction(self._cameras.camera(*size))
        except CameraInfoError:  # told of when the image has been looked at
            reduction = 1
        pixels = to_bgr_compressed(message, reduction)
        return Decoded(pixels, *size, reduction) if reduction > 1 else Decoded.whole(pixels)

    def _camera_of(self, header: Any, image: Decoded) -> CameraModel | None:
        try:
            camera = self._cameras.camera(image.width, image.height)
        except CameraInfoError as error:
            if error.kind != 'missing':  # the node tells that, with what the graph shows
                self._complaints.say(
                    f'camera_info.{error.kind}',
                    f'{self._topics.camera_info}: {error}',
                    error=True,
                )
            return None
        if note := self._cameras.size_note():
            for kind in ('content', 'size'):
                self._complaints.settle(f'camera_info.{kind}')
            self._complaints.say('camera_info.resized', f'{self._topics.camera_info}: {note}')
        else:
            self._complaints.settle('camera_info')
        if self._cameras.frame_id == header.frame_id:
            self._complaints.settle('frames')
        else:
            self._complaints.say(
                'frames.differ',
                f'{self._topics.camera_info}: frame_id {self._cameras.frame_id!r} is not the '
                f"image's {header.frame_id!r}, which is used; check that both are of one camera",
            )
        return camera

    def _depth_at(self, header: Any, image: Decoded) -> NDArray[np.float32] | None:
        options = self._options()
        if not options.use_depth:
            return None
        try:
            depth = self._depths.at(header, image.width, image.height, options.depth_tolerance)
        except ImageError as error:
            self._complaints.say(
                f'depth.{error.kind}',
                f'{self._topics.depth}: {error}; distances come from the head size meanwhile',
            )
            return None
        if depth is not None:
            self._complaints.settle('depth')
        return depth

    def _latency(self, job: Job) -> float:
        """Return stamp to published; from reception where the stamp cannot tell."""
        latency = (self._now_ns() - nanoseconds(job.message.header)) / NANO
        if 0.0 <= latency < 10.0:
            return latency
        return time.monotonic() - job.received
