# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One interface over the runtimes that compute the networks: OpenVINO on CPUs, PyTorch on GPUs.

Networks are built from numpy weights when they are compiled: nothing is converted, cached or
written. PyTorch is imported only where it runs the networks; that alone costs a second and 200 MB.
"""

from __future__ import annotations

import glob
import importlib.util
import os
import re
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headpose_ros.inference.layers import Network, Weights

Shape = Sequence[int | None]
"""(N,H,W,3) of the images that a network takes; None where it may differ from call to call."""

_GPU_NODES = ('/dev/nvidia[0-9]*', '/dev/nvhost-gpu', '/dev/nvgpu', '/dev/dxg', '/dev/kfd')


class DeviceError(RuntimeError):
    """The device that was asked for is not there, or nothing can compute on it."""


class CompiledNetwork(Protocol):
    """A network ready to run. Not to be called from two threads at once."""

    def __call__(self, images: Any) -> tuple[NDArray[np.float32], ...]:
        """Compute the outputs for `images` (N,H,W,3) BGR.

        `images` is a numpy array or, for the PyTorch runtime, a tensor on its device. The outputs
        are the caller's own. Raises ValueError where shape or type are not those compiled for.
        """
        ...


class Runtime(Protocol):
    """Compiles networks for one device. `name`: 'openvino' or 'torch'; `device`: cpu, cuda:N."""

    name: str
    device: str

    def compile(
        self,
        network: Network,
        weights: Weights,
        shape: Shape,
        dtype: str = 'uint8',
        exact: bool = False,
        usual: int = 0,
    ) -> CompiledNetwork:
        """Build `network` for images of `shape` and `dtype`, uint8 or float32 (still 0..255).

        `exact` keeps to float32 where the runtime would take half precision. `usual`: how many
        images most calls have at most, where that is known, to be quicker for them. Raises
        ValueError where a weight is missing.
        """
        ...


def create_runtime(device: str = 'auto', threads: int = 0) -> Runtime:
    """Return the fastest runtime for `device`: 'auto', 'cpu', 'cuda' or 'cuda:N'.

    'auto' takes the first GPU that PyTorch can use, else the CPU. `threads` bounds the CPU
    threads of a forward; 0 leaves it to the runtime. Where a GPU's memory runs out, the networks
    fall back to smaller batches and the CPU (`fallback.py`).

    Raises DeviceError where the device, or every runtime for it, is absent, and ValueError where
    `device` is none of the above.
    """
    if not re.fullmatch(r'auto|cpu|cuda(:\d+)?', device):
        raise ValueError(f'device: expected auto, cpu, cuda or cuda:N, got {device!r}')
    if device == 'auto':
        device = 'cuda:0' if gpu_count() else 'cpu'
    if device == 'cpu':
        return _cpu_runtime(threads)
    index = int(device.partition(':')[2] or 0)
    _require_gpu(device, index)
    from headpose_ros.inference.fallback import FallbackRuntime
    from headpose_ros.inference.torch_runtime import TorchRuntime

    return FallbackRuntime(TorchRuntime(f'cuda:{index}', threads), lambda: _cpu_runtime(threads))


def gpu_count() -> int:
    """Return how many GPUs PyTorch can use, without importing it where there is plainly none."""
    if not _has_module('torch') or not any(glob.glob(pattern) for pattern in _GPU_NODES):
        return 0
    if os.environ.get('CUDA_VISIBLE_DEVICES') in ('', '-1'):
        return 0
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def check_images(images: Any, shape: Shape, dtype: str) -> None:
    """Raise ValueError unless `images` has that shape and type, whatever library holds it."""
    fits = len(images.shape) == len(shape) and all(
        want is None or want == got for want, got in zip(shape, images.shape, strict=True)
    )
    same = images.dtype == dtype or str(images.dtype).endswith(f'.{dtype}')  # NumPy's, PyTorch's
    if not fits or not same:
        want_text = ', '.join('any' if n is None else str(n) for n in shape)
        raise ValueError(
            f'network input: expected {dtype} ({want_text}), '
            f'got {images.dtype} {tuple(images.shape)}'
        )


def _cpu_runtime(threads: int) -> Runtime:
    if _has_module('openvino'):
        from headpose_ros.inference.openvino_runtime import OpenVinoRuntime

        return OpenVinoRuntime(threads)
    if _has_module('torch'):
        from headpose_ros.inference.torch_runtime import TorchRuntime

        return TorchRuntime('cpu', threads)
    raise DeviceError(
        'device cpu: neither OpenVINO nor PyTorch is installed; '
        'install one, e.g. pip install openvino'
    )


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
