# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which detection is which person: assignment on the unit sphere, by direction and size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from headpose_ros.geometry.rays import angle_between
from headpose_ros.typing import Array

SIZE_WEIGHT = 1.0 / 0.35
"""A size wrong by the factor exp(0.35) counts as much as a direction wrong by one face radius."""

_FORBIDDEN = 1e6


def distances(rays_a: Array, sizes_a: Array, rays_b: Array, sizes_b: Array) -> tuple[Array, Array]:
    """Return how far each face of `a` is from each of `b`, two arrays (A,B).

    The first: the angle between the rays over the mean angular radius of the two faces. The
    second: the absolute difference of the logarithms of the sizes. Rays are (A,3) and (B,3) unit
    vectors, sizes (A,) and (B,) rad.
    """
    angles = angle_between(rays_a[:, None], rays_b)
    radii = 0.25 * (sizes_a[:, None] + sizes_b[None, :])
    return angles / radii, np.abs(np.log(sizes_a[:, None] / sizes_b[None, :]))


def assign(
    offsets: Array, size_ratios: Array, offset_gates: Sequence[Array], size_gate: float
) -> list[tuple[int, int]]:
    """Pair rows with columns, stage by stage, each at the least total cost (Hungarian problem).

    `offsets`, `size_ratios` (A,B) from `distances`; `offset_gates`: of each stage, (A,), the
    largest offset that each row accepts. A stage makes as many pairs as its gates allow of what
    the stages before left: so who is found where expected is not moved on to make room, and to
    make one pair more. Returns (row, column) of all pairs.
    """
    pairs: list[tuple[int, int]] = []
    fits = size_ratios <= size_gate
    cost = offsets**2 + (SIZE_WEIGHT * size_ratios) ** 2
    for gates in offset_gates:
        allowed: NDArray[np.bool_] = fits & (offsets <= gates[:, None])
        if not allowed.any():
            continue
        rows, columns = linear_sum_assignment(np.where(allowed, cost, _FORBIDDEN))
        found = [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if allowed[i, j]]
        for i, j in found:
            fits[i, :] = fits[:, j] = False
        pairs += found
    return pairs
