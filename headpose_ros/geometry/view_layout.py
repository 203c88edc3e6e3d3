# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where few square views have to look so that together they see given directions.

Views stand in one to three rows, symmetric about the middle of what is to be seen; in a row they
are panned by equal steps. How far a view must reach to see a direction is the tangent of the
larger of its two angles there; a layout must reach as far as the direction needs that it sees
worst. All layouts of a grid of tilts and steps are tried, which takes some 0.1 s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from headpose_ros.typing import Array

_MAX_IN_A_ROW, _MAX_ALL_AROUND = 4, 6
_STEPS = np.radians(np.arange(20.0, 100.0, 5.0))
_TILTS = np.radians(np.arange(0.0, 95.0, 5.0))
_MAX_PAN, _MAX_PAN_ALL_AROUND = math.radians(110.0), math.radians(155.0)
_BEHIND = 1e-3  # z from which on a direction counts as out of every view's reach


class _Row(NamedTuple):
    """`views` views, `step` rad apart."""

    views: int
    step: float

    def pans(self) -> Array:
        """Return the pans (V,) of the views from the middle, rad."""
        return (np.arange(self.views, dtype=np.float64) - (self.views - 1) / 2) * self.step


@dataclass(frozen=True)
class Layout:
    """`rotations` (K,3,3) of views from the camera; `reach`: tangent of how far each must see."""

    rotations: Array
    reach: float


def lay_out(rays: Array, widest: float, all_around: bool = False) -> Layout:
    """Return the fewest views found that see all rays (N,3) within the tangent `widest`.

    `all_around`: rows may have enough views to see in all directions of a panorama.
    Of as many views those that need reach least; the straightest first. Where no layout does, it
    is the one that needs to reach least.
    """
    rows = (
        _rows(_MAX_ALL_AROUND, _MAX_PAN_ALL_AROUND)
        if all_around
        else _rows(_MAX_IN_A_ROW, _MAX_PAN)
    )
    best = _best_by_count(rays, rows)
    enough = [count for count in sorted(best) if best[count].reach <= widest]
    if enough:
        return best[enough[0]]
    return min(best.values(), key=lambda layout: layout.reach)


def _best_by_count(rays: Array, rows: list[_Row]) -> dict[int, Layout]:
    """Return for every number of views the layout of `rows` that needs to reach least."""
    pan, tilt = _middle(rays)
    counts = np.array([row.views for row in rows])
    upper = _needed(rays, pan, tilt - _TILTS, rows)
    lower = _needed(rays, pan, tilt + _TILTS, rows)
    best: dict[int, tuple[float, list[tuple[float, _Row]]]] = {}

    def offer(needs: Array, more: int, outer: list[tuple[float, _Row]], at: float) -> None:
        """Take rows at tilt `at`, that with the `outer` ones need needs (R,N), where better."""
        worst = needs.max(axis=1)
        for count in range(1, int(counts.max()) + 1):
            i = int(np.argmin(np.where(counts == count, worst, np.inf)))
            if worst[i] < best.get(more + count, (math.inf, []))[0]:
                best[more + count] = (float(worst[i]), [*outer, (at, rows[i])])

    offer(upper[0], 0, [], tilt)
    for above, below, turn in zip(upper[1:], lower[1:], _TILTS[1:].tolist(), strict=True):
        for i, row in enumerate(rows):
            offer(np.minimum(above[i], below), row.views, [(tilt - turn, row)], tilt + turn)
            both = np.minimum(np.minimum(above[i], below[i]), upper[0])
            outer = [(tilt - turn, row), (tilt + turn, row)]
            offer(both, 2 * row.views, outer, tilt)
    return {count: Layout(_rotations(pan, where), reach) for count, (reach, where) in best.items()}


def _middle(rays: Array) -> tuple[float, float]:
    """Return the pan and the tilt, rad, of the middle of directions (N,3)."""
    tilts = np.arcsin(np.clip(rays[:, 1], -1, 1))
    level = np.abs(tilts) <= np.abs(tilts).min() + math.radians(20.0)
    pans = np.arctan2(rays[level, 0], rays[level, 2])
    return float(pans.min() + pans.max()) / 2, float(tilts.min() + tilts.max()) / 2


def _rows(max_views: int, max_pan: float) -> list[_Row]:
    rows = [_Row(1, 0.0)]
    for count in range(2, max_views + 1):
        steps = _STEPS[_STEPS * (count - 1) / 2 <= max_pan]
        rows += [_Row(count, step) for step in steps.tolist()]
    return rows


def _needed(rays: Array, pan: float, tilts: Array, rows: list[_Row]) -> Array:
    """Return how far rows (R) at tilts (T,) must reach to see rays (N,3): tangents (T,R,N)."""
    pans, where = np.unique(
        np.round(np.concatenate([row.pans() for row in rows]), 9), return_inverse=True
    )
    turns = pan_and_tilt(*(a.ravel() for a in np.meshgrid(pan + pans, tilts)))
    x, y, z = np.moveaxis(turns.astype(np.float32) @ rays.T.astype(np.float32), 1, 0)
    one = np.maximum(np.abs(x), np.abs(y)) / np.maximum(z, _BEHIND)
    one = one.reshape(len(tilts), len(pans), len(rays))
    ends = np.cumsum([row.views for row in rows])
    members = np.split(where.reshape(-1), ends[:-1])
    return np.stack([one[:, views].min(axis=1) for views in members], axis=1)


def _rotations(pan: float, rows: list[tuple[float, _Row]]) -> Array:
    pans = np.concatenate([pan + row.pans() for _, row in rows])
    tilts = np.concatenate([np.full(row.views, tilt) for tilt, row in rows])
    rotations = pan_and_tilt(pans, tilts)
    order = np.argsort(-np.round(rotations[:, 2, 2], 9), kind='stable')
    return rotations[order]


def pan_and_tilt(pans: Array, tilts: Array) -> Array:
    """Return rotation_view_from_camera (C,3,3): panned, then tilted, never rolled."""
    zero = np.zeros_like(pans)
    right = np.stack([np.cos(pans), zero, -np.sin(pans)], axis=-1)
    ahead = np.stack(
        [np.sin(pans) * np.cos(tilts), np.sin(tilts), np.cos(pans) * np.cos(tilts)], axis=-1
    )
    return np.stack([right, np.cross(ahead, right), ahead], axis=1)
