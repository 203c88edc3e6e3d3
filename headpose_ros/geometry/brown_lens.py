# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The plumb_bob and rational_polynomial models of CameraInfo, thin prism and tilt included."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry.lens_math import (
    FARTHEST,
    homogeneous,
    on_plane,
    smallest_positive_root,
    unit_rays,
)
from headpose_ros.heads import Array

_TABLE = 512  # entries, of the radial inverse to start from
_QUICK_ROUNDS = 5
_SOLVED = 1e-14


@dataclass(frozen=True)
class BrownLens:
    """Brown's radial and tangential terms, with the rational, thin prism and tilt extensions.

    `coefficients`: k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4, tau_x, tau_y.
    """

    coefficients: tuple[float, ...]

    @cached_property
    def max_angle(self) -> float:
        """See `Lens`."""
        return math.atan(self._fold)

    @cached_property
    def _fold(self) -> float:
        """The radius on the undistorted plane where the radial terms stop growing."""
        k1, k2, _, _, k3, k4, k5, k6 = self.coefficients[:8]
        top, bottom = np.array([k3, k2, k1, 1.0]), np.array([k6, k5, k4, 1.0])
        # d(r top / bottom) / dr = 0, as a polynomial in s = r^2; and the poles.
        bend: Any = np.polymul(np.polyder(top), bottom)
        bend = np.polysub(bend, np.polymul(top, np.polyder(bottom)))
        slope = np.polyadd(np.polymul(top, bottom), 2 * np.polymul(bend, [1.0, 0.0]))
        pole = smallest_positive_root(bottom) * (1 - 1e-6)
        fold = min(smallest_positive_root(slope), pole)
        return min(math.sqrt(fold), FARTHEST)

    @cached_property
    def _tilt(self) -> Array:
        return _tilt(*self.coefficients[12:14])

    def project(self, rays: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """See `Lens`."""
        x, y, valid = on_plane(rays, self._fold)
        u, v, (xx, xy, yx, yy) = self._distort(x, y)
        valid = valid & (xx * yy - xy * yx > 0)
        return (*self._tilted(u, v), valid)

    def unproject(self, points: Array) -> tuple[Array, NDArray[np.bool_]]:
        """See `Lens`: the radial inverse from a table, then Newton with the exact Jacobian."""
        flat = homogeneous(points) @ np.linalg.inv(self._tilt).T
        target = flat[:, :2] / flat[:, 2:]
        radius = np.hypot(*target.T)
        start = np.interp(radius, *self._inverse_radius)
        plane = target * (start / np.where(radius > 0, radius, 1.0))[:, None]
        with np.errstate(over='ignore', invalid='ignore'):  # what diverges is solved with care
            plane = self._solve(plane, target)
        error, _, (xx, xy, yx, yy) = self._miss(plane, target)
        valid = error <= 1e-12 + 1e-12 * radius
        valid &= (xx * yy - xy * yx > 0) & (np.hypot(*plane.T) <= self._fold) & (flat[:, 2] > 0)
        return unit_rays(plane), valid

    @cached_property
    def _inverse_radius(self) -> tuple[Array, Array]:
        """Radii (K,) in the image, growing, and of what they show on the undistorted plane."""
        plane = np.tan(np.linspace(0.0, self.max_angle, _TABLE))
        plane[-1] = self._fold
        return self._radius(plane)[0], plane

    def _solve(self, plane: Array, target: Array) -> Array:
        """Solve distort(plane) = target (N,2): plain Newton, with care where that fails."""
        guess = plane
        for _ in range(_QUICK_ROUNDS):
            error, (du, dv), (xx, xy, yx, yy) = self._miss(guess, target)
            left = ~(error <= _SOLVED * (1 + np.abs(target).max(axis=1)))
            if not left.any():
                return guess
            det = xx * yy - xy * yx
            det = np.where(np.abs(det) > 1e-12, det, 1e-12)
            guess = guess + np.column_stack([yy * du - xy * dv, xx * dv - yx * du]) / det[:, None]
        guess[left] = self._newton(plane[left], target[left])
        return guess

    def _newton(self, plane: Array, target: Array) -> Array:
        """Solve distort(plane) = target (N,2) for points not solved yet; steps may be halved."""
        plane = plane.copy()
        step = np.ones(len(plane))
        error = self._miss(plane, target)[0]
        enough = _SOLVED * (1 + np.abs(target).max(axis=1))
        left = np.arange(len(plane))
        for _ in range(100):
            left = left[(error[left] > enough[left]) & (step[left] > 1e-3)]
            if left.size == 0:
                break
            _, (du, dv), (xx, xy, yx, yy) = self._miss(plane[left], target[left])
            det = xx * yy - xy * yx
            det = np.where(np.abs(det) > 1e-12, det, 1e-12)
            move = np.column_stack([yy * du - xy * dv, xx * dv - yx * du]) / det[:, None]
            trial = plane[left] + step[left, None] * move
            far = np.hypot(*trial.T)
            trial *= np.minimum(1.0, self._fold / np.where(far > 0, far, 1.0))[:, None]
            new_error = self._miss(trial, target[left])[0]
            better = new_error < error[left]
            plane[left[better]], error[left[better]] = trial[better], new_error[better]
            step[left] = np.where(better, np.minimum(1.0, 2 * step[left]), step[left] / 4)
        return plane

    def _miss(
        self, plane: Array, target: Array
    ) -> tuple[Array, tuple[Array, Array], tuple[Array, ...]]:
        """Return how far distort(plane) is from target (N,2), which way, and the Jacobian."""
        u, v, jacobian = self._distort(*plane.T)
        du, dv = target[:, 0] - u, target[:, 1] - v
        return np.hypot(du, dv), (du, dv), jacobian

    def _radius(self, r: Array) -> tuple[Array, Array]:
        """Return the purely radial image of the radius `r`, and its derivative."""
        k1, k2, _, _, k3, k4, k5, k6 = self.coefficients[:8]
        s = r * r
        top, bottom = 1 + s * (k1 + s * (k2 + s * k3)), 1 + s * (k4 + s * (k5 + s * k6))
        d_top, d_bottom = k1 + s * (2 * k2 + s * 3 * k3), k4 + s * (2 * k5 + s * 3 * k6)
        slope = top / bottom + 2 * s * (d_top * bottom - top * d_bottom) / bottom**2
        return r * top / bottom, slope

    def _distort(self, x: Array, y: Array) -> tuple[Array, Array, tuple[Array, ...]]:
        """Return the distorted point and the Jacobian du/dx, du/dy, dv/dx, dv/dy."""
        k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4 = self.coefficients[:12]
        s = x * x + y * y
        top, bottom = 1 + s * (k1 + s * (k2 + s * k3)), 1 + s * (k4 + s * (k5 + s * k6))
        d_top, d_bottom = k1 + s * (2 * k2 + s * 3 * k3), k4 + s * (2 * k5 + s * 3 * k6)
        f = top / bottom
        g = 2 * (d_top - f * d_bottom) / bottom  # df/dx = g x
        u = x * f + 2 * p1 * x * y + p2 * (s + 2 * x * x) + s * (s1 + s * s2)
        v = y * f + p1 * (s + 2 * y * y) + 2 * p2 * x * y + s * (s3 + s * s4)
        prism_u, prism_v = 2 * (s1 + 2 * s2 * s), 2 * (s3 + 2 * s4 * s)
        xx = f + g * x * x + 2 * p1 * y + 6 * p2 * x + prism_u * x
        xy = g * x * y + 2 * p1 * x + 2 * p2 * y + prism_u * y
        yx = g * x * y + 2 * p1 * x + 2 * p2 * y + prism_v * x
        yy = f + g * y * y + 6 * p1 * y + 2 * p2 * x + prism_v * y
        return u, v, (xx, xy, yx, yy)

    def _tilted(self, u: Array, v: Array) -> tuple[Array, Array]:
        """Move points from the plane behind the lens to the tilted sensor."""
        if not any(self.coefficients[12:]):
            return u, v
        (a, b, c), (d, e, f), (g, h, i) = self._tilt.tolist()
        w = g * u + h * v + i
        return (a * u + b * v + c) / w, (d * u + e * v + f) / w


def _tilt(tau_x: float, tau_y: float) -> Array:
    """Return the homography of a tilted sensor (Scheimpflug), as OpenCV defines it."""
    cx, sx, cy, sy = math.cos(tau_x), math.sin(tau_x), math.cos(tau_y), math.sin(tau_y)
    about_x = np.array([[1, 0, 0], [0, cx, sx], [0, -sx, cx]])
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    turn = about_y @ about_x
    project = np.array([[turn[2, 2], 0, -turn[0, 2]], [0, turn[2, 2], -turn[1, 2]], [0, 0, 1]])
    result: Array = project @ turn
    return result
