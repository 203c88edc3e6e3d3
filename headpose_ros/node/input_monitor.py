# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of the inputs and of the graph: what is missing, lost, or there twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from headpose_ros.node.camera_source import CameraSource
from headpose_ros.node.middleware import large_image_advice
from headpose_ros.node.outputs import Outputs
from headpose_ros.node.problems import ProblemLog
from headpose_ros.node.subscriptions import LEASE_SECONDS, Input

MAX_LOST_SHARE = 0.1
"""Share of the images that may be lost in transport before it is reported."""
MIN_LOSS_SAMPLE = 30
"""Images over which the share is taken, at least."""
CONFLICT_PERIOD = 0.5
"""Seconds between two looks at what other nodes publish: it asks for all topics of the graph."""
CONFLICT_SECONDS = 1.0
"""Longer than a new node is known only in part."""
REASON_PERIOD = 2.0
"""Seconds between two searches of the graph for the reason of missing data."""


@dataclass(frozen=True)
class Inputs:
    """The input topics; `depth` is None where depth is not used."""

    image: Input[Any]
    camera_info: Input[Any]
    depth: Input[Any] | None

    def refresh(self, wanted: bool, publisher_timeout: float) -> None:
        """Let each follow its publishers, or unsubscribe."""
        for topic in (self.image, self.camera_info, self.depth):
            if topic is not None:
                topic.refresh(wanted, publisher_timeout)

    def close(self) -> None:
        """Unsubscribe from all."""
        for topic in (self.image, self.camera_info, self.depth):
            if topic is not None:
                topic.close()


@dataclass(frozen=True)
class _Reason:
    at: float
    publishers: list[Any]
    text: str


class InputMonitor:
    """Reports to the problem log what keeps the node from working. Call `check` regularly."""

    def __init__(
        self,
        inputs: Inputs,
        cameras: CameraSource,
        outputs: Outputs,
        problems: ProblemLog,
        node_name: str,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._inputs = inputs
        self._cameras = cameras
        self._outputs = outputs
        self._problems = problems
        self._node_name = node_name
        self._now_ns = now_ns
        self._clock_shows, self._clock_moved_at = -1, time.monotonic()
        self._clock_stands = False
        self._sole_publisher_at = time.monotonic()
        self._no_conflict_at: dict[str, float] = {}
        self._conflicts_due = 0.0
        self._counts_before = (0, 0)
        self._reasons: dict[str, _Reason] = {}

    def check(self, timeout: float) -> None:
        """Report problems; `timeout`: seconds without a message after which data is missing."""
        inputs = self._inputs
        self._watch_clock()
        self._check_data(inputs.image, 'image', timeout)
        if inputs.depth is not None:
            self._check_data(inputs.depth, 'depth', timeout)
        self._check_camera_info(timeout)
        self._check_calibration()
        self._check_publishers(inputs.image, 'image')
        self._check_publishers(inputs.camera_info, 'camera_info')
        if inputs.depth is not None:
            self._check_publishers(inputs.depth, 'depth')
        self._check_node_name()
        self._check_conflicts()
        self._check_loss()

    def unavailable(self) -> str:
        """Return what is wrong with the publishers of image and CameraInfo, '' where all is well.

        For the time in which nothing is subscribed to.
        """
        inputs = self._inputs
        found = []
        for topic in (inputs.image, inputs.camera_info):
            topic.update_publishers()
            if not any(publisher.kind == topic.kind for publisher in topic.publishers):
                found.append(topic.no_data_reason())
        return '; '.join(found)

    def _watch_clock(self) -> None:
        """Note when the node's clock was last seen to move: it is /clock with use_sim_time."""
        shows = self._now_ns()
        self._clock_stands = shows == self._clock_shows
        if not self._clock_stands:
            self._clock_shows, self._clock_moved_at = shows, time.monotonic()

    def _check_data(self, topic: Input[Any], key: str, timeout: float) -> None:
        paused = f'{key}.paused'
        if not topic.is_silent(timeout):
            self._problems.resolve(f'{key}.no_data')
            self._problems.resolve(paused)
        elif topic.publishers and time.monotonic() - self._clock_moved_at > timeout:
            self._problems.forget(f'{key}.no_data')
            text = (
                f'{topic.topic}: no message arrives and /clock stands still: a bag that is paused?'
            )
            self._problems.report(paused, text)
        elif not topic.publishers or not self._clock_stands:  # else it may just have been paused
            self._problems.forget(paused)
            self._problems.report(f'{key}.no_data', self._reason(topic), error=key == 'image')

    def _check_calibration(self) -> None:
        info = self._inputs.camera_info
        if text := self._cameras.alternation():
            self._problems.report('camera_info.flips', f'{info.topic}: {text}')
        else:
            self._problems.resolve('camera_info.flips')

    def _check_camera_info(self, timeout: float) -> None:
        image, info = self._inputs.image, self._inputs.camera_info
        if self._cameras.frame_id is not None:
            self._problems.resolve('camera_info.missing')
        elif not image.is_silent(timeout) and timeout < info.seconds_since_message:
            self._problems.report(
                'camera_info.missing',
                f'{self._reason(info)}; images arrive, but cannot be used without CameraInfo',
                error=True,
            )

    def _check_publishers(self, topic: Input[Any], key: str) -> None:
        names = topic.competing_publishers()
        if not names:
            self._problems.resolve(f'{key}.publishers')
            return
        self._problems.report(
            f'{key}.publishers',
            f'{topic.topic}: {", ".join(names)} all publish on it; give each camera its own topic '
            'and headpose node',
        )

    def _check_node_name(self) -> None:
        now = time.monotonic()
        if not self._outputs.other_publishers():
            self._sole_publisher_at = now
            self._problems.resolve('output.node_name')
        elif now - self._sole_publisher_at > LEASE_SECONDS:
            self._problems.report(
                'output.node_name',
                f'{self._node_name}: another node has the same name and publishes on the same '
                'topics; give each a namespace, or a name (-r __node:=...)',
            )

    def _check_conflicts(self) -> None:
        """Report what other nodes publish that does not go with what this one does."""
        now = time.monotonic()
        if now < self._conflicts_due:
            return
        self._conflicts_due = now + CONFLICT_PERIOD
        for subject, text in self._outputs.conflicts().items():
            if not text:
                self._no_conflict_at[subject] = now
                self._problems.resolve(f'output.{subject}')
            elif now - self._no_conflict_at.setdefault(subject, now) > CONFLICT_SECONDS:
                self._problems.report(f'output.{subject}', text)

    def _check_loss(self) -> None:
        topic = self._inputs.image
        new = topic.received - self._counts_before[0]
        lost = topic.lost - self._counts_before[1]
        if new + lost < MIN_LOSS_SAMPLE:
            return
        self._counts_before = (topic.received, topic.lost)
        if lost <= MAX_LOST_SHARE * (new + lost):
            self._problems.resolve('image.lost')
            return
        self._problems.report(
            'image.lost',
            f'{topic.topic}: {lost} of {new + lost} images were lost in transport; '
            f'{large_image_advice()}, or use reliable or compressed images',
        )

    def _reason(self, topic: Input[Any]) -> str:
        """Return why no data arrives; it is kept for a while where the publishers are the same."""
        now, publishers = time.monotonic(), list(topic.publishers)
        known = self._reasons.get(topic.topic)
        if known and known.publishers == publishers and now - known.at < REASON_PERIOD:
            return known.text
        text = topic.no_data_reason()
        self._reasons[topic.topic] = _Reason(now, publishers, text)
        return text
