# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The PyTorch modules of our networks: on CUDA GPUs, and on CPUs where nothing better is there.

On a GPU, convolutions run in half precision and channels-last, everything from a linear layer on
in float32, and a network whose image size is fixed is recorded once per batch size as a CUDA
graph, so that a forward costs one launch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headpose_ros.inference.networks import network_of
from headpose_ros.inference.networks.layers import Network, use_half_precision
from headpose_ros.inference.protocols import Shape, check_images
from headpose_ros.inference.weights import LoadedWeights


class TorchRuntime:
    """PyTorch on `device`, 'cpu' or 'cuda:N'.

    `half` chooses the precision of convolutions: float16, by default on GPUs only. `threads` > 0
    sets PyTorch's number of CPU threads; like the precision of float32 on GPUs, which is made
    exact, that is one for the whole process.
    """

    name = 'torch'
    warning = None

    def __init__(self, device: str = 'cpu', threads: int = 0, half: bool | None = None) -> None:
        self.device = device
        self._half = device != 'cpu' if half is None else half
        if threads > 0:
            torch.set_num_threads(threads)
        if device != 'cpu':  # TF32, PyTorch's default, has no more digits than float16
            torch.backends.cudnn.allow_tf32 = False

    def compile(self, weights: LoadedWeights, exact: bool = False, usual: int = 0) -> TorchNetwork:
        """Prepare a network; see `protocols.Runtime`. Every batch size is equally quick here.

        The operations are those of the module that the file's architecture names, not the file's.
        """
        network = network_of(weights.metadata, weights.tensors)
        if self._half and not exact:
            use_half_precision(network)
        network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        shape, dtype = weights.image.shape, weights.image.dtype
        compiled = TorchNetwork(network, shape, dtype, torch.device(self.device))
        compiled(np.zeros([n or (1 if i == 0 else 64) for i, n in enumerate(shape)], dtype))
        return compiled


class TorchNetwork:
    """A network with its parameters on the device."""

    def __init__(self, network: Network, shape: Shape, dtype: str, device: torch.device) -> None:
        self._network = network
        self._shape = shape
        self._dtype = dtype
        self._device = device
        # An open image size would need a graph for each size met.
        self._graphs: dict[int, _Graph] | None = None
        if device.type == 'cuda' and None not in shape[1:]:
            self._graphs = {}

    @torch.inference_mode()
    def __call__(self, images: Any) -> tuple[NDArray[np.float32], ...]:
        """Compute; see `protocols.CompiledNetwork`."""
        check_images(images, self._shape, self._dtype)
        if not isinstance(images, Tensor):
            images = torch.from_numpy(np.require(images, requirements=['C', 'W']))
        if self._graphs is None or len(images) == 0:
            images = images.to(self._device, non_blocking=True)
            return _to_numpy(self._forward(images))
        return _to_numpy(self._graph_for(images).replay(images))

    def _forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(y.float() for y in self._network(images))

    def _graph_for(self, images: Tensor) -> _Graph:
        assert self._graphs is not None
        batch = 1 << (len(images) - 1).bit_length()
        if batch not in self._graphs:
            self._graphs[batch] = _Graph(
                self._forward, (batch, *images.shape[1:]), images.dtype, self._device
            )
        return self._graphs[batch]


class _Graph:
    """One batch size, recorded; smaller batches leave the rest of the input as it was."""

    def __init__(
        self, forward: Any, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device
    ) -> None:
        self._input = torch.zeros(shape, dtype=dtype, device=device)
        side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.device(device), torch.cuda.stream(side):
            for _ in range(3):  # lets cuDNN choose its algorithms before they are recorded
                forward(self._input)
        torch.cuda.current_stream(device).wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(device), torch.cuda.graph(self._graph):
            self._outputs: tuple[Tensor, ...] = forward(self._input)

    def replay(self, images: Tensor) -> tuple[Tensor, ...]:
        self._input[: len(images)].copy_(images, non_blocking=True)
        self._graph.replay()
        return tuple(y[: len(images)] for y in self._outputs)


def _to_numpy(outputs: tuple[Tensor, ...]) -> tuple[NDArray[np.float32], ...]:
    return tuple(y.cpu().numpy() for y in outputs)
