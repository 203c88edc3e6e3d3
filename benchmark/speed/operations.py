# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Counts what a network computes and moves, from its graph."""

from __future__ import annotations

import math

from openvino import Model, PartialShape, Type
from openvino import opset13 as op

from headpose_ros.inference.layers import Network, Weights
from headpose_ros.inference.openvino_runtime import OpenVinoLayers


def count_operations(
    network: Network, weights: Weights, width: int, height: int
) -> tuple[int, int]:
    """Return multiply-adds, and bytes of feature maps read and written, for one image."""
    images = op.parameter(PartialShape([1, height, width, 3]), Type.u8)
    outputs = network(OpenVinoLayers(weights), images)
    macs = maps = 0
    for node in Model([op.result(y) for y in outputs], [images], 'network').get_ordered_ops():
        kind = node.get_type_name()
        if kind not in ('Convolution', 'GroupConvolution', 'MatMul'):
            continue
        out, weight = math.prod(node.output(0).get_shape()), node.input(1).get_shape()
        per_output = {'Convolution': weight[1:], 'GroupConvolution': weight[2:]}
        macs += out * math.prod(per_output.get(kind, weight[1:]))
        maps += 4 * (out + math.prod(node.input(0).get_shape()))
    return macs, maps
