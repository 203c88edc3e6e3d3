# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Landmark networks that others publish as ONNX: PFLD and its family, run by OpenVINO.

Expected: one image (1,3,S,S) in, RGB in 0..1; x, y pairs of 68 (iBUG) or 98 (WFLW) landmarks out,
as fractions of the crop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from headpose_ros.estimation.landmark_points import from_wflw
from headpose_ros.estimation.linear_pose import LinearPose
from headpose_ros.inference.weights import WeightsError
from headpose_ros.typing import Array

_LAYOUTS = {2 * 68: 68, 2 * 98: 98}


class OnnxLandmarks:
    """The network of one file; the crop is where PFLD_GhostOne finds 68 points best on real faces.

    Raises WeightsError where OpenVINO is missing, or the file is not as stated above.
    """

    crop_scale = 0.73
    landmark_box_scale = 1.3
    linear: LinearPose | None = None
    sigma_deg: Mapping[str, Sequence[float]] = MappingProxyType({})
    refines = False

    def __init__(self, path: Path, threads: int = 0) -> None:
        try:
            from headpose_ros.inference.openvino_runtime import core, default_threads
        except ImportError:
            raise WeightsError(
                f'weights {path}: ONNX files need OpenVINO: pip install openvino'
            ) from None
        try:
            model = core().read_model(path)
        except RuntimeError as error:
            reason = str(error).strip().split('\n')[-1]
            raise WeightsError(f'weights {path}: not an ONNX file: {reason}') from None
        self.crop_px, self._points = _layout(path, model)
        model.reshape([1, 3, self.crop_px, self.crop_px])
        options: dict[str, Any] = {
            'PERFORMANCE_HINT': 'LATENCY',
            'INFERENCE_PRECISION_HINT': 'f32',
        }
        options['INFERENCE_NUM_THREADS'] = threads or default_threads()
        self._request = core().compile_model(model, 'CPU', options).create_infer_request()

    def __call__(self, crops: Any) -> tuple[Array, Array | None]:
        """Return landmarks (N,68,2) in half crops, and no face logits."""
        if not isinstance(crops, np.ndarray):
            crops = crops.cpu().numpy()  # a tensor on the GPU
        images = np.ascontiguousarray(crops[..., ::-1].transpose(0, 3, 1, 2), np.float32) / 255
        # One by one: such files are mostly exported for a batch of one.
        last = len(self._request.model_outputs) - 1  # networks may tell features before it
        output = np.array([self._request.infer([image[None]])[last][0] for image in images], float)
        # Fractions count from the corner of the first pixel, half crops from the middle.
        points = output.reshape(len(crops), self._points, 2) * 2 - 1
        return (from_wflw(points) if self._points == 98 else points), None


def _layout(path: Path, model: Any) -> tuple[int, int]:
    """Return the side of the crop and the number of landmarks."""
    wrong = WeightsError(
        f'weights {path}: expected one image (1,3,S,S) in and 68 or 98 landmarks out'
    )
    if len(model.inputs) != 1:
        raise wrong
    shape = model.inputs[0].partial_shape
    if shape.rank.get_length() != 4 or shape[2] != shape[3] or not shape[2].is_static:
        raise wrong
    output = model.outputs[-1].partial_shape
    values = output[len(output) - 1]
    if not values.is_static or values.get_length() not in _LAYOUTS:
        raise wrong
    return int(shape[2].get_length()), _LAYOUTS[int(values.get_length())]
