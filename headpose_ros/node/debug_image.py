# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The image with the heads drawn on it, made beside the processing of the next image."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from headpose_ros.geometry import CameraModel
from headpose_ros.heads import Head, Roi
from headpose_ros.media.drawing import draw_heads
from headpose_ros.media.image_messages import Bgr
from headpose_ros.node.messages import compressed_message, image_message
from headpose_ros.node.problems import ProblemLog
from headpose_ros.node.qos import NEWEST_OUTPUT
from headpose_ros.node.worker import NewestWorker

JPEG_QUALITY = 85
STOP_TIMEOUT = 1.0
"""Seconds to wait for a drawing in progress when the publishers are removed."""


@dataclass(frozen=True)
class Drawing:
    """A result and its image, which may have fewer pixels than `camera` says."""

    heads: Sequence[Head]
    principal_id: str | None
    header: Header
    image: Bgr
    camera: CameraModel
    width: int
    """Of the published image, at most, pixels; 0: that of the image."""


def drawn(drawing: Drawing) -> Bgr:
    """Return the scaled image with the heads on it."""
    full, camera = (drawing.camera.width, drawing.camera.height), drawing.camera
    width = drawn_width(full[0], drawing.width)
    size = (width, max(1, round(full[1] * width / full[0])))
    image = drawing.image
    if (image.shape[1], image.shape[0]) == size:
        canvas = image.copy()
    else:
        canvas = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    scales = size[0] / full[0], size[1] / full[1]
    camera = camera if size == full else camera.resampled(*scales, *size)
    heads = [replace(head, roi=_scaled(head.roi, *scales)) for head in drawing.heads]
    draw_heads(canvas, heads, camera, drawing.principal_id)
    return canvas


def drawn_width(width: int, limit: int) -> int:
    """Return how wide an image is drawn: never wider than it is."""
    return min(width, limit) if limit else width


class DebugImages:
    """Publishes drawings as they are subscribed to, raw, as JPEG or both.

    `send` takes a publisher and a message.
    """

    def __init__(self, node: Node, problems: ProblemLog, send: Callable[[Any, Any], None]) -> None:
        self._problems = problems
        self._send = send
        self._raw = node.create_publisher(Image, '~/debug_image', NEWEST_OUTPUT)
        # As image_transport names it, wherever the other one is remapped to.
        topic = f'{self._raw.topic_name}/compressed'
        self._jpeg = node.create_publisher(CompressedImage, topic, NEWEST_OUTPUT)
        self.publishers = (self._raw, self._jpeg)
        self._lock = threading.Lock()
        self._forgotten = 0
        self._worker: NewestWorker[tuple[int, Drawing]] = NewestWorker(
            self._publish, self._on_error
        )

    def put(self, drawing: Drawing) -> None:
        """Draw and publish it, unless a newer one comes before; does not wait for that."""
        self._worker.put((self._forgotten, drawing))

    def forget(self) -> None:
        """Publish nothing of what was put before."""
        with self._lock:
            self._forgotten += 1

    def close(self) -> None:
        """Publish nothing any more; the publishers are the caller's to remove."""
        self.forget()
        self._worker.stop(STOP_TIMEOUT)

    def _publish(self, item: tuple[int, Drawing]) -> None:
        forgotten, drawing = item
        canvas = drawn(drawing)
        messages = []
        if self._raw.get_subscription_count():
            messages.append((self._raw, image_message(canvas, 'bgr8', drawing.header)))
        if self._jpeg.get_subscription_count():
            _, data = cv2.imencode('.jpg', canvas, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            form = 'bgr8; jpeg compressed bgr8'
            messages.append((self._jpeg, compressed_message(data, form, drawing.header)))
        with self._lock:
            if self._forgotten != forgotten:
                return
            for publisher, message in messages:
                self._send(publisher, message)
        self._problems.resolve('output.drawing')

    def _on_error(self, error: Exception) -> None:
        self._problems.report(
            'output.drawing',
            f'{self._raw.topic_name}: {type(error).__name__}: {error}',
            error=True,
        )


def _scaled(roi: Roi, sx: float, sy: float) -> Roi:
    return Roi(round(roi.x * sx), round(roi.y * sy), round(roi.width * sx), round(roi.height * sy))
