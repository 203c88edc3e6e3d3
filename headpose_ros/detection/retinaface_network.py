# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""RetinaFace with MobileNet-0.25, over the layers of `estimation/layers.py`, and its decoding.

Architecture and parameter names: the public PyTorch implementation (MIT, biubug6,
Pytorch_Retinaface) of Deng et al., RetinaFace: Single-Shot Multi-Level Face Localisation in the
Wild, 2020. Here batch normalisation is folded into the convolution before it, so that layer
`body.stage1.0.0` owns what `body.stage1.0.0` and `body.stage1.0.1` hold there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headpose_ros.estimation.layers import Layers
from headpose_ros.heads import Array

ARCHITECTURE = 'retinaface-mobilenet0.25'

_MEAN_BGR = (104.0, 117.0, 123.0)
_LEAK = 0.1
_BODY_STRIDES = {'stage1': (2, 1, 2, 1, 2, 1), 'stage2': (2, 1, 1, 1, 1, 1), 'stage3': (2, 1)}
_STEPS_AND_SIZES = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
_VARIANCES = (0.1, 0.2)
_BATCH_NORM_EPS = 1e-5


def retinaface(g: Layers, images: Any) -> tuple[Any, ...]:
    """Return offsets (N,A,4), class scores (N,A,2; face last) and point offsets (N,A,10)."""
    x = g.image(images, mean=_MEAN_BGR, scale=(1.0, 1.0, 1.0))
    features = []
    for stage, strides in _BODY_STRIDES.items():
        for i, stride in enumerate(strides):
            x = _body_block(g, x, f'body.{stage}.{i}', stride)
        features.append(x)
    heads = [
        [
            _head(g, level, f'{kind}.{i}.conv1x1', size)
            for i, level in enumerate(_levels(g, features))
        ]
        for kind, size in (('BboxHead', 4), ('ClassHead', 2), ('LandmarkHead', 10))
    ]
    offsets, classes, points = (g.concat(head, axis=1) for head in heads)
    return offsets, g.softmax(classes, axis=2), points


def decode(outputs: tuple[Array, ...], height: int, width: int) -> tuple[Array, Array, Array]:
    """Return corners (A,4), scores (A,) and landmarks (A,5,2), pixels of the network's input."""
    offsets, classes, points = (np.asarray(output[0], np.float64) for output in outputs)
    centres, sizes = anchors(height, width)
    near, far = _VARIANCES
    middle = centres + near * offsets[:, :2] * sizes
    half = sizes * np.exp(far * offsets[:, 2:]) / 2
    landmarks = centres[:, None] + near * points.reshape(-1, 5, 2) * sizes[:, None]
    return np.hstack([middle - half, middle + half]), classes[:, 1], landmarks


def anchors(height: int, width: int) -> tuple[Array, Array]:
    """Return centres (A,2) and sides (A,1) of the anchors, pixels, in the network's order."""
    centres, sizes = [], []
    for step, sides in _STEPS_AND_SIZES:
        rows, columns = -(-height // step), -(-width // step)
        y, x = np.meshgrid(np.arange(rows), np.arange(columns), indexing='ij')
        cells = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * step
        centres.append(np.repeat(cells, len(sides), axis=0))
        sizes.append(np.tile(np.array(sides, float), len(cells)))
    return np.concatenate(centres), np.concatenate(sizes)[:, None]


def folded(state: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Return the parameters of the public checkpoint with batch normalisation folded in.

    ValueError where the tensors are not those of RetinaFace with MobileNet-0.25.
    """
    state = {name.removeprefix('module.'): value for name, value in state.items()}
    result: dict[str, NDArray[np.float32]] = {}
    for name in state:
        if name.endswith('.running_mean'):
            prefix, index = name.removesuffix('.running_mean').rsplit('.', 1)
            layer = f'{prefix}.{int(index) - 1}'
            result.update(_fold(state, layer, f'{prefix}.{index}'))
        elif name.endswith(('.conv1x1.weight', '.conv1x1.bias')):
            result[name] = np.asarray(state[name], np.float32)
    if 'body.stage1.0.0.weight' not in result or 'LandmarkHead.2.conv1x1.weight' not in result:
        raise ValueError('not a checkpoint of RetinaFace with MobileNet-0.25')
    return result


def _fold(
    state: Mapping[str, NDArray[np.float32]], conv: str, norm: str
) -> dict[str, NDArray[np.float32]]:
    try:
        weight, gamma, beta, mean, variance = (
            np.asarray(state[key], np.float64)
            for key in (
                f'{conv}.weight',
                f'{norm}.weight',
                f'{norm}.bias',
                f'{norm}.running_mean',
                f'{norm}.running_var',
            )
        )
    except KeyError as missing:
        raise ValueError(f'checkpoint of RetinaFace lacks {missing}') from None
    scale = gamma / np.sqrt(variance + _BATCH_NORM_EPS)
    return {
        f'{conv}.weight': (weight * scale[:, None, None, None]).astype(np.float32),
        f'{conv}.bias': (beta - mean * scale).astype(np.float32),
    }


def _body_block(g: Layers, x: Any, name: str, stride: int) -> Any:
    """First convolution, or a depthwise 3x3 and a pointwise one."""
    if not g.has(f'{name}.3'):
        return g.leaky_relu(g.conv(x, f'{name}.0', stride=stride, padding=1), _LEAK)
    x = g.conv(x, f'{name}.0', stride=stride, padding=1, groups=g.channels(x))
    return g.leaky_relu(g.conv(g.leaky_relu(x, _LEAK), f'{name}.3'), _LEAK)


def _levels(g: Layers, features: list[Any]) -> list[Any]:
    """Feature pyramid, then the context modules, finest level first."""

    def conv(x: Any, name: str, padding: int) -> Any:
        return g.leaky_relu(g.conv(x, name, padding=padding), _LEAK)

    fine, middle, coarse = (conv(x, f'fpn.output{i + 1}.0', 0) for i, x in enumerate(features))
    middle = conv(g.add(middle, g.resize_like(coarse, middle)), 'fpn.merge2.0', 1)
    fine = conv(g.add(fine, g.resize_like(middle, fine)), 'fpn.merge1.0', 1)
    return [_context(g, x, f'ssh{i + 1}') for i, x in enumerate((fine, middle, coarse))]


def _context(g: Layers, x: Any, name: str) -> Any:
    narrow = g.conv(x, f'{name}.conv3X3.0', padding=1)
    shared = g.leaky_relu(g.conv(x, f'{name}.conv5X5_1.0', padding=1), _LEAK)
    wide = g.conv(shared, f'{name}.conv5X5_2.0', padding=1)
    widest = g.leaky_relu(g.conv(shared, f'{name}.conv7X7_2.0', padding=1), _LEAK)
    widest = g.conv(widest, f'{name}.conv7x7_3.0', padding=1)
    return g.relu(g.concat([narrow, wide, widest], axis=1))


def _head(g: Layers, x: Any, name: str, size: int) -> Any:
    """Return (N,H*W*anchors,size)."""
    return g.reshape(g.transpose(g.conv(x, name), (0, 2, 3, 1)), (0, -1, size))
