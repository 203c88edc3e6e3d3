# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Things that people may look at: a point, a sphere or a rectangle, and where it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.attention.plain import Vector


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

    `position`: metres, camera frame; `half_axes`: two vectors, from the centre to the middle of
    the left and of the upper edge of a rectangle, camera frame; None for other targets.
    """

    target: Target
    position: Vector
    half_axes: tuple[Vector, Vector] | None

    @staticmethod
    def at(target: Target, place: Place | ArrayLike) -> PlacedTarget:
        """Return `target` at `place`. Raises ValueError where a rectangle lacks its rotation."""
        try:
            placed = place if isinstance(place, Place) else Place(place)
        except ValueError as error:
            raise ValueError(f'place of target {target.name}: {error}') from None
        x, y, z = np.asarray(placed.position).tolist()
        position = (x, y, z)
        if target.size is None:
            return PlacedTarget(target, position, None)
        if placed.rotation_camera_from_target is None:
            raise ValueError(
                f'place of target {target.name}: a rectangle needs its rotation as well; give '
                'Place(position, rotation_camera_from_target)'
            )
        rotation = np.asarray(placed.rotation_camera_from_target)
        to_left, to_top = (0.5 * np.array(target.size)[:, None] * rotation[:, 1:].T).tolist()
        return PlacedTarget(target, position, (tuple(to_left), tuple(to_top)))
