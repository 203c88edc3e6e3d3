# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The layouts of data sets that can be evaluated, by their names on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from headpose_ros.evaluation.samples import Picture

LAYOUTS = ('aflw2000', 'biwi', '300w-lp', 'posed')


def load_pictures(layout: str, root: Path) -> Sequence[Picture]:
    """Return the pictures of the data set in folder `root`.

    Raises ValueError for another layout than `LAYOUTS`, and where the folder does not hold it.
    """
    # Imported when needed: each layout reads files with other libraries.
    if layout in ('aflw2000', '300w-lp'):
        from headpose_ros.evaluation import landmark_sets

        return landmark_sets.pictures(root)
    if layout == 'biwi':
        from headpose_ros.evaluation import biwi

        return biwi.pictures(root)
    if layout == 'posed':
        from headpose_ros.evaluation import posed

        return posed.pictures(root)
    raise ValueError(f'layout: expected one of {", ".join(LAYOUTS)}, got {layout!r}')
