# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The executable `demo_camera`: a video, images, a bag, a webcam or our clip as a camera."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from headpose_ros.media.file_names import printable

if TYPE_CHECKING:
    from rclpy.executors import Executor
    from rclpy.node import Node

    from headpose_ros.geometry import CameraModel
    from headpose_ros.media.image_messages import Bgr
    from headpose_ros.media.sources import Frame, FrameSource
    from headpose_ros.node.bag_clock import BagClock
    from headpose_ros.recordings.bag_source import BagSource

CLIP = Path(__file__).parent.parent / 'demo' / 'clip.mp4'
CLIP_CAMERA = CLIP.with_name('clip_camera.yaml')
DEFAULT_HFOV = 60.0
JPEG_QUALITY = 90
DISCOVERY_SECONDS = 0.2


@dataclass
class Report:
    """Indices and stamps of the published images, for checks."""

    source: str
    rate_hz: float
    width: int
    height: int
    indices: list[int] = field(default_factory=list)
    stamps_ns: list[int] = field(default_factory=list)


def arguments() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = argparse.ArgumentParser(prog='demo_camera', description=__doc__)
    parser.add_argument(
        '--input',
        default=str(CLIP),
        help='video, image, folder of images, bag, stream or /dev/videoN',
    )
    parser.add_argument('--topic', default='', help='image topic of a bag with several cameras')
    parser.add_argument(
        '--clock', action=argparse.BooleanOptionalAction, default=True,
        help='play a bag in its own time: its stamps and frames, and /clock for nodes with '
        'use_sim_time; without: as a camera here and now',
    )  # fmt: skip
    parser.add_argument('--rate', type=float, help="images per second (default: the source's)")
    parser.add_argument('--loop', action='store_true', help='start again at the end')
    parser.add_argument('--frames', type=int, default=0, help='number of images; 0: all')
    parser.add_argument('--camera-info', help='calibration file')
    parser.add_argument('--hfov', type=float, help='horizontal field of view, degrees')
    parser.add_argument('--compressed', action='store_true', help='publish image/compressed')
    parser.add_argument('--best-effort', action='store_true', help='best effort QoS')
    parser.add_argument('--frame-id', default='camera_optical_frame')
    parser.add_argument(
        '--wait', type=int, default=1, help='subscribers to wait for before the first image'
    )
    parser.add_argument('--wait-seconds', type=float, help='give up waiting after this long')
    parser.add_argument('--report', help='JSON file for indices and stamps of the images')
    return parser


def main(args: list[str] | None = None) -> int:
    """Publish until the source ends or a signal comes; return the exit status."""
    from headpose_ros.node.main import guarded

    return guarded(lambda: _run(args))


def _run(args: list[str] | None) -> int:
    import rclpy
    from rclpy.utilities import remove_ros_args

    from headpose_ros.recordings.extras import MissingExtraError

    words = args or sys.argv
    shown = [printable(word) for word in words]  # ROS takes UTF-8 only
    meant = dict(zip(shown, words, strict=True))
    own = [meant[word] for word in remove_ros_args(shown)]
    options = arguments().parse_args(own[1:])
    try:
        source, camera = _open(options)
        with source:
            rclpy.init(args=shown)
            player = Player(source, camera, options)
            player.play()
            if options.report:
                Path(options.report).write_text(json.dumps(vars(player.report)))
    except (ValueError, OSError, MissingExtraError) as error:
        print(f'demo_camera: {error}', file=sys.stderr)
        return 2
    finally:
        rclpy.try_shutdown()
    return 0


def _open(options: argparse.Namespace) -> tuple[FrameSource, CameraModel]:
    from headpose_ros.media.sources import open_source
    from headpose_ros.recordings.finding import is_bag

    if options.input == str(CLIP) and not (options.camera_info or options.hfov):
        options.camera_info = str(CLIP_CAMERA)
    if is_bag(Path(options.input)):
        bag = _open_bag(options)
        return bag, bag.camera
    source = open_source(options.input, loop=options.loop, rate=options.rate)
    return source, _camera(options, source.width, source.height)


def _open_bag(options: argparse.Namespace) -> BagSource:
    from headpose_ros.recordings.bag_source import BagSource

    if options.rate is not None:
        raise ValueError('--rate: a bag has its own stamps')
    given = bool(options.camera_info or options.hfov)
    path = Path(options.input)
    return BagSource(path, _Lenses(options), given, options.topic, options.loop)


class _Lens(NamedTuple):
    camera: CameraModel
    source: str


