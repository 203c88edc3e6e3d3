# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finds the files that a recipe names."""

from __future__ import annotations

from pathlib import Path

from headpose_training.arrays import arrays_of
from headpose_training.batches import Source
from headpose_training.face_crops import FaceCrops
from headpose_training.recipe import Recipe
from headpose_training.rendered_crops import crops_of_shard


def load_sources(recipe: Recipe, data: Path) -> list[Source]:
    """Load all training data of a recipe. Raises ValueError where a pattern matches nothing."""
    return [Source(load_crops(data, s.files), s.share) for s in recipe.training]


def load_validation(recipe: Recipe, data: Path) -> dict[str, FaceCrops]:
    """Load the validation data of a recipe, by the pattern's last part without its suffix."""
    return {Path(p).stem.replace('*', ''): load_crops(data, p) for p in recipe.validation}


def load_crops(data: Path, pattern: str) -> FaceCrops:
    """Load the files below `data` that match `pattern`, in the order of their names."""
    paths = sorted(data.glob(pattern))
    if not paths:
        raise ValueError(
            f'{data / pattern}: no such training data; `headpose train label` makes the real and '
            '`headpose synthesize` the rendered crops'
        )
    return FaceCrops.join(_load(p) for p in paths)


def _load(path: Path) -> FaceCrops:
    """Read one file, ours or a shard of the renderer."""
    with arrays_of(path, 'a file of crops') as arrays:
        if 'crop_angle' in arrays:
            return crops_of_shard(arrays)
    return FaceCrops.load(path)
