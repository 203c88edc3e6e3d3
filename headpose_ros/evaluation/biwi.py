# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The BIWI Kinect Head Pose Database in its official layout.

Folders 01 to 24 with `frame_*_rgb.png`, `frame_*_pose.txt` (rotation and head centre in
millimetres, both in the depth camera's frame), `depth.cal` and `rgb.cal` (matrix, distortion,
then the rotation and the translation in millimetres from the depth camera's frame). A head with
the identity as rotation looks straight into the camera, upright. Truth is returned in the colour
camera's frame. The head centre is taken for the centre of the face sphere; the sellion is not
known, so there is no position error.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headpose_ros.evaluation.samples import Lens, Picture, TrueFace, require_folder
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.rays import off_axis_angle
from headpose_ros.geometry.rotations import nearest_rotation
from headpose_ros.typing import Array

_POSE = '_pose.txt'
_METRES = 1e-3


@dataclass(frozen=True)
class _Calibration:
    """A .cal file: `points_camera = rotation @ points + translation`, metres."""

    lens: Lens
    rotation: Array
    translation: Array


def pictures(root: Path | str) -> list[Picture]:
    """Return the colour pictures that have a pose; ValueError names a missing or wrong file."""
    folder = require_folder(Path(root))
    poses = sorted(folder.rglob(f'frame_*{_POSE}'))
    if not poses:
        raise ValueError(f'{folder}: no frame_*{_POSE}; expected the folders 01 to 24 of BIWI')
    calibrations = {sub: _colour_from_depth(sub) for sub in dict.fromkeys(p.parent for p in poses)}
    found = []
    for path in poses:
        image = path.with_name(path.name.replace(_POSE, '_rgb.png'))
        if not image.is_file():
            raise ValueError(f'{image}: not found, but {path.name} is there')
        found.append(_picture(image, path, calibrations[path.parent]))
    return found


def _picture(image: Path, pose: Path, colour: _Calibration) -> Picture:
    values = _numbers(pose, 12)
    rotation = _rotation(values[:9], pose)
    centre = colour.rotation @ (values[9:12] * _METRES) + colour.translation
    face = TrueFace(
        colour.rotation @ rotation @ matrix_from_euler(0.0, 0.0, 0.0),
        centre=centre,
        off_axis=float(off_axis_angle(centre)),
    )
    return Picture(image, colour.lens, (face,))


def _colour_from_depth(folder: Path) -> _Calibration:
    """Return the colour camera with the transform from the depth camera's frame to its own."""
    colour, depth = (_calibration(folder / name) for name in ('rgb.cal', 'depth.cal'))
    rotation = colour.rotation @ depth.rotation.T
    return _Calibration(colour.lens, rotation, colour.translation - rotation @ depth.translation)


def _calibration(path: Path) -> _Calibration:
    values = _numbers(path, 25)
    matrix, distortion = values[:9].reshape(3, 3), values[9:13]
    lens = Lens(
        float(matrix[0, 0]),
        float(matrix[1, 1]),
        float(matrix[0, 2]),
        float(matrix[1, 2]),
        'plumb_bob',
        tuple(map(float, distortion)),
    )
    return _Calibration(lens, _rotation(values[13:22], path), values[22:25] * _METRES)


def _rotation(values: Array, path: Path) -> Array:
    rotation = values.reshape(3, 3)
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-2) or np.linalg.det(rotation) < 0:
        raise ValueError(f'{path}: holds no rotation: {rotation.tolist()}')
    return nearest_rotation(rotation)  # the files have six digits


def _numbers(path: Path, least: int) -> Array:
    if not path.is_file():
        raise ValueError(f'{path}: not found')
    try:
        values = np.array(path.read_text(encoding='utf-8').split(), float)
    except ValueError:
        raise ValueError(f'{path}: expected numbers only') from None
    if len(values) < least or not np.all(np.isfinite(values)):
        raise ValueError(f'{path}: expected {least} finite numbers or more, got {len(values)}')
    return values
