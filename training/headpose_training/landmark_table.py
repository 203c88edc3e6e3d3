# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The order of the 68 landmarks, and real pictures that have them: `landmarks68.csv`.

Its columns: file (below the folder), x0, y0, .. x67, y67; pixels, iBUG order.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from headpose_ros.estimation.pfld import LANDMARKS
from headpose_ros.typing import Array

TABLE = 'landmarks68.csv'

MIRRORED = np.array(
    [
        *range(16, -1, -1),
        *range(26, 16, -1),
        27,
        28,
        29,
        30,
        *range(35, 30, -1),
        45,
        44,
        43,
        42,
        47,
        46,
        39,
        38,
        37,
        36,
        41,
        40,
        *range(54, 47, -1),
        *range(59, 54, -1),
        *range(64, 59, -1),
        *range(67, 64, -1),
    ]
)
"""Which landmark each becomes in the mirror (iBUG order)."""

INNER = slice(17, LANDMARKS)
"""Of the 68: brows, eyes, nose and mouth."""

_COLUMNS = ['file', *(f'{axis}{i}' for i in range(LANDMARKS) for axis in 'xy')]


def annotated_files(
    folder: Path, wanted: Callable[[str], bool], which: str
) -> list[tuple[Path, Array]]:
    """Return path and landmarks (68,2), px, of the pictures whose column file is `wanted`.

    Raises ValueError where the table is missing or wrong, or where none is; `which` says in words
    what is wanted.
    """
    table = folder / TABLE
    if not table.is_file():
        raise ValueError(f'{table}: not found; it lists file, x0, y0, .. x67, y67')
    with table.open(newline='', encoding='utf-8') as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f'{table}: lacks the columns {", ".join(missing[:5])}')
        rows = [row for row in reader if wanted(row['file'])]
    if not rows:
        raise ValueError(f'{table}: has no rows whose file {which}')
    found = []
    for row in rows:
        try:
            points = np.array([float(row[name]) for name in _COLUMNS[1:]]).reshape(-1, 2)
        except (TypeError, ValueError):
            raise ValueError(f'{table}: {row["file"]}: expected {2 * LANDMARKS} numbers') from None
        found.append((folder / row['file'], points))
    return found
