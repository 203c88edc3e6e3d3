# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""RetinaFace MobileNet-0.25 in PyTorch modules, with batch normalisation, to compare with.

Written apart from the package, from the architecture and the parameter names of the public
checkpoint; loads it with strict names.
"""

from itertools import product
from math import ceil

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def conv(i, o, kernel=3, stride=1, groups=1, leak=None):
    layers = [nn.Conv2d(i, o, kernel, stride, kernel // 2, groups=groups, bias=False)]
    layers.append(nn.BatchNorm2d(o))
    if leak is not None:
        layers.append(nn.LeakyReLU(leak))
    return layers


def separable(i, o, stride):
    return nn.Sequential(*conv(i, i, 3, stride, i, 0.1), *conv(i, o, 1, leak=0.1))


class Ssh(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv3X3 = nn.Sequential(*conv(64, 32))
        self.conv5X5_1 = nn.Sequential(*conv(64, 16, leak=0.1))
        self.conv5X5_2 = nn.Sequential(*conv(16, 16))
        self.conv7X7_2 = nn.Sequential(*conv(16, 16, leak=0.1))
        self.conv7x7_3 = nn.Sequential(*conv(16, 16))

    def forward(self, x):
        shared = self.conv5X5_1(x)
        parts = [self.conv3X3(x), self.conv5X5_2(shared), self.conv7x7_3(self.conv7X7_2(shared))]
        return F.relu(torch.cat(parts, 1))


class Head(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.conv1x1 = nn.Conv2d(64, outputs, 1)


class Reference(nn.Module):
    def __init__(self):
        super().__init__()
        one, seq = conv(3, 8, 3, 2, leak=0.1), nn.Sequential
        stage1 = [(8, 16, 1), (16, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1)]
        stage2 = [(64, 128, 2)] + [(128, 128, 1)] * 5
        self.body = nn.ModuleDict(
            {
                'stage1': seq(seq(*one), *(separable(*a) for a in stage1)),
                'stage2': seq(*(separable(*a) for a in stage2)),
                'stage3': seq(separable(128, 256, 2), separable(256, 256, 1)),
            }
        )
        self.fpn = nn.ModuleDict(
            {
                f'output{i + 1}': seq(*conv(c, 64, 1, leak=0.1))
                for i, c in enumerate((64, 128, 256))
            }
            | {f'merge{i}': seq(*conv(64, 64, leak=0.1)) for i in (1, 2)}
        )
        self.ssh1, self.ssh2, self.ssh3 = Ssh(), Ssh(), Ssh()
        self.ClassHead = nn.ModuleList(Head(4) for _ in range(3))
        self.BboxHead = nn.ModuleList(Head(8) for _ in range(3))
        self.LandmarkHead = nn.ModuleList(Head(20) for _ in range(3))

    def forward(self, x):
        c1 = self.body['stage1'](x)
        c2 = self.body['stage2'](c1)
        o1, o2, o3 = (
            self.fpn[f'output{i + 1}'](c) for i, c in enumerate((c1, c2, self.body['stage3'](c2)))
        )
        o2 = self.fpn['merge2'](o2 + F.interpolate(o3, size=o2.shape[2:], mode='nearest'))
        o1 = self.fpn['merge1'](o1 + F.interpolate(o2, size=o1.shape[2:], mode='nearest'))
        features = self.ssh1(o1), self.ssh2(o2), self.ssh3(o3)

        def heads(modules, size):
            maps = [m.conv1x1(f) for m, f in zip(modules, features, strict=True)]
            return torch.cat([y.permute(0, 2, 3, 1).reshape(1, -1, size) for y in maps], 1)

        return heads(self.BboxHead, 4), heads(self.ClassHead, 2), heads(self.LandmarkHead, 10)


def detect(state, image):
    """Return corners (A,4), scores (A,) and landmarks (A,5,2) as the public code decodes them."""
    network = Reference()
    network.load_state_dict(state)
    network.eval()
    x = image.astype(np.float32) - np.float32([104, 117, 123])
    with torch.no_grad():
        loc, classes, points = network(torch.from_numpy(x.transpose(2, 0, 1)[None]))
    loc, points = loc[0].double().numpy(), points[0].double().numpy()
    height, width = image.shape[:2]
    priors = np.array(
        [
            ((j + 0.5) * step / width, (i + 0.5) * step / height, size / width, size / height)
            for step, sizes in ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
            for i, j in product(range(ceil(height / step)), range(ceil(width / step)))
            for size in sizes
        ]
    )
    centre = priors[:, :2] + loc[:, :2] * 0.1 * priors[:, 2:]
    size = priors[:, 2:] * np.exp(loc[:, 2:] * 0.2)
    landmarks = priors[:, None, :2] + points.reshape(-1, 5, 2) * 0.1 * priors[:, None, 2:]
    corners = np.hstack([centre - size / 2, centre + size / 2]) * [width, height, width, height]
    return corners, F.softmax(classes, -1)[0, :, 1].numpy(), landmarks * [width, height]
