# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The baseline: the network of the paper with the operations that its authors publish, in PyTorch.

Batch normalisation is a layer of its own, hard swish is made of four operations, and the heads
for yaw, pitch and roll end in the expectation over their bins.
"""

from __future__ import annotations

from typing import Any

_CHANNELS = (16, 32, 64, 96, 96, 128, 128, 128)
_KERNELS, _STRIDES = (3, 3, 3, 5, 5, 5, 3), (2, 2, 1, 2, 1, 2, 1)
_BINS = 66


def authors_network() -> Any:
    """Return the network, untrained: (N,3,224,224) to yaw, pitch, roll (N,) in degrees."""
    import torch
    from torch import Tensor, nn
    from torch.nn import functional

    class HardSwish(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * (functional.relu6(x + 3, inplace=True) / 6)

    class Heads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.heads = nn.ModuleList(nn.Linear(_CHANNELS[-1], _BINS) for _ in range(3))
            self.centres = torch.arange(_BINS) * 3.0 - 97.5

        def forward(self, x: Tensor) -> tuple[Tensor, ...]:
            logits = [head(x) for head in self.heads]
            return tuple((torch.softmax(y, 1) * self.centres).sum(1) for y in logits)

    def layer(wide: int, out: int, kernel: int, stride: int, groups: int, swish: bool) -> Any:
        conv = nn.Conv2d(wide, out, kernel, stride, kernel // 2, groups=groups, bias=False)
        act = HardSwish() if swish else nn.ReLU(inplace=True)
        return nn.Sequential(conv, nn.BatchNorm2d(out), act)

    layers = [layer(3, _CHANNELS[0], 3, 2, 1, False)]
    for i, (kernel, stride) in enumerate(zip(_KERNELS, _STRIDES, strict=True)):
        swish, wide = i >= 3, 2 * _CHANNELS[i]
        layers.append(layer(_CHANNELS[i], wide, 1, 1, 4, swish))
        layers.append(layer(wide, wide, kernel, stride, wide, swish))
        layers.append(layer(wide, _CHANNELS[i + 1], 1, 1, 1, swish))
    layers += [nn.AdaptiveAvgPool2d(1), nn.ReLU(), nn.Flatten(), Heads()]
    return nn.Sequential(*layers).eval()
