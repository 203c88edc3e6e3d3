# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trains a network that is written over `estimation/layers.py`, as it is written there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from headpose_ros.inference.layers import Network
from headpose_ros.inference.torch_runtime import TorchLayers

Arrays = dict[str, NDArray[np.float32]]


class TrainableNetwork(nn.Module):
    """A network function with parameters that learn.

    `shapes`: of the tensors to train, as the network names them. A convolution without a bias is
    followed by batch normalisation while it trains, which `folded` makes its bias. `fixed`:
    tensors that do not learn.
    """

    def __init__(
        self,
        network: Network,
        shapes: Mapping[str, tuple[int, ...]],
        fixed: Mapping[str, NDArray[np.float32]],
    ) -> None:
        super().__init__()
        self._network = network
        self.modules_by_layer = nn.ModuleDict()
        for name, shape in shapes.items():
            layer, _, kind = name.rpartition('.')
            if kind == 'weight':
                self.modules_by_layer[_key(layer)] = _module(shape, f'{layer}.bias' in shapes)
        names = dict.fromkeys((*shapes, *fixed))
        self._layers = _TrainingLayers(self, {n: np.empty(0, np.float32) for n in names})
        for name, value in fixed.items():
            self.register_buffer(_key(name), torch.from_numpy(np.array(value, np.float32)))
        self._fixed = tuple(fixed)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Compute the outputs of images (N,H,W,3) uint8."""
        return self._network(self._layers, images)

    def fixed(self, name: str) -> Tensor:
        """Return a tensor that does not learn."""
        tensor: Tensor = getattr(self, _key(name))
        return tensor

    def folded(self) -> Arrays:
        """Return the tensors of the weights file."""
        tensors: dict[str, Tensor] = {name: self.fixed(name) for name in self._fixed}
        for key, module in self.modules_by_layer.items():
            layer = key.replace('/', '.')
            if isinstance(module, nn.Sequential):
                tensors[f'{layer}.weight'], tensors[f'{layer}.bias'] = _fold(module)
            else:
                tensors |= {f'{layer}.{n}': p for n, p in module.named_parameters()}
        return {n: t.detach().cpu().float().numpy().copy() for n, t in tensors.items()}


class _TrainingLayers(TorchLayers):
    """`layers.Layers` with the parameters of a `TrainableNetwork`."""

    def __init__(self, owner: TrainableNetwork, names: Mapping[str, NDArray[np.float32]]) -> None:
        super().__init__(names, 'cpu', torch.float32)
        self._owner = (owner,)  # in a tuple: no submodule of its own submodule

    def conv(
        self, x: Tensor, name: str, *, stride: int = 1, padding: int = 0, groups: int = 1
    ) -> Tensor:
        """Convolve, and normalise where the layer does."""
        module = self._owner[0].modules_by_layer[_key(name)]
        first: Any = module[0] if isinstance(module, nn.Sequential) else module
        y = functional.conv2d(x, first.weight, first.bias, stride, padding, 1, groups)
        return module[1](y) if isinstance(module, nn.Sequential) else y

    def linear(self, x: Tensor, name: str) -> Tensor:
        """Multiply by the weights, add the bias."""
        owner = self._owner[0]
        # Never in half precision: what a linear layer gives are coordinates.
        with torch.autocast(x.device.type, enabled=False):
            if _key(name) in owner.modules_by_layer:
                result: Tensor = owner.modules_by_layer[_key(name)](x.float())
                return result
            return functional.linear(x.float(), owner.fixed(f'{name}.weight'))


def _key(name: str) -> str:
    return name.replace('.', '/')  # names of modules have no dots


def _module(shape: tuple[int, ...], has_bias: bool) -> nn.Module:
    if len(shape) == 2:
        return nn.Linear(shape[1], shape[0], bias=has_bias)
    conv = nn.Conv2d(shape[1], shape[0], (shape[2], shape[3]), bias=has_bias)
    nn.init.kaiming_normal_(conv.weight, mode='fan_out', nonlinearity='relu')
    return conv if has_bias else nn.Sequential(conv, nn.BatchNorm2d(shape[0]))


def _fold(module: nn.Sequential) -> tuple[Tensor, Tensor]:
    conv, norm = module[0], module[1]
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    weight = conv.weight.double() * gain[:, None, None, None]
    return weight, norm.bias.double() - norm.running_mean.double() * gain
