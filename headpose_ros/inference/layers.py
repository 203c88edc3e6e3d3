# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The layers of which every network here is made.

A network is a plain function `network(g, x) -> tuple of outputs` over these layers. It is written
once and built by two back ends: as an OpenVINO graph (`openvino_runtime.py`) and as PyTorch calls
(`torch_runtime.py`). Parameters are numpy arrays, looked up by name: layer `name` owns
`name.weight` and, optionally, `name.bias`. Feature maps are (N,C,H,W).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Weights = Mapping[str, NDArray[np.float32]]


class Layers(Protocol):
    """What a back end offers to a network. Values `x` are the back end's own."""

    def parameter(self, name: str) -> NDArray[np.float32]:
        """Return a parameter; ValueError names what is missing."""
        ...

    def has(self, name: str) -> bool:
        """Whether layer `name` has weights."""
        ...

    def channels(self, x: Any) -> int:
        """Return C of a feature map."""
        ...

    def image(
        self, x: Any, mean: Sequence[float], scale: Sequence[float], swap: bool = False
    ) -> Any:
        """Turn images (N,H,W,3) uint8 BGR into (N,3,H,W) float, (value - mean) / scale.

        `swap` turns BGR into RGB first; `mean` and `scale` are in the order that results.
        """
        ...

    def conv(
        self, x: Any, name: str, *, stride: int = 1, padding: int = 0, groups: int = 1
    ) -> Any:
        """Convolve; the kernel's size is that of the weights (O,I/groups,kh,kw)."""
        ...

    def linear(self, x: Any, name: str) -> Any:
        """Multiply (N,I) by the weights (O,I), add the bias."""
        ...

    def relu(self, x: Any) -> Any:
        """max(x, 0)."""
        ...

    def leaky_relu(self, x: Any, slope: float) -> Any:
        """Multiply what is negative by `slope`."""
        ...

    def prelu(self, x: Any, name: str) -> Any:
        """Multiply what is negative by `name.weight` (C,), per channel (axis 1)."""
        ...

    def sigmoid(self, x: Any) -> Any:
        """1 / (1 + exp(-x))."""
        ...

    def hard_swish(self, x: Any) -> Any:
        """Return x * relu6(x + 3) / 6."""
        ...

    def softmax(self, x: Any, axis: int) -> Any:
        """exp(x) / sum(exp(x)) along `axis`."""
        ...

    def add(self, x: Any, y: Any) -> Any:
        """Element by element."""
        ...

    def max_pool(
        self, x: Any, size: int, stride: int, *, padding: int = 0, ceil: bool = False
    ) -> Any:
        """Maximum over windows; `ceil` keeps a last window that is only partly inside."""
        ...

    def global_average(self, x: Any) -> Any:
        """Mean over H and W: (N,C,1,1)."""
        ...

    def flatten(self, x: Any) -> Any:
        """(N,...) to (N,F)."""
        ...

    def reshape(self, x: Any, shape: Sequence[int]) -> Any:
        """Reshape; 0 keeps the axis as it is, one -1 takes what is left."""
        ...

    def transpose(self, x: Any, axes: Sequence[int]) -> Any:
        """Reorder the axes."""
        ...

    def concat(self, xs: Sequence[Any], axis: int) -> Any:
        """Join along `axis`."""
        ...

    def resize_like(self, x: Any, other: Any) -> Any:
        """Resize (N,C,H,W) to H and W of `other`, nearest neighbour."""
        ...


Network = Callable[[Layers, Any], tuple[Any, ...]]


class ParameterStore:
    """Looks parameters up by name and remembers which were used."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self.used: set[str] = set()

    def parameter(self, name: str) -> NDArray[np.float32]:
        """Return a parameter as float32; ValueError names what is missing."""
        if name not in self._weights:
            raise ValueError(f'weights have no tensor {name!r}; they are of another architecture')
        self.used.add(name)
        return np.ascontiguousarray(self._weights[name], np.float32)

    def bias(self, name: str) -> NDArray[np.float32] | None:
        """Return `name.bias`, or None where the layer has none."""
        return self.parameter(f'{name}.bias') if f'{name}.bias' in self._weights else None

    def has(self, name: str) -> bool:
        """Whether layer `name` has weights."""
        return f'{name}.weight' in self._weights
