# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The three networks of MTCNN: P-Net proposes, R-Net refines, O-Net decides.

Source: Zhang et al., Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
Networks, 2016. Each returns the probability of a face (P-Net its logit) and the box's
corrections in fractions of its size (x0, y0, x1, y1); O-Net also five landmarks, all x then all
y, in fractions of the box.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headpose_ros.inference.layers import Layers, Weights

ARCHITECTURE = 'mtcnn'
PNET_CELL, PNET_STRIDE = 12, 2
RNET_PX = 24
ONET_PX = 48

_MEAN, _SCALE = (127.5,) * 3, (128.0,) * 3


def with_joined_heads(tensors: Weights) -> dict[str, NDArray[np.float32]]:
    """Return the weights as `pnet` takes them: its normalisation and its heads joined to others.

    P-Net's picture is large, so that every pass over it that can be saved counts. It pads nowhere,
    so that normalisation and the order of the channels can be part of the first layer.
    """
    joined = dict(tensors)
    weight, bias = tensors['pnet.1.weight'], tensors['pnet.1.bias']
    mean, scale = (np.array(values, np.float64)[:, None, None] for values in (_MEAN, _SCALE))
    scaled = weight / scale
    joined['pnet.1.weight'] = np.ascontiguousarray(scaled[:, ::-1], np.float32)
    joined['pnet.1.bias'] = (bias - (scaled * mean).sum(axis=(1, 2, 3))).astype(np.float32)
    for part in ('weight', 'bias'):
        heads = [tensors[f'pnet.{head}.{part}'] for head in ('score', 'box')]
        joined[f'pnet.heads.{part}'] = np.concatenate(heads)
    return joined


def pnet(g: Layers, image: Any) -> tuple[Any, ...]:
    """(1,H,W,3) to cells (1,5,h,w), one every two pixels: logit of the score, box.

    With the weights of `with_joined_heads`.
    """
    x = g.transpose(image, (0, 3, 1, 2))
    x = g.max_pool(_conv(g, x, 'pnet.1'), 2, 2, ceil=True)
    x = _conv(g, _conv(g, x, 'pnet.2'), 'pnet.3')
    return (g.conv(x, 'pnet.heads'),)


def rnet(g: Layers, patches: Any) -> tuple[Any, ...]:
    """(N,24,24,3) to scores (N,1) and boxes (N,4)."""
    x = g.image(patches, _MEAN, _SCALE, swap=True)
    x = g.max_pool(_conv(g, x, 'rnet.1'), 3, 2, ceil=True)
    x = g.max_pool(_conv(g, x, 'rnet.2'), 3, 2)
    x = _dense(g, _conv(g, x, 'rnet.3'), 'rnet.4')
    return g.sigmoid(g.linear(x, 'rnet.score')), g.linear(x, 'rnet.box')


def onet(g: Layers, patches: Any) -> tuple[Any, ...]:
    """(N,48,48,3) to scores (N,1), boxes (N,4) and landmarks (N,10)."""
    x = g.image(patches, _MEAN, _SCALE, swap=True)
    x = g.max_pool(_conv(g, x, 'onet.1'), 3, 2, ceil=True)
    x = g.max_pool(_conv(g, x, 'onet.2'), 3, 2)
    x = g.max_pool(_conv(g, x, 'onet.3'), 2, 2, ceil=True)
    x = _dense(g, _conv(g, x, 'onet.4'), 'onet.5')
    return (
        g.sigmoid(g.linear(x, 'onet.score')),
        g.linear(x, 'onet.box'),
        g.linear(x, 'onet.landmarks'),
    )


def _conv(g: Layers, x: Any, name: str) -> Any:
    return g.prelu(g.conv(x, name), f'{name}.prelu')


def _dense(g: Layers, x: Any, name: str) -> Any:
    return g.prelu(g.linear(g.flatten(x), name), f'{name}.prelu')
