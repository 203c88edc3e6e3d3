# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shards of crops as a folder of pictures in the `posed` format, for evaluation and for eyes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from headpose_ros.evaluation.posed_files import pose_row, write_rows
from headpose_ros.geometry import CameraModel
from headpose_training.arrays import arrays_of

EXTRA_COLUMNS = ('identity', 'head_scale', 'skin_tone', 'light', 'occlusion', 'glasses', 'hair')


def export_posed(shards: str | Path, out: str | Path) -> int:
    """Write the crops that show a face as PNG files, and poses.csv last; return how many.

    Each has its own pinhole camera. Raises ValueError where `shards` holds none.
    """
    shards, out = Path(shards), Path(out)
    paths = sorted(shards.glob('shard_*.npz'))
    if not paths:
        raise ValueError(f'no shard_*.npz in {shards}: expected a folder that '
                         '"headpose synthesize crops" wrote')  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for path in paths:
        with arrays_of(path, 'a shard of crops') as arrays:
            shard = dict(arrays)
        for i in np.flatnonzero(shard['face']):
            name = f'{len(rows):06d}.png'
            image = shard['images'][i]
            camera = CameraModel.from_fov(
                image.shape[1], image.shape[0], float(shard['crop_angle'][i])
            )
            if not cv2.imwrite(str(out / name), image):
                raise OSError(f'cannot write {out / name}')
            rotation = shard['rotation'][i].astype(float)
            row = pose_row(name, camera, rotation, shard['sellion'][i].astype(float))
            rows.append(row | {k: shard[k][i] for k in EXTRA_COLUMNS})
    write_rows(out / 'poses.csv', rows, EXTRA_COLUMNS)
    return len(rows)
