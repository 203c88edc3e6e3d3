# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our head pose network: what it computes, and the format of its weights.

A plain residual network of 3x3 convolutions and ReLU, which is what CPUs run fastest. Everything
that may change between two trainings is read from the weights file, so that a network of another
width, depth or crop needs no change here.

Input: (N,S,S,3) uint8, BGR, crops of virtual cameras that look at the face. Normalised to
(value - 127.5) / 64, channels stay in the order B, G, R; all convolutions pad with zeros by
kernel // 2, after normalisation.

Tensors of the safetensors file (float32, batch normalisation folded):

    stem.{weight,bias}                     (C0,3,3,3), (C0,)  convolution, then ReLU
    stages.{i}.{j}.conv1.{weight,bias}     (Ci,C,3,3)  with the stage's stride where j == 0, ReLU
    stages.{i}.{j}.conv2.{weight,bias}     (Ci,Ci,3,3) stride 1; plus the shortcut; ReLU
    stages.{i}.{j}.shortcut.{weight,bias}  (Ci,C,k,k)  optional, k = 1 or 3, stride as conv1; where
                                           it is absent the block's input itself is added
    head.{weight,bias}                     (14,F), (14,)  F = C of the last stage: global average;
                                           F = C * h * w: the flattened grid, channel-major

Metadata of the file (all strings): `architecture` = 'headpose-pose-network', `crop_px` = S,
`crop_scale`, `landmark_box_scale` (see `estimator.py`), `strides` = stem's, then each stage's,
comma-separated, e.g. '2,1,2,2,2'; besides `licence`, `origin`, `what`.

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
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.geometry.rotations import matrix_from_sixd, rotation_to_axis
from headpose_ros.heads import Estimates
from headpose_ros.inference.layers import Layers
from headpose_ros.typing import Array

ARCHITECTURE = 'headpose-pose-network'
OUTPUTS = 14
ROTATION = slice(0, 6)
LOG_SIGMA = slice(6, 9)
CENTRE = slice(9, 11)
LOG_SIZE = 11
LOG_HEAD_SCALE = 12
FACE_LOGIT = 13

PIXEL_MEAN = 127.5
PIXEL_SCALE = 64.0

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


@dataclass(frozen=True)
class PoseNetwork:
    """The network that one weights file describes. Call it with layers and the crops.

    Raises ValueError where the metadata is incomplete or makes no sense.
    """

    crop_px: int
    crop_scale: float
    landmark_box_scale: float
    strides: tuple[int, ...]
    refines: bool = True
    exact: bool = False  # half precision moves it by 0.02 deg at most, on 25 real faces

    def __post_init__(self) -> None:
        if self.crop_px < 16 or self.crop_scale <= 0 or self.landmark_box_scale <= 0:
            raise ValueError(f'pose network: crop makes no sense: {self}')
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

    def __call__(self, g: Layers, crops: Any) -> tuple[Any, ...]:
        """Build the network on `crops` (N,S,S,3) uint8; one output, (N,14)."""
        x = g.image(crops, mean=(PIXEL_MEAN,) * 3, scale=(PIXEL_SCALE,) * 3)
        x = g.relu(g.conv(x, 'stem', stride=self.strides[0], padding=1))
        for i, stride in enumerate(self.strides[1:]):
            j = 0
            while g.has(f'stages.{i}.{j}.conv1'):
                x = _block(g, x, f'stages.{i}.{j}', stride if j == 0 else 1)
                j += 1
        features = g.parameter('head.weight').shape[1]
        if features == g.channels(x):
            x = g.global_average(x)
        return (g.linear(g.flatten(x), 'head'),)

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


def _block(g: Layers, x: Any, name: str, stride: int) -> Any:
    shortcut = x
    if g.has(f'{name}.shortcut'):
        kernel = g.parameter(f'{name}.shortcut.weight').shape[2]
        shortcut = g.conv(x, f'{name}.shortcut', stride=stride, padding=kernel // 2)
    y = g.relu(g.conv(x, f'{name}.conv1', stride=stride, padding=1))
    return g.relu(g.add(g.conv(y, f'{name}.conv2', padding=1), shortcut))
