# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lightweight Head Pose Estimation (Li et al.), for weights that its authors publish.

The network itself: `inference/networks/lightweight_hpe_net.py`. It gives 66 bins of 3 deg for each
of yaw, pitch and roll, whose expectation is the angle; equal to the authors' implementation to
1e-4 deg (`test/estimation/test_lightweight_hpe.py`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.heads import Estimates
from headpose_ros.inference.networks import LIGHTWEIGHT_HPE
from headpose_ros.typing import Array

ARCHITECTURE = LIGHTWEIGHT_HPE

_BINS = 66
_RANGE_DEG = 99.0
_BIN_CENTRES_DEG = (np.arange(_BINS) + 0.5) * (2 * _RANGE_DEG / _BINS) - _RANGE_DEG

_SIGMA = np.deg2rad(5.0)


@dataclass(frozen=True)
class LightweightHpe:
    """How the authors' network is used, and how to read what it gives.

    It was trained on squares of 1.4 times the longer side of the 68 landmarks' tight box, which
    is 0.79 +- 0.03 times the face sphere's size (ICT-FaceKit heads, yaw to 60 deg, pitch to 25).
    It says nothing of its certainty: `rotation_sigma` is 5 deg, twice the 2.4 deg mean error of
    an angle that it has on held-out pictures of its training set.
    """

    crop_px: int = 224
    crop_scale: float = 0.79
    landmark_box_scale: float = 1.4
    refines: bool = False
    capture_radius: float = math.inf  # not used: it does not tell where the face is
    exact: bool = True  # half precision moves it by up to 0.17 deg on 25 real faces
    outputs: int = 3 * _BINS

    def confidences(self, estimates: Estimates) -> Array:
        """Return NaN (N,): it cannot tell; see `estimator.Estimator`."""
        return np.full(len(estimates), np.nan)

    @staticmethod
    def from_metadata(metadata: Mapping[str, str]) -> LightweightHpe:
        """Return the network; there is only one."""
        return LightweightHpe()

    def decode(self, output: ArrayLike, crop_angles: ArrayLike) -> Estimates:
        """Turn logits (N,198) for crops of `crop_angles` (N,), rad, into estimates."""
        yaw, pitch, roll = np.deg2rad(angles_deg(output)).T
        count = len(yaw)
        sphere = 2 * np.arctan(np.tan(np.asarray(crop_angles) / 2) / self.crop_scale)
        return Estimates(
            rotations_virtual_from_face=matrix_from_euler(yaw, pitch, roll),
            rotation_sigma=np.full((count, 3), _SIGMA),
            rays_virtual=np.tile([0.0, 0.0, 1.0], (count, 1)),
            angular_sizes=sphere,
            head_scale=np.ones(count),
            face_probability=np.full(count, np.nan),
        )


def angles_deg(output: ArrayLike) -> Array:
    """Return yaw, pitch, roll (N,3) in degrees from logits (N,198)."""
    logits = np.asarray(output, np.float64).reshape(-1, 3, _BINS)
    likelihood = np.exp(logits - logits.max(2, keepdims=True))
    likelihood /= likelihood.sum(2, keepdims=True)
    angles: Array = likelihood @ _BIN_CENTRES_DEG
    return angles
