# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a head pose estimator is."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from headpose_ros.heads import Estimates
from headpose_ros.typing import Array


class Estimator(Protocol):
    """Reads head poses from square crops, each seen by a virtual camera that looks at the face.

    `crop_px`: side of the crops in pixels. `crop_scale`: how large a crop it wants, as the ratio
    of the tangents of the half angles of crop and face sphere. `landmark_box_scale`: the same for
    data sets that have landmarks and no camera: the crop's side over the longer side of the tight
    box of the 68 landmarks. `refines`: whether its rays, sizes and probabilities can steer the
    next crop without a detector. `capture_radius`: how far beside a crop's middle a face may be
    and still be read, in face radii, for those that refine.
    """

    name: str
    crop_px: int
    crop_scale: float
    landmark_box_scale: float
    refines: bool
    capture_radius: float

    def confidences(self, estimates: Estimates) -> Array:
        """Return the chance (N,), 0..1, that each pose is right to within 15 deg.

        That includes the chance that there is a face; NaN where the estimator cannot tell.
        """
        ...

    def estimate(self, crops: Any, crop_angles: Array) -> Estimates:
        """Estimate N heads in one forward.

        `crops`: (N,S,S,3) uint8 BGR, a numpy array or, on a GPU, a torch tensor there.
        `crop_angles`: (N,) rad, the full angle each crop spans, so that its focal length is
        (S / 2) / tan(angle / 2).
        """
        ...


def check_estimator(estimator: Estimator) -> None:
    """Estimate one made-up crop, so that what cannot work is an error before the first image.

    Raises ValueError where the network gives no pose.
    """
    shape = (1, estimator.crop_px, estimator.crop_px, 3)
    crop = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    found = estimator.estimate(crop, np.array([0.5]))
    values = (found.rotations_virtual_from_face, found.rotation_sigma, found.angular_sizes)
    if not all(np.isfinite(value).all() for value in values):
        raise ValueError('a trial crop gives a pose that is not finite')
