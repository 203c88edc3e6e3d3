#!/usr/bin/env python3
# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convert the weights of the package mtcnn 1.0.0 to headpose_ros/models/mtcnn_*.onnx.

Run once, by hand, where `mtcnn` and `joblib` are installed; TensorFlow is not needed. Those files
are pickles inside, so each is read only if it has the checksum of the release.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import sys
from pathlib import Path

import joblib
import numpy as np
from numpy.typing import NDArray
from register_weights import register

from headpose_ros.inference.networks import ONET, PNET, RNET
from headpose_ros.inference.networks.export import write
from headpose_ros.inference.networks.mtcnn_nets import PIXEL_MEAN, PIXEL_SCALE
from headpose_ros.inference.weights import MODELS

Arrays = dict[str, NDArray[np.float32]]

SHA256 = {
    'pnet': 'ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5',
    'rnet': 'cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee',
    'onet': '94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3',
}
# Keras kernels, in the order of the file: convolutions (kh,kw,in,out) and dense layers (in,out),
# each followed by its bias and, but for the heads, by the slopes of a PReLU.
BODY = {
    'pnet': [(3, 3, 3, 10), (3, 3, 10, 16), (3, 3, 16, 32)],
    'rnet': [(3, 3, 3, 28), (3, 3, 28, 48), (2, 2, 48, 64), (576, 128)],
    'onet': [(3, 3, 3, 32), (3, 3, 32, 64), (3, 3, 64, 64), (2, 2, 64, 128), (1152, 256)],
}
LAST_MAP_PX = 3  # side of the map that the dense layer of R- and O-Net sees
ARCHITECTURES = {
    'pnet': (PNET, 'P-Net of MTCNN: proposes faces'),
    'rnet': (RNET, 'R-Net of MTCNN: refines proposals'),
    'onet': (ONET, 'O-Net of MTCNN: decides'),
}
HEADS = {
    'pnet': {'box': (1, 1, 32, 4), 'score': (1, 1, 32, 2)},
    'rnet': {'box': (128, 4), 'score': (128, 2)},
    'onet': {'box': (256, 4), 'landmarks': (256, 10), 'score': (256, 2)},
}


def main() -> int:
    """Convert, write and register."""
    for net, (architecture, what) in ARCHITECTURES.items():
        tensors = convert(net, joblib.load(io.BytesIO(checked_bytes(net))))
        if net == 'pnet':
            tensors = joined(tensors)
        path = MODELS / f'mtcnn_{net}.onnx'
        about = {
            'architecture': architecture,
            'what': f'face detector, {what}',
            'licence': 'MIT, Copyright (c) 2019-2024 Iván de Paz Centeno',
            'origin': 'package mtcnn 1.0.0; Zhang et al. 2016, trained by its authors on WIDER '
            'FACE and CelebA',
            'source_sha256': SHA256[net],
        }
        write(path, tensors, about)
        register(path, default_for='mtcnn' if net == 'pnet' else net)
    return 0


def joined(tensors: Arrays) -> Arrays:
    """Return P-Net's tensors, its normalisation part of the first layer, and its heads one.

    It pads nowhere, so that the former is exact.
    """
    rest = {n: t for n, t in tensors.items() if not n.startswith(('score.', 'box.'))}
    scaled = tensors['conv1.weight'] / np.float64(PIXEL_SCALE)
    bias = tensors['conv1.bias'] - (scaled * PIXEL_MEAN).sum(axis=(1, 2, 3))
    rest |= {'conv1.weight': scaled.astype(np.float32), 'conv1.bias': bias.astype(np.float32)}
    for part in ('weight', 'bias'):
        rest[f'heads.{part}'] = np.concatenate([tensors[f'{h}.{part}'] for h in ('score', 'box')])
    return rest


def checked_bytes(net: str) -> bytes:
    """Return a weights file of the installed package, if it is the one of the release."""
    for file in importlib.metadata.files('mtcnn') or ():
        if Path(file).name == f'{net}.lz4':
            data = Path(str(file.locate())).read_bytes()
            if hashlib.sha256(data).hexdigest() != SHA256[net]:
                raise SystemExit(f'{file}: not the file of mtcnn 1.0.0; it will not be unpickled')
            return data
    raise SystemExit(f'{net}.lz4: not found; pip install mtcnn==1.0.0')


def convert(net: str, arrays: list[NDArray[np.float32]]) -> Arrays:
    """Name the arrays, and bring kernels to (out,in,kh,kw), heads to (out,in)."""
    queue = [np.asarray(a) for a in arrays]
    tensors: Arrays = {}

    def take(shape: tuple[int, ...]) -> NDArray[np.float32]:
        array = queue.pop(0)
        if array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
            raise SystemExit(f'{net}: expected finite float32 {shape}, got {array.shape}')
        return array

    for i, shape in enumerate(BODY[net], 1):
        name = f'conv{i}' if len(shape) == 4 else f'dense{i}'
        weight = take(shape)
        weight = weight.transpose(3, 2, 0, 1) if len(shape) == 4 else after_flattening(weight)
        tensors[f'{name}.weight'] = weight[:, ::-1] if i == 1 else weight  # RGB there, BGR here
        tensors[f'{name}.bias'] = take(shape[-1:])
        slopes = shape[-1:] if len(shape) == 2 else (1, 1, shape[-1])
        tensors[f'{name}.prelu.weight'] = take(slopes).reshape(-1)
    for head, shape in HEADS[net].items():
        weight, bias = take(shape), take(shape[-1:])
        weight = weight.transpose(3, 2, 0, 1) if weight.ndim == 4 else weight.T
        if head == 'score':  # the softmax of two classes is the sigmoid of their difference
            weight, bias = weight[1:] - weight[:1], bias[1:] - bias[:1]
        tensors[f'{head}.weight'], tensors[f'{head}.bias'] = weight, bias
    if queue:
        raise SystemExit(f'{net}: {len(queue)} arrays more than expected')
    return tensors


def after_flattening(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a dense layer's matrix (in,out) as (out,in). They flatten (W,H,C), we (C,H,W)."""
    side = LAST_MAP_PX
    grid = matrix.reshape(side, side, -1, matrix.shape[1])
    return grid.transpose(3, 2, 1, 0).reshape(matrix.shape[1], -1)


if __name__ == '__main__':
    sys.exit(main())
