# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Vectors of three as plain numbers.

Attention runs for every head and target of every image; a call of NumPy on three numbers costs
more than the numbers.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from headpose_ros.geometry.face_frame import FACE_CENTRE_IN_FACE
from headpose_ros.heads import Head

Vector = tuple[float, float, float]


def dot(a: Vector, b: Vector) -> float:
    """Return a . b."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    """Return a x b."""
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )


class Axes(NamedTuple):
    """The x, y and z axes of a face, unit, in another frame: the columns of a rotation."""

    ahead: Vector
    left: Vector
    up: Vector

    def in_face(self, vector: Vector) -> Vector:
        """Return a vector of that frame in the face frame."""
        return dot(self.ahead, vector), dot(self.left, vector), dot(self.up, vector)


class Measured(NamedTuple):
    """A head as one image shows it, before it is smoothed; camera frame, metres, rad.

    `distance`, and the unit `ray`, are of the face centre. Variances of the direction in which the
    face points, and of its place, to the face's left and upwards; `sigma`: of the rotation about
    an axis, the mean of three.
    """

    axes: Axes
    sellion: Vector
    ray: Vector
    distance: float
    turn_left: float
    turn_up: float
    shift_left: float
    shift_up: float
    sigma: float

    @staticmethod
    def of(head: Head) -> Measured:
        """Return `head` in plain numbers."""
        rows = head.measured_rotation_camera_from_face.tolist()
        axes = Axes(*zip(*rows, strict=True))
        x, y, z = head.measured_position.tolist()
        a, b, c = _CENTRE
        centre = (
            x + a * rows[0][0] + b * rows[0][1] + c * rows[0][2],
            y + a * rows[1][0] + b * rows[1][1] + c * rows[1][2],
            z + a * rows[2][0] + b * rows[2][1] + c * rows[2][2],
        )
        distance = math.sqrt(dot(centre, centre))
        ray = (centre[0] / distance, centre[1] / distance, centre[2] / distance)
        covariance = head.covariance.tolist()
        turn = covariance[3][3:], covariance[4][3:], covariance[5][3:]
        mean = (turn[0][0] + turn[1][1] + turn[2][2]) / 3.0
        # Turning about the face's z axis moves its x axis to the left, about its y axis upwards.
        return Measured(
            axes, (x, y, z), ray, distance,
            _variance(turn, axes.up), _variance(turn, axes.left),
            _variance(covariance, axes.left), _variance(covariance, axes.up),
            math.sqrt(max(0.0, mean)),
        )  # fmt: skip


_CENTRE: list[float] = FACE_CENTRE_IN_FACE.tolist()


def _variance(covariance: tuple[list[float], ...] | list[list[float]], axis: Vector) -> float:
    """Return the variance along a unit `axis` of what has this covariance, symmetric."""
    x, y, z = axis
    (xx, xy, xz, *_), (_, yy, yz, *_), (_, _, zz, *_) = covariance[:3]
    return x * x * xx + y * y * yy + z * z * zz + 2.0 * (x * y * xy + x * z * xz + y * z * yz)
