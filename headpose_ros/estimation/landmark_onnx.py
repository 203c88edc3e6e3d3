# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Landmark networks that others publish as ONNX: PFLD and its family, run on the CPU.

Expected: one image (1,3,S,S) in, RGB in 0..1; x, y pairs of 68 (iBUG) or 98 (WFLW) landmarks out,
as fractions of the crop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from headpose_ros.estimation.landmark_points import from_wflw
from headpose_ros.estimation.linear_pose import LinearPose
from headpose_ros.inference.protocols import Runtime
from headpose_ros.inference.weights import LoadedWeights
from headpose_ros.typing import Array

_LAYOUTS = {2 * 68: 68, 2 * 98: 98}


class OnnxLandmarks:
    """The network of one file; the crop is where PFLD_GhostOne finds 68 points best on real faces.

    Raises ValueError where the file is not as stated above.
    """

    crop_scale = 0.73
    landmark_box_scale = 1.3
    linear: LinearPose | None = None
    sigma_deg: Mapping[str, Sequence[float]] = MappingProxyType({})
    refines = False

    def __init__(self, loaded: LoadedWeights, runtime: Runtime) -> None:
        shape = loaded.image.shape
        values = loaded.outputs[-1].shape[-1] if loaded.outputs and loaded.outputs[-1].shape else 0
        if len(shape) != 4 or shape[1] != 3 or not shape[2] or shape[2] != shape[3]:
            values = 0
        if values not in _LAYOUTS:
            raise ValueError('expected one image (1,3,S,S) in and 68 or 98 landmarks out')
        self.crop_px, self._points = int(shape[2] or 0), _LAYOUTS[int(values or 0)]
        self._network = runtime.compile(loaded)

    def __call__(self, crops: Any) -> tuple[Array, Array | None]:
        """Return landmarks (N,68,2) in half crops, and no face logits."""
        if not isinstance(crops, np.ndarray):
            crops = crops.cpu().numpy()  # a tensor on the GPU
        images = np.ascontiguousarray(crops[..., ::-1].transpose(0, 3, 1, 2), np.float32) / 255
        # One by one: such files are mostly exported for a batch of one. Networks may tell features
        # before the landmarks.
        output = np.array([self._network(image[None])[-1][0] for image in images], float)
        # Fractions count from the corner of the first pixel, half crops from the middle.
        points = output.reshape(len(crops), self._points, 2) * 2 - 1
        return (from_wflw(points) if self._points == 98 else points), None
