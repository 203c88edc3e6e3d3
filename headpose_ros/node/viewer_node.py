# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The executable `headpose_viewer`: shows in a browser what camera and head pose node publish.

It subscribes to what they publish and knows nothing else of them: it may start before or after
them, run on another machine, and be slow or closed without their noticing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from headpose_ros.attention import AttentionResult, HeadEvent, HeadEventType, Look
from headpose_ros.result import FrameResult
from headpose_ros.viewer.shot import Place, Shot

if TYPE_CHECKING:
    from rclpy.node import Node
    from std_msgs.msg import Header

    from headpose_ros.geometry import CameraModel
    from headpose_ros.msg import AttentionArray, HeadPoseArray
    from headpose_ros.msg import HeadEvent as HeadEventMessage

KEPT_IMAGES, KEPT = 12, 60
"""Images that wait for their heads, at most; and heads, attentions and events for each other."""
ALONE_SECONDS = 1.0
"""Where no heads come for so long, images are shown without."""
TICK_SECONDS = 0.2


def main(args: list[str] | None = None) -> int:
    """Run until it is interrupted; return the exit status."""
    from headpose_ros.node.main import guarded

    return guarded(lambda: _run(args))


def _run(args: list[str] | None) -> int:
    import rclpy
    from rclpy.utilities import remove_ros_args

    from headpose_ros.node.spinning import spin
    from headpose_ros.viewer import ViewerError

    parser = argparse.ArgumentParser(prog='headpose_viewer', description=__doc__)
    parser.add_argument('--ready', action='store_true', help='print the address when it is served')
    options = parser.parse_args(remove_ros_args(args or sys.argv)[1:])
    rclpy.init(args=args)
    viewer = None
    try:
        viewer = Viewer()
        if options.ready:
            print(viewer.url, flush=True)
        spin(viewer.node)
    except (ViewerError, ValueError) as error:
        print(f'headpose_viewer: {error}', file=sys.stderr)
        return 2
    finally:
        if viewer is not None:
            viewer.close()
        rclpy.try_shutdown()
    return 0


