# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lens distortion: from directions to the normalised image plane and back, exactly.

A lens maps a direction (x, y, z) of the camera frame to a point of the normalised image plane,
from which the camera matrix makes pixels. Every lens has a range, the cone of directions around
the optical axis in which this map is one to one: a polynomial folds over beyond it, and points
outside would land on pixels that show something else. `Lens.project` tells which directions are
in range and moves the others to its rim; `Lens.unproject` likewise for points of the plane.

The formulas are those of OpenCV (calib3d, "Detailed Description" and "Fisheye camera model"),
the names of the models those of sensor_msgs/distortion_models.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry.errors import CameraModelError
from headpose_ros.heads import Array

MODELS: dict[str, tuple[int, ...]] = {
    '': (0,),
    'none': (0,),
    'plumb_bob': (4, 5),
    'rational_polynomial': (8, 12, 14),
    'equidistant': (4,),
}
"""Known distortion models and how many coefficients each may have; 0 is always allowed."""

_FARTHEST = 1e6  # tangent of the widest angle that a flat image plane is used for


class Lens(Protocol):
    """Maps directions to the normalised image plane and back."""

    @property
    def max_angle(self) -> float:
        """The largest angle off the optical axis, rad, that the lens maps one to one."""
        ...

    def project(self, rays: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Return x (N,), y (N,) on the normalised plane and valid (N,) of `rays` (N,3).

        `rays` need not have unit length; zero vectors are not valid.
        """
        ...

    def unproject(self, points: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Return unit rays (N,3) and valid (N,) of normalised image points (N,2)."""
        ...


def check_distortion(model: str, coefficients: Sequence[float]) -> None:
    """Raise CameraModelError where `model` is unknown or has another number of coefficients."""
    if model not in MODELS:
        known = ', '.join(repr(name) for name in MODELS)
        raise CameraModelError(f'distortion model {model!r} is unknown; known are {known}')
    if len(coefficients) not in (0, *MODELS[model]):
        lengths = ' or '.join(map(str, MODELS[model]))
        raise CameraModelError(
            f'distortion model {model!r} has {lengths} coefficients, got {len(coefficients)}'
        )
    if not all(map(math.isfinite, coefficients)):
        raise CameraModelError(f'distortion coefficients are not finite: {tuple(coefficients)}')


def make_lens(model: str, coefficients: Sequence[float]) -> Lens:
    """Return the lens of a distortion model of `MODELS`; all zero coefficients make it flat."""
    if model == 'equidistant':
        return FisheyeLens(tuple(coefficients) or (0.0,) * 4)
    if not any(coefficients):
        return FlatLens()
    return BrownLens(tuple(coefficients) + (0.0,) * (14 - len(coefficients)))


@dataclass(frozen=True)
class FlatLens:
    """The ideal pinhole."""

    @property
    def max_angle(self) -> float:
        """See `Lens`."""
        return math.atan(_FARTHEST)

    def project(self, rays: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """See `Lens`."""
        return _on_plane(rays, _FARTHEST)

    def unproject(self, points: Array) -> tuple[Array, NDArray[np.bool_]]:
        """See `Lens`."""
        return _unit_rays(points), np.ones(len(points), bool)


@dataclass(frozen=True)
class FisheyeLens:
    """Kannala-Brandt: the radius is an odd polynomial of the angle, to beyond 90 degrees."""

    coefficients: tuple[float, ...]

    @cached_property
    def max_angle(self) -> float:
        """See `Lens`."""
        k = self.coefficients
        slope = [9 * k[3], 7 * k[2], 5 * k[1], 3 * k[0], 1.0]  # d radius / d angle, in angle^2
        # Straight behind the camera has no azimuth: stay a hair away from it.
        return min(math.sqrt(_smallest_positive_root(slope)), math.pi - 1e-9)

    @cached_property
    def _rim(self) -> float:
        return float(self._radius(self.max_angle)[0])

    def project(self, rays: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """See `Lens`."""
        x, y, z = rays[:, 0], rays[:, 1], rays[:, 2]
        across = np.hypot(x, y)
        angle = np.arctan2(across, z)
        valid = (angle <= self.max_angle) & ((across > 0) | (z > 0))
        radius, _ = self._radius(np.clip(angle, 0.0, self.max_angle))
        # The scale is 1 / z on the axis, where 0 / 0 would be.
        tiny = across < 1e-9 * abs(z)
        scale = radius / np.where(tiny, np.ones_like(across), across)
        scale = np.where(tiny, 1.0 / np.where(z > 0, z, np.ones_like(z)), scale)
        return x * scale, y * scale, valid

    def unproject(self, points: Array) -> tuple[Array, NDArray[np.bool_]]:
        """See `Lens`."""
        radius = np.hypot(points[:, 0], points[:, 1])
        angle = _solve_increasing(self._radius, np.minimum(radius, self._rim), self.max_angle)
        scale = np.sin(angle) / np.where(radius > 0, radius, 1.0)
        scale = np.where(radius > 1e-9, scale, 1.0)
        rays = np.column_stack([points * scale[:, None], np.cos(angle)])
        return rays / np.linalg.norm(rays, axis=1, keepdims=True), radius <= self._rim

    def _radius(self, angle: Any) -> tuple[Any, Any]:
        """Return the radius on the plane at `angle`, and its derivative."""
        k1, k2, k3, k4 = self.coefficients
        s = angle * angle
        radius = angle * (1 + s * (k1 + s * (k2 + s * (k3 + s * k4))))
        slope = 1 + s * (3 * k1 + s * (5 * k2 + s * (7 * k3 + s * 9 * k4)))
        return radius, slope


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
        bend = np.polysub(np.polymul(np.polyder(top), bottom), np.polymul(top, np.polyder(bottom)))
        slope = np.polyadd(np.polymul(top, bottom), 2 * np.polymul(bend, [1.0, 0.0]))
        fold = min(_smallest_positive_root(slope), _smallest_positive_root(bottom))
        return min(math.sqrt(fold), _FARTHEST)

    @cached_property
    def _tilt(self) -> Array:
        return _tilt(*self.coefficients[12:14])

    def project(self, rays: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
        """See `Lens`."""
        x, y, valid = _on_plane(rays, self._fold)
        u, v, (xx, xy, yx, yy) = self._distort(x, y)
        valid = valid & (xx * yy - xy * yx > 0)
        return (*self._tilted(u, v), valid)

    def unproject(self, points: Array) -> tuple[Array, NDArray[np.bool_]]:
        """See `Lens`: radial inverse first, then Newton in the plane with the exact Jacobian."""
        flat = _homogeneous(points) @ np.linalg.inv(self._tilt).T
        target = flat[:, :2] / flat[:, 2:]
        radius = np.hypot(*target.T)
        start = _solve_increasing(self._radius, radius, self._fold)
        plane = target * (start / np.where(radius > 0, radius, 1.0))[:, None]
        plane = self._newton(plane, target)
        x, y = plane.T
        u, v, (xx, xy, yx, yy) = self._distort(x, y)
        error = np.hypot(u - target[:, 0], v - target[:, 1])
        valid = error <= 1e-12 + 1e-12 * radius
        valid &= (xx * yy - xy * yx > 0) & (np.hypot(x, y) <= self._fold) & (flat[:, 2] > 0)
        return _unit_rays(plane), valid

    def _newton(self, plane: Array, target: Array) -> Array:
        """Solve distort(plane) = target; steps that do not help are halved."""
        u, v, jacobian = self._distort(*plane.T)
        error = np.hypot(u - target[:, 0], v - target[:, 1])
        step = np.ones(len(plane))
        for _ in range(60):
            xx, xy, yx, yy = jacobian
            det = xx * yy - xy * yx
            det = np.where(np.abs(det) > 1e-12, det, 1e-12)
            du, dv = target[:, 0] - u, target[:, 1] - v
            move = np.column_stack([yy * du - xy * dv, xx * dv - yx * du]) / det[:, None]
            trial = plane + step[:, None] * move
            far = np.hypot(*trial.T)
            trial *= np.minimum(1.0, self._fold / np.where(far > 0, far, 1.0))[:, None]
            u_t, v_t, jacobian_t = self._distort(*trial.T)
            error_t = np.hypot(u_t - target[:, 0], v_t - target[:, 1])
            better = error_t < error
            if not better.any() and (step < 1e-3).all():
                break
            plane = np.where(better[:, None], trial, plane)
            u, v = np.where(better, u_t, u), np.where(better, v_t, v)
            jacobian = tuple(
                np.where(better, new, old) for new, old in zip(jacobian_t, jacobian, strict=True)
            )
            error = np.where(better, error_t, error)
            step = np.where(better, np.minimum(1.0, 2 * step), step / 2)
            if (error <= 4e-16).all():
                break
        return plane

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


def _on_plane(rays: Array, farthest: float) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return x / z, y / z and whether in front and within `farthest`; others go to that rim."""
    x, y, z = rays[:, 0], rays[:, 1], rays[:, 2]
    across = np.hypot(x, y)
    valid = (z > 0) & (across <= farthest * z)
    rim = across / farthest
    depth = np.where(valid, z, np.where(rim > 0, rim, np.ones_like(z)))
    return x / depth, y / depth, valid


def _tilt(tau_x: float, tau_y: float) -> Array:
    """Return the homography of a tilted sensor (Scheimpflug), as OpenCV defines it."""
    cx, sx, cy, sy = math.cos(tau_x), math.sin(tau_x), math.cos(tau_y), math.sin(tau_y)
    about_x = np.array([[1, 0, 0], [0, cx, sx], [0, -sx, cx]])
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    turn = about_y @ about_x
    project = np.array([[turn[2, 2], 0, -turn[0, 2]], [0, turn[2, 2], -turn[1, 2]], [0, 0, 1]])
    result: Array = project @ turn
    return result


def _smallest_positive_root(polynomial: Any) -> float:
    """Return the smallest positive real root, or infinity; highest power first."""
    roots = np.roots(np.trim_zeros(np.asarray(polynomial, float), 'f'))
    real = roots.real[(np.abs(roots.imag) < 1e-9 * np.abs(roots)) & (roots.real > 0)]
    return float(real.min()) if real.size else math.inf


def _solve_increasing(
    function: Callable[[Array], tuple[Array, Array]], targets: Array, highest: float
) -> Array:
    """Solve function(x) = target for x in [0, highest] by Newton kept within a bracket."""
    high = np.full_like(targets, min(highest, 1.0))
    while highest > 1.0:  # find the bracket, the range may be huge
        short = (function(high)[0] < targets) & (high < highest)
        if not short.any():
            break
        high = np.where(short, np.minimum(4 * high, highest), high)
    low = np.zeros_like(targets)
    x = np.minimum(targets, high)
    for _ in range(200):
        value, slope = function(x)
        low, high = np.where(value <= targets, x, low), np.where(value >= targets, x, high)
        newton = x - (value - targets) / np.where(slope > 0, slope, np.inf)
        inside = (newton >= low) & (newton <= high) & (slope > 0)
        step = np.where(inside, newton, 0.5 * (low + high))
        if np.all(np.abs(step - x) <= 2e-16 * x):
            return step
        x = step
    return x


def _homogeneous(points: Array) -> Array:
    return np.column_stack([points, np.ones(len(points))])


def _unit_rays(points: Array) -> Array:
    rays = _homogeneous(points)
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)
