# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The `posed` format: images and poses.csv, a row for every head."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from headpose_ros.geometry import CameraModel
from headpose_ros.geometry.face_frame import face_centre_from_sellion
from headpose_ros.geometry.rays import off_axis_angle
from headpose_ros.typing import Array

COEFFICIENTS = 5
COLUMNS = (
    'file', 'distortion_model', 'fx', 'fy', 'cx', 'cy',
    *(f'd{i}' for i in range(COEFFICIENTS)),
    *(f'r{i}{j}' for i in range(3) for j in range(3)),
    'tx', 'ty', 'tz', 'off_axis_deg',
)  # fmt: skip


def pose_row(
    file: str, camera: CameraModel, rotation_camera_from_face: Array, sellion: Array
) -> dict[str, Any]:
    """Return the row of one head. Raises ValueError for a lens the format cannot hold."""
    if camera.skew or len(camera.distortion) > COEFFICIENTS:
        raise ValueError(
            f'the posed format holds no skew and at most {COEFFICIENTS} distortion coefficients, '
            f'got skew {camera.skew} and {len(camera.distortion)}: use plumb_bob or equidistant'
        )
    d = [*camera.distortion, *(0.0,) * (COEFFICIENTS - len(camera.distortion))]
    ray = face_centre_from_sellion(rotation_camera_from_face, sellion)
    off_axis = np.degrees(off_axis_angle(ray))
    # a pinhole is written as a lens of no distortion, so that every reader takes it
    model = camera.distortion_model or 'plumb_bob'
    values = [file, model, camera.fx, camera.fy, camera.cx, camera.cy, *d,
              *np.ravel(rotation_camera_from_face), *np.ravel(sellion), off_axis]  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]], extra: tuple[str, ...] = ()) -> None:
    """Write poses.csv, with more columns after the format's own; whole or not at all."""
    partial = path.with_suffix('.partial')
    with partial.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, [*COLUMNS, *extra])
        writer.writeheader()
        for row in rows:
            writer.writerow({k: _text(v) for k, v in row.items()})
    partial.replace(path)


def _text(value: Any) -> str:
    return f'{value:.9g}' if isinstance(value, float) else str(value)