class Viewer:
    """The node. Raises ViewerError where the browser's viewer cannot be served."""

    def __init__(self) -> None:
        import rclpy

        from headpose_ros.node.camera_source import CameraSource

        self.node = rclpy.create_node('headpose_viewer')
        parameter = _parameters(self.node)
        self._host: str = parameter('host')
        self._port: int = parameter('port')
        self._rate: float = parameter('max_rate')
        if self._rate <= 0.0:
            raise ValueError(f'max_rate: expected above 0 images a second, got {self._rate}')
        self._fixed_frame: str = parameter('fixed_frame')
        self._compressed: bool = parameter('image_transport') == 'compressed'
        self._cameras = CameraSource(rectified=parameter('rectified_input'))
        self._images: OrderedDict[int, Any] = OrderedDict()
        self._attention: OrderedDict[int, AttentionArray] = OrderedDict()
        self._heads: OrderedDict[int, HeadPoseArray] = OrderedDict()
        self._events: list[HeadEvent] = []
        self._with_attention = False
        self._heads_at = self._next = 0.0
        self._shown_ns = -1
        self._live: Any = None
        self._tf = self._open_tf()
        self._inputs = self._subscribe()
        self._start(self._host, self._port)
        self._timers = [
            self.node.create_timer(TICK_SECONDS, self._tick),
            self.node.create_timer(1.0, self._refresh),
        ]
        self._refresh()

    @property
    def url(self) -> str:
        """The page."""
        url: str = self._live.url
        return url

    def close(self) -> None:
        """End the viewer, then the node."""
        if self._live is not None:
            self._live.close()
        self.node.destroy_node()

    def _start(self, host: str, port: int) -> None:
        from headpose_ros.viewer.feeds import LiveView

        self._live = LiveView(host, port, max_rate_hz=self._rate)
        self.node.get_logger().info(
            f'open {self._live.url} in a browser (over SSH: ssh -L '
            f'{self._live.port}:localhost:{self._live.port} ...)'
        )

    def _open_tf(self) -> Any:
        if not self._fixed_frame:
            return None
        from headpose_ros.node.transform_source import open_source

        return open_source(self.node)

    def _subscribe(self) -> list[Any]:
        from rclpy.qos import QoSProfile
        from sensor_msgs.msg import CameraInfo, CompressedImage, Image

        from headpose_ros.msg import AttentionArray, HeadEvent, HeadPoseArray
        from headpose_ros.node.subscriptions import Input, compressed_topic

        node = self.node
        topic = compressed_topic(node) if self._compressed else node.resolve_topic_name('image')
        kind = CompressedImage if self._compressed else Image
        info = node.resolve_topic_name('camera_info')
        own = [
            ('headpose/heads', HeadPoseArray, self._on_heads),
            ('headpose/attention', AttentionArray, self._on_attention),
            ('headpose/events', HeadEvent, self._on_event),
        ]
        self._results = [
            node.create_subscription(kind, name, take, QoSProfile(depth=KEPT))
            for name, kind, take in own
        ]
        return [
            Input(node, kind, topic, self._on_image),
            Input(node, CameraInfo, info, self._cameras.update, keeps_latched=True),
        ]

    def _refresh(self) -> None:
        for source in self._inputs:
            source.refresh(wanted=True, publisher_timeout=5.0)

    def _on_image(self, message: Any) -> None:
        from headpose_ros.node.depth import nanoseconds

        stamp = nanoseconds(message.header)
        self._keep(self._images, stamp, message, KEPT_IMAGES)
        if stamp in self._heads and (not self._with_attention or stamp in self._attention):
            self._show(stamp)

    def _on_heads(self, message: HeadPoseArray) -> None:
        from headpose_ros.node.depth import nanoseconds

        stamp = nanoseconds(message.header)
        self._heads_at = time.monotonic()
        self._keep(self._heads, stamp, message, KEPT)
        if stamp in self._images and (not self._with_attention or stamp in self._attention):
            self._show(stamp)

    def _on_attention(self, message: AttentionArray) -> None:
        from headpose_ros.node.depth import nanoseconds

        stamp = nanoseconds(message.header)
        self._with_attention = True
        self._keep(self._attention, stamp, message, KEPT)
        if stamp in self._images and stamp in self._heads:
            self._show(stamp)

    def _on_event(self, message: HeadEventMessage) -> None:
        from headpose_ros.node.depth import nanoseconds

        stamp = 1e-9 * nanoseconds(message.header)
        kind = HeadEventType(message.type)
        self._events.append(HeadEvent(stamp, message.id, kind, message.target))
        del self._events[:-KEPT]

    def _tick(self) -> None:
        """Show heads whose image or attention does not come, and images without a node."""
        now = time.monotonic()
        if self._images and now - self._heads_at > ALONE_SECONDS:
            self._show(next(reversed(self._images)))
        elif self._heads and now - self._heads_at > TICK_SECONDS:
            self._show(next(reversed(self._heads)))

    @staticmethod
    def _keep(kept: OrderedDict[int, Any], stamp: int, message: Any, most: int) -> None:
        kept[stamp] = message
        while len(kept) > most:
            kept.popitem(last=False)

    def _show(self, stamp: int) -> None:
        """Hand over what is known of a stamp, unless it is too soon, or shown already."""
        now = time.monotonic()
        if stamp < self._shown_ns - _BACK_NS:
            self._shown_ns = -1  # a bag or a simulation begins anew
        if now < self._next or stamp <= self._shown_ns:
            return
        shot = self._shot(stamp)
        if shot is None:
            return
        self._next = now + 0.9 / self._rate
        self._shown_ns = stamp
        self._live.put(shot)
        for kept in (self._images, self._heads, self._attention):
            while kept and next(iter(kept)) <= stamp:
                kept.popitem(last=False)

    def _shot(self, stamp: int) -> Shot | None:
        from headpose_ros.node.messages import head_from_message

        message, heads = self._images.get(stamp), self._heads.get(stamp)
        carrier = heads if message is None else message
        if carrier is None:
            return None
        camera, image = self._camera_and_image(message)
        if camera is None:
            return None
        found = [head_from_message(head) for head in heads.heads] if heads else []
        result = FrameResult(
            tuple(found), (heads.principal_id or None) if heads else None, 1e-9 * stamp,
            camera=camera,
        )  # fmt: skip
        values = {}
        if heads:
            age = self.node.get_clock().now().nanoseconds - stamp
            values['camera to viewer'] = 1e-6 * age
        return Shot(
            image, camera, result, stamp, self._place(carrier.header), self._attending(stamp),
            values,
        )  # fmt: skip

    def _camera_and_image(self, message: Any) -> tuple[CameraModel | None, Any]:
        """Return the camera, None where it is not known, and the image of `message` if usable."""
        from headpose_ros.media.image_messages import ImageError, jpeg_size
        from headpose_ros.node.camera_source import CameraInfoError
        from headpose_ros.node.images import to_bgr

        image: Any = None
        size = None
        if message is not None and self._compressed:
            image = bytes(message.data)
            size = jpeg_size(image)
        elif message is not None:
            try:
                image = to_bgr(message)
                size = (image.shape[1], image.shape[0])
            except ImageError as error:
                self._warn(str(error))
        try:
            return self._cameras.camera(*(size or self._cameras.stated_size)), image
        except CameraInfoError as error:
            self._warn(f'{self.node.resolve_topic_name("camera_info")}: {error}')
            return None, image

    def _attending(self, stamp: int) -> AttentionResult | None:
        message = self._attention.get(stamp)
        if message is None and not self._events:
            return None
        events, self._events = tuple(self._events), []
        looks = [
            Look(
                look.id, look.target, look.looking, look.probability, look.angle, look.distance,
                look.since.sec + 1e-9 * look.since.nanosec,
            )
            for look in (message.attention if message else ())
        ]  # fmt: skip
        return AttentionResult(1e-9 * stamp, tuple(looks), (), events)

    def _place(self, header: Header) -> Place | None:
        if self._tf is None:
            return None
        from headpose_ros.node.depth import nanoseconds
        from headpose_ros.node.transform_buffer import TransformError

        for stamp in (nanoseconds(header), 0):  # the newest will do where that is not there yet
            try:
                found = self._tf.transform(self._fixed_frame, header.frame_id, stamp)
                return Place(found.rotation, found.translation)
            except TransformError as error:
                reason = str(error)
        self._warn(f'fixed_frame: {reason}')
        return None

    def _warn(self, text: str) -> None:
        self.node.get_logger().warning(text, throttle_duration_sec=10.0)


_BACK_NS = 2_000_000_000


def _parameters(node: Node) -> Callable[[str], Any]:
    """Declare the parameters; return what reads them."""
    from rcl_interfaces.msg import ParameterDescriptor

    from headpose_ros.viewer.web_viewer import DEFAULT_PORT

    texts: dict[str, tuple[Any, str]] = {
        'port': (DEFAULT_PORT, 'Port of the page; 0: any that is free.'),
        'host': ('localhost', 'Address to serve it at; 0.0.0.0 is for other machines too.'),
        'max_rate': (15.0, 'Images a second that are shown at most.'),
        'image_transport': ('raw', 'raw or compressed: which topic of images to subscribe to.'),
        'rectified_input': (False, 'Images are rectified (image_rect).'),
        'fixed_frame': ('', 'Frame that stands still, z up, such as odom; empty: the camera.'),
    }
    for name, (default, text) in texts.items():
        about = ParameterDescriptor(description=text, read_only=True)
        node.declare_parameter(name, default, about)
    return lambda name: node.get_parameter(name).value


if __name__ == '__main__':
    sys.exit(main())
