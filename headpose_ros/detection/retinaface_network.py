# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""RetinaFace with MobileNet-0.25, over the layers of `estimation/layers.py`, and its decoding.

Architecture and parameter names: the public PyTorch implementation (MIT, biubug6,
Pytorch_Retinaface) of Deng et al., RetinaFace: Single-Shot Multi-Level Face Localisation in the
Wild, 2020. Here batch normalisation is folded into the convolution before it, so that layer
`body.stage1.0.0` owns what `body.stage1.0.0` and `body.stage1.0.1` hold there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headpose_ros.inference.importing import (
    Arrays,
    Imported,
    check_state_dict,
    fold,
    read_state_dict,
)
from headpose_ros.inference.layers import Layers
from headpose_ros.typing import Array

ARCHITECTURE = 'retinaface-mobilenet0.25'

_MEAN_BGR = (104.0, 117.0, 123.0)
_LEAK = 0.1
_BODY_STRIDES = {'stage1': (2, 1, 2, 1, 2, 1), 'stage2': (2, 1, 1, 1, 1, 1), 'stage3': (2, 1)}
_BODY_WIDTHS = {'stage1': (16, 32, 32, 64, 64), 'stage2': (128,) * 6, 'stage3': (256,) * 2}
_WIDTH = 64
_STEPS_AND_SIZES = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
_VARIANCES = (0.1, 0.2)


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


def decode(
    outputs: tuple[NDArray[np.floating[Any]], ...], height: int, width: int
) -> tuple[Array, Array, Array]:
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


def import_weights(path: Path) -> Imported | None:
    """Read the public PyTorch checkpoint; None where the file is something else."""
    state = read_state_dict(path)
    if 'body.stage1.0.0.weight' not in state or 'LandmarkHead.0.conv1x1.weight' not in state:
        return None
    check_state_dict(state, _state_dict_shapes(), path)
    weights: Arrays = {}
    for name in state:
        if name.endswith('.running_mean'):
            block, index = name.removesuffix('.running_mean').rsplit('.', 1)
            conv = f'{block}.{int(index) - 1}'
            weights |= fold(state, conv, f'{block}.{index}', conv)
        elif '.conv1x1.' in name:
            weights[name] = state[name]
    return Imported(
        weights,
        {
            'architecture': ARCHITECTURE,
            'what': 'face detector, RetinaFace MobileNet-0.25',
            'licence': 'MIT',
            'origin': 'https://github.com/biubug6/Pytorch_Retinaface; trained by its author on '
            'WIDER FACE, whose images are for research use',
        },
    )


def _state_dict_shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}

    def conv(block: str, *shape: int, first: int = 0) -> None:
        shapes[f'{block}.{first}.weight'] = shape
        for part in ('weight', 'bias', 'running_mean', 'running_var'):
            shapes[f'{block}.{first + 1}.{part}'] = shape[:1]

    conv('body.stage1.0', 8, 3, 3, 3)
    channels = 8
    for stage, widths in _BODY_WIDTHS.items():
        for i, width in enumerate(widths, start=1 if stage == 'stage1' else 0):
            conv(f'body.{stage}.{i}', channels, 1, 3, 3)
            conv(f'body.{stage}.{i}', width, channels, 1, 1, first=3)
            channels = width
    for i, channels in enumerate((64, 128, 256), start=1):
        conv(f'fpn.output{i}', _WIDTH, channels, 1, 1)
        conv(f'ssh{i}.conv3X3', 32, _WIDTH, 3, 3)
        conv(f'ssh{i}.conv5X5_1', 16, _WIDTH, 3, 3)
        for name in ('conv5X5_2', 'conv7X7_2', 'conv7x7_3'):
            conv(f'ssh{i}.{name}', 16, 16, 3, 3)
        for kind, outputs in (('BboxHead', 8), ('ClassHead', 4), ('LandmarkHead', 20)):
            shapes[f'{kind}.{i - 1}.conv1x1.weight'] = (outputs, _WIDTH, 1, 1)
            shapes[f'{kind}.{i - 1}.conv1x1.bias'] = (outputs,)
    for i in (1, 2):
        conv(f'fpn.merge{i}', _WIDTH, _WIDTH, 3, 3)
    return shapes


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
