# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a face sees a target: which way, how large, how far beside where the face points."""

from __future__ import annotations

import math
from typing import NamedTuple

from headpose_ros.attention.plain import Measured, Vector, cross, dot
from headpose_ros.attention.targets import PlacedTarget

MIN_DISTANCE = 0.01
"""Metres: a target that is nearer to the sellion has no direction from it."""

_AHEAD = (1.0, 0.0, 0.0)
_SPHERE_AS_SQUARE = 0.5 * math.sqrt(math.pi)
"""Half the side of the square that is as large as a disc of radius 1."""


class View(NamedTuple):
    """A target as a face sees it.

    `direction`: unit, of its centre, in the face frame. `left`, `up`: rad, of its centre, in the
    plane that touches the sphere of directions at the face's x axis: towards its y axis and its z
    axis. `half_left`, `half_up`: rad, half its extent. `angle`: rad, from the face's x axis to
    the target's nearest point. `distance`: metres to its centre. `front`: False for a rectangle
    that is seen from behind. `corners`: of a rectangle, metres, face frame; `reach`: rad, the
    radius of any other target.
    """

    direction: Vector
    left: float
    up: float
    half_left: float
    half_up: float
    angle: float
    distance: float
    front: bool = True
    corners: tuple[Vector, ...] = ()
    reach: float = 0.0

    @staticmethod
    def of(placed: PlacedTarget, head: Measured) -> View | None:
        """Return `placed` as `head` sees it; None where it is too near to have a direction."""
        (a, b, c), (d, e, f) = placed.position, head.sellion
        centre = head.axes.in_face((a - d, b - e, c - f))
        x, y, z = centre
        distance = math.sqrt(x * x + y * y + z * z)
        if distance < MIN_DISTANCE:
            return None
        direction = (x / distance, y / distance, z / distance)
        across = math.hypot(y, z)
        off = math.atan2(across, x)
        scale = off / across if across > 0.0 else 0.0
        if placed.half_axes is None:
            reach = math.asin(min(1.0, (placed.target.radius or 0.0) / distance))
            half, angle = _SPHERE_AS_SQUARE * reach, max(0.0, off - reach)
            return View(direction, scale * y, scale * z, half, half, angle, distance, reach=reach)
        to_left, to_top = (head.axes.in_face(axis) for axis in placed.half_axes)
        half_left, half_up = _extent(to_left, to_top, direction, distance)
        corners = _corners(centre, to_left, to_top)
        return View(
            direction, scale * y, scale * z, half_left, half_up, _angle_to(corners, _AHEAD),
            distance, dot(centre, cross(to_left, to_top)) < 0.0, corners,
        )  # fmt: skip

    def angle_from(self, direction: Vector) -> float:
        """Return the angle, rad, from a unit `direction`, face frame, to the nearest point."""
        if self.corners:
            return _angle_to(self.corners, direction)
        return max(0.0, math.acos(_clipped(dot(direction, self.direction))) - self.reach)


def _extent(
    to_left: Vector, to_top: Vector, direction: Vector, distance: float
) -> tuple[float, float]:
    """Return half the width and height, rad, of the upright rectangle nearest to this one.

    It has the same variances along the face's axes, foreshortened as it is seen from the side.
    """
    left = up = 0.0
    for axis in (to_left, to_top):
        along = dot(axis, direction)
        left += (axis[1] - along * direction[1]) ** 2
        up += (axis[2] - along * direction[2]) ** 2
    return math.atan(math.sqrt(left) / distance), math.atan(math.sqrt(up) / distance)


def _corners(centre: Vector, to_left: Vector, to_top: Vector) -> tuple[Vector, ...]:
    (x, y, z), (a, b, c), (d, e, f) = centre, to_left, to_top
    return (
        (x + a + d, y + b + e, z + c + f),
        (x - a + d, y - b + e, z - c + f),
        (x - a - d, y - b - e, z - c - f),
        (x + a - d, y + b - e, z + c - f),
    )


def _angle_to(corners: tuple[Vector, ...], direction: Vector) -> float:
    """Return the angle, rad, from a unit `direction` to the convex polygon between `corners`.

    Its nearest point lies on an edge of which `direction` is on the outer side.
    """
    a, b, c, d = corners
    way = math.copysign(1.0, dot(cross(a, b), c))
    nearest = -2.0
    for one, other in ((a, b), (b, c), (c, d), (d, a)):
        if way * dot(cross(one, other), direction) <= 0.0:
            nearest = max(nearest, _largest_cosine(one, other, direction))
    return 0.0 if nearest < -1.5 else math.acos(_clipped(nearest))


def _largest_cosine(a: Vector, b: Vector, direction: Vector) -> float:
    """Return the cosine of the smallest angle from a unit `direction` to the line from a to b.

    At a + s d, with d = b - a, the cosine is (a.u + s d.u) / |a + s d|; its derivative is zero at
    s = (a.u a.d - d.u a.a) / (d.u a.d - a.u d.d).
    """
    d = (b[0] - a[0], b[1] - a[1], b[2] - a[2])
    au, du, aa, ad, dd = dot(a, direction), dot(d, direction), dot(a, a), dot(a, d), dot(d, d)
    best = au / math.sqrt(aa) if aa > 0.0 else 1.0
    below = du * ad - au * dd
    s = (au * ad - du * aa) / below if below != 0.0 else 0.0
    if 0.0 < s < 1.0:
        square = aa + 2.0 * s * ad + s * s * dd
        best = max(best, (au + s * du) / math.sqrt(square) if square > 0.0 else 1.0)
    bb = dot(b, b)
    return max(best, (au + du) / math.sqrt(bb)) if bb > 0.0 else 1.0


def _clipped(cosine: float) -> float:
    return max(-1.0, min(1.0, cosine))
