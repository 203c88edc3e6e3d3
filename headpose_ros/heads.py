# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the stages of the pipeline hand to each other: faces on the sphere, estimates, heads.

Frames are those of `docs/architecture.md`: *camera* is the optical frame of the image, *face* the
REP-155 face frame (origin at the sellion, x out of the face, y to the person's left, z up).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from headpose_ros.geometry.euler import euler_from_matrix
from headpose_ros.geometry.heading import Heading, heading_angles
from headpose_ros.geometry.rotations import quaternion_from_matrix
from headpose_ros.typing import Array


@dataclass(frozen=True, eq=False)
class Boxes:
    """Face boxes in one image, as a detector gives them.

    `corners` (N,4): x0, y0, x1, y1 in pixels (a pixel's centre has integer coordinates);
    `scores` (N,): 0..1; `landmarks` (N,5,2) or None: the eyes, the nose tip and the corners of
    the mouth, those on the image's left first, in pixels.
    """

    corners: Array
    scores: Array
    landmarks: Array | None = None

    def __len__(self) -> int:
        return len(self.corners)


@dataclass(frozen=True, eq=False)
class Faces:
    """Faces as a camera of any lens sees them: directions and sizes, not pixels.

    `rays` (N,3): unit vectors in the camera frame to the centre of the face sphere;
    `angular_sizes` (N,): rad, the full angle that the face sphere subtends,
    2 asin(FACE_SPHERE_RADIUS / distance) for an average adult; `scores` (N,): 0..1.
    """

    rays: Array
    angular_sizes: Array
    scores: Array

    def __len__(self) -> int:
        return len(self.rays)

    @staticmethod
    def none() -> Faces:
        """Return no face at all."""
        return Faces(np.empty((0, 3)), np.empty(0), np.empty(0))


@dataclass(frozen=True, eq=False)
class Estimates:
    """What an estimator reads from N crops, in the frames of their virtual cameras.

    `rotations_virtual_from_face` (N,3,3). `rotation_sigma` (N,3): one standard deviation, rad,
    about the axes of the virtual camera. `rays_virtual` (N,3): unit vectors to the refined face
    centre. `angular_sizes` (N,): rad, refined size of the face sphere scaled to this head.
    `head_scale` (N,): size of this head over that of an average adult, so that the distance is
    head_scale * FACE_SPHERE_RADIUS / sin(angular_size / 2). `face_probability` (N,): 0..1, that
    the crop shows a face; estimators that cannot tell say NaN, and then the ray and the size are
    those of the crop. `landmarks` (N,68,2): in half crops from the centre, x right and y down, in
    iBUG order; None where the estimator has none.
    """

    rotations_virtual_from_face: Array
    rotation_sigma: Array
    rays_virtual: Array
    angular_sizes: Array
    head_scale: Array
    face_probability: Array
    landmarks: Array | None = None

    def __len__(self) -> int:
        return len(self.head_scale)

    def part(self, begin: int, end: int) -> Estimates:
        """Return those from `begin` up to `end`."""
        if (begin, end) == (0, len(self)):
            return self
        columns: list[Any] = [getattr(self, item.name) for item in fields(self)]
        parts: list[Any] = [None if column is None else column[begin:end] for column in columns]
        return Estimates(*parts)

    @staticmethod
    def none() -> Estimates:
        """Return no estimate at all."""
        return Estimates(
            np.empty((0, 3, 3)),
            np.empty((0, 3)),
            np.empty((0, 3)),
            np.empty(0),
            np.empty(0),
            np.empty(0),
        )


@dataclass(frozen=True)
class Roi:
    """A rectangle of pixels inside the image, as sensor_msgs/RegionOfInterest has it."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, eq=False, repr=False)
class Head:
    """One person's head in one image.

    `rotation_camera_from_face` (3,3) and `position` (3,), metres, of the sellion, in the camera
    frame. `covariance` (6,6): x, y, z (m^2), then rotations about the fixed x, y, z axes of the
    camera (rad^2), as geometry_msgs/PoseWithCovariance orders them. `confidence` 0..1.
    `off_axis_angle`: rad, between the optical axis and the ray to the face. `facing_angle`: rad,
    between the face's x axis and the direction from the face to the camera; 0 looks at it.
    `measured_rotation_camera_from_face`, `measured_position`: the same pose as this image alone
    shows it, before it is smoothed over time; where they are not given, the pose itself.
    `landmarks` (68,2): pixels, in iBUG order, as seen in this image, unfiltered; NaN where the
    lens shows no such direction; None where the estimator has none (`estimator` landmarks has).

    The arrays are copies, float64 and read-only. Heads are equal where all of these are, and can
    be hashed. Raises ValueError for arrays of another shape.
    """

    id: str
    rotation_camera_from_face: Array
    position: Array
    covariance: Array
    confidence: float
    roi: Roi
    off_axis_angle: float
    facing_angle: float
    measured_rotation_camera_from_face: Array = None  # type: ignore[assignment]  # set at once
    measured_position: Array = None  # type: ignore[assignment]
    landmarks: Array | None = None

    def __post_init__(self) -> None:
        for name in ('rotation_camera_from_face', 'position'):
            if getattr(self, f'measured_{name}') is None:
                object.__setattr__(self, f'measured_{name}', getattr(self, name))
        for name, shape in _SHAPES.items():
            if getattr(self, name) is None and name == 'landmarks':
                continue
            value = np.array(getattr(self, name), np.float64)
            if value.shape != shape:
                raise ValueError(f'{name}: expected shape {shape}, got {value.shape}')
            value.setflags(write=False)
            object.__setattr__(self, name, value)

    @property
    def distance(self) -> float:
        """Metres from the camera to the sellion."""
        return float(np.linalg.norm(self.position))

    @cached_property
    def quaternion(self) -> Array:
        """`rotation_camera_from_face` as a unit quaternion (4,), x, y, z, w; read-only."""
        quaternion = quaternion_from_matrix(self.rotation_camera_from_face)
        quaternion.setflags(write=False)
        return quaternion

    @property
    def yaw(self) -> float:
        """Yaw of 300W-LP, rad, -pi/2 to pi/2: above 0 the nose points to the image's left."""
        return self._yaw_pitch_roll[0]

    @property
    def pitch(self) -> float:
        """Pitch of 300W-LP, rad, -pi to pi: above 0 the nose points up."""
        return self._yaw_pitch_roll[1]

    @property
    def roll(self) -> float:
        """Roll of 300W-LP, rad, -pi to pi: above 0 the head is turned clockwise in the image."""
        return self._yaw_pitch_roll[2]

    @cached_property
    def heading(self) -> Heading:
        """Where the nose points in the camera frame: azimuth, elevation and tilt, rad.

        As yaw, pitch and roll for small angles, but defined and calm for profiles as well;
        `geometry.heading.heading_angles` has the formula.
        """
        return Heading(*map(float, heading_angles(self.rotation_camera_from_face)))

    @property
    def rotation_sigma(self) -> float:
        """One standard deviation of the rotation about an axis, rad: the mean square of three."""
        return math.sqrt(max(0.0, float(np.trace(self.covariance[3:, 3:])) / 3))

    def to_dict(self) -> dict[str, Any]:
        """Return the pose as plain Python values, by the names of the columns of pose tables.

        Metres, and degrees where a name ends in `_deg`; x, y, z: the sellion in the camera frame;
        qx to qw: the quaternion; `sigma_deg`: `rotation_sigma`; `roi_...`: pixels.
        """
        names = ('yaw', 'pitch', 'roll', 'azimuth', 'elevation', 'tilt')
        angles = zip(names, (*self._yaw_pitch_roll, *self.heading), strict=True)
        return {
            'id': self.id,
            'confidence': float(self.confidence),
            **dict(zip('xyz', self.position.tolist(), strict=True)),
            **dict(zip(('qx', 'qy', 'qz', 'qw'), self.quaternion.tolist(), strict=True)),
            **{f'{name}_deg': math.degrees(angle) for name, angle in angles},
            'distance': self.distance,
            'facing_deg': math.degrees(self.facing_angle),
            'off_axis_deg': math.degrees(self.off_axis_angle),
            'sigma_deg': math.degrees(self.rotation_sigma),
            'roi_x': int(self.roi.x),
            'roi_y': int(self.roi.y),
            'roi_width': int(self.roi.width),
            'roi_height': int(self.roi.height),
        }

    @cached_property
    def _yaw_pitch_roll(self) -> tuple[float, float, float]:
        yaw, pitch, roll = map(float, euler_from_matrix(self.rotation_camera_from_face))
        return yaw, pitch, roll

    def __repr__(self) -> str:
        yaw, pitch, roll = (round(math.degrees(angle)) for angle in self._yaw_pitch_roll)
        return (
            f'Head({self.id!r}, {self.distance:.2f} m, yaw {yaw:+d} pitch {pitch:+d} '
            f'roll {roll:+d} deg, confidence {self.confidence:.2f})'
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Head):
            return NotImplemented
        return all(
            _same(getattr(self, item.name), getattr(other, item.name)) for item in fields(self)
        )

    def __hash__(self) -> int:
        return hash((self.id, self.roi, *self.position.tolist()))

    def __reduce__(self) -> tuple[Any, ...]:  # NumPy would unpickle the arrays writable
        return Head, tuple(getattr(self, item.name) for item in fields(self))


_SHAPES = {
    'rotation_camera_from_face': (3, 3),
    'position': (3,),
    'covariance': (6, 6),
    'measured_rotation_camera_from_face': (3, 3),
    'measured_position': (3,),
    'landmarks': (68, 2),
}


def _same(one: Any, other: Any) -> bool:
    return np.array_equal(one, other, equal_nan=isinstance(one, np.ndarray))
