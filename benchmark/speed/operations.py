# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Counts what a network computes and moves, from its graph."""

from __future__ import annotations

import math

from openvino import PartialShape

from headpose_ros.inference.openvino_runtime import core
from headpose_ros.inference.weights import LoadedWeights


def count_operations(weights: LoadedWeights, width: int, height: int) -> tuple[int, int]:
    """Return multiply-adds, and bytes of feature maps read and written, for one image."""
    model = core().read_model(weights.data)
    model.reshape(PartialShape([1, height, width, 3]))
    macs = maps = 0
    for node in model.get_ordered_ops():
        kind = node.get_type_name()
        if kind not in ('Convolution', 'GroupConvolution', 'MatMul'):
            continue
        out, weight = math.prod(node.output(0).get_shape()), node.input(1).get_shape()
        per_output = {'Convolution': weight[1:], 'GroupConvolution': weight[2:]}
        macs += out * math.prod(per_output.get(kind, weight[1:]))
        maps += 4 * (out + math.prod(node.input(0).get_shape()))
    return macs, maps
