# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Transforms from /tf and /tf_static: by tf2_ros where it is installed, else by our own buffer."""

from __future__ import annotations

from typing import Any, Protocol

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.time import Time

from headpose_ros.node.qos import TF, TF_STATIC
from headpose_ros.node.transform_buffer import (
    HISTORY_NS,
    Transform,
    TransformBuffer,
    TransformError,
)

try:
    import tf2_ros
except ImportError:
    tf2_ros = None


class TransformSource(Protocol):
    """What is known from /tf; safe to use from several threads.

    Frames as in tf2; stamps in nanoseconds. Raises TransformError where nothing is known.
    """

    def transform(self, target: str, source: str, stamp: int) -> Transform:
        """Return the transform, `target` from `source`, at `stamp`; 0: the newest."""
        ...

    def newest(self, target: str, source: str) -> int:
        """Return the newest stamp at which that is known; 0 where all is static."""
        ...

    def clear(self) -> None:
        """Forget all but static transforms."""
        ...

    def close(self) -> None:
        """Unsubscribe."""
        ...


def open_source(node: Node) -> TransformSource:
    """Subscribe to /tf and /tf_static."""
    return OwnSource(node) if tf2_ros is None else Tf2Source(node)


class OwnSource(TransformBuffer):
    """A TransformBuffer filled from /tf and /tf_static."""

    def __init__(self, node: Node) -> None:
        from tf2_msgs.msg import TFMessage

        super().__init__()
        self._node = node

        def add_static(message: Any) -> None:
            self.add(message.transforms, static=True)

        self._subscriptions = [
            node.create_subscription(TFMessage, '/tf', lambda m: self.add(m.transforms), TF),
            node.create_subscription(TFMessage, '/tf_static', add_static, TF_STATIC),
        ]

    def close(self) -> None:
        """Unsubscribe."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)


class Tf2Source:
    """The buffer and the listener of tf2_ros."""

    def __init__(self, node: Node) -> None:
        self._buffer = tf2_ros.Buffer(Duration(nanoseconds=HISTORY_NS))
        self._listener = tf2_ros.TransformListener(self._buffer, node)

    def transform(self, target: str, source: str, stamp: int) -> Transform:
        """Return the transform, `target` from `source`, at `stamp`; 0: the newest."""
        try:
            found = self._buffer.lookup_transform(target, source, Time(nanoseconds=stamp))
        except tf2_ros.TransformException as error:
            raise self._reason(error, target, source, stamp) from error
        return Transform.of_message(found.transform)

    def newest(self, target: str, source: str) -> int:
        """Return the newest stamp at which that is known; 0 where all is static."""
        try:
            found = self._buffer.lookup_transform(target, source, Time())
        except tf2_ros.TransformException as error:
            raise self._reason(error, target, source, 0) from error
        return int(Time.from_msg(found.header.stamp).nanoseconds)

    def clear(self) -> None:
        """Forget all but static transforms."""
        self._buffer.clear()

    def close(self) -> None:
        """Unsubscribe."""
        self._listener.unregister()

    def _reason(self, error: Exception, target: str, source: str, stamp: int) -> TransformError:
        kind = 'unknown'
        if isinstance(error, tf2_ros.ConnectivityException):
            kind = 'apart'
        elif isinstance(error, tf2_ros.ExtrapolationException):
            kind = 'late' if stamp and stamp > self.newest(target, source) else 'old'
        return TransformError(kind, ' '.join(str(error).split()))
