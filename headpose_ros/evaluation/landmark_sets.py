# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""AFLW2000-3D and 300W-LP in their official layouts: an image and a .mat of the same name.

`Pose_Para` begins with pitch, yaw, roll in radians (`docs/architecture.md` has the convention).
The 68 landmarks are the first two rows of `pt3d_68` (AFLW2000-3D) or `pt2d` (300W-LP); the other
way round, a landmark a row, is read too. Pictures with an angle beyond 99 degrees are left out, as
in every published figure. Neither set states intrinsics: `lens` is None.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from headpose_ros.evaluation.samples import Picture, TrueFace, require_folder
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.typing import Array

MAX_ANGLE = math.radians(99.0)
_LANDMARKS = 68
_SUFFIXES = {'.jpg', '.jpeg', '.png'}


def pictures(root: Path | str) -> list[Picture]:
    """Return the pictures under `root`, sorted; ValueError where a file is not as stated above."""
    folder = require_folder(Path(root))
    images = sorted(
        path
        for path in folder.rglob('*')
        if path.suffix.lower() in _SUFFIXES
        and not path.name.startswith('.')
        and path.with_suffix('.mat').is_file()
    )
    if not images:
        raise ValueError(f'{folder}: no image with a .mat of the same name beside it')
    faces = [(path, _read_face(path.with_suffix('.mat'))) for path in images]
    kept = [Picture(path, None, (face,)) for path, face in faces if face is not None]
    if not kept:
        raise ValueError(f'{folder}: all {len(images)} pictures have an angle beyond 99 degrees')
    return kept


def _read_face(path: Path) -> TrueFace | None:
    from scipy.io import loadmat

    try:
        content = loadmat(path, variable_names=['Pose_Para', 'pt2d', 'pt3d_68'])
    except Exception as error:  # scipy raises many kinds, TypeError and zlib.error among them
        raise ValueError(f'{path}: not a MATLAB file that scipy reads ({error})') from None
    pose = np.ravel(content.get('Pose_Para', ())).astype(float)
    if len(pose) < 3 or not np.all(np.isfinite(pose[:3])):
        raise ValueError(f'{path}: expected Pose_Para = pitch, yaw, roll, ..; got {pose.tolist()}')
    if np.any(np.abs(pose[:3]) > MAX_ANGLE):
        return None
    pitch, yaw, roll = pose[:3]
    return TrueFace(matrix_from_euler(yaw, pitch, roll), landmarks=_landmarks(content, path))


def _landmarks(content: dict[str, Array], path: Path) -> Array:
    found = {name: content[name] for name in ('pt3d_68', 'pt2d') if name in content}
    for points in found.values():
        if points.shape in ((_LANDMARKS, 2), (_LANDMARKS, 3)):
            points = points.T
        if points.shape not in ((2, _LANDMARKS), (3, _LANDMARKS)):
            continue
        marks = points[:2].T.astype(float)
        if np.all(np.isfinite(marks)) and np.ptp(marks, axis=0).max() > 0:
            return np.ascontiguousarray(marks)
    shapes = {name: points.shape for name, points in found.items()}
    raise ValueError(
        f'{path}: expected 68 landmarks, finite and apart, in pt3d_68 or pt2d, '
        f'got {shapes or "neither"}'
    )
