# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The `posed` format: images and a `poses.csv` with the lens and the true pose of every face.

One row a face; several rows of one file are several people. Columns, in the order written:
file, distortion_model, fx, fy, cx, cy, d0.., r00..r22 (rotation_camera_from_face), tx, ty, tz
(sellion in the camera frame, metres), off_axis_deg, then any others. `head_scale` (this head's
size over the average adult's) is used where present; further columns are kept as text.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from headpose_ros.evaluation.samples import Lens, Picture, TrueFace, require_folder
from headpose_ros.geometry.face_frame import off_axis_angle
from headpose_ros.heads import FACE_CENTRE_IN_FACE, Array

FILE_NAME = 'poses.csv'
_LENS = ('fx', 'fy', 'cx', 'cy')
_ROTATION = tuple(f'r{i}{j}' for i in range(3) for j in range(3))
_POSITION = ('tx', 'ty', 'tz')
_REQUIRED = ('file', 'distortion_model', *_LENS, *_ROTATION, *_POSITION)
_MIN_COEFFICIENTS = 5


@dataclass(frozen=True)
class PosedRow:
    """One face of a `posed` set.

    `file` is relative to the folder of poses.csv. `rotation_camera_from_face` (3,3); `position`
    (3,): the sellion, metres; `off_axis`: rad, NaN where unknown; `extra`: further columns.
    """

    file: str
    lens: Lens
    rotation_camera_from_face: Array
    position: Array
    off_axis: float = float('nan')
    extra: Mapping[str, str] = field(default_factory=dict)

    def true_face(self) -> TrueFace:
        """Return the face with the centre of its sphere, scaled to the head where known."""
        scale = _number(self.extra.get('head_scale') or 'nan', 'head_scale')
        size = scale if math.isfinite(scale) else 1.0
        rotation = self.rotation_camera_from_face
        centre = self.position + rotation @ FACE_CENTRE_IN_FACE * size
        off_axis = self.off_axis
        if not math.isfinite(off_axis):
            off_axis = float(off_axis_angle(centre))
        return TrueFace(rotation, self.position, centre, None, off_axis, scale)


def read_posed(root: Path | str) -> list[PosedRow]:
    """Read `root`/poses.csv; ValueError names the file, line and column that is wrong."""
    path = require_folder(Path(root)) / FILE_NAME
    if not path.is_file():
        raise ValueError(f'{path}: not found; a posed set is a folder of images with this file')
    with path.open(newline='', encoding='utf-8') as stream:
        reader = csv.DictReader(stream)
        columns = tuple(reader.fieldnames or ())
        missing = [name for name in _REQUIRED if name not in columns]
        if missing:
            raise ValueError(f'{path}: lacks the columns {", ".join(missing)}')
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
    """Return the pictures of a posed set, the rows of one file together."""
    folder = Path(root)
    grouped: dict[str, list[PosedRow]] = {}
    for row in read_posed(folder):
        grouped.setdefault(row.file, []).append(row)
    for file, rows in grouped.items():
        if any(row.lens != rows[0].lens for row in rows):
            raise ValueError(f'{folder / FILE_NAME}: {file} has rows with different intrinsics')
    return [
        Picture(folder / file, rows[0].lens, tuple(row.true_face() for row in rows))
        for file, rows in grouped.items()
    ]


def write_posed(path: Path | str, rows: Iterable[PosedRow]) -> None:
    """Write a poses.csv (`path`, or `path`/poses.csv for a folder) whole or not at all."""
    path, rows = Path(path), list(rows)
    path = path / FILE_NAME if path.is_dir() else path
    most = max([_MIN_COEFFICIENTS, *(len(row.lens.distortion) for row in rows)])
    extra = tuple(dict.fromkeys(name for row in rows for name in row.extra))
    columns = (
        *('file', 'distortion_model', *_LENS),
        *(f'd{i}' for i in range(most)),
        *(*_ROTATION, *_POSITION, 'off_axis_deg', *extra),
    )
    partial = path.with_name(path.name + '.part')
    with partial.open('w', newline='', encoding='utf-8') as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(_cells(row, most, extra) for row in rows)
    os.replace(partial, path)


def _cells(row: PosedRow, most: int, extra: tuple[str, ...]) -> list[str]:
    lens = row.lens
    d = (*lens.distortion, *(0.0,) * (most - len(lens.distortion)))
    off_axis = math.degrees(row.off_axis)
    numbers = (
        *(lens.fx, lens.fy, lens.cx, lens.cy, *d),
        *(*np.ravel(row.rotation_camera_from_face), *np.ravel(row.position)),
    )
    return [
        *(row.file, lens.distortion_model),
        *(f'{value:.9g}' for value in numbers),
        f'{off_axis:.6g}' if math.isfinite(off_axis) else '',
        *(row.extra.get(name, '') for name in extra),
    ]


def _parse(cells: Mapping[str, str | None]) -> PosedRow:
    def numbers(names: Iterable[str]) -> Array:
        return np.array([_finite(cells.get(name), name) for name in names])

    if not cells['file']:
        raise ValueError('file is empty')
    rotation = numbers(_ROTATION).reshape(3, 3)
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3) or np.linalg.det(rotation) < 0:
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
    off_axis = cells.get('off_axis_deg') or 'nan'
    known = {*_REQUIRED, 'off_axis_deg', *(f'd{i}' for i in range(len(cells)))}
    return PosedRow(
        cells['file'],
        lens,
        rotation,
        numbers(_POSITION),
        math.radians(_number(off_axis, 'off_axis_deg')),
        {name: text or '' for name, text in cells.items() if name and name not in known},
    )


def _distortion(cells: Mapping[str, str | None]) -> tuple[float, ...]:
    """Return d0, d1, .. as far as the columns go; an empty cell is zero."""
    values: list[float] = []
    while (name := f'd{len(values)}') in cells:
        values.append(_finite(cells[name] or '0', name))
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
