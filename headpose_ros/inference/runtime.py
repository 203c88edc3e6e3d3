# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Chooses what computes the networks: PyTorch on GPUs; on CPUs OpenVINO, or what else is there.

Where OpenVINO is missing, or cannot be imported, the same model files run on onnxruntime or on
OpenCV, which is always there. PyTorch is imported only for a GPU: that alone costs a second and
200 MB, and on CPUs it is no quicker than OpenCV (docs/performance.md).
"""

from __future__ import annotations

import glob
import importlib.util
import logging
import os
import re
from collections.abc import Callable
from functools import cache

from headpose_ros.config import DEVICE_PATTERN
from headpose_ros.inference.protocols import DeviceError, Runtime

_LOG = logging.getLogger(__name__)
_GPU_NODES = ('/dev/nvidia[0-9]*', '/dev/nvhost-gpu', '/dev/nvgpu', '/dev/dxg', '/dev/kfd')


def create_runtime(device: str = 'auto', threads: int = 0) -> Runtime:
    """Return the fastest runtime for `device`: 'auto', 'cpu', 'cuda' or 'cuda:N'.

    'auto' takes the first GPU that PyTorch can use, else the CPU. `threads` bounds the CPU
    threads of a forward; 0 leaves it to the runtime. Where a GPU's memory runs out, the networks
    fall back to smaller batches and the CPU (`fallback.py`).

    Raises DeviceError where the device, or every runtime for it, is absent, and ValueError where
    `device` is none of the above.
    """
    if not re.fullmatch(DEVICE_PATTERN, device):
        raise ValueError(f'device: expected auto, cpu, cuda or cuda:N, got {device!r}')
    if device == 'auto':
        device = 'cuda:0' if gpu_count() else 'cpu'
    if device == 'cpu':
        return cpu_runtime(threads)
    index = int(device.partition(':')[2] or 0)
    _require_gpu(device, index)
    from headpose_ros.inference.fallback import FallbackRuntime
    from headpose_ros.inference.torch_runtime import TorchRuntime

    return FallbackRuntime(TorchRuntime(f'cuda:{index}', threads), lambda: cpu_runtime(threads))


def gpu_count() -> int:
    """Return how many GPUs PyTorch can use, without importing it where there is plainly none."""
    if not _has_module('torch') or not any(glob.glob(pattern) for pattern in _GPU_NODES):
        return 0
    if os.environ.get('CUDA_VISIBLE_DEVICES') in ('', '-1'):
        return 0
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def cpu_runtime(threads: int = 0) -> Runtime:
    """Return the quickest runtime for the CPU; `threads` as for `create_runtime`."""
    failures = []
    for name, make in _CPU_RUNTIMES.items():
        if not _has_module(name):
            continue
        try:
            runtime = make(threads)
        except (ImportError, OSError) as error:  # a broken installation, or another system's
            failures.append(f'{name} cannot be imported: {str(error).splitlines()[0]}')
            continue
        if name != 'openvino':
            _tell_slower(runtime.name, '; '.join(failures) or 'OpenVINO is not installed')
        return runtime
    raise DeviceError('device cpu: OpenCV is missing; install the package again')


def _openvino(threads: int) -> Runtime:
    from headpose_ros.inference.openvino_runtime import OpenVinoRuntime

    return OpenVinoRuntime(threads)


def _onnxruntime(threads: int) -> Runtime:
    from headpose_ros.inference.onnx_runtime import OnnxRuntime

    return OnnxRuntime(threads)


def _opencv(threads: int) -> Runtime:
    from headpose_ros.inference.opencv_runtime import OpenCvRuntime

    return OpenCvRuntime(threads)


_CPU_RUNTIMES: dict[str, Callable[[int], Runtime]] = {
    'openvino': _openvino,
    'onnxruntime': _onnxruntime,
    'cv2': _opencv,
}
"""By the module that each needs, quickest first."""


@cache
def _tell_slower(name: str, reason: str) -> None:
    """Say so once."""
    _LOG.warning('%s: networks run on %s, which is slower; pip install openvino', reason, name)


def _require_gpu(device: str, index: int) -> None:
    if not _has_module('torch'):
        raise DeviceError(
            f'device {device}: GPUs need PyTorch, which is not installed; '
            'install it with CUDA, or use device cpu'
        )
    count = gpu_count()
    if index >= count:
        there = f'cuda:0 to cuda:{count - 1}' if count > 1 else 'cuda:0' if count else 'no GPU'
        raise DeviceError(
            f'device {device}: PyTorch sees {there} here; use device auto or cpu, '
            'or install the driver and a PyTorch built with CUDA'
        )


def _has_module(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
