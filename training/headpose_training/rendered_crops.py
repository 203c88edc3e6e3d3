# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the renderer's shards (`synthesis.stack`) as `FaceCrops`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry.rotations import rotation_to_axis
from headpose_training.face_crops import FaceCrops
from headpose_training.landmark_table import INNER

MAX_SPREAD = np.deg2rad(12.0)
"""Given to the rotation of a face of which nothing is seen."""


def crops_of_shard(shard: Mapping[str, NDArray[Any]]) -> FaceCrops:
    """Return the crops of one shard; where no face is seen the truth becomes neutral values.

    The shard's `angular_size` is that of the average adult's sphere, ours of the head's own. Faces
    behind hair, hands or hats get a spread, for no network can read what is not seen.
    """
    images, is_face = shard['images'], shard['face']
    size_px = images.shape[1]
    half_tangents = np.tan(_filled(shard['crop_angle'], is_face, 0.3) / 2)
    middle = (size_px - 1) / 2
    centres = (_filled(shard['face_centre_px'], is_face, middle) - middle) / (size_px / 2)
    rays = np.column_stack([centres * half_tangents[:, None], np.ones(len(images))])
    rotations = _filled(shard['rotation'], is_face, np.eye(3))
    scales = _filled(shard['head_scale'], is_face, 1.0)
    sine = np.sin(_filled(shard['angular_size'], is_face, 0.3) / 2) * scales
    return FaceCrops(
        images=images,
        rotations=rotation_to_axis(rays) @ rotations,
        centres=centres,
        sizes=sine / np.sqrt(1 - sine**2) / half_tangents,
        half_tangents=half_tangents,
        head_scales=scales,
        landmarks=np.where(
            is_face[:, None, None], (shard['landmarks68'] - middle) / (size_px / 2), np.nan
        ),
        spreads=_hidden(shard['landmark_visible']) * MAX_SPREAD * is_face,
        is_face=is_face,
        is_synthetic=np.ones(len(images), bool),
    )


def _hidden(visible: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return 0 where half of the inner landmarks are seen, as in a profile, to 1 for none."""
    share: NDArray[np.float64] = np.clip(1 - visible[:, INNER].mean(axis=1) / 0.5, 0, 1)
    return share


def _filled(values: NDArray[Any], is_face: NDArray[np.bool_], neutral: Any) -> NDArray[np.float64]:
    where = is_face.reshape(-1, *[1] * (values.ndim - 1))
    return np.where(where, values, neutral).astype(np.float64)
