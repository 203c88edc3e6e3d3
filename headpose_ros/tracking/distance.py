# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far a head is: from its apparent size, and from aligned depth where there is some.

Size tells the distance of an average head; a head p per cent larger than average seems p per cent
nearer. The filter below carries that one unknown, the head's own size, beside the distance. Depth
teaches it, so that what depth said remains when depth goes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.face_frame import FACE_SPHERE_RADIUS
from headpose_ros.typing import Array

HEAD_SIZE_SIGMA = 0.045
"""Spread of the size of adult heads over both sexes, one standard deviation of the logarithm.

Head length and head breadth each spread by 4 to 5 % of their mean in surveys of adults of both
sexes (e.g. ANSUR II, 2012). A child's head is outside this prior unless the estimator's
`head_scale` says so: a six-year-old's is about 8 % smaller, and would seem 8 % too far."""

SIZE_SIGMA = 0.02
"""Error of one measured angular size, one standard deviation of the logarithm."""

DEPTH_SIGMA_NEW = 0.02
"""Error of one measured depth, as a logarithm, for a head not published yet."""

DEPTH_SIGMA = 0.08
"""The same for a published head: large, since the errors of successive depth images go together,
and so that depth which comes late pulls the distance over some ten images instead of at once."""

_WANDER = 0.25
"""Variance per second of the logarithm of the distance: a head that may move freely (0.09 an
image at 30 Hz), so that the filter weighs sources and does not lag."""

_CONSISTENT_SIGMAS = 3.0


def log_distance_from_size(angular_size: float, head_scale: float) -> float:
    """Return ln of the distance in metres to the face centre at which the head has this size."""
    return math.log(head_scale * FACE_SPHERE_RADIUS / math.sin(0.5 * angular_size))


class DistanceFilter:
    """A Kalman filter over (ln distance, ln of this head's size over the estimated one).

    The size measures their difference, the depth the first alone.
    """

    def __init__(self) -> None:
        self._started = False
        self._distance = 0.0
        self._bias = 0.0
        self._var_distance = 0.0
        self._var_bias = HEAD_SIZE_SIGMA**2
        self._covariance = 0.0

    @property
    def log_distance(self) -> float:
        """Ln of the distance in metres."""
        return self._distance

    @property
    def sigma(self) -> float:
        """One standard deviation of `log_distance`: the relative error of the distance."""
        return math.sqrt(self._var_distance)

    def update(
        self, log_from_size: float, log_from_depth: float | None, dt: float, published: bool
    ) -> float:
        """Take one image's measurements, `dt` seconds after the last; return ln distance.

        `log_from_size` from `log_distance_from_size`, `log_from_depth` likewise or None.
        `published` says whether others have seen this head, so that it must not jump.
        """
        if not self._started:
            self._started = True
            self._distance = log_from_size
            self._var_distance = self._var_bias + SIZE_SIGMA**2
            self._covariance = self._var_bias
        else:
            self._var_distance += _WANDER * max(dt, 0.0)
            self._fuse(log_from_size, 1.0, SIZE_SIGMA**2)
        if log_from_depth is not None:
            sigma = DEPTH_SIGMA if published else DEPTH_SIGMA_NEW
            gate = _CONSISTENT_SIGMAS * math.sqrt(self._var_distance + sigma**2)
            if abs(log_from_depth - self._distance) <= gate:
                self._fuse(log_from_depth, 0.0, sigma**2)
        return self._distance

    def _fuse(self, measured: float, bias_share: float, variance: float) -> None:
        """Update with a measurement of distance - bias_share * bias."""
        error = measured - (self._distance - bias_share * self._bias)
        cross_distance = self._var_distance - bias_share * self._covariance
        cross_bias = self._covariance - bias_share * self._var_bias
        total = cross_distance - bias_share * cross_bias + variance
        gain_distance, gain_bias = cross_distance / total, cross_bias / total
        self._distance += gain_distance * error
        self._bias += gain_bias * error
        self._var_distance -= gain_distance * cross_distance
        self._covariance -= gain_distance * cross_bias
        self._var_bias -= gain_bias * cross_bias


SURFACE_OFFSET_FRONT = 0.027
SURFACE_OFFSET_SIDE = 0.061
"""Metres from the visible surface of the head to the face centre, along the line of sight, seen
from the front and from the side: medians over the patch below on the ICT-FaceKit mean head. In
between, front + (side - front) (1 - cos facing_angle) is within 5 mm up to 45 degrees of pitch."""

PATCH_RADIUS = 0.32
"""Half the side of the patch of depth that is read, in radii of the face sphere: 4 cm."""

_PATCH_SAMPLES = 20
_NEAR_EXPECTED = 0.25
_MIN_SHARE = 0.3
_MIN_AXIAL = 0.1


def log_distance_from_depth(
    depth: NDArray[np.floating],
    camera: CameraModel,
    ray: Array,
    angular_size: float,
    facing_angle: float,
    log_expected: float,
) -> float | None:
    """Return ln of the distance in metres to the face centre that a depth image shows, or None.

    `depth` (H,W): metres along the optical axis, aligned with the image of `camera` pixel by pixel
    (at another resolution it is scaled); not finite or not positive where unknown. The median over
    a patch around the ray is taken of what lies within 25 % of the expected distance, so that
    hands and the wall behind are left out. None where too little of the patch is valid.
    """
    axial = float(ray[2])
    pixels, valid = camera.pixels(ray[None])
    if axial < _MIN_AXIAL or not valid[0]:
        return None
    patch = _patch(depth, camera, pixels[0], angular_size)
    expected = math.exp(log_expected)
    with np.errstate(invalid='ignore'):
        near = np.abs(patch / axial - expected) <= _NEAR_EXPECTED * expected
    if patch.size == 0 or np.count_nonzero(near) < _MIN_SHARE * patch.size:
        return None
    side = SURFACE_OFFSET_SIDE - SURFACE_OFFSET_FRONT
    behind = SURFACE_OFFSET_FRONT + side * (1.0 - math.cos(min(facing_angle, 0.5 * math.pi)))
    return math.log(float(np.median(patch[near])) / axial + behind)


def _patch(
    depth: NDArray[np.floating], camera: CameraModel, pixel: Array, angular_size: float
) -> NDArray[np.floating]:
    """Return the depths around `pixel`, thinned to some hundreds, as a flat array."""
    scale_x, scale_y = depth.shape[1] / camera.width, depth.shape[0] / camera.height
    x, y = (pixel[0] + 0.5) * scale_x - 0.5, (pixel[1] + 0.5) * scale_y - 0.5
    half = PATCH_RADIUS * math.tan(0.5 * angular_size)
    half_x, half_y = half * camera.fx * scale_x, half * camera.fy * scale_y
    x0, x1 = max(0, round(x - half_x)), min(depth.shape[1], round(x + half_x) + 1)
    y0, y1 = max(0, round(y - half_y)), min(depth.shape[0], round(y + half_y) + 1)
    step_x = max(1, (x1 - x0) // _PATCH_SAMPLES)
    step_y = max(1, (y1 - y0) // _PATCH_SAMPLES)
    return depth[y0:y1:step_y, x0:x1:step_x].ravel()
