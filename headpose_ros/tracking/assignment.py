# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which detection is which person: assignment on the unit sphere, by direction and size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from headpose_ros.heads import Array

SIZE_WEIGHT = 1.0 / 0.35
"""A size wrong by the factor exp(0.35) counts as much as a direction wrong by one face radius."""

_FORBIDDEN = 1e6


def distances(rays_a: Array, sizes_a: Array, rays_b: Array, sizes_b: Array) -> tuple[Array, Array]:
    """Return how far each face of `a` is from each of `b`, two arrays (A,B).

    The first: the angle between the rays over the mean angular radius of the two faces. The
    second: the absolute difference of the logarithms of the sizes. Rays are (A,3) and (B,3) unit
    vectors, sizes (A,) and (B,) rad.
    """
    # 2 asin(chord / 2), unlike arccos, keeps its digits for faces that nearly coincide.
    chord = np.linalg.norm(rays_a[:, None, :] - rays_b[None, :, :], axis=2)
    angles = 2.0 * np.arcsin(np.minimum(0.5 * chord, 1.0))
    radii = 0.25 * (sizes_a[:, None] + sizes_b[None, :])
    return angles / radii, np.abs(np.log(sizes_a[:, None] / sizes_b[None, :]))


def assign(
    offsets: Array, size_ratios: Array, offset_gates: Array, size_gate: float
) -> list[tuple[int, int]]:
    """Pair rows with columns at the least total cost (the Hungarian problem), gated.

    `offsets`, `size_ratios` (A,B) from `distances`; `offset_gates` (A,): the largest offset that
    each row accepts. As many pairs as the gates allow are made; returns their (row, column).
    """
    if offsets.size == 0:
        return []
    allowed: NDArray[np.bool_] = (offsets <= offset_gates[:, None]) & (size_ratios <= size_gate)
    cost = np.where(allowed, offsets**2 + (SIZE_WEIGHT * size_ratios) ** 2, _FORBIDDEN)
    if offsets.size == 1:
        return [(0, 0)] if allowed[0, 0] else []
    rows, columns = linear_sum_assignment(cost)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if allowed[i, j]]
