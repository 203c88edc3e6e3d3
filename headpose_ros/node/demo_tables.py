# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of the demo: heads as CSV, errors against the ground truth."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headpose_ros.geometry.face_frame import FACE_CENTRE_IN_FACE
from headpose_ros.geometry.rotations import geodesic_distance, matrix_from_quaternion
from headpose_ros.media.tables import as_text, column_names, pose_rows
from headpose_ros.typing import Array

if TYPE_CHECKING:
    from headpose_ros.msg import HeadPoseArray

PLACE = ('frame_id', 'stamp_ns')
MATCH_ANGLE = np.radians(5.0)
"""A head is compared with the truth that is nearest by ray, within this angle."""


@dataclass(frozen=True)
class Pose:
    """One head, measured or true: `rotation` camera from face (3,3), `position` (3,) metres."""

    id: str
    rotation: Array
    position: Array

    @property
    def ray(self) -> Array:
        """Unit vector to the face centre."""
        centre = self.position + self.rotation @ FACE_CENTRE_IN_FACE
        ray: Array = centre / np.linalg.norm(centre)
        return ray


@dataclass(frozen=True)
class Comparison:
    """Heads against the truth, frame by frame."""

    geodesic: Array
    position: Array
    missed: int
    spurious: int
    id_switches: int

    def figures(self) -> dict[str, Any]:
        """Return the fields of `summary.json`."""
        if not len(self.geodesic):
            return {'truth_matched': 0, 'truth_missed': self.missed, 'spurious': self.spurious}
        degrees, metres = np.degrees(self.geodesic), self.position
        return {
            'geodesic_deg': {
                'mean': float(degrees.mean()),
                'median': float(np.median(degrees)),
                'p90': float(np.percentile(degrees, 90)),
            },
            'position_m': {
                'mean': float(metres.mean()),
                'p90': float(np.percentile(metres, 90)),
            },
            'truth_matched': len(degrees),
            'truth_missed': self.missed,
            'spurious': self.spurious,
            'id_switches': self.id_switches,
        }


def write_heads(path: Path, messages: Sequence[HeadPoseArray]) -> None:
    """Write a row for each head, with the columns that docs/tables.md lists."""
    from headpose_ros.node.messages import head_from_message

    # Messages of a build from before they named the principal head say nothing about it.
    named = all(hasattr(message, 'principal_id') for message in messages)
    columns = [name for name in column_names(PLACE) if named or name != 'principal']
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, columns, extrasaction='ignore', lineterminator='\n')
        writer.writeheader()
        for message in messages:
            heads = [head_from_message(head) for head in message.heads]
            place = {
                'frame_id': message.header.frame_id,
                'stamp_ns': message.header.stamp.sec * 10**9 + message.header.stamp.nanosec,
            }
            rows = pose_rows(heads, getattr(message, 'principal_id', None), **place)
            writer.writerows(as_text(row) for row in rows)


def read_heads(path: Path) -> dict[int, list[Pose]]:
    """Return the heads by stamp, as `write_heads` wrote them."""
    heads: dict[int, list[Pose]] = defaultdict(list)
    with path.open(newline='') as file:
        for row in csv.DictReader(file):
            quaternion = np.array([float(row[name]) for name in ('qx', 'qy', 'qz', 'qw')])
            position = np.array([float(row[name]) for name in ('x', 'y', 'z')])
            pose = Pose(row['id'], matrix_from_quaternion(quaternion), position)
            heads[int(row['stamp_ns'])].append(pose)
    return heads


def read_truth(path: Path) -> dict[int, list[Pose]]:
    """Return the true heads by frame index, from a `poses.csv` whose `file` is that index."""
    truth: dict[int, list[Pose]] = defaultdict(list)
    names = [f'r{i}{j}' for i in range(3) for j in range(3)]
    with path.open(newline='') as file:
        for row in csv.DictReader(file):
            rotation = np.array([float(row[name]) for name in names]).reshape(3, 3)
            position = np.array([float(row[name]) for name in ('tx', 'ty', 'tz')])
            truth[int(row['file'])].append(Pose(row['person'], rotation, position))
    return truth


def compare(
    heads: Mapping[int, Sequence[Pose]], truth: Mapping[int, Sequence[Pose]]
) -> Comparison:
    """Compare the heads of frames (by index) with the truth; every frame in `heads` counts."""
    from scipy.optimize import linear_sum_assignment

    geodesic, position, missed, spurious, switches = [], [], 0, 0, 0
    last_id: dict[str, str] = {}
    for frame in sorted(heads):
        found, there = heads[frame], truth.get(frame, ())
        if found and there:
            cosines = np.array([h.ray for h in found]) @ np.array([t.ray for t in there]).T
            pairs = list(zip(*linear_sum_assignment(-cosines), strict=True))
            pairs = [(i, j) for i, j in pairs if cosines[i, j] > np.cos(MATCH_ANGLE)]
        else:
            pairs = []
        for i, j in pairs:
            head, true = found[i], there[j]
            geodesic.append(float(geodesic_distance(head.rotation, true.rotation)))
            position.append(float(np.linalg.norm(head.position - true.position)))
            switches += last_id.get(true.id, head.id) != head.id
            last_id[true.id] = head.id
        missed += len(there) - len(pairs)
        spurious += len(found) - len(pairs)
    return Comparison(np.array(geodesic), np.array(position), missed, spurious, switches)
