# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The three networks of MTCNN: P-Net proposes, R-Net refines, O-Net decides.

Source: Zhang et al., Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
Networks, 2016. Each returns the probability of a face (P-Net its logit) and the box's corrections
in fractions of its size (x0, y0, x1, y1); O-Net also five landmarks, all x then all y, in
fractions of the box. No convolution pads.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from headpose_ros.inference.networks.layers import Conv, Linear, Network, Planes

PIXEL_MEAN, PIXEL_SCALE = 127.5, 128.0


class ConvPRelu(Conv):
    """A convolution without padding, then PReLU with a slope per channel."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(inputs, outputs, kernel, padding=0)
        self.prelu = nn.PReLU(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Apply both."""
        return self.prelu(super().forward(x))


class DensePRelu(Linear):
    """A linear layer over a flattened map, then PReLU with a slope per channel.

    In the model file the PReLU is applied to (N,C,1,1): OpenVINO would fuse one of (N,C) with the
    matrix product, and that ends the process on x86-64 processors without AVX.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.prelu = nn.PReLU(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Apply both."""
        return self.prelu(super().forward(torch.flatten(x, 1)))


class PNet(Network):
    """(N,H,W,3) float32 to cells (N,5,h,w), one every two pixels: logit of the score, box.

    Its image is large, so that every pass over it that can be saved counts: normalisation is part
    of the first layer (`tools/convert_mtcnn.py`), and both heads are one.
    """

    outputs = ('cells',)
    image_type = 'float32'

    def __init__(self) -> None:
        super().__init__()
        self.planes = Planes()
        self.conv1, self.conv2 = ConvPRelu(3, 10, 3), ConvPRelu(10, 16, 3)
        self.conv3 = ConvPRelu(16, 32, 3)
        self.heads = Conv(32, 5, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Compute the cells."""
        x = functional.max_pool2d(self.conv1(self.planes(images)), 2, 2, ceil_mode=True)
        return (self.heads(self.conv3(self.conv2(x))),)


class RNet(Network):
    """(N,24,24,3) float32 to scores (N,1) and boxes (N,4)."""

    outputs = ('scores', 'boxes')
    image_type = 'float32'
    image_px = 24

    def __init__(self) -> None:
        super().__init__()
        self.planes = Planes((PIXEL_MEAN,), (PIXEL_SCALE,))
        self.conv1, self.conv2 = ConvPRelu(3, 28, 3), ConvPRelu(28, 48, 3)
        self.conv3, self.dense4 = ConvPRelu(48, 64, 2), DensePRelu(576, 128)
        self.score, self.box = Linear(128, 1), Linear(128, 4)

    def forward(self, patches: Tensor) -> tuple[Tensor, ...]:
        """Compute scores and boxes."""
        x = functional.max_pool2d(self.conv1(self.planes(patches)), 3, 2, ceil_mode=True)
        x = functional.max_pool2d(self.conv2(x), 3, 2)
        x = self.dense4(self.conv3(x))
        return torch.sigmoid(self.score(x)), self.box(x)


class ONet(Network):
    """(N,48,48,3) float32 to scores (N,1), boxes (N,4) and landmarks (N,10)."""

    outputs = ('scores', 'boxes', 'landmarks')
    image_type = 'float32'
    image_px = 48

    def __init__(self) -> None:
        super().__init__()
        self.planes = Planes((PIXEL_MEAN,), (PIXEL_SCALE,))
        self.conv1, self.conv2 = ConvPRelu(3, 32, 3), ConvPRelu(32, 64, 3)
        self.conv3, self.conv4 = ConvPRelu(64, 64, 3), ConvPRelu(64, 128, 2)
        self.dense5 = DensePRelu(1152, 256)
        self.score, self.box = Linear(256, 1), Linear(256, 4)
        self.landmarks = Linear(256, 10)

    def forward(self, patches: Tensor) -> tuple[Tensor, ...]:
        """Compute scores, boxes and landmarks."""
        x = functional.max_pool2d(self.conv1(self.planes(patches)), 3, 2, ceil_mode=True)
        x = functional.max_pool2d(self.conv2(x), 3, 2)
        x = functional.max_pool2d(self.conv3(x), 2, 2, ceil_mode=True)
        x = self.dense5(self.conv4(x))
        return torch.sigmoid(self.score(x)), self.box(x), self.landmarks(x)
