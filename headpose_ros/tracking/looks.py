# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where to look for the faces that are followed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headpose_ros.geometry.virtual_camera import crop_angles
from headpose_ros.tracking.track import Track
from headpose_ros.typing import Array


class Looks(NamedTuple):
    """N crops: what `sample_crops` wants to know of them.

    `rays` (N,3), unit, and `angular_sizes` (N,), rad, of the faces, `angles` (N,): rad, that their
    crops span, `ups` (N,3): what shall point upwards there, as `VirtualCameras.look_along` has it.
    """

    rays: Array
    angular_sizes: Array
    angles: Array
    ups: Array

    @staticmethod
    def at(tracks: list[Track], crop_scale: float) -> Looks:
        """Look at the faces of `tracks`, with crops that are `crop_scale` times as large."""
        sizes = np.array([track.motion.angular_size for track in tracks])
        return Looks(
            np.array([track.motion.ray for track in tracks]),
            sizes,
            crop_angles(sizes, crop_scale),
            np.array([track.up for track in tracks]),
        )


def note_ups(tracks: list[Track], rotations_camera_from_face: Array) -> None:
    """Note how heads (N,3,3) are held, so that their next crops show them upright."""
    for track, rotation in zip(tracks, rotations_camera_from_face, strict=True):
        track.up = rotation[:, 2] if track.seen else np.zeros(3)
