# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The layers of which every network here is made, and what all networks have in common.

Each layer is a step of its own in the model file (`export.py`). Where a network runs in half
precision its convolutions do; linear layers, and means, are computed in float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

Arrays = dict[str, NDArray[np.float32]]
Tensors = Mapping[str, NDArray[np.floating]]


class Network(nn.Module):
    """Images (N,H,W,3) BGR, 0..255, of type `image_type`, to a tuple of outputs.

    `image_px`: side of the square images; None where any size is taken. `outputs`: their names.
    """

    image_type = 'uint8'
    image_px: int | None = None
    outputs: tuple[str, ...] = ()

    def __call__(self, images: Tensor) -> tuple[Tensor, ...]:
        """Compute the outputs."""
        outputs: tuple[Tensor, ...] = super().__call__(images)
        return outputs


class Planes(nn.Module):
    """Images (N,H,W,3) to planes (N,3,H,W): (value - mean) / scale, one for all or per channel.

    `dtype`: what the convolutions after it compute with.
    """

    mean: Tensor
    factor: Tensor

    def __init__(self, mean: Sequence[float] = (), scale: Sequence[float] = (1.0,)) -> None:
        super().__init__()
        self.normalises = bool(mean)
        self.dtype = torch.float32
        offsets = torch.tensor(mean or (0.0,), dtype=torch.float32)
        factors = (1 / np.asarray(scale, np.float64)).astype(np.float32)
        self.register_buffer('mean', offsets, persistent=False)
        self.register_buffer('factor', torch.from_numpy(factors), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Convert, normalise and reorder; the result is channels-last in memory."""
        x = images.float()
        if self.normalises:
            x = (x - self.mean) * self.factor
        return x.permute(0, 3, 1, 2).to(self.dtype)


class Conv(nn.Conv2d):
    """A convolution that pads by kernel // 2 with zeros, unless told.

    With `norm` it has batch normalisation in place of a bias, as a training wants it;
    `folded_tensors` makes that its bias.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        *,
        groups: int = 1,
        padding: int | None = None,
        norm: bool = False,
    ) -> None:
        pad = kernel // 2 if padding is None else padding
        super().__init__(inputs, outputs, kernel, stride, pad, groups=groups, bias=not norm)
        self.norm = nn.BatchNorm2d(outputs) if norm else None
        nn.init.kaiming_normal_(self.weight, mode='fan_out', nonlinearity='relu')

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, and normalise where it does."""
        y = super().forward(x)
        return y if self.norm is None else self.norm(y)

    def folded(self) -> tuple[Tensor, Tensor]:
        """Return weight and bias of the convolution that equals this one in evaluation mode."""
        norm = self.norm
        assert norm is not None
        assert norm.running_mean is not None
        assert norm.running_var is not None
        gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        weight = self.weight.double() * gain[:, None, None, None]
        return weight, norm.bias.double() - norm.running_mean.double() * gain


class Linear(nn.Linear):
    """A matrix and a bias, never in half precision: what it gives are coordinates."""

    def forward(self, x: Tensor) -> Tensor:
        """Multiply (N,I) by the weights (O,I), add the bias."""
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.to(self.weight.dtype))


class GlobalAverage(nn.Module):
    """(N,C,H,W) to the means (N,C), summed in float32."""

    def forward(self, x: Tensor) -> Tensor:
        """Average."""
        return x.float().mean((2, 3))


class EnlargeTo(nn.Module):
    """Enlarges a map to the size of another, nearest neighbour.

    `twice`: the other is always just twice as large.
    """

    def __init__(self, twice: bool = True) -> None:
        super().__init__()
        self.twice = twice

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """Return (N,C,H,W) with H and W of `other`."""
        return functional.interpolate(x, other.shape[2:], mode='nearest')


class Rows(nn.Module):
    """(N,A*size,H,W) to rows (N,H*W*A,size): one for each of the A anchors of each cell."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """Reorder."""
        return x.permute(0, 2, 3, 1).reshape(len(x), -1, self.size)


class Residual(nn.Module):
    """relu(conv2(relu(conv1(x))) + shortcut(x)).

    `shortcut`: the kernel of a convolution of its own, or 0 where x itself is added.
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int, shortcut: int, norm: bool = False
    ) -> None:
        super().__init__()
        self.conv1 = Conv(inputs, outputs, 3, stride, norm=norm)
        self.conv2 = Conv(outputs, outputs, 3, norm=norm)
        self.shortcut = Conv(inputs, outputs, shortcut, stride, norm=norm) if shortcut else None

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        y = self.conv2(torch.relu(self.conv1(x)))
        return torch.relu(y + (x if self.shortcut is None else self.shortcut(x)))


def count_of(tensors: Mapping[str, Any], pattern: str) -> int:
    """Return for how many of 0, 1, … in place of the braces in `pattern` there is a tensor."""
    count = 0
    while pattern.format(count) in tensors:
        count += 1
    return count


def load_tensors(network: nn.Module, tensors: Tensors) -> None:
    """Give a network the tensors of a model file; ValueError where they are not its own.

    Slopes of PReLU stand as (C,1,1) in the file.
    """
    own = network.state_dict()
    if missing := sorted(own.keys() - tensors.keys()):
        raise ValueError(
            f'weights have no tensor {missing[0]!r}; they are of another architecture'
        )
    if unknown := sorted(tensors.keys() - own.keys()):
        raise ValueError(f'weights have an unknown tensor {unknown[0]!r}')
    state = {}
    for name, old in own.items():
        new = torch.from_numpy(np.array(tensors[name], np.float32))
        if new.shape[: old.ndim] != old.shape or new.numel() != old.numel():
            raise ValueError(f'{name} is {tuple(new.shape)}, expected {tuple(old.shape)}')
        state[name] = new.reshape(old.shape)
    network.load_state_dict(state)


def folded_tensors(network: nn.Module) -> Arrays:
    """Return the tensors of the model file of a network, its batch normalisations folded."""
    convs = {n: m for n, m in network.named_modules() if isinstance(m, Conv) and m.norm}
    tensors: dict[str, Tensor] = {}
    for name, tensor in network.state_dict().items():
        conv = name.removesuffix('.weight')
        if conv in convs:
            tensors[f'{conv}.weight'], tensors[f'{conv}.bias'] = convs[conv].folded()
        elif name.partition('.norm.')[0] not in convs:
            tensors[name] = tensor
    return {name: t.detach().cpu().float().numpy().copy() for name, t in tensors.items()}


def use_half_precision(network: nn.Module) -> None:
    """Let the convolutions, and what follows them, compute in float16."""
    for module in network.modules():
        if isinstance(module, Planes):
            module.dtype = torch.float16
        elif isinstance(module, Conv):
            module.half()  # with the PReLU that follows it, where that is part of it
