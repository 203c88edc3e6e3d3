# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the camera is turned in a frame that stands still, from TF at the stamp of each image."""

from __future__ import annotations

import time
from collections.abc import Callable

from std_msgs.msg import Header

from headpose_ros.node.depth import nanoseconds
from headpose_ros.node.problems import ProblemLog
from headpose_ros.node.tf_reader import Lasting, TfReader
from headpose_ros.node.transform_buffer import TransformError
from headpose_ros.typing import Array

MAX_WAIT = 0.02
"""Seconds that an image waits for its transform."""


class FixedFrame:
    """Looks up rotations from a camera's frame to the frame `name`; says why where there is none.

    `clock`: for tests.
    """

    def __init__(
        self,
        name: str,
        tf: TfReader,
        problems: ProblemLog,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._tf = tf
        self._problems = problems
        self._missing = Lasting(clock)
        self._state = 'not yet known'

    @property
    def state(self) -> str:
        """Whether the rotation was known at the last image, for diagnostics."""
        return f'{self.name}: {self._state}'

    def rotation(self, header: Header) -> Array | None:
        """Return the rotation (3,3), fixed frame from the frame of `header`, at its stamp.

        None where it is not known; that is reported where it lasts.
        """
        try:
            found = self._tf.transform(self.name, header.frame_id, nanoseconds(header), MAX_WAIT)
        except TransformError as error:
            self._state = 'not known'
            if self._missing.lasts((error.kind, self._tf.generation)):
                self._report(error, header)
            return None
        if found is None:
            return None
        self._missing.over()
        self._state = 'known'
        self._problems.resolve('fixed_frame')
        return found.rotation

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
