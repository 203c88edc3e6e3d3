# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of detectors and estimators, from the results of `bench_backends.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Rows = list[tuple[str, ...]]


def found_rows(part: Any) -> tuple[Sequence[str], Rows]:
    """Return head and rows of the table of the detectors."""
    head = ('detector', 'frames with a face', 'faces a frame', 'ms a frame')
    rows = [
        (
            f'`{row["detector"]}`',
            f'{100 * row["frames_with_a_face"]:.1f} %',
            f'{row["faces_per_frame"]:.2f}',
            f'{row["ms_per_frame"]:.1f}',
        )
        for row in part['detectors']
    ]
    return head, rows


def pose_rows(part: Any) -> tuple[Sequence[str], Rows]:
    """Return head and rows of the table of the estimators."""
    detectors = part['detectors']
    names = list(dict.fromkeys(name for row in detectors for name in row['estimators']))
    agreements = (f'agreement, `{row["detector"]}`' for row in detectors)
    head = ('estimator', 'error: mean, median', *agreements, 'ms a face')
    rows = []
    for name in names:
        cells = [row['estimators'].get(name) for row in detectors]
        error = part['errors'][name]
        agreed = [f'{cell["agreement_deg"]:.1f}' if cell else '' for cell in cells]
        ms = f'{min(cell["ms_per_face"] for cell in cells if cell):.2f}'
        rows.append((name, f'{error["mean"]:.1f}, {error["median"]:.1f}', *agreed, ms))
    return head, rows


def notes(part: Any) -> tuple[str, str]:
    """Return what stands before the tables, and between them."""
    missing = ', '.join(f'`{name}`' for name in part['left_out'])
    before = (
        f'{part["frames"]} frames of the real clips and pictures; whole images, one thread'
        + (f' (not here, for want of a model file: {missing}).' if missing else '.')
    )
    between = (
        f'Degrees. *Error*: {part["errors"]["faces"]} rendered held-out heads within 60° of yaw '
        "whose face is seen.\n*Agreement*: with the authors' network, on the faces that a "
        'detector finds in those frames.\nBoth geodesic, after one constant rotation.'
    )
    return before, between
