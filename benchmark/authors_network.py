# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The baseline: the network of the paper, built as its authors publish it."""

from __future__ import annotations

from typing import Any

_CHANNELS = (16, 32, 64, 96, 96, 128, 128, 128)
_KERNELS, _STRIDES = (3, 3, 3, 5, 5, 5, 3), (2, 2, 1, 2, 1, 2, 1)


def authors_network() -> Any:
    """Return the network of Lightweight Head Pose Estimation as modules of PyTorch, untrained."""
    from torch import nn

    def layer(
        wide: int, out: int, kernel: int, stride: int, groups: int, act: type[nn.Module]
    ) -> list[nn.Module]:
        conv = nn.Conv2d(wide, out, kernel, stride, kernel // 2, groups=groups, bias=False)
        return [conv, nn.BatchNorm2d(out), act()]

    layers = layer(3, _CHANNELS[0], 3, 2, 1, nn.ReLU)
    for i, (kernel, stride) in enumerate(zip(_KERNELS, _STRIDES, strict=True)):
        act = nn.ReLU if i < 3 else nn.Hardswish
        wide = 2 * _CHANNELS[i]
        layers += layer(_CHANNELS[i], wide, 1, 1, 4, act)
        layers += layer(wide, wide, kernel, stride, wide, act)
        layers += layer(wide, _CHANNELS[i + 1], 1, 1, 1, act)
    layers += [nn.AdaptiveAvgPool2d(1), nn.ReLU(), nn.Flatten(), nn.Linear(_CHANNELS[-1], 198)]
    return nn.Sequential(*layers).eval()
