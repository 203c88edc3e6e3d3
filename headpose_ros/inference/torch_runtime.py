# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks as PyTorch calls: on CUDA GPUs, and wherever OpenVINO is not installed.

On a GPU, convolutions run in half precision and channels-last, everything from a linear layer on
in float32, and a network whose image size is fixed is recorded once per batch size as a CUDA
graph, so that a forward costs one launch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from headpose_ros.inference.layers import Network, ParameterStore, Weights
from headpose_ros.inference.runtime import Shape, check_images


class TorchRuntime:
    """PyTorch on `device`, 'cpu' or 'cuda:N'.

    `half` chooses the precision of convolutions: float16, by default on GPUs only. `threads` > 0
    sets PyTorch's number of CPU threads; like the precision of float32 on GPUs, which is made
    exact, that is one for the whole process.
    """

    name = 'torch'

    def __init__(self, device: str = 'cpu', threads: int = 0, half: bool | None = None) -> None:
        self.device = device
        self._half = device != 'cpu' if half is None else half
        if threads > 0:
            torch.set_num_threads(threads)
        if device != 'cpu':  # TF32, PyTorch's default, has no more digits than float16
            torch.backends.cudnn.allow_tf32 = False

    def compile(
        self,
        network: Network,
        weights: Weights,
        shape: Shape,
        dtype: str = 'uint8',
        exact: bool = False,
        usual: int = 0,
    ) -> TorchNetwork:
        """Prepare `network`; see `runtime.Runtime`. Every batch size is equally quick here."""
        half = self._half and not exact
        layers = TorchLayers(weights, self.device, torch.float16 if half else torch.float32)
        compiled = TorchNetwork(network, layers, tuple(shape), dtype)
        sample = [1 if n is None else n for n in shape[:1]] + [n or 64 for n in shape[1:]]
        compiled(np.zeros(sample, dtype))  # uploads the weights, finds what is missing
        return compiled


