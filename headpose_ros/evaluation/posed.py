# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the `posed` format: images, and `poses.csv` with the lens and the true pose of every face.

One row a face; several rows of one file are several people. Columns, in any order: file,
distortion_model (empty: plumb_bob), fx, fy, cx, cy, d0.. (empty or NaN: 0), r00..r22
(rotation_camera_from_face), tx, ty, tz (sellion in the camera frame, metres); and, where known,
off_axis_deg and head_scale (this head's size over the average adult's). Others are kept as text.
`training/rendering/posed_files.py` writes it.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from headpose_ros.evaluation.samples import Lens, Picture, TrueFace, require_folder
from headpose_ros.geometry.face_frame import face_centre_from_sellion
from headpose_ros.geometry.rays import off_axis_angle
from headpose_ros.geometry.rotations import nearest_rotation
from headpose_ros.typing import Array

FILE_NAME = 'poses.csv'
_LENS = ('fx', 'fy', 'cx', 'cy')
_ROTATION = tuple(f'r{i}{j}' for i in range(3) for j in range(3))
_POSITION = ('tx', 'ty', 'tz')
_REQUIRED = ('file', 'distortion_model', *_LENS, *_ROTATION, *_POSITION)
_KNOWN = {*_REQUIRED, 'off_axis_deg', 'head_scale'}


@dataclass(frozen=True)
class PosedRow:
    """One face of a `posed` set.

    `file` is relative to the folder of poses.csv. `rotation_camera_from_face` (3,3); `position`
    (3,): the sellion, metres. `off_axis`, rad, and `head_scale` are NaN where unknown. `extra`:
    further columns.
    """

    file: str
    lens: Lens
    rotation_camera_from_face: Array
    position: Array
    off_axis: float = math.nan
    head_scale: float = math.nan
    extra: Mapping[str, str] = field(default_factory=dict)

    def true_face(self) -> TrueFace:
        """Return the face with the centre of its sphere."""
        rotation = self.rotation_camera_from_face
        centre = face_centre_from_sellion(rotation, self.position)
        off_axis = self.off_axis
        if not math.isfinite(off_axis):
            off_axis = float(off_axis_angle(centre))
        return TrueFace(rotation, self.position, centre, None, off_axis, self.head_scale)


def read_posed(root: Path | str) -> list[PosedRow]:
    """Read `root`/poses.csv; ValueError names the file, line and column that is wrong."""
    path = require_folder(Path(root)) / FILE_NAME
    if not path.is_file():
        raise ValueError(f'{path}: not found; a posed set is a folder of images with this file')
    with path.open(newline='', encoding='utf-8-sig') as stream:
        reader = csv.DictReader(stream, skipinitialspace=True)
        columns = [name.strip() for name in reader.fieldnames or ()]
        missing = [name for name in _REQUIRED if name not in columns]
        if missing:
            raise ValueError(f'{path}: lacks the columns {", ".join(missing)}')
        reader.fieldnames = columns
        rows = []
        for cells in reader:
            try:
                rows.append(_parse(cells))
            except ValueError as error:
                raise ValueError(f'{path}, line {reader.line_num}: {error}') from None
    if not rows:
        raise ValueError(f'{path}: has no rows')
    return rows


def pictures(root: Path | str) -> list[Picture]:
    """Return the pictures of a posed set, the rows of one file together.

    Raises ValueError where poses.csv is not as `read_posed` expects, or names an image that is
    not there.
    """
    folder = Path(root)
    grouped: dict[str, list[PosedRow]] = {}
    for row in read_posed(folder):
        grouped.setdefault(row.file, []).append(row)
    for file, rows in grouped.items():
        if any(row.lens != rows[0].lens for row in rows):
            raise ValueError(f'{folder / FILE_NAME}: {file} has rows with different intrinsics')
    absent = [file for file in grouped if not (folder / file).is_file()]
    if absent:
        raise ValueError(
            f'{folder / absent[0]}: does not exist, though {FILE_NAME} names it '
            f'({len(absent)} of {len(grouped)} images are not there)'
        )
    return [
        Picture(folder / file, rows[0].lens, tuple(row.true_face() for row in rows))
        for file, rows in grouped.items()
    ]


def _parse(cells: Mapping[str, str | None]) -> PosedRow:
    def numbers(names: Iterable[str]) -> Array:
        return np.array([_finite(cells.get(name), name) for name in names])

    if not cells['file']:
        raise ValueError('file is empty')
    rotation = numbers(_ROTATION).reshape(3, 3)
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-2) or np.linalg.det(rotation) < 0:
        raise ValueError('r00..r22 is not a rotation')
    fx, fy, cx, cy = numbers(_LENS)
    lens = Lens(
        float(fx),
        float(fy),
        float(cx),
        float(cy),
        cells['distortion_model'] or 'plumb_bob',
        _distortion(cells),
    )
    scale = _number(cells.get('head_scale') or 'nan', 'head_scale')
    if scale <= 0:
        raise ValueError(f'head_scale: expected a positive number, got {scale}')
    known = {*_KNOWN, *(f'd{i}' for i in range(len(lens.distortion)))}
    return PosedRow(
        cells['file'],
        lens,
        nearest_rotation(rotation),  # tables have few digits
        numbers(_POSITION),
        math.radians(_number(cells.get('off_axis_deg') or 'nan', 'off_axis_deg')),
        scale,
        {name: text or '' for name, text in cells.items() if name and name not in known},
    )


def _distortion(cells: Mapping[str, str | None]) -> tuple[float, ...]:
    """Return d0, d1, .. as far as the columns go; an empty cell or NaN is zero."""
    values: list[float] = []
    while (name := f'd{len(values)}') in cells:
        value = _number(cells[name] or '0', name)
        if math.isinf(value):
            raise ValueError(f'{name}: expected a finite number, got {cells[name]!r}')
        values.append(0.0 if math.isnan(value) else value)
    return tuple(values)


def _finite(text: str | None, name: str) -> float:
    value = _number(text, name)
    if not math.isfinite(value):
        raise ValueError(f'{name}: expected a finite number, got {text!r}')
    return value


def _number(text: str | None, name: str) -> float:
    try:
        return float(text or '')
    except ValueError:
        raise ValueError(f'{name}: expected a number, got {text!r}') from None
