# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The time between activate and deactivate: inputs, worker, and the checks of both."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from headpose_ros.node.camera_source import CameraSource
from headpose_ros.node.depth import DepthBuffer
from headpose_ros.node.diagnostics import Counts, Statistics
from headpose_ros.node.fixed_frame import FixedFrame
from headpose_ros.node.idle import IdleNotice
from headpose_ros.node.input_monitor import InputMonitor, Inputs
from headpose_ros.node.outputs import Outputs
from headpose_ros.node.parameters import NodeConfig
from headpose_ros.node.problems import ProblemLog
from headpose_ros.node.processing import Job, Pipeline, Processor, Topics
from headpose_ros.node.subscriptions import Input, camera_info_topic, compressed_topic
from headpose_ros.node.target_frames import Targets
from headpose_ros.node.tf_reader import TfReader
from headpose_ros.node.worker import NewestWorker

RATE_WARM_UP = 3.0
"""Seconds of processing after which rates are meaningful."""
RUNTIME_PROBLEMS = (
    'image', 'content', 'camera_info', 'frames', 'stamp', 'depth', 'fixed_frame',
    'attention_targets', 'processing', 'device', 'following', 'output',
)  # fmt: skip
"""Keys of problems that are forgotten when the node stops processing."""


class Session:
    """Subscribes while an output has subscribers, and hands the newest image to the worker."""

    def __init__(
        self,
        node: Node,
        pipeline: Pipeline,
        cameras: CameraSource,
        outputs: Outputs,
        problems: ProblemLog,
        statistics: Statistics,
        options: Callable[[], NodeConfig],
    ) -> None:
        self.cameras = cameras
        self._outputs = outputs
        self._problems = problems
        self._statistics = statistics
        self._options = options
        self._depths = DepthBuffer()
        name = options().fixed_frame
        self._tf = TfReader(node)
        self._fixed_frame = FixedFrame(name, self._tf, problems) if name else None
        self._targets = Targets(self._tf, problems)
        self._inputs = self._open_inputs(node)
        depth_topic = node.resolve_topic_name('depth')
        image, info = self._inputs.image, self._inputs.camera_info
        self.topics = Topics(image.topic, info.topic, depth_topic)
        self._clock = node.get_clock()
        self._processor = self._make_processor(pipeline)
        self._worker: NewestWorker[Job] = NewestWorker(self._processor.handle, self._on_error)
        name = node.get_fully_qualified_name()
        self._monitor = InputMonitor(self._inputs, cameras, outputs, problems, name, self._now_ns)
        self._idle = IdleNotice(self._monitor.unavailable, node.get_logger())
        self._context = node.context
        self._closed = self.is_processing = False
        self._processing_since = self._next_due = 0.0

    def _now_ns(self) -> int:
        nanoseconds: int = self._clock.now().nanoseconds
        return nanoseconds

    def _make_processor(self, pipeline: Pipeline) -> Processor:
        return Processor(
            pipeline,
            self.cameras,
            self._depths,
            self._tf,
            self._fixed_frame,
            self._targets,
            self._outputs,
            self._problems,
            self._statistics,
            self.topics,
            self._options,
            self._now_ns,
        )

    @property
    def rates_are_valid(self) -> bool:
        """Whether it has processed for long enough that rates are meaningful."""
        return self.is_processing and time.monotonic() - self._processing_since > RATE_WARM_UP

    @property
    def state(self) -> str:
        """What it does, for diagnostics."""
        return 'processing' if self.is_processing else self._idle.text

    def refresh(self) -> None:
        """Follow subscribers and publishers; report what is missing."""
        options = self._options()
        wanted = options.always_on or self._outputs.has_subscribers()
        if wanted and not self.is_processing:
            self._processing_since = time.monotonic()
            self._statistics.clear(self.counts())
            self._processor.begin()
        self.is_processing = wanted
        self._inputs.refresh(wanted, options.silence_timeout)
        needs_tf = self._fixed_frame is not None or bool(options.attention_targets)
        self._tf.refresh(wanted and needs_tf)
        self._outputs.follow_persons(wanted)
        self._idle.update(not wanted, options.silence_timeout)
        if wanted:
            self._monitor.check(options.silence_timeout)
            silent = self._inputs.image.is_silent(options.silence_timeout)
            if silent and self._worker.is_idle:
                self._processor.publish_absence()
        else:
            for key in RUNTIME_PROBLEMS:
                self._problems.forget(key)

    def change(self, changes: Mapping[str, Any]) -> None:
        """Hand live options to the pipeline."""
        self._processor.change(changes)

    def counts(self) -> Counts:
        """Return totals since activation."""
        image = self._inputs.image
        return Counts(image.received, self._statistics.published, self._worker.dropped, image.lost)

    def values(self) -> dict[str, str]:
        """Return the state of the inputs for diagnostics."""
        image = self._inputs.image
        values = {
            'image': image.topic,
            'CameraInfo': self.cameras.state(),
            'publishers': ', '.join(p.node for p in image.publishers) or 'none',
            'following': '; '.join(self._problems.texts('following')) or 'OK',
        }
        values['attention targets'] = self._targets.state
        if self._fixed_frame is not None:
            values['fixed frame'] = self._fixed_frame.state
        return values

    def close(self, timeout: float) -> bool:
        """Unsubscribe and stop; return whether the worker has ended within `timeout` seconds.

        Where it has not, it publishes nothing any more; call again to wait longer.
        """
        self._closed = True
        self._inputs.close()
        self._tf.refresh(False)
        self._outputs.follow_persons(False)
        self._processor.close()
        return self._worker.stop(timeout)

    def _open_inputs(self, node: Node) -> Inputs:
        options = self._options()
        reliability = options.image_reliability
        image: Input[Any]
        if options.image_transport == 'compressed':
            topic = compressed_topic(node)
            image = Input(node, CompressedImage, topic, self._on_image, reliability)
        else:
            topic = node.resolve_topic_name('image')
            image = Input(node, Image, topic, self._on_image, reliability)
        topic = camera_info_topic(node, topic)
        info = Input(node, CameraInfo, topic, self.cameras.update, keeps_latched=True)
        depth = None
        if options.use_depth:
            topic = node.resolve_topic_name('depth')
            depth = Input(node, Image, topic, self._depths.put, reliability)
        return Inputs(image, info, depth)

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
        self._problems.report(
            'processing', f'{self.topics.image}: {type(error).__name__}: {error}', error=True
        )
