# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Things that people may look at: a point, a sphere or a rectangle, and how a face sees them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.typing import Array

MIN_DISTANCE = 0.01
"""Metres: a target that is nearer to the sellion has no direction from it."""

_SPHERE_AS_SQUARE = 0.5 * math.sqrt(math.pi)


@dataclass(frozen=True)
class Target:
    """What somebody may look at. `name`: unique, such as its TF frame.

    `radius`: metres, of a sphere. `size`: width and height in metres of a flat rectangle such as
    a screen, whose place is its centre: the width lies along the y axis of the target's frame,
    the height along its z axis, and it is looked at from the side to which its x axis points
    (REP-103: x forward, y left, z up). With neither it is a point.

    Raises ValueError where that makes no target.
    """

    name: str
    radius: float | None = None
    size: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise ValueError(f'target: expected a name, got {self.name!r}')
        if self.radius is not None and self.size is not None:
            raise ValueError(f'target {self.name}: expected a radius or a size, got both')
        if self.radius is not None:
            object.__setattr__(self, 'radius', self._metres('radius', self.radius))
        if self.size is not None:
            if len(self.size) != 2:
                raise ValueError(
                    f'target {self.name}: size: expected width and height, got {self.size!r}'
                )
            width, height = (self._metres('size', value) for value in self.size)
            object.__setattr__(self, 'size', (width, height))

    def _metres(self, what: str, value: float) -> float:
        if not (math.isfinite(value) and value > 0.0):
            raise ValueError(
                f'target {self.name}: {what}: expected metres above 0, got {value!r}; leave it '
                'out for a point'
            )
        return float(value)

    @staticmethod
    def from_text(text: str) -> Target:
        """Return the target that `name`, `name:RADIUS` or `name:WIDTHxHEIGHT` tells, metres.

        Raises ValueError where the text tells none.
        """
        name, colon, extent = text.strip().rpartition(':')
        if not colon:
            return Target(text.strip())
        try:
            numbers = [float(part) for part in extent.lower().split('x')]
        except ValueError:
            numbers = []
        if len(numbers) == 1:
            return Target(name, radius=numbers[0])
        if len(numbers) == 2:
            return Target(name, size=(numbers[0], numbers[1]))
        raise ValueError(
            f'target {text!r}: expected name, name:RADIUS or name:WIDTHxHEIGHT in metres, such as '
            'cup:0.05 or screen:0.4x0.3'
        )


CAMERA = Target('camera')
"""The camera itself, a point. It is always among the targets and needs no place."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where a target is in one image: `position` (3,), metres, camera optical frame.

    `rotation_camera_from_target` (3,3): needed for a rectangle. Raises ValueError for arrays of
    another shape, or that are not finite.
    """

    position: ArrayLike
    rotation_camera_from_target: ArrayLike | None = None

    def __post_init__(self) -> None:
        _keep(self, 'position', (3,))
        if self.rotation_camera_from_target is not None:
            _keep(self, 'rotation_camera_from_target', (3, 3))


def _keep(place: Place, name: str, shape: tuple[int, ...]) -> None:
    value = np.array(getattr(place, name), np.float64)
    if value.shape != shape or not np.isfinite(value).all():
        raise ValueError(f'{name}: expected {shape} finite numbers, got {value.tolist()}')
    value.setflags(write=False)
    object.__setattr__(place, name, value)


Places = Mapping[str, Place | ArrayLike]
"""Places of targets by name; a bare position (3,) will do for all but rectangles."""


@dataclass(frozen=True)
class PlacedTarget:
    """A target and where it is in one image, checked.

    `position` (3,); `half_axes` (2,3): from the centre to the middle of the left and of the upper
    edge of a rectangle, camera frame; None for other targets.
    """

    target: Target
    position: Array
    half_axes: Array | None

    @staticmethod
    def at(target: Target, place: Place | ArrayLike) -> PlacedTarget:
        """Return `target` at `place`. Raises ValueError where a rectangle lacks its rotation."""
        try:
            placed = place if isinstance(place, Place) else Place(place)
        except ValueError as error:
            raise ValueError(f'place of target {target.name}: {error}') from None
        position = np.asarray(placed.position)
        if target.size is None:
            return PlacedTarget(target, position, None)
        if placed.rotation_camera_from_target is None:
            raise ValueError(
                f'place of target {target.name}: a rectangle needs its rotation as well; give '
                'Place(position, rotation_camera_from_target)'
            )
        rotation = np.asarray(placed.rotation_camera_from_target)
        half = 0.5 * np.array(target.size)[:, None] * rotation[:, 1:].T
        return PlacedTarget(target, position, half)


