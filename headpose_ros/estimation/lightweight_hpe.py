# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network of Lightweight Head Pose Estimation (Li et al.), for weights its authors publish.

224 px RGB crops with ImageNet normalisation; seven bottlenecks of a grouped 1x1, a depthwise and a
1x1 convolution; 66 bins of 3 deg for each of yaw, pitch and roll, whose expectation is the angle.
Written from the names and shapes of the published state dict and the description of the network;
equal to the authors' implementation to 1e-4 deg (`test/estimation/test_lightweight_hpe.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.heads import Estimates
from headpose_ros.inference.importing import Imported, check_state_dict, fold, read_state_dict
from headpose_ros.inference.layers import Layers
from headpose_ros.typing import Array

ARCHITECTURE = 'lightweight-hpe'

_CHANNELS = (16, 32, 64, 96, 96, 128, 128, 128)
_KERNELS = (3, 3, 3, 5, 5, 5, 3)
_STRIDES = (2, 2, 1, 2, 1, 2, 1)
_RELU_BLOCKS = 3  # the later ones use hard swish
_GROUPS = 4
_BINS = 66
_RANGE_DEG = 99.0
_BIN_CENTRES_DEG = (np.arange(_BINS) + 0.5) * (2 * _RANGE_DEG / _BINS) - _RANGE_DEG

_MEAN = tuple(255 * v for v in (0.485, 0.456, 0.406))
_SCALE = tuple(255 * v for v in (0.229, 0.224, 0.225))

_SIGMA = np.deg2rad(5.0)


@dataclass(frozen=True)
class LightweightHpe:
    """The authors' network, called with layers and crops.

    It was trained on squares of 1.4 times the longer side of the 68 landmarks' tight box, which
    is 0.79 +- 0.03 times the face sphere's size (ICT-FaceKit heads, yaw to 60 deg, pitch to 25).
    It says nothing of its certainty: `rotation_sigma` is 5 deg, twice the 2.4 deg mean error of
    an angle that it has on held-out pictures of its training set.
    """

    crop_px: int = 224
    crop_scale: float = 0.79
    landmark_box_scale: float = 1.4
    refines: bool = False
    exact: bool = True  # half precision moves it by up to 0.17 deg on 25 real faces

    @staticmethod
    def from_metadata(metadata: Mapping[str, str]) -> LightweightHpe:
        """Return the network; there is only one."""
        return LightweightHpe()

    def __call__(self, g: Layers, crops: Any) -> tuple[Any, ...]:
        """Build the network on `crops` (N,224,224,3): logits (N,198) of yaw, pitch, roll."""
        x = g.image(crops, _MEAN, _SCALE, swap=True)
        x = g.relu(g.conv(x, 'stem', stride=2, padding=1))
        for i, (kernel, stride) in enumerate(zip(_KERNELS, _STRIDES, strict=True)):
            activation = g.relu if i < _RELU_BLOCKS else g.hard_swish
            width = 2 * _CHANNELS[i]
            x = activation(g.conv(x, f'blocks.{i}.expand', groups=_GROUPS))
            x = activation(
                g.conv(
                    x, f'blocks.{i}.depthwise', stride=stride, padding=kernel // 2, groups=width
                )
            )
            x = activation(g.conv(x, f'blocks.{i}.project'))
        x = g.relu(g.flatten(g.global_average(x)))
        return (g.linear(x, 'angles'),)

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


def import_weights(path: Path) -> Imported | None:
    """Read the authors' state dict (`model-b66.pkl`); None where the file is something else."""
    state = read_state_dict(path)
    if 'fc_yaw.weight' not in state or 'features.1.exp_conv.0.weight' not in state:
        return None
    check_state_dict(state, _state_dict_shapes(), path)
    weights = fold(state, 'features.0.0', 'features.0.1', 'stem')
    for i in range(len(_KERNELS)):
        for theirs, ours in (('exp', 'expand'), ('dw', 'depthwise'), ('pw', 'project')):
            name = f'features.{i + 1}.{theirs}_conv'
            weights |= fold(state, f'{name}.0', f'{name}.1', f'blocks.{i}.{ours}')
    for part in ('weight', 'bias'):
        angles = [state[f'fc_{angle}.{part}'] for angle in ('yaw', 'pitch', 'roll')]
        weights[f'angles.{part}'] = np.concatenate(angles)
    return Imported(
        weights,
        {
            'architecture': ARCHITECTURE,
            'what': 'head pose, Lightweight Head Pose Estimation',
            'licence': 'MIT',
            'origin': 'https://github.com/Shaw-git/Lightweight-Head-Pose-Estimation; trained '
            'by its authors on 300W-LP, whose images are for research use',
        },
    )


def _state_dict_shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}

    def conv(name: str, *shape: int) -> None:
        shapes[f'{name}.0.weight'] = shape
        for part in ('weight', 'bias', 'running_mean', 'running_var'):
            shapes[f'{name}.1.{part}'] = shape[:1]

    conv('features.0', _CHANNELS[0], 3, 3, 3)
    for i, kernel in enumerate(_KERNELS):
        width = 2 * _CHANNELS[i]
        conv(f'features.{i + 1}.exp_conv', width, _CHANNELS[i] // _GROUPS, 1, 1)
        conv(f'features.{i + 1}.dw_conv', width, 1, kernel, kernel)
        conv(f'features.{i + 1}.pw_conv', _CHANNELS[i + 1], width, 1, 1)
    for angle in ('yaw', 'pitch', 'roll'):
        shapes[f'fc_{angle}.weight'] = (_BINS, _CHANNELS[-1])
        shapes[f'fc_{angle}.bias'] = (_BINS,)
    return shapes
