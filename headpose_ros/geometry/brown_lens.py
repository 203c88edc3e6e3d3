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
from headpose_ros.typing import Array

_TABLE = 512  # entries, of the radial inverse to start from
_SOLVED = 1e-14
_HORIZON = 1e-9  # of a tilted sensor, in the plane behind the lens


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
        if (x * x + y * y).max(initial=0.0) > self._safe**2:
            valid = valid & self._keeps_sides(x, y)
        u, v, in_front = self._tilted(*self._distort(x, y))
        return u, v, valid & in_front

    def unproject(self, points: Array) -> tuple[Array, NDArray[np.bool_]]:
        """See `Lens`: the radial inverse from a table, then Newton with the exact Jacobian."""
        flat = homogeneous(points) @ np.linalg.inv(self._tilt).T
        target = flat[:, :2] / flat[:, 2:]
        radius = np.hypot(*target.T)
        start = np.interp(radius, *self._inverse_radius)
        plane, error = self._solve(target * (start / np.maximum(radius, 1e-300))[:, None], target)
        valid = (error <= 1e-12 + 1e-12 * radius) & (flat[:, 2] > 0)
        valid &= self._keeps_sides(*plane.T) & (np.hypot(*plane.T) <= self._fold)
        return unit_rays(plane), valid

    @cached_property
    def _radii(self) -> Array:
        """Radii (K,) on the undistorted plane, growing, from 0 to where it folds."""
        radii = np.tan(np.linspace(0.0, self.max_angle, _TABLE))
        radii[-1] = self._fold
        return radii

    @cached_property
    def _inverse_radius(self) -> tuple[Array, Array]:
        """Radii (K,) in the image, growing, and of what they show on the undistorted plane."""
        return self._radii * self._radial(self._radii)[0], self._radii

    @cached_property
    def _safe(self) -> float:
        """The radius up to which the tangential and prism terms cannot fold the plane over.

        There their Jacobian is smaller than the least singular value of the radial one.
        """
        _, _, p1, p2, _, _, _, _, s1, s2, s3, s4 = self.coefficients[:12]
        r = self._radii
        prism = np.hypot(abs(s1) + 2 * abs(s2) * r * r, abs(s3) + 2 * abs(s4) * r * r)
        most = (6 * math.hypot(p1, p2) + 2 * prism) * r
        if not most.any():
            return math.inf
        scale, slope = self._radial(r)
        doubtful = np.flatnonzero(np.minimum(scale, slope) <= 1.1 * most)
        return float(r[max(doubtful[0] - 1, 0)]) if doubtful.size else math.inf

    def _keeps_sides(self, x: Array, y: Array) -> NDArray[np.bool_]:
        """Tell where the plane is not folded over: the Jacobian's determinant is positive."""
        xx, xy, yx, yy = self._jacobian(x, y)
        positive: NDArray[np.bool_] = xx * yy - xy * yx > 0
        return positive

    def _solve(self, plane: Array, target: Array) -> tuple[Array, Array]:
        """Solve distort(plane) = target (N,2) from a guess; return how far it is off (N,), too."""
        plane = plane.copy()
        off = target - np.column_stack(self._distort(*plane.T))
        error = np.hypot(*off.T)
        enough = _SOLVED * (1 + np.abs(target).max(axis=1))
        step = np.ones(len(plane))
        left = np.arange(len(plane))
        for _ in range(100):
            left = left[(error[left] > enough[left]) & (step[left] > 1e-3)]
            if left.size == 0:
                break
            trial = plane[left] + step[left, None] * self._newton(plane[left], off[left])
            far = np.hypot(*trial.T)
            trial *= np.minimum(1.0, self._fold / np.maximum(far, 1e-300))[:, None]
            new_off = target[left] - np.column_stack(self._distort(*trial.T))
            new_error = np.hypot(*new_off.T)
            better = new_error < error[left]
            moved = left[better]
            plane[moved], off[moved] = trial[better], new_off[better]
            error[moved] = new_error[better]
            step[left] = np.where(better, np.minimum(1.0, 2 * step[left]), step[left] / 4)
        return plane, error

    def _newton(self, plane: Array, off: Array) -> Array:
        """Return the step (N,2) on the plane that moves the distorted points by `off` (N,2)."""
        xx, xy, yx, yy = self._jacobian(*plane.T)
        det = xx * yy - xy * yx
        du, dv = off.T / np.where(np.abs(det) > 1e-12, det, 1e-12)
        return np.column_stack([yy * du - xy * dv, xx * dv - yx * du])

    def _radial(self, r: Array) -> tuple[Array, Array]:
        """Return f where the radial terms alone take the radius r to r f, and d(r f) / dr."""
        f, g = self._factors(r * r)
        return f, f + g * r * r

    def _factors(self, s: Array) -> tuple[Array, Array]:
        """Return the radial factor f at the squared radius `s`, and g: df/dx = g x."""
        k1, k2, _, _, k3, k4, k5, k6 = self.coefficients[:8]
        top, bottom = 1 + s * (k1 + s * (k2 + s * k3)), 1 + s * (k4 + s * (k5 + s * k6))
        d_top, d_bottom = k1 + s * (2 * k2 + s * 3 * k3), k4 + s * (2 * k5 + s * 3 * k6)
        f = top / bottom
        return f, 2 * (d_top - f * d_bottom) / bottom

    def _distort(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return the distorted points."""
        k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4 = self.coefficients[:12]
        s = x * x + y * y
        f = 1 + s * (k1 + s * (k2 + s * k3))
        if k4 or k5 or k6:
            f = f / (1 + s * (k4 + s * (k5 + s * k6)))
        turn = f + 2 * (p1 * y + p2 * x)
        u, v = x * turn + p2 * s, y * turn + p1 * s
        if s1 or s2 or s3 or s4:
            u, v = u + s * (s1 + s * s2), v + s * (s3 + s * s4)
        return u, v

    def _jacobian(self, x: Array, y: Array) -> tuple[Array, Array, Array, Array]:
        """Return du/dx, du/dy, dv/dx, dv/dy of the distorted points."""
        p1, p2 = self.coefficients[2:4]
        s1, s2, s3, s4 = self.coefficients[8:12]
        s = x * x + y * y
        f, g = self._factors(s)
        prism_u, prism_v = 2 * (s1 + 2 * s2 * s), 2 * (s3 + 2 * s4 * s)
        both = g * x * y + 2 * p1 * x + 2 * p2 * y
        xx = f + g * x * x + 2 * p1 * y + 6 * p2 * x + prism_u * x
        yy = f + g * y * y + 6 * p1 * y + 2 * p2 * x + prism_v * y
        return xx, both + prism_u * y, both + prism_v * x, yy

    def _tilted(self, u: Array, v: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Move points from the plane behind the lens to the tilted sensor.

        Also returns which get there: the tilt has a horizon, beyond which they would be mirrored.
        """
        if not any(self.coefficients[12:]):
            return u, v, np.ones(np.shape(u), bool)
        (a, b, c), (d, e, f), (g, h, i) = self._tilt.tolist()
        w = g * u + h * v + i
        at_least = np.maximum(w, _HORIZON)
        return (a * u + b * v + c) / at_least, (d * u + e * v + f) / at_least, w > _HORIZON


def _tilt(tau_x: float, tau_y: float) -> Array:
    """Return the homography of a tilted sensor (Scheimpflug), as OpenCV defines it."""
    cx, sx, cy, sy = math.cos(tau_x), math.sin(tau_x), math.cos(tau_y), math.sin(tau_y)
    about_x = np.array([[1, 0, 0], [0, cx, sx], [0, -sx, cx]])
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    turn = about_y @ about_x
    project = np.array([[turn[2, 2], 0, -turn[0, 2]], [0, turn[2, 2], -turn[1, 2]], [0, 0, 1]])
    result: Array = project @ turn
    return result
