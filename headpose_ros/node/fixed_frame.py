# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the camera is turned in a frame that stands still, from TF at the stamp of each image."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rclpy.node import Node
from std_msgs.msg import Header

from headpose_ros.node.depth import nanoseconds
from headpose_ros.node.problems import ProblemLog
from headpose_ros.node.rotation_buffer import TransformError, turn_on
from headpose_ros.node.rotation_source import RotationSource, open_source
from headpose_ros.node.stamps import NANO
from headpose_ros.typing import Array

MAX_WAIT = 0.02
"""Seconds that an image waits for its transform."""
WAIT_STEP = 0.002
MAX_EXTRAPOLATED_NS = NANO // 10
"""Nanoseconds beyond the newest transform over which the camera is taken to turn on as before."""
SPAN_NS = NANO // 20
"""Nanoseconds over which its angular velocity is taken for that."""
MISSING_TOLD_AFTER = 1.0
"""Seconds without the rotation after which that is reported: transforms need time to arrive."""


class FixedFrame:
    """Looks up rotations from a camera's frame to the frame `name`; says why where there is none.

    It listens to /tf only while `refresh` says that it is wanted. `source`: for tests.
    """

    def __init__(
        self,
        node: Node,
        name: str,
        problems: ProblemLog,
        source: Callable[[Node], RotationSource] = open_source,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._node = node
        self._problems = problems
        self._open = source
        self._clock = clock
        self._lock = threading.Lock()
        self._source: RotationSource | None = None
        self._missing = ('', 0.0)
        self._state = 'not yet known'

    @property
    def state(self) -> str:
        """Whether the rotation was known at the last image, for diagnostics."""
        return f'{self.name}: {self._state}'

    def refresh(self, wanted: bool) -> None:
        """Listen to /tf, or stop to."""
        if wanted == (self._source is not None):
            return
        with self._lock:
            if self._source is not None:
                self._source.close()
            self._source = self._open(self._node) if wanted else None
            self._missing = ('', 0.0)

    def clear(self) -> None:
        """Forget the transforms so far: time was set back."""
        with self._lock:
            if self._source is not None:
                self._source.clear()
            self._missing = ('', 0.0)

    def rotation(self, header: Header) -> Array | None:
        """Return the rotation (3,3), fixed frame from the frame of `header`, at its stamp.

        None where it is not known; that is reported where it lasts.
        """
        with self._lock:
            source = self._source
        if source is None:
            return None
        try:
            found = self._wait_for(source, header.frame_id, nanoseconds(header))
        except TransformError as error:
            self._state = 'not known'
            if self._lasts(error.kind):
                self._report(error, header)
            return None
        self._missing, self._state = ('', 0.0), 'known'
        self._problems.resolve('fixed_frame')
        return found

    def _wait_for(self, source: RotationSource, frame: str, stamp: int) -> Array:
        """Return the rotation at `stamp`, ns, as soon as it is known. Raises TransformError."""
        end = time.monotonic() + MAX_WAIT
        while True:
            try:
                return source.rotation(self.name, frame, stamp)
            except TransformError as error:
                if error.kind != 'late':
                    raise
            newest = source.newest(self.name, frame)
            if stamp - newest > MAX_EXTRAPOLATED_NS:
                raise TransformError(
                    'late', f'the newest transform is {(stamp - newest) / NANO:.2f} s older'
                )
            if time.monotonic() >= end:
                return self._extrapolated(source, frame, stamp, newest)
            time.sleep(WAIT_STEP)

    def _extrapolated(self, source: RotationSource, frame: str, stamp: int, newest: int) -> Array:
        last = source.rotation(self.name, frame, newest)
        try:
            earlier = source.rotation(self.name, frame, newest - SPAN_NS)
        except TransformError:
            return last
        return turn_on(earlier, last, 1.0 + (stamp - newest) / SPAN_NS)

    def _lasts(self, kind: str) -> bool:
        """Return whether the rotation has been missing for a while, for the same reason."""
        now = self._clock()
        if kind != self._missing[0]:
            self._missing = (kind, now)
        return now - self._missing[1] > MISSING_TOLD_AFTER

    def _report(self, error: TransformError, header: Header) -> None:
        cure = {
            'unknown': 'start what publishes it, or correct the parameter fixed_frame or the '
            'frame_id of the camera',
            'apart': 'start what publishes the transforms between them (robot_state_publisher, '
            'odometry)',
            'late': 'have odometry publish at 20 Hz or more, and synchronise the clocks of the '
            'machines (chrony)',
            'old': 'synchronise the clocks of the machines (chrony), or process images sooner',
        }[error.kind]
        key = f'fixed_frame.{error.kind}'
        if not self._problems.texts(key):
            self._problems.forget('fixed_frame')  # another reason, which no longer holds
        self._problems.report(
            key,
            f'fixed_frame: how {header.frame_id!r} is turned in {self.name!r} is not known from '
            f"TF ({error}), so the robot's own turning is taken for people's; {cure}",
        )
