# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The transforms on /tf of the last seconds, for where tf2_ros is not installed.

Only what this node needs of tf2: the transform between any two frames of a tree, at any time of
the history. Names and rules are those of tf2: a transform leads from a child frame to its parent.
"""

from __future__ import annotations

import bisect
import math
import threading
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from headpose_ros.geometry.rotations import (
    matrix_from_quaternion,
    matrix_from_vector,
    vector_from_matrix,
)
from headpose_ros.typing import Array

HISTORY_NS = 5_000_000_000
"""Nanoseconds that are kept of each frame."""
MAX_DISORDER_NS = 1_000_000_000
"""A transform that is older than the newest by more starts the history anew: time was set back."""
SWEEP_ABOVE = 200
"""Frames from which on those that are no longer published are dropped, such as of people."""
MAX_DEPTH = 100
"""Frames in a chain; more are a loop."""

Quaternion = tuple[float, float, float, float]
Shift = tuple[float, float, float]


class TransformError(Exception):
    """Why there is no transform.

    `kind`: 'unknown' frame, 'apart' (no chain of transforms), 'late' (the newest transform is
    older than the time asked for), 'old' (the oldest one is newer).
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def turn_on(first: Array, second: Array, share: float) -> Array:
    """Return the rotation (3,3) at `share` of the way from `first` to `second`, or beyond.

    At constant angular velocity: slerp.
    """
    return first @ matrix_from_vector(share * vector_from_matrix(first.T @ second))


class Transform(NamedTuple):
    """From the coordinates of one frame to those of another.

    `rotation` (3,3); `translation` (3,), metres: target = rotation @ source + translation.
    """

    rotation: Array
    translation: Array

    def after(self, first: Transform) -> Transform:
        """Return the transform that does `first`, then this one."""
        return Transform(
            self.rotation @ first.rotation, self.rotation @ first.translation + self.translation
        )

    def inverse(self) -> Transform:
        """Return the transform back."""
        back = self.rotation.T
        return Transform(back, -back @ self.translation)

    @staticmethod
    def of_message(message: Any) -> Transform:
        """Return that of a geometry_msgs/Transform."""
        turn, shift = message.rotation, message.translation
        rotation = matrix_from_quaternion([turn.x, turn.y, turn.z, turn.w])
        return Transform(rotation, np.array([shift.x, shift.y, shift.z]))


IDENTITY = Transform(np.eye(3), np.zeros(3))


def move_on(first: Transform, second: Transform, share: float) -> Transform:
    """Return the transform at `share` of the way from `first` to `second`, or beyond.

    At constant velocity and angular velocity, as tf2 interpolates.
    """
    return Transform(
        turn_on(first.rotation, second.rotation, share),
        first.translation + share * (second.translation - first.translation),
    )


class _Edge:
    """A frame's transforms to its parent, over time; without times: it stands still."""

    def __init__(self, parent: str) -> None:
        self.parent = parent
        self.stamps: list[int] = []
        self.values: list[tuple[Quaternion, Shift]] = []

    def add(self, stamp: int, value: tuple[Quaternion, Shift]) -> None:
        stamps, values = self.stamps, self.values
        if stamps and stamp < stamps[-1] - MAX_DISORDER_NS:
            stamps.clear()
            values.clear()
        at = bisect.bisect_left(stamps, stamp)
        if at < len(stamps) and stamps[at] == stamp:
            return
        stamps.insert(at, stamp)
        values.insert(at, value)
        if stamps[0] < stamps[-1] - 2 * HISTORY_NS:  # seldom, since it moves all others
            stale = bisect.bisect_left(stamps, stamps[-1] - HISTORY_NS)
            del stamps[:stale], values[:stale]

    def at(self, stamp: int) -> Transform:
        """Return the transform, parent from child. Raises TransformError."""
        stamps = self.stamps
        if not stamps:
            return self._value(0)
        if stamp > stamps[-1]:
            raise TransformError('late', 'the newest transform is older')
        if stamp < stamps[0]:
            raise TransformError('old', 'the oldest transform is newer')
        after = bisect.bisect_left(stamps, stamp)
        second = self._value(after)
        if stamps[after] == stamp:
            return second
        before = after - 1
        share = (stamp - stamps[before]) / (stamps[after] - stamps[before])
        return move_on(self._value(before), second, share)

    def _value(self, number: int) -> Transform:
        quaternion, shift = self.values[number]
        return Transform(matrix_from_quaternion(quaternion), np.array(shift))


