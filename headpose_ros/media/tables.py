# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of poses: a row for each head in each image, the same columns in every format.

`COLUMNS` is what docs/tables.md lists. A table has those columns of `PLACE` that mean something
where it is written, then all of `POSE`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headpose_ros.heads import Head

Row = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """One column: `unit` is empty for text and plain numbers, `decimals` those written as text."""

    name: str
    unit: str
    text: str
    decimals: int | None = None


PLACE = (
    Column('recording', '', 'The file or folder that the image is from.'),
    Column('topic', '', 'ROS topic of the image.'),
    Column('frame_id', '', 'Frame of the camera, as the image states it.'),
    Column(
        'image', '', 'File name of the picture; for a video its name, `#` and the image from 0.'
    ),
    Column(
        'stamp_ns',
        'ns',
        "Time of the image: its ROS stamp; for a video the file's own time; for a camera or "
        'stream the time of arrival since the first image.',
    ),
)

POSE = (
    Column(
        'id', '', 'The person, the same as long as they are followed; within one picture only.'
    ),
    Column('principal', '', 'true for the head to attend to; at most one in an image.'),
    Column('confidence', '0..1', 'That this is a face whose pose can be trusted.', 4),
    Column('x', 'm', 'Sellion (root of the nose) in the camera frame: to the right.', 6),
    Column('y', 'm', 'The same: down.', 6),
    Column('z', 'm', 'The same: forward, along the optical axis.', 6),
    Column('qx', '', 'Rotation from the face frame to the camera frame, unit quaternion.', 9),
    Column('qy', '', 'The same.', 9),
    Column('qz', '', 'The same.', 9),
    Column('qw', '', 'The same.', 9),
    Column('yaw_deg', 'deg', "As 300W-LP; > 0: the nose points to the image's left.", 3),
    Column('pitch_deg', 'deg', 'As 300W-LP; > 0: up.', 3),
    Column('roll_deg', 'deg', 'As 300W-LP; > 0: the head is turned clockwise in the image.', 3),
    Column(
        'azimuth_deg',
        'deg',
        'Where the nose points, about the vertical of the image: 0 against the optical axis, '
        "> 0 to the image's left, 180 away from the camera. Calm for profiles, unlike yaw.",
        3,
    ),
    Column('elevation_deg', 'deg', 'Where the nose points: > 0 above the horizontal plane.', 3),
    Column(
        'tilt_deg',
        'deg',
        "How the head leans about the nose: > 0 to the person's left, which is clockwise in the "
        'image for a face towards the camera.',
        3,
    ),
    Column('distance', 'm', 'From the camera to the sellion.', 6),
    Column(
        'facing_deg',
        'deg',
        'Between the nose and the direction to the camera: 0 faces the camera wherever in the '
        'image the head is.',
        3,
    ),
    Column('off_axis_deg', 'deg', 'Between the optical axis and the ray to the face.', 3),
    Column(
        'sigma_deg', 'deg', 'Standard deviation of the rotation about one axis, mean of three.', 3
    ),
    Column('roi_x', 'px', 'Left edge of the box around the head.'),
    Column('roi_y', 'px', 'Top edge of the box.'),
    Column('roi_width', 'px', 'Width of the box.'),
    Column('roi_height', 'px', 'Height of the box.'),
)

COLUMNS = PLACE + POSE
_BY_NAME = {column.name: column for column in COLUMNS}


def column_names(place: Iterable[str] = ()) -> list[str]:
    """Return the columns, in order, of a table that says `place`, names of `PLACE`."""
    wanted = set(place)
    unknown = wanted - {column.name for column in PLACE}
    if unknown:
        raise ValueError(f'place: expected columns of PLACE, got {", ".join(sorted(unknown))}')
    return [column.name for column in PLACE if column.name in wanted] + [c.name for c in POSE]


def pose_rows(heads: Sequence[Head], principal_id: str | None, **place: Any) -> list[Row]:
    """Return a row for each head, values by column: `place` first, then the pose."""
    rows = []
    for head in heads:
        pose = head.to_dict()
        row = {**place, 'id': pose['id'], 'principal': head.id == principal_id, **pose}
        rows.append({name: row[name] for name in column_names(place)})
    return rows


def as_text(row: Mapping[str, Any]) -> dict[str, str]:
    """Return a row's values as they stand in a CSV file."""
    return {name: _text(value, _BY_NAME[name].decimals) for name, value in row.items()}


def as_json(row: Mapping[str, Any]) -> Row:
    """Return a row's values as they stand in JSON: numbers with the decimals of the CSV file.

    What is not finite is None, since JSON has no NaN.
    """
    return {name: _number(value, _BY_NAME[name].decimals) for name, value in row.items()}


def _text(value: Any, decimals: int | None) -> str:
    if isinstance(value, bool):
        return 'true' if value else 'false'
    return str(value) if decimals is None else f'{value:.{decimals}f}'


def _number(value: Any, decimals: int | None) -> Any:
    if decimals is None:
        return value
    return round(float(value), decimals) if math.isfinite(value) else None
