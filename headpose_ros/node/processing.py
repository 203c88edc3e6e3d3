# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processing of one image, in the worker: decode, find its camera, estimate, publish."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from headpose_ros.attention import CAMERA
from headpose_ros.geometry import CameraModel
from headpose_ros.media.image_messages import Bgr, ImageError, jpeg_size, to_bgr_compressed
from headpose_ros.media.levels import DARK, Levels, is_dark
from headpose_ros.node.attentive_principal import NEAREST, AttentivePrincipal
from headpose_ros.node.camera_source import CameraInfoError, CameraSource
from headpose_ros.node.debug_image import Drawing, drawn_width
from headpose_ros.node.depth import DepthBuffer, nanoseconds
from headpose_ros.node.diagnostics import Statistics
from headpose_ros.node.fixed_frame import FixedFrame
from headpose_ros.node.images import to_bgr
from headpose_ros.node.outputs import Outputs
from headpose_ros.node.problems import ProblemLog
from headpose_ros.node.stamps import BACKWARDS, NANO, CheckedStamp, StampChecker
from headpose_ros.node.target_frames import Targets, parsed_targets
from headpose_ros.node.tf_reader import TfReader
from headpose_ros.result import FrameResult
from headpose_ros.tracking.clock import Passage

if TYPE_CHECKING:
    from headpose_ros.node.parameters import NodeConfig


DARK_IMAGES = 15
"""Images without a break that are black before it is told: some lamps light every second one."""

DEGRADED = {'device': 'device', 'max_heads': 'following.max_heads', 'rate': 'following.rate'}
"""Keys of problems, by what the pipeline warns about."""


class Pipeline(Protocol):
    """What the node needs of `HeadPosePipeline`."""

    device: str
    runtime_name: str
    detector_name: str

    @property
    def weights_name(self) -> str: ...  # noqa: D102
    @property
    def warnings(self) -> Mapping[str, str]: ...  # noqa: D102

    def process(  # noqa: D102
        self,
        image_bgr: Bgr,
        camera: CameraModel,
        stamp: float | None = None,
        depth: NDArray[np.float32] | None = None,
        reduction: int = 1,
        *,
        rotation_fixed_from_camera: NDArray[np.float64] | None = None,
    ) -> FrameResult: ...
    def reduction(self, camera: CameraModel) -> int: ...  # noqa: D102
    def reset(self) -> None: ...  # noqa: D102
    def configure_live(self, **changes: Any) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class Job:
    """An image message and the time of its reception, in seconds of the steady clock."""

    message: Image | CompressedImage
    received: float


@dataclass(frozen=True)
class Decoded:
    """The pixels of an image, and its size as published.

    With a `reduction` above 1 each pixel is the mean of a block of that many pixels each way.
    """

    pixels: Bgr
    width: int
    height: int
    reduction: int

    @staticmethod
    def full_size(pixels: Bgr) -> Decoded:
        """Return an image at its own resolution."""
        return Decoded(pixels, pixels.shape[1], pixels.shape[0], 1)


@dataclass(frozen=True)
class Topics:
    """Topic names for log lines."""

    image: str
    camera_info: str
    depth: str