class TransformBuffer:
    """Takes transforms, returns them between any frames. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._edges: dict[str, _Edge] = {}
        self._sweep_above = SWEEP_ABOVE

    def add(self, transforms: Iterable[Any], static: bool = False) -> None:
        """Take geometry_msgs/TransformStamped; those that are not valid are ignored."""
        with self._lock:
            for transform in transforms:
                self._add(transform, static)

    def clear(self) -> None:
        """Forget all but static transforms."""
        with self._lock:
            self._edges = {k: edge for k, edge in self._edges.items() if not edge.stamps}

    def transform(self, target: str, source: str, stamp: int) -> Transform:
        """Return the transform, `target` from `source`, at `stamp`, ns; 0: the newest.

        Raises TransformError where it is not known.
        """
        with self._lock:
            up, down = self._path(target, source)
            stamp = stamp or _newest([*up, *down])
            target_from_source = IDENTITY
            for edge in up:
                target_from_source = edge.at(stamp).after(target_from_source)
            for edge in reversed(down):
                target_from_source = edge.at(stamp).inverse().after(target_from_source)
            return target_from_source

    def newest(self, target: str, source: str) -> int:
        """Return the newest stamp at which the transform is known, ns; 0 where all is static.

        Raises TransformError where it never is.
        """
        with self._lock:
            up, down = self._path(target, source)
            return _newest([*up, *down])

    def _add(self, transform: Any, static: bool) -> None:
        child, parent = (
            name.lstrip('/') for name in (transform.child_frame_id, transform.header.frame_id)
        )
        turn, shift = transform.transform.rotation, transform.transform.translation
        value = ((turn.x, turn.y, turn.z, turn.w), (shift.x, shift.y, shift.z))
        if not (child and parent) or child == parent or not _is_valid(*value):
            return
        edge = self._edges.get(child)
        if edge is None or edge.parent != parent or static or not edge.stamps:
            edge = self._edges[child] = _Edge(parent)
        if static:
            edge.values = [value]
            return
        stamp = transform.header.stamp
        edge.add(stamp.sec * 1_000_000_000 + stamp.nanosec, value)
        if len(self._edges) > self._sweep_above:
            self._sweep(edge.stamps[-1] - HISTORY_NS)

    def _sweep(self, oldest: int) -> None:
        """Drop the frames whose newest transform is older than `oldest`."""
        self._edges = {
            child: edge
            for child, edge in self._edges.items()
            if not edge.stamps or edge.stamps[-1] >= oldest
        }
        self._sweep_above = max(SWEEP_ABOVE, 2 * len(self._edges))

    def _path(self, target: str, source: str) -> tuple[list[_Edge], list[_Edge]]:
        """Return the edges up from `source` to the common ancestor, and from `target` to it."""
        for frame in (target, source):
            if not self._is_known(frame):
                raise TransformError('unknown', f'no transform of frame {frame!r}')
        above_target = set(self._with_ancestors(target))
        common = next((f for f in self._with_ancestors(source) if f in above_target), None)
        if common is None:
            raise TransformError('apart', f'no chain from {source!r} to {target!r}')
        return self._edges_below(source, common), self._edges_below(target, common)

    def _is_known(self, frame: str) -> bool:
        return frame in self._edges or any(e.parent == frame for e in self._edges.values())

    def _with_ancestors(self, frame: str) -> Iterator[str]:
        for _ in range(MAX_DEPTH):
            yield frame
            if frame not in self._edges:
                return
            frame = self._edges[frame].parent

    def _edges_below(self, frame: str, ancestor: str) -> list[_Edge]:
        edges = []
        while frame != ancestor:
            edges.append(self._edges[frame])
            frame = edges[-1].parent
        return edges


def _is_valid(quaternion: Quaternion, shift: Shift) -> bool:
    return 0.9 < math.hypot(*quaternion) < 1.1 and all(map(math.isfinite, shift))


def _newest(edges: Iterable[_Edge]) -> int:
    return min((edge.stamps[-1] for edge in edges if edge.stamps), default=0)
