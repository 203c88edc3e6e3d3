#!/usr/bin/env python3
# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convert the weights of the PyPI package mtcnn 1.0.0 to headpose_ros/models/mtcnn.safetensors.

Run once, by hand, where `mtcnn` and `joblib` are installed; TensorFlow is not needed. Those files
are pickles inside, so each is read only if it has the checksum of the release.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import sys
from itertools import pairwise
from pathlib import Path

import joblib
import numpy as np
from numpy.typing import NDArray
from register_weights import register

from headpose_ros.detection.mtcnn_networks import ARCHITECTURE
from headpose_ros.inference.weights import MODELS, save

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
HEADS = {
    'pnet': {'box': (1, 1, 32, 4), 'score': (1, 1, 32, 2)},
    'rnet': {'box': (128, 4), 'score': (128, 2)},
    'onet': {'box': (256, 4), 'landmarks': (256, 10), 'score': (256, 2)},
}


def main() -> int:
    """Convert, write and register."""
    tensors: Arrays = {}
    for net in SHA256:
        tensors |= convert(net, joblib.load(io.BytesIO(checked_bytes(net))))
    path = MODELS / 'mtcnn.safetensors'
    save(
        path,
        tensors,
        {
            'architecture': ARCHITECTURE,
            'what': 'face detector, MTCNN (P-, R- and O-Net)',
            'licence': 'MIT, Copyright (c) 2019-2024 Iván de Paz Centeno',
            'origin': 'https://pypi.org/project/mtcnn/1.0.0; Zhang et al. 2016, trained by its '
            'authors on WIDER FACE and CelebA',
            'source_sha256': ' '.join(f'{net}.lz4:{digest}' for net, digest in SHA256.items()),
        },
    )
    register(path, default_for='mtcnn')
    return 0


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
    """Name the arrays, and bring kernels to (out,in,kh,kw), dense layers to (out,in)."""
    queue = [np.asarray(a) for a in arrays]
    tensors: Arrays = {}

    def take(shape: tuple[int, ...]) -> NDArray[np.float32]:
        array = queue.pop(0)
        if array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
            raise SystemExit(f'{net}: expected finite float32 {shape}, got {array.shape}')
        return array

    shapes = [(0,), *BODY[net]]
    for i, (before, shape) in enumerate(pairwise(shapes), 1):
        kernel = take(shape)
        first_dense = len(shape) == 2 and len(before) == 4
        tensors[f'{net}.{i}.weight'] = from_keras(kernel, before[-1] if first_dense else 0)
        tensors[f'{net}.{i}.bias'] = take(shape[-1:])
        slopes = shape[-1:] if len(shape) == 2 else (1, 1, shape[-1])
        tensors[f'{net}.{i}.prelu.weight'] = take(slopes).reshape(-1)
    for head, shape in HEADS[net].items():
        weight, bias = from_keras(take(shape)), take(shape[-1:])
        if head == 'score':  # the softmax of two classes is the sigmoid of their difference
            weight, bias = weight[1:] - weight[:1], bias[1:] - bias[:1]
        tensors[f'{net}.{head}.weight'], tensors[f'{net}.{head}.bias'] = weight, bias
    if queue:
        raise SystemExit(f'{net}: {len(queue)} arrays more than expected')
    return tensors


def from_keras(kernel: NDArray[np.float32], channels: int = 0) -> NDArray[np.float32]:
    """Reorder a kernel; `channels` of the map that a dense layer was flattened from, if any.

    Those layers flatten (W,H,C), ours (C,H,W).
    """
    if kernel.ndim == 4:
        return kernel.transpose(3, 2, 0, 1)
    if channels:
        side = round((len(kernel) / channels) ** 0.5)
        grid = kernel.reshape(side, side, channels, -1)
        kernel = grid.transpose(2, 1, 0, 3).reshape(len(kernel), -1)
    return kernel.T


if __name__ == '__main__':
    sys.exit(main())