class _Lenses:
    """The lens that the options name, for images of any size."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options

    def of(self, width: int, height: int) -> _Lens:
        return _Lens(_camera(self._options, width, height), 'given')


def _camera(options: argparse.Namespace, width: int, height: int) -> CameraModel:
    from headpose_ros.geometry import CameraModel

    if options.camera_info:
        camera = CameraModel.from_yaml(
            options.camera_info,
            tell=lambda remark: print(f'--camera-info {remark.text}', file=sys.stderr),
        )
        same = (camera.width, camera.height) == (width, height)
        return camera if same else camera.scaled_to(width, height)
    if options.hfov is None:
        print(
            f'demo_camera: no --camera-info and no --hfov: assuming {DEFAULT_HFOV:g} degrees; '
            'distances and off-axis angles depend on it',
            file=sys.stderr,
        )
    return CameraModel.from_fov(
        width, height, _radians(DEFAULT_HFOV if options.hfov is None else options.hfov)
    )


def _radians(degrees: float) -> float:
    if not 1.0 <= degrees < 179.0:
        raise ValueError(f'--hfov: expected 1 to 179 degrees, got {degrees:g}')
    return degrees * 3.141592653589793 / 180.0


class Player:
    """Publishes a source at its rate; each image is stamped when it is read from the source."""

    def __init__(
        self, source: FrameSource, camera: CameraModel, options: argparse.Namespace
    ) -> None:
        import rclpy
        from rclpy.qos import QoSProfile, ReliabilityPolicy
        from sensor_msgs.msg import CameraInfo, CompressedImage, Image

        from headpose_ros.node.messages import camera_info_message
        from headpose_ros.node.subscriptions import camera_info_topic, compressed_topic

        self._source = source
        self._options = options
        self._node: Node = rclpy.create_node('demo_camera')
        self._executor: Executor
        qos = QoSProfile(depth=5)
        if options.best_effort:
            qos.reliability = ReliabilityPolicy.BEST_EFFORT
        if options.compressed:
            topic = compressed_topic(self._node)
            self._images = self._node.create_publisher(CompressedImage, topic, qos)
        else:
            self._images = self._node.create_publisher(Image, 'image', qos)
        topic = camera_info_topic(self._node, self._images.topic_name)
        self._infos = self._node.create_publisher(CameraInfo, topic, qos)
        self._info = camera_info_message(camera)
        self._camera = camera
        self._clock = self._bag_clock()
        self.report = Report(
            options.input, float(options.rate or source.rate_hz), source.width, source.height
        )

    def play(self) -> None:
        """Wait for subscribers, then publish until the end."""
        from headpose_ros.node.spinning import executing

        with executing(self._node) as self._executor:
            self._await_subscribers()
            start = time.monotonic()
            for frame in self._frames():
                self._wait_until(start + frame.time)
                if not self._node.context.ok():
                    return
                self._publish(frame)
            self._finish()

    def _frames(self) -> Iterator[Frame]:
        for count, frame in enumerate(self._source, 1):
            yield frame
            if count == self._options.frames:
                return

    def _await_subscribers(self) -> None:
        if self._options.wait:
            self._node.get_logger().info(f'waiting for a subscriber on {self._images.topic_name}')
        ok, limit = self._node.context.ok, self._options.wait_seconds
        start = time.monotonic()
        while ok() and self._images.get_subscription_count() < self._options.wait:
            if limit and time.monotonic() - start > limit:
                raise TimeoutError(f'nobody subscribed to {self._images.topic_name} in {limit} s')
            self._executor.spin_once(0.02)
        if self._options.wait:  # discovery may still be incomplete on the other side
            self._wait_until(time.monotonic() + DISCOVERY_SECONDS)

    def _wait_until(self, due: float) -> None:
        while self._node.context.ok() and (left := due - time.monotonic()) > 0:
            self._executor.spin_once(left)

    def _publish(self, frame: Frame) -> None:
        header, stamp_ns = self._header(frame)
        self._info.header = header
        self._infos.publish(self._info)
        self._images.publish(self._message(frame.image_bgr, header))
        self.report.indices.append(frame.index)
        self.report.stamps_ns.append(stamp_ns)

    def _header(self, frame: Frame) -> tuple[Any, int]:
        """Return the header of an image and its stamp; in a bag's own time, that of the bag."""
        from rclpy.time import Time
        from std_msgs.msg import Header

        from headpose_ros.node.messages import camera_info_message
        from headpose_ros.recordings.bag_source import BagFrame

        if isinstance(frame, BagFrame) and frame.camera not in (None, self._camera):
            self._camera, self._info = frame.camera, camera_info_message(frame.camera)
        if self._clock is None:
            now = self._node.get_clock().now()
            return Header(stamp=now.to_msg(), frame_id=self._options.frame_id), now.nanoseconds
        assert isinstance(frame, BagFrame)
        self._clock.tell(frame.stamp_ns)
        stamp = Time(nanoseconds=frame.stamp_ns).to_msg()
        return Header(stamp=stamp, frame_id=frame.frame_id), frame.stamp_ns

    def _bag_clock(self) -> BagClock | None:
        from headpose_ros.node.bag_clock import BagClock
        from headpose_ros.recordings.bag_source import BagSource

        plays = isinstance(self._source, BagSource) and self._options.clock
        return BagClock(self._node) if plays else None

    def _message(self, image: Bgr, header: Any) -> Any:
        import cv2

        from headpose_ros.node.messages import compressed_message, image_message

        if not self._options.compressed:
            return image_message(image, 'bgr8', header)
        _, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        return compressed_message(data, 'bgr8; jpeg compressed bgr8', header)

    def _finish(self) -> None:
        """Wait until the last image has been delivered."""
        from rclpy.duration import Duration

        if self._node.context.ok():
            self._images.wait_for_all_acked(Duration(seconds=2))
            self._wait_until(time.monotonic() + 0.2)


if __name__ == '__main__':
    sys.exit(main())
