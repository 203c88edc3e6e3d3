# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Copies model files for other tools: `headpose weights export`."""

from __future__ import annotations

import re
from pathlib import Path

from headpose_ros.inference.onnx_file import with_input_shape
from headpose_ros.inference.weights import WeightsError, WeightsFile, load_any, save


def export_file(
    weights: str,
    output: Path,
    batch: int | None = None,
    size: tuple[int, int] | None = None,
) -> WeightsFile:
    """Write a copy of a shipped model or a file, and return what was written.

    `batch` and `size` (width, height), where given, are fixed in the copy; some tools take no open
    sizes. Raises WeightsError where they are fixed already, or the model cannot be read.
    """
    if output.suffix != '.onnx':
        raise WeightsError(f'output {output}: expected a name that ends in .onnx')
    if batch is not None and batch < 1:
        raise WeightsError(f'batch: expected 1 or more, got {batch}')
    loaded = load_any(weights, '')
    data, shape = loaded.data, list(loaded.image.shape)
    wanted = {0: batch} | ({1: size[1], 2: size[0]} if size else {})
    for axis, number in wanted.items():
        if number is None:
            continue
        if shape[axis] not in (None, number):
            raise WeightsError(
                f'weights {weights}: takes images {tuple(loaded.image.shape)}; '
                f'axis {axis} cannot be {number}'
            )
        shape[axis] = number
    return save(output, with_input_shape(data, shape))


def size_of(text: str) -> tuple[int, int]:
    """Return width and height of a text like 640x480; WeightsError where it is none."""
    if not re.fullmatch(r'[1-9]\d*x[1-9]\d*', text):
        raise WeightsError(f'size: expected WIDTHxHEIGHT in pixels, got {text!r}')
    width, height = text.split('x')
    return int(width), int(height)