class TorchNetwork:
    """A network with its parameters on the device."""

    def __init__(self, network: Network, layers: TorchLayers, shape: Shape, dtype: str) -> None:
        self._network = network
        self._layers = layers
        self._shape = shape
        self._dtype = dtype
        # An open image size would need a graph for each size met.
        self._graphs: dict[int, _Graph] | None = None
        if layers.device.type == 'cuda' and None not in shape[1:]:
            self._graphs = {}

    @torch.inference_mode()
    def __call__(self, images: Any) -> tuple[NDArray[np.float32], ...]:
        """Compute; see `runtime.CompiledNetwork`."""
        check_images(images, self._shape, self._dtype)
        if not isinstance(images, Tensor):
            images = torch.from_numpy(np.require(images, requirements=['C', 'W']))
        if self._graphs is None or len(images) == 0:
            images = images.to(self._layers.device, non_blocking=True)
            return _to_numpy(self._forward(images))
        return _to_numpy(self._graph_for(images).replay(images))

    def _forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(y.float() for y in self._network(self._layers, images))

    def _graph_for(self, images: Tensor) -> _Graph:
        assert self._graphs is not None
        batch = 1 << (len(images) - 1).bit_length()
        if batch not in self._graphs:
            self._graphs[batch] = _Graph(
                self._forward, (batch, *images.shape[1:]), images.dtype, self._layers.device
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


class TorchLayers(ParameterStore):
    """`layers.Layers` computed at once, in `dtype` up to the first linear layer."""

    def __init__(self, weights: Weights, device: str, dtype: torch.dtype) -> None:
        super().__init__(weights)
        self.device = torch.device(device)
        self._dtype = dtype
        self._tensors: dict[tuple[str, torch.dtype], Tensor] = {}

    def _tensor(self, name: str, dtype: torch.dtype) -> Tensor:
        key = (name, dtype)
        if key not in self._tensors:
            tensor = torch.from_numpy(self.parameter(name)).to(self.device, dtype)
            if tensor.dim() == 4:
                tensor = tensor.contiguous(memory_format=torch.channels_last)
            self._tensors[key] = tensor
        return self._tensors[key]

    def _bias(self, name: str, dtype: torch.dtype) -> Tensor | None:
        return None if self.bias(name) is None else self._tensor(f'{name}.bias', dtype)

    def channels(self, x: Tensor) -> int:
        """Return C of a feature map."""
        return int(x.shape[1])

    def image(
        self, x: Tensor, mean: Sequence[float], scale: Sequence[float], swap: bool = False
    ) -> Tensor:
        """Convert, reorder and normalise images; the result is channels-last in memory."""
        y = x.flip(3) if swap else x
        y = y.float() - self._constant(mean)
        y = y * (1 / self._constant(scale))
        return y.permute(0, 3, 1, 2).to(self._dtype)

    def _constant(self, values: Sequence[float]) -> Tensor:
        key = (repr(tuple(values)), torch.float32)
        if key not in self._tensors:  # kept: uploading is not allowed while a graph is recorded
            self._tensors[key] = torch.tensor(tuple(values), device=self.device)
        return self._tensors[key]

    def conv(
        self, x: Tensor, name: str, *, stride: int = 1, padding: int = 0, groups: int = 1
    ) -> Tensor:
        """Convolve."""
        return functional.conv2d(
            x,
            self._tensor(f'{name}.weight', x.dtype),
            self._bias(name, x.dtype),
            stride,
            padding,
            1,
            groups,
        )

    def linear(self, x: Tensor, name: str) -> Tensor:
        """Multiply by the weights, add the bias, in float32."""
        return functional.linear(
            x.float(),
            self._tensor(f'{name}.weight', torch.float32),
            self._bias(name, torch.float32),
        )

    def relu(self, x: Tensor) -> Tensor:
        """max(x, 0)."""
        return functional.relu(x)

    def leaky_relu(self, x: Tensor, slope: float) -> Tensor:
        """Multiply what is negative by `slope`."""
        return functional.leaky_relu(x, slope)

    def prelu(self, x: Tensor, name: str) -> Tensor:
        """Multiply what is negative by a slope per channel."""
        return functional.prelu(x, self._tensor(f'{name}.weight', x.dtype))

    def sigmoid(self, x: Tensor) -> Tensor:
        """1 / (1 + exp(-x))."""
        return torch.sigmoid(x)

    def hard_swish(self, x: Tensor) -> Tensor:
        """Return x * relu6(x + 3) / 6."""
        return functional.hardswish(x)

    def softmax(self, x: Tensor, axis: int) -> Tensor:
        """exp(x) / sum(exp(x)) along `axis`."""
        return functional.softmax(x, axis)

    def add(self, x: Tensor, y: Tensor) -> Tensor:
        """Element by element."""
        return x + y

    def max_pool(
        self, x: Tensor, size: int, stride: int, *, padding: int = 0, ceil: bool = False
    ) -> Tensor:
        """Maximum over windows."""
        return functional.max_pool2d(x, size, stride, padding, ceil_mode=ceil)

    def global_average(self, x: Tensor) -> Tensor:
        """Mean over H and W, kept as 1 x 1, summed in float32."""
        return x.float().mean((2, 3), keepdim=True)

    def flatten(self, x: Tensor) -> Tensor:
        """(N,...) to (N,F)."""
        return torch.flatten(x, 1)

    def reshape(self, x: Tensor, shape: Sequence[int]) -> Tensor:
        """Reshape; 0 keeps an axis, -1 takes what is left."""
        return x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(shape)])

    def transpose(self, x: Tensor, axes: Sequence[int]) -> Tensor:
        """Reorder the axes."""
        return x.permute(*axes)

    def concat(self, xs: Sequence[Tensor], axis: int) -> Tensor:
        """Join along `axis`."""
        return torch.cat(list(xs), axis)

    def resize_like(self, x: Tensor, other: Tensor) -> Tensor:
        """Resize to H and W of `other`, nearest neighbour."""
        return functional.interpolate(x, other.shape[2:], mode='nearest')


def _to_numpy(outputs: tuple[Tensor, ...]) -> tuple[NDArray[np.float32], ...]:
    return tuple(y.cpu().numpy() for y in outputs)
