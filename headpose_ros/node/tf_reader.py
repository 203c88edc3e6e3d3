# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Transforms at the stamps of images, from TF: read, waited for, or carried on for a moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

from rclpy.node import Node

from headpose_ros.node.stamps import NANO
from headpose_ros.node.transform_buffer import Transform, TransformError, move_on
from headpose_ros.node.transform_source import TransformSource, open_source

WAIT_STEP = 0.002
MAX_EXTRAPOLATED_NS = NANO // 10
"""Nanoseconds beyond the newest transform over which motion is taken to go on as before."""
SPAN_NS = NANO // 20
"""Nanoseconds over which the velocities are taken for that."""
TOLD_AFTER = 1.0
"""Seconds without a transform after which that is reported: transforms need time to arrive."""


class TfReader:
    """Listens to /tf while that is wanted; answers for any two frames. `source`: for tests.

    `generation` grows with each start to listen and each time that is set back.
    """

    def __init__(
        self, node: Node, source: Callable[[Node], TransformSource] = open_source
    ) -> None:
        self._node = node
        self._open = source
        self._lock = threading.Lock()
        self._source: TransformSource | None = None
        self.generation = 0

    def refresh(self, wanted: bool) -> None:
        """Listen to /tf, or stop to."""
        if wanted == (self._source is not None):
            return
        with self._lock:
            if self._source is not None:
                self._source.close()
            self._source = self._open(self._node) if wanted else None
            self.generation += 1

    def clear(self) -> None:
        """Forget the transforms so far: time was set back."""
        with self._lock:
            if self._source is not None:
                self._source.clear()
            self.generation += 1

    def transform(
        self, target: str, source: str, stamp: int, max_wait: float = 0.0
    ) -> Transform | None:
        """Return the transform, `target` from `source`, at `stamp`, ns; 0: the newest.

        Where it has not arrived after `max_wait`, s, motion is taken to go on for up to
        MAX_EXTRAPOLATED_NS. None while it does not listen. Raises TransformError where the
        transform is not known.
        """
        with self._lock:
            tf = self._source
        if tf is None:
            return None
        end = time.monotonic() + max_wait
        while True:
            try:
                return tf.transform(target, source, stamp)
            except TransformError as error:
                if error.kind != 'late':
                    raise
            newest = tf.newest(target, source)
            if stamp - newest > MAX_EXTRAPOLATED_NS:
                raise TransformError(
                    'late', f'the newest transform is {(stamp - newest) / NANO:.2f} s older'
                )
            if time.monotonic() >= end:
                return _extrapolated(tf, target, source, stamp, newest)
            time.sleep(WAIT_STEP)


class Lasting:
    """Tells what lasts, for the same reason, from what is missing for a moment only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._reason: Hashable = None
        self._since = 0.0

    def over(self) -> None:
        """State that nothing is missing."""
        self._reason = None

    def lasts(self, reason: Hashable) -> bool:
        """Return whether it has been missing for `reason` for more than TOLD_AFTER."""
        now = self._clock()
        if reason != self._reason:
            self._reason, self._since = reason, now
        return now - self._since > TOLD_AFTER


def _extrapolated(
    tf: TransformSource, target: str, source: str, stamp: int, newest: int
) -> Transform:
    last = tf.transform(target, source, newest)
    try:
        earlier = tf.transform(target, source, newest - SPAN_NS)
    except TransformError:
        return last
    return move_on(earlier, last, 1.0 + (stamp - newest) / SPAN_NS)
