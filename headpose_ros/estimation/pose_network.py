# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our head pose network: what its model file says of it, and what its outputs mean.

The network itself: `inference/networks/pose_net.py`. Everything that may change between two
trainings is read from the model file, so that a network of another width, depth or crop needs no
change here.

Input: (N,S,S,3) uint8, BGR, crops of virtual cameras that look at the face.

Metadata of the file: `architecture`, `crop_px` = S, `crop_scale`, `landmark_box_scale` (see
`estimator.py`), `strides` = stem's, then each stage's, comma-separated, e.g. '2,1,2,2,2'; besides
`licence`, `origin`, `what`.

Output: (N,14) float32, a the full angle of the crop's virtual camera:

    0..5    first and second column, before Gram-Schmidt, of the rotation from the face to the
            virtual camera turned by the minimal rotation onto the face centre of 9, 10: how a face
            looks depends on the ray to it, and only `decode` knows what angle a shift stands for
    6..8    log of the rotation's standard deviation about the virtual x, y, z axes, rad
    9, 10   face centre from the crop's centre, x right and y down, in half crops: its ray is
            (x tan(a/2), y tan(a/2), 1)
    11      log of tan(apparent half angle of the head's own sphere) * crop_scale / tan(a/2)
    12      log of the head's size over an average adult's
    13      logit of the crop showing a face
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.geometry.rotations import matrix_from_sixd, rotation_to_axis
from headpose_ros.heads import Estimates
from headpose_ros.inference.networks import POSE
from headpose_ros.typing import Array

ARCHITECTURE = POSE
OUTPUTS = 14
ROTATION = slice(0, 6)
LOG_SIGMA = slice(6, 9)
CENTRE = slice(9, 11)
LOG_SIZE = 11
LOG_HEAD_SCALE = 12
FACE_LOGIT = 13

# What the outputs are kept within: a network's exp() must not leave what a pose can mean.
_MOST = np.full(OUTPUTS, np.inf)
_MOST[LOG_SIGMA] = np.log(np.pi)
_MOST[[LOG_SIZE, LOG_HEAD_SCALE]] = 1.5
_MOST[FACE_LOGIT] = 50.0
_LEAST = -_MOST
_LEAST[LOG_SIGMA] = np.log(np.deg2rad(0.2))

# In the mirror x of the virtual camera changes its sign, and so does y of the face, the second
# column.
_MIRROR_SIGNS = np.array([-1, 1, 1, 1, -1, -1, 1, 1, 1, -1, 1, 1, 1, 1])
_MIRROR_SIGMA = 0.92
"""Errors of the mean of both looks over those of one; docs/model_card.md has both."""


CAPTURE_RADIUS = 0.45
"""Face radii: with a face farther beside the middle of its crop the networks no longer see one.
The face probability is 0.99 at 0.4 radii, 0.38 at 0.5, 0.03 at 0.6: 20 people, crops moved."""

HALF_SURE_SIGMA = np.deg2rad(13.6)
SURENESS = 4.6
"""From what standard deviation of the whole rotation on half of the poses are wrong by 15 deg, and
how sharply that rises: chance = 1 / (1 + (sigma / HALF_SURE_SIGMA) ** SURENESS). Fitted by
tools/fit_confidence.py to renders turned all ways."""


@dataclass(frozen=True)
class PoseNetwork:
    """What one model file says of its network, and how to read what it gives.

    Raises ValueError where the metadata is incomplete or makes no sense.
    """

    crop_px: int
    crop_scale: float
    landmark_box_scale: float
    strides: tuple[int, ...]
    refines: bool = True
    capture_radius: float = CAPTURE_RADIUS
    exact: bool = False  # half precision moves it by 0.02 deg at most, on 25 real faces
    outputs: int = OUTPUTS

    def __post_init__(self) -> None:
        scales = (self.crop_scale, self.landmark_box_scale)
        if self.crop_px < 16 or not all(0.1 <= scale <= 10 for scale in scales):  # nan is neither
            raise ValueError(
                'pose network: expected crop_px of 16 or more, crop_scale and '
                f'landmark_box_scale from 0.1 to 10, got {self}'
            )
        if len(self.strides) < 2 or min(self.strides) < 1:
            raise ValueError(f'pose network: expected strides of stem and stages, got {self}')

    @staticmethod
    def from_metadata(metadata: Mapping[str, str]) -> PoseNetwork:
        """Read the metadata of a weights file."""
        try:
            return PoseNetwork(
                crop_px=int(metadata['crop_px']),
                crop_scale=float(metadata['crop_scale']),
                landmark_box_scale=float(metadata['landmark_box_scale']),
                strides=tuple(int(s) for s in metadata['strides'].split(',')),
            )
        except KeyError as missing:
            raise ValueError(f'pose network: metadata has no {missing}') from None

    def metadata(self) -> dict[str, str]:
        """Return what `from_metadata` reads."""
        return {
            'architecture': ARCHITECTURE,
            'crop_px': str(self.crop_px),
            'crop_scale': repr(self.crop_scale),
            'landmark_box_scale': repr(self.landmark_box_scale),
            'strides': ','.join(str(s) for s in self.strides),
        }

    def mean_with_mirrored(self, output: ArrayLike, mirrored: ArrayLike) -> Array:
        """Return the mean (N,14) of the outputs for crops and for the same, left for right."""
        mean: Array = (np.asarray(output, np.float64) + np.asarray(mirrored) * _MIRROR_SIGNS) / 2
        mean[:, LOG_SIGMA] += np.log(_MIRROR_SIGMA)
        return mean

    def decode(self, output: ArrayLike, crop_angles: ArrayLike) -> Estimates:
        """Turn the output (N,14) for crops of `crop_angles` (N,), rad, into estimates."""
        outputs = np.minimum(np.maximum(np.asarray(output, np.float64), _LEAST), _MOST)
        tan_half_crop = np.tan(np.asarray(crop_angles, np.float64) / 2)
        rays = np.ones((len(outputs), 3))
        rays[:, :2] = outputs[:, CENTRE] * tan_half_crop[:, None]
        size_ratio, head_scale = np.exp(outputs[:, LOG_SIZE : LOG_HEAD_SCALE + 1]).T
        looking_from_virtual = rotation_to_axis(rays)
        looking_from_face = matrix_from_sixd(outputs[:, ROTATION])
        return Estimates(
            rotations_virtual_from_face=looking_from_virtual.transpose(0, 2, 1)
            @ looking_from_face,
            rotation_sigma=np.exp(outputs[:, LOG_SIGMA]),
            rays_virtual=looking_from_virtual[:, 2],
            angular_sizes=2 * np.arctan(size_ratio * tan_half_crop / self.crop_scale),
            head_scale=head_scale,
            face_probability=1 / (1 + np.exp(-outputs[:, FACE_LOGIT])),
        )

    def confidences(self, estimates: Estimates) -> Array:
        """Return the chance (N,) that each pose is right; see `estimator.Estimator`."""
        sigma = np.sqrt((estimates.rotation_sigma**2).sum(axis=1))
        chance: Array = estimates.face_probability / (1 + (sigma / HALF_SURE_SIGMA) ** SURENESS)
        return chance