@dataclass(frozen=True)
class View:
    """A target as a face sees it.

    Angles in rad, in the plane that touches the sphere of directions at the face's x axis: `left`
    towards its y axis, `up` towards its z axis.

    `left`, `up`: of the target's centre; `half_left`, `half_up`: half its extent; `angle`: from
    the face's x axis to the nearest point of the target; `distance`: metres to its centre;
    `front`: False for a rectangle that is seen from behind. `direction` (3,): unit, in the face
    frame. `corners` (4,3): of a rectangle, unit, in the face frame; else None.
    """

    left: float
    up: float
    half_left: float
    half_up: float
    angle: float
    distance: float
    front: bool
    direction: Array
    corners: Array | None

    @staticmethod
    def of(placed: PlacedTarget, rotation: Array, sellion: Array) -> View | None:
        """Return `placed` as a face of `rotation` (3,3) at `sellion` (3,) sees it, camera frame.

        None where it is too near to have a direction.
        """
        offset = (placed.position - sellion) @ rotation
        x, y, z = offset.tolist()
        distance = math.sqrt(x * x + y * y + z * z)
        if distance < MIN_DISTANCE:
            return None
        across = math.hypot(y, z)
        to_centre = math.atan2(across, x)
        scale = to_centre / across if across > 0.0 else 0.0
        direction = offset / distance
        if placed.half_axes is None:
            reach = math.asin(min(1.0, (placed.target.radius or 0.0) / distance))
            half = _SPHERE_AS_SQUARE * reach
            nearest = max(0.0, to_centre - reach)
            return View(scale * y, scale * z, half, half, nearest, distance, True, direction, None)
        axes = placed.half_axes @ rotation
        flat = axes - (axes @ direction)[:, None] * direction
        half_left, half_up = (np.sqrt((flat**2).sum(axis=0)) / distance).tolist()[1:]
        corners = offset + _CORNERS @ axes
        corners = corners / np.sqrt((corners**2).sum(axis=1))[:, None]
        front = float(offset @ np.cross(axes[0], axes[1])) < 0.0
        return View(
            scale * y, scale * z, half_left, half_up, _angle_to_corners(_X, corners), distance,
            front, direction, corners,
        )  # fmt: skip

    def angle_from(self, direction: Array) -> float:
        """Return the angle, rad, from a unit `direction` (3,), face frame, to the target."""
        if self.corners is not None:
            return _angle_to_corners(direction, self.corners)
        reach = self.half_left / _SPHERE_AS_SQUARE
        return max(0.0, math.acos(_clipped(float(direction @ self.direction))) - reach)


_X = np.array([1.0, 0.0, 0.0])
_CORNERS = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
_NEXT = [1, 2, 3, 0]


def _angle_to_corners(direction: Array, corners: Array) -> float:
    """Return the angle from a unit `direction` to the convex polygon between unit `corners`."""
    normals = np.cross(corners, corners[_NEXT])
    sides = normals @ direction
    inside = (sides > 0.0).all() or (sides < 0.0).all()
    if inside and float(direction @ corners.sum(axis=0)) > 0.0:
        return 0.0
    nearest = math.acos(_clipped(float((corners @ direction).max())))
    lengths = np.sqrt((normals**2).sum(axis=1))
    for normal, length, side, a, b in zip(
        normals, lengths.tolist(), sides.tolist(), corners, corners[_NEXT], strict=True
    ):
        if length < 1e-12:
            continue
        foot = direction - side / length**2 * normal  # on the great circle through a and b
        if np.cross(a, foot) @ normal > 0.0 and np.cross(foot, b) @ normal > 0.0:
            nearest = min(nearest, math.asin(min(1.0, abs(side) / length)))
    return nearest


def _clipped(cosine: float) -> float:
    return max(-1.0, min(1.0, cosine))
