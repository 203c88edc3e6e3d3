# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Yaw, pitch and roll as linear functions of three measures of a face's landmarks.

Source: FacePose_pytorch (https://github.com/WIKI2020/FacePose_pytorch, MIT). A line joins the two
points of the cheek contour beside the ears. The foot on it of the nose's root, and the distance
of the root from it, move as the head turns:

    yaw     (half the line - from its end on the image's left to the foot) / half the line
    pitch   the root's distance from the line, up is positive, over the size of the face
    roll    angle of the line through the outer corners of the eyes, rad, clockwise is positive

Theirs measures the pitch in pixels of a 112 px crop; ours divides by the size of the face, the
root mean square distance of the landmarks from their mean, so that the crop does not matter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.typing import Array

METADATA_KEY = 'linear_pose'
_AUTHORS_CROP_PX = 112.0
_NOSE_ROOT = 27
_OUTER_EYE_CORNERS = (36, 45)
_CHEEKS = ((0, 1), (15, 16))
"""Their contour points 1 and 31 of WFLW's 33 lie between these of iBUG's 17."""


@dataclass(frozen=True)
class LinearPose:
    """Slope and offset, degrees, of each angle over its measure.

    `over_crop`: the pitch is measured in pixels of a 112 px crop, as the authors of the model do.
    """

    yaw: tuple[float, float]
    pitch: tuple[float, float]
    roll: tuple[float, float]
    over_crop: bool = False

    def rotations(self, points: Array) -> Array:
        """Return rotation_virtual_from_face (N,3,3) for landmarks (N,68,2) in half crops."""
        measured = measures(points, self.over_crop)
        slopes, offsets = np.array([self.yaw, self.pitch, self.roll]).T
        return matrix_from_euler(*np.deg2rad(measured * slopes + offsets).T)

    def metadata(self) -> dict[str, str]:
        """Return what `from_metadata` reads."""
        return {METADATA_KEY: json.dumps(asdict(self))}

    @staticmethod
    def from_metadata(metadata: Mapping[str, str]) -> LinearPose | None:
        """Read the metadata of a weights file, None where they have none; ValueError if wrong."""
        if METADATA_KEY not in metadata:
            return None
        try:
            values = json.loads(metadata[METADATA_KEY])
            pairs = {
                angle: (float(values[angle][0]), float(values[angle][1]))
                for angle in ('yaw', 'pitch', 'roll')
            }
            return LinearPose(**pairs, over_crop=bool(values['over_crop']))
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise ValueError(f'metadata {METADATA_KEY}: not a linear model ({error})') from None


AUTHORS = LinearPose(
    yaw=(71.58, 0.7037), pitch=(1.497, -18.97), roll=(float(np.rad2deg(1.0)), 0.0), over_crop=True
)
"""The coefficients of FacePose_pytorch, its pitch (down is positive there) turned to our sign."""


def measures(points: Array, over_crop: bool = False) -> Array:
    """Return the three measures (N,3) of landmarks (N,68,2) in half crops."""
    points = np.asarray(points, np.float64)
    left, right = (points[:, list(pair)].mean(axis=1) for pair in _CHEEKS)
    along = right - left
    length = np.maximum(np.linalg.norm(along, axis=1), 1e-6)
    along = along / length[:, None]
    root = points[:, _NOSE_ROOT] - left
    foot = np.sum(root * along, axis=1)
    below = along[:, 0] * root[:, 1] - along[:, 1] * root[:, 0]
    if over_crop:
        pitch = -below * _AUTHORS_CROP_PX / 2
    else:
        pitch = -below / np.maximum(face_sizes(points), 1e-6)
    eyes = points[:, _OUTER_EYE_CORNERS[1]] - points[:, _OUTER_EYE_CORNERS[0]]
    roll = np.arctan2(eyes[:, 1], eyes[:, 0])
    return np.stack([1 - 2 * foot / length, pitch, roll], axis=1)


def face_sizes(points: Array) -> Array:
    """Return the root mean square distance (N,) of landmarks (N,P,2) from their mean."""
    centred = points - points.mean(axis=1, keepdims=True)
    return np.asarray(np.sqrt(np.mean(np.sum(centred**2, axis=2), axis=1)))
