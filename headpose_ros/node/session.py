# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The time between activate and deactivate: inputs, worker, and the watch over both."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from headpose_ros.node.camera_source import CameraSource
from headpose_ros.node.complaints import Complaints
from headpose_ros.node.depth import DepthBuffer
from headpose_ros.node.diagnostics import Counts, Statistics
from headpose_ros.node.outputs import Outputs
from headpose_ros.node.parameters import NodeConfig
from headpose_ros.node.processing import Job, Pipeline, Processor, Topics
from headpose_ros.node.subscriptions import LEASE_SECONDS, Input, compressed_topic
from headpose_ros.node.worker import NewestWorker

SETTLING_TIME = 3.0
"""Seconds after which rates are meaningful."""
LOST_SHARE = 0.1
PASSING_TROUBLE = (
    'image', 'content', 'camera_info', 'frames', 'stamp', 'depth', 'processing', 'device', 'output'
)  # fmt: skip
"""Complaints that mean nothing while the node does not work."""


class Session:
    """Subscribes while somebody listens, and hands the newest image to the worker."""

    def __init__(
        self,
        node: Node,
        pipeline: Pipeline,
        outputs: Outputs,
        complaints: Complaints,
        statistics: Statistics,
        options: Callable[[], NodeConfig],
    ) -> None:
        self._outputs = outputs
        self._complaints = complaints
        self._statistics = statistics
        self._options = options
        self.cameras = CameraSource(options().rectified_input)
        self._depths = DepthBuffer()
        self._image, self._info, self._depth = self._inputs(node)
        self.topics = Topics(self._image.topic, self._info.topic, node.resolve_topic_name('depth'))
        self._processor = Processor(
            pipeline,
            self.cameras,
            self._depths,
            outputs,
            complaints,
            statistics,
            self.topics,
            options,
            lambda: node.get_clock().now().nanoseconds,
        )
        self._worker: NewestWorker[Job] = NewestWorker(self._processor.handle, self._on_error)
        self._context = node.context
        self._name = node.get_fully_qualified_name()
        self._alone_at = time.monotonic()
        self._closed = False
        self.working = False
        self._working_since = 0.0
        self._next_due = 0.0
        self._lost_before = (0, 0)

    @property
    def settled(self) -> bool:
        """Whether it has worked long enough for rates to mean something."""
        return self.working and time.monotonic() - self._working_since > SETTLING_TIME

    def refresh(self) -> None:
        """Follow listeners and publishers; complain about what is missing."""
        wanted = self._options().always_on or self._outputs.listened()
        if wanted and not self.working:
            self._working_since = time.monotonic()
            self._statistics.clear()
        self.working = wanted
        for topic in (self._image, self._info, self._depth):
            if topic is not None:
                topic.refresh(wanted)
        if wanted:
            self._complain()
        else:
            for key in PASSING_TROUBLE:
                self._complaints.drop(key)

    def change(self, changes: Mapping[str, Any]) -> None:
        """Hand live options to the pipeline."""
        self._processor.change(changes)

    def counts(self) -> Counts:
        """Return totals since activation."""
        return Counts(
            self._image.received,
            self._statistics.published,
            self._worker.dropped,
            self._image.lost,
        )

    def values(self) -> dict[str, str]:
        """Return the state of the inputs for diagnostics."""
        return {
            'image': self._image.topic,
            'CameraInfo': self.cameras.state(),
            'publishers': ', '.join(p.node for p in self._image.publishers) or 'none',
        }

    def close(self, timeout: float) -> bool:
        """Leave all topics and stop; return whether the worker has ended within `timeout`.

        Where it has not, it publishes nothing any more; call again to wait on.
        """
        self._closed = True
        for topic in (self._image, self._info, self._depth):
            if topic is not None:
                topic.close()
        self._processor.close()
        return self._worker.stop(timeout)

    def _inputs(self, node: Node) -> tuple[Input[Any], Input[CameraInfo], Input[Image] | None]:
        options = self._options()
        reliability = options.image_reliability
        image: Input[Any]
        if options.image_transport == 'compressed':
            topic = compressed_topic(node)
            image = Input(node, CompressedImage, topic, self._on_image, reliability)
        else:
            topic = node.resolve_topic_name('image')
            image = Input(node, Image, topic, self._on_image, reliability)
        info = Input(node, CameraInfo, node.resolve_topic_name('camera_info'), self.cameras.update)
        depth = None
        if options.use_depth:
            topic = node.resolve_topic_name('depth')
            depth = Input(node, Image, topic, self._depths.put, reliability)
        return image, info, depth

    def _on_image(self, message: Image | CompressedImage) -> None:
        now = time.monotonic()
        rate = self._options().max_rate
        if rate > 0.0:
            if now < self._next_due:
                return
            self._next_due = max(self._next_due + 1.0 / rate, now)
        self._worker.put(Job(message, now))

    def _on_error(self, error: Exception) -> None:
        if self._closed or not self._context.ok():  # publishing fails after shutdown
            return
        self._complaints.say(
            'processing', f'{self.topics.image}: {type(error).__name__}: {error}', error=True
        )

    def _complain(self) -> None:
        timeout = self._options().silence_timeout
        self._complain_of_silence(self._image, 'image', timeout)
        if self._depth is not None:
            self._complain_of_silence(self._depth, 'depth', timeout)
        if self.cameras.frame_id is not None:
            self._complaints.settle('camera_info.missing')
        elif self._image.silent_for < timeout < self._info.silent_for:
            self._complaints.say(
                'camera_info.missing',
                f'{self._info.why_silent()}; images come, but have no use without CameraInfo',
                error=True,
            )
        self._complain_of_crowd()
        self._complain_of_twin()
        self._complain_of_loss()

    def _complain_of_silence(self, topic: Input[Any], key: str, timeout: float) -> None:
        if topic.silent_for > timeout:
            self._complaints.say(f'{key}.silent', topic.why_silent(), error=key == 'image')
        else:
            self._complaints.settle(f'{key}.silent')

    def _complain_of_crowd(self) -> None:
        names = self._image.crowd()
        if not names:
            self._complaints.settle('image.crowd')
            return
        self._complaints.say(
            'image.crowd',
            f'{self._image.topic}: {", ".join(names)} all publish on it; give each camera a '
            'topic and a headpose node of its own',
        )

    def _complain_of_twin(self) -> None:
        now = time.monotonic()
        if not self._outputs.twins():
            self._alone_at = now
            self._complaints.settle('output.twin')
        elif now - self._alone_at > LEASE_SECONDS:
            self._complaints.say(
                'output.twin',
                f'{self._name}: another node has this name too, and publishes on the same topics; '
                'give each a namespace, or a name (-r __node:=...)',
            )

    def _complain_of_loss(self) -> None:
        received, lost = self._image.received, self._image.lost
        new_lost, new = lost - self._lost_before[1], received - self._lost_before[0]
        if new + new_lost < 30:
            return
        self._lost_before = (received, lost)
        if new_lost <= LOST_SHARE * (new + new_lost):
            self._complaints.settle('image.lost')
            return
        self._complaints.say(
            'image.lost',
            f'{self._image.topic}: {new_lost} of {new + new_lost} images were lost in transport; '
            'set FASTRTPS_DEFAULT_PROFILES_FILE=config/fastdds_images.xml for camera and node, '
            'or use reliable or compressed images',
        )
