# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rotations in their usual forms; all functions take any leading dimensions.

Matrices are (...,3,3), quaternions (...,4) as x, y, z, w, rotation vectors (...,3) rad, and the
6D form (...,6) is the first two columns of the matrix, one after the other (Zhou et al., "On the
Continuity of Rotation Representations in Neural Networks", CVPR 2019).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from headpose_ros.typing import Array


def rotation_to_axis(rays: ArrayLike) -> Array:
    """Return the minimal rotations (N,3,3) that take rays (N,3) to the optical axis (0, 0, 1).

    One ray (3,) gives (3,3). With k = v x z and c = v . z: R = I + [k]x + [k]x^2 / (1 + c), the
    identity on the axis and smooth across it. Raises ValueError for a zero ray, and straight
    behind the camera, where the minimal rotation is not unique.
    """
    v = np.asarray(rays, np.float64)
    if v.shape[-1:] != (3,) or v.ndim > 2:
        raise ValueError(f'rays: expected shape (N, 3) or (3,), got {v.shape}')
    rows = [_turn_to_axis(*ray) for ray in v.reshape(-1, 3).tolist()]
    return np.array(rows, np.float64).reshape(*v.shape, 3)


def quaternion_from_matrix(matrices: ArrayLike) -> Array:
    """Return unit quaternions (...,4), x, y, z, w, with w >= 0."""
    flat, lead = _flat(matrices, (3, 3))
    q = Rotation.from_matrix(flat).as_quat()  # canonical only since SciPy 1.11; Humble has 1.8
    return np.reshape(np.where(q[:, 3:] < 0, -q, q), (*lead, 4))


def matrix_from_quaternion(quaternions: ArrayLike) -> Array:
    """Return matrices (...,3,3) of quaternions (...,4) of any length but zero."""
    flat, lead = _flat(quaternions, (4,))
    return np.reshape(Rotation.from_quat(flat).as_matrix(), (*lead, 3, 3))


def vector_from_matrix(matrices: ArrayLike) -> Array:
    """Return rotation vectors (...,3): the axis times the angle, 0 to pi rad."""
    flat, lead = _flat(matrices, (3, 3))
    return np.reshape(Rotation.from_matrix(flat).as_rotvec(), (*lead, 3))


def matrix_from_vector(vectors: ArrayLike) -> Array:
    """Return matrices (...,3,3) of rotation vectors (...,3), rad."""
    flat, lead = _flat(vectors, (3,))
    return np.reshape(Rotation.from_rotvec(flat).as_matrix(), (*lead, 3, 3))


def sixd_from_matrix(matrices: ArrayLike) -> Array:
    """Return the 6D form (...,6) of matrices (...,3,3)."""
    m = np.asarray(matrices, np.float64)
    return np.concatenate([m[..., 0], m[..., 1]], axis=-1)


def matrix_from_sixd(sixd: ArrayLike) -> Array:
    """Return matrices (...,3,3) of 6D forms (...,6) by Gram-Schmidt.

    Raises ValueError where the two columns are parallel or zero.
    """
    s = np.asarray(sixd, np.float64)
    if s.shape[-1:] != (6,):
        raise ValueError(f'6D rotations: expected shape (..., 6), got {s.shape}')
    rows = [_gram_schmidt(*row) for row in s.reshape(-1, 6).tolist()]
    return np.array(rows, np.float64).reshape(*s.shape[:-1], 3, 3)


def nearest_rotation(matrices: ArrayLike) -> Array:
    """Return the rotations closest to matrices (...,3,3) in the Frobenius norm, by SVD."""
    u, _, vt = np.linalg.svd(np.asarray(matrices, np.float64))
    sign = np.linalg.det(u @ vt)
    u[..., :, 2] *= np.where(sign < 0, -1.0, 1.0)[..., None]
    nearest: Array = u @ vt
    return nearest


def geodesic_distance(a: ArrayLike, b: ArrayLike) -> Array:
    """Return the angles (...,), 0 to pi rad, of the rotations between matrices (...,3,3).

    From both sine and cosine: to 1e-15 near 0, and to 1e-8 near 180 degrees.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    # |A - B|_F = 2 sqrt(2) sin(angle / 2); its complement is sqrt((1 + trace) / 4) = cos.
    half_sine = np.linalg.norm(a - b, axis=(-2, -1)) / np.sqrt(8.0)
    trace = np.sum(a * b, axis=(-2, -1))
    half_cosine = np.sqrt(np.maximum(1 + trace, 0.0)) / 2
    angle: Array = 2 * np.arctan2(half_sine, half_cosine)
    return angle


def mean_rotation(matrices: ArrayLike, weights: ArrayLike | None = None) -> Array:
    """Return the chordal mean (3,3) of matrices (N,3,3) with weights (N,), by SVD.

    Raises ValueError where there is none: no rotations, or weights that are not positive in sum.
    """
    m = np.asarray(matrices, np.float64)
    if m.ndim != 3 or m.shape[1:] != (3, 3) or len(m) == 0:
        raise ValueError(f'rotations: expected shape (N, 3, 3) with N > 0, got {m.shape}')
    w = np.ones(len(m)) if weights is None else np.asarray(weights, np.float64)
    if w.shape != (len(m),) or (w < 0).any() or not w.sum() > 0:
        raise ValueError(f'weights: expected {len(m)} non-negative numbers, not all zero')
    return nearest_rotation(np.tensordot(w / w.sum(), m, axes=1))


def _flat(values: ArrayLike, tail: tuple[int, ...]) -> tuple[Array, tuple[int, ...]]:
    # A copy of what is read-only, as the arrays of a Head are: SciPy 1.8 refuses those.
    array = np.require(values, np.float64, 'W')
    lead = array.shape[: array.ndim - len(tail)]
    if array.shape[len(lead) :] != tail:
        expected = ', '.join(map(str, tail))
        raise ValueError(f'rotations: expected shape (..., {expected}), got {array.shape}')
    return array.reshape(-1, *tail), lead


# In plain floats: for the few heads of one image, arrays take several times as long.


def _turn_to_axis(x: float, y: float, z: float) -> tuple[float, ...]:
    """Return the nine numbers of the minimal rotation that takes a ray to the axis."""
    length = math.hypot(x, y, z)
    if not 0.0 < length < math.inf:
        raise ValueError('rays: expected finite vectors that are not zero')
    x, y, z = x / length, y / length, z / length
    # 1 + c; behind the camera, where c is close to -1, without cancellation.
    d = 1.0 + z if z >= 0.0 else (x * x + y * y) / (1.0 - z)
    if d == 0.0:
        raise ValueError('rays: one points straight backwards; no rotation to the axis is minimal')
    xy = -x * y / d
    return 1.0 - x * x / d, xy, -x, xy, 1.0 - y * y / d, -y, x, y, z


def _gram_schmidt(
    ax: float, ay: float, az: float, bx: float, by: float, bz: float
) -> tuple[float, ...]:
    """Return the nine numbers of the rotation whose first columns come from a and b."""
    ax, ay, az = _unit(ax, ay, az)
    # Twice, because once leaves an error where the columns are nearly parallel.
    for _ in range(2):
        common = ax * bx + ay * by + az * bz
        bx, by, bz = _unit(bx - common * ax, by - common * ay, bz - common * az)
    return (
        *(ax, bx, ay * bz - az * by),
        *(ay, by, az * bx - ax * bz),
        *(az, bz, ax * by - ay * bx),
    )


def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    length = math.hypot(x, y, z)
    if not length > 0.0:
        raise ValueError('6D rotations: the two columns must not be zero or parallel')
    return x / length, y / length, z / length
