# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Events of a camera from the tables of its parts, so that a cut makes none and hides none.

Each part notes what `Attention` asks for, beside its tables; one `Attention` sees all parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from headpose_ros.attention import Attention, HeadEvent
from headpose_ros.heads import Head, Roi
from headpose_ros.recordings.pose_tables import COVARIANCE, POSES
from headpose_ros.result import FrameResult

_SHAPES = ((3, 3), (3,), (3, 3), (3,))
_ENDS = np.cumsum([9, 3, 9, 3])[:-1]


def poses_of(head: Head) -> np.ndarray:
    """Return rotation and position of a head, filtered and then as measured: 24 numbers."""
    return np.concatenate(
        [
            head.rotation_camera_from_face.ravel(),
            head.position,
            head.measured_rotation_camera_from_face.ravel(),
            head.measured_position,
        ]
    )


class Watcher:
    """Tells the events of a camera, image by image."""

    def __init__(self) -> None:
        self._attention = Attention()
        self._first_ns = 0
        self._has_begun = False

    def see(
        self, image: Mapping[str, Any], heads: Sequence[Mapping[str, Any]], followed: Iterable[str]
    ) -> list[dict[str, Any]]:
        """Return the events of an image, from its row and those of its heads.

        `followed`: ids of those who are followed, the lost ones included. An image that was not
        looked at has none.
        """
        if image['heads'] is None:
            return []
        if not self._has_begun:
            self._first_ns, self._has_begun = image['stamp_ns'], True
        # Relative: seconds since 1970 as a float are only good for 0.2 microseconds.
        stamp = 1e-9 * (image['stamp_ns'] - self._first_ns)
        result = FrameResult(
            tuple(map(_head, heads)), stamp=stamp, followed_ids=frozenset(followed)
        )
        return list(self._rows(self._attention.update(result).events))

    def close(self) -> list[dict[str, Any]]:
        """Return the events of the end: everybody leaves."""
        return list(self._rows(self._attention.close()))

    def _rows(self, events: Iterable[HeadEvent]) -> Iterator[dict[str, Any]]:
        for event in events:
            yield {
                'stamp_ns': self._first_ns + round(1e9 * event.stamp),
                'id': event.id,
                'event': event.type.name,
                'target': event.target,
            }


def _head(row: Mapping[str, Any]) -> Head:
    parts = np.split(np.array(row[POSES]), _ENDS)
    rotation, position, measured_rotation, measured_position = (
        part.reshape(shape) for part, shape in zip(parts, _SHAPES, strict=True)
    )
    return Head(
        row['id'],
        rotation,
        position,
        np.reshape(row[COVARIANCE], (6, 6)),
        row['confidence'],
        Roi(*(row[f'roi_{name}'] for name in ('x', 'y', 'width', 'height'))),
        np.radians(row['off_axis_deg']),
        np.radians(row['facing_deg']),
        measured_rotation,
        measured_position,
    )