class Processor:
    """Takes each `Job` from message to published heads, or reports why it cannot."""

    def __init__(
        self,
        pipeline: Pipeline,
        cameras: CameraSource,
        depths: DepthBuffer,
        tf: TfReader,
        fixed_frame: FixedFrame | None,
        targets: Targets,
        outputs: Outputs,
        problems: ProblemLog,
        statistics: Statistics,
        topics: Topics,
        options: Callable[[], NodeConfig],
        now_ns: Callable[[], int],
    ) -> None:
        self._pipeline = pipeline
        self._cameras = cameras
        self._depths = depths
        self._tf = tf
        self._fixed_frame = fixed_frame
        self._targets = targets
        self._principal = AttentivePrincipal()
        self._outputs = outputs
        self._problems = problems
        self._statistics = statistics
        self._topics = topics
        self._options = options
        self._now_ns = now_ns
        self._stamps = StampChecker()
        self._levels = Levels()
        self._dark_images = 0
        self._changes: dict[str, Any] = {}
        self._changes_lock = threading.Lock()
        self._closed = False
        self._publishing = threading.Lock()

    def close(self) -> None:
        """Publish nothing from now on; the result of an image in progress is discarded."""
        with self._publishing:
            self._closed = True
            self._outputs.forget_debug_image()

    def publish_absence(self) -> None:
        """Publish that nobody is present any more, once after the last result."""
        with self._publishing:
            self._outputs.publish_absence()

    def change(self, changes: Mapping[str, Any]) -> None:
        """Apply live options of the pipeline before the next image."""
        with self._changes_lock:
            self._changes.update(changes)

    def handle(self, job: Job) -> None:
        """Process one image."""
        self._apply_changes()
        header = self._header(job.message.header)
        checked = self._stamps.check(nanoseconds(header), self._now_ns(), job.received)
        if checked.passage is Passage.LATE:
            return
        self._report_stamp(checked)
        image = self._decode(job.message)
        camera = None if image is None else self._camera_of(header, image)
        if image is None or camera is None:
            return
        depth = self._depth_at(header, image)
        rotation = self._fixed_frame.rotation(header) if self._fixed_frame else None
        start = time.monotonic()
        result = self._pipeline.process(
            image.pixels,
            camera,
            checked.seconds,
            depth,
            image.reduction,
            rotation_fixed_from_camera=rotation,
        )
        took = time.monotonic() - start
        with self._publishing:
            if self._closed:
                return
            principal = self._principal_of(result)
            options = self._options()
            self._outputs.publish(result, principal, header, options.marker_sight_length)
            self._statistics.record(self._latency(job), took, len(result))
            pixels = image.pixels if image.reduction == 1 else None
            face_width = options.face_image_width
            self._outputs.publish_faces(result, header, camera, pixels, face_width)
            width = options.debug_image_width
            self._outputs.publish_debug_image(
                Drawing(result, principal, header, image.pixels, camera, width)
            )
            self._publish_attention(result, header, rotation)
            self._problems.resolve('processing')
            self._report_degraded()

    def begin(self) -> None:
        """Know of nobody: somebody begins to listen, and nothing was processed before."""
        with self._publishing:
            self._outputs.attention.forget()

    def _principal_of(self, result: FrameResult) -> str | None:
        """Return whom `~/pose` is about; attention is that of the image before."""
        by = self._options().principal_by
        if by == NEAREST:
            return result.principal_id
        last = self._outputs.attention.last
        return self._principal.choose(result, last.looking_at(by) if last else ())

    def _publish_attention(
        self, result: FrameResult, header: Header, rotation: NDArray[np.float64] | None
    ) -> None:
        options = self._options()
        targets = parsed_targets(options.attention_targets)
        places = self._targets.places(targets, header)
        robot = CAMERA.name if options.principal_by == NEAREST else options.principal_by
        self._outputs.publish_attention(result, header, targets, places, rotation, robot)

    def _header(self, given: Header) -> Header:
        """Return the header for the outputs: tf2 refuses frames with a leading slash (ROS 1)."""
        if not given.frame_id.startswith('/'):
            self._problems.resolve('image.frame_slash')
            return given
        frame = given.frame_id.lstrip('/')
        self._problems.report(
            'image.frame_slash',
            f'{self._topics.image}: frame_id {given.frame_id!r} starts with a slash, which tf2 '
            f'refuses; {frame!r} is published, set it in the camera driver',
        )
        return Header(stamp=given.stamp, frame_id=frame)

    def _apply_changes(self) -> None:
        with self._changes_lock:
            changes, self._changes = self._changes, {}
        if changes:
            self._pipeline.configure_live(**changes)

    def _report_stamp(self, checked: CheckedStamp) -> None:
        if checked.passage is Passage.JUMP:
            self._pipeline.reset()
            self._principal.reset()
            self._depths.clear()
            with self._publishing:
                if not self._closed:
                    self._outputs.attention.leave()
            self._tf.clear()
        if checked.warning is None:
            self._problems.resolve('stamp')
            return
        kind, text = checked.warning
        self._problems.report(f'stamp.{kind}', f'{self._topics.image}: {text}')
        if kind == BACKWARDS:
            self._problems.forget(f'stamp.{kind}')

    def _report_degraded(self) -> None:
        warnings = self._pipeline.warnings
        for about, key in DEGRADED.items():
            if text := warnings.get(about):
                self._problems.report(key, text)
            else:
                self._problems.resolve(key)

    def _decode(self, message: Image | CompressedImage) -> Decoded | None:
        try:
            if isinstance(message, Image):
                image = Decoded.full_size(to_bgr(message, self._levels))
            else:
                image = self._decode_compressed(message)
        except ImageError as error:
            self._problems.report(
                f'content.{error.kind}', f'{self._topics.image}: {error}', error=True
            )
            return None
        self._problems.resolve('content')
        self._report_darkness(image.pixels)
        return image

    def _report_darkness(self, pixels: Bgr) -> None:
        """Tell of a camera that sees nothing; not of one whose lamp lights some of its images."""
        if not is_dark(pixels):
            self._dark_images = 0
            self._problems.resolve('dark')
            return
        self._dark_images += 1
        if self._dark_images >= DARK_IMAGES:
            self._problems.report(
                'dark',
                f'{self._topics.image}: the images are black (99.5 % of the pixels are below '
                f'{DARK} of 255), so nobody can be found; check the lens cap, the light and the '
                'exposure',
            )

    def _decode_compressed(self, message: CompressedImage) -> Decoded:
        """Decode a JPEG at the resolution that the pipeline, and who watches, needs."""
        size = jpeg_size(message.data)
        if size is None or self._outputs.pixels_wanted():
            return Decoded.full_size(to_bgr_compressed(message, levels=self._levels))
        try:
            reduction = self._pipeline.reduction(self._cameras.camera(*size))
        except CameraInfoError:  # reported when the image is processed
            reduction = 1
        if self._outputs.debug_image_wanted():
            width = drawn_width(size[0], self._options().debug_image_width)
            while reduction > 1 and size[0] < reduction * width:
                reduction //= 2
        pixels = to_bgr_compressed(message, reduction)
        return Decoded(pixels, *size, reduction) if reduction > 1 else Decoded.full_size(pixels)

    def _camera_of(self, header: Any, image: Decoded) -> CameraModel | None:
        try:
            camera = self._cameras.camera(image.width, image.height)
        except CameraInfoError as error:
            if error.kind != 'missing':  # the input monitor reports that
                self._problems.report(
                    f'camera_info.{error.kind}',
                    f'{self._topics.camera_info}: {error}',
                    error=True,
                )
            return None
        self._tell_of_camera_info()
        frame = (self._cameras.frame_id or '').lstrip('/')
        if frame == header.frame_id:
            self._problems.resolve('frames')
        else:
            self._problems.report(
                'frames.differ',
                f'{self._topics.camera_info}: frame_id {frame!r} differs from that of the image, '
                f'{header.frame_id!r}, which is used; check that both come from one camera',
            )
        return camera

    def _tell_of_camera_info(self) -> None:
        """Tell what is unusual or doubtful about a CameraInfo that serves."""
        topic = self._topics.camera_info
        for kind in ('content', 'size'):
            self._problems.resolve(f'camera_info.{kind}')
        for note in self._cameras.notes():
            self._problems.mention(f'{topic}: {note}')
        for kind, text in (
            ('resized', self._cameras.size_note()),
            ('doubtful', self._cameras.doubt()),
        ):
            if text:
                self._problems.report(f'camera_info.{kind}', f'{topic}: {text}')
            else:
                self._problems.resolve(f'camera_info.{kind}')

    def _depth_at(self, header: Any, image: Decoded) -> NDArray[np.float32] | None:
        options = self._options()
        if not options.use_depth:
            return None
        try:
            depth = self._depths.at(header, image.width, image.height, options.depth_tolerance)
        except ImageError as error:
            self._problems.report(
                f'depth.{error.kind}',
                f'{self._topics.depth}: {error}; distances are estimated from the head size',
            )
            return None
        if depth is not None:
            self._problems.resolve('depth')
        return depth

    def _latency(self, job: Job) -> float:
        """Return seconds from stamp to publishing; from reception where the stamp is unusable."""
        latency = (self._now_ns() - nanoseconds(job.message.header)) / NANO
        if 0.0 <= latency < 10.0:
            return latency
        return time.monotonic() - job.received
