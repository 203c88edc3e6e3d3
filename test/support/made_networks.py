# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks with made-up weights, small and of the shipped one's size."""

import numpy as np
import torch

from headpose_ros.estimation.pose_network import OUTPUTS, PoseNetwork
from headpose_ros.inference.networks import (
    LANDMARKS,
    LIGHTWEIGHT_HPE,
    ONET,
    PNET,
    POSE,
    PROPOSALS,
    RETINAFACE,
    RNET,
    landmark_net,
    lightweight_hpe_net,
    mtcnn_nets,
    proposal_net,
    retinaface_net,
)
from headpose_ros.inference.networks.export import made
from headpose_ros.inference.networks.layers import folded_tensors

NETWORK = PoseNetwork(crop_px=48, crop_scale=1.3, landmark_box_scale=1.6, strides=(2, 1, 2, 2))
METADATA = {**NETWORK.metadata(), 'what': 'made up', 'licence': 'none', 'origin': 'a test'}
WIDTHS = (8, 12, 16, 24)


def made_model(architecture, half=False):
    """A model file of any of our architectures, with random weights, read."""
    torch.manual_seed(1)
    metadata = METADATA | {'architecture': architecture}
    if architecture == POSE:
        return made(pose_weights(), metadata, half)
    network = {
        LANDMARKS: landmark_net.LandmarkNet,
        PROPOSALS: proposal_net.ProposalNet,
        PNET: mtcnn_nets.PNet,
        RNET: mtcnn_nets.RNet,
        ONET: mtcnn_nets.ONet,
        RETINAFACE: retinaface_net.RetinaFaceNet,
        LIGHTWEIGHT_HPE: lightweight_hpe_net.LightweightHpeNet,
    }[architecture]()
    return made(folded_tensors(network), metadata | {'crop_px': '112'}, half)


def pose_model(**options):
    """A model file of `pose_weights`, read."""
    return made(pose_weights(**options), METADATA)


def conv(rng, outputs, inputs, kernel):
    scale = np.sqrt(2 / (inputs * kernel**2))
    weight = scale * rng.standard_normal((outputs, inputs, kernel, kernel))
    return weight.astype(np.float32), (0.1 * rng.standard_normal(outputs)).astype(np.float32)


def pose_weights(widths=WIDTHS, depth=2, shortcut=1, grid=1, seed=0, outputs=OUTPUTS, head=0.25):
    """Weights of `PoseNetwork`: stem and stages of these widths, `depth` blocks each."""
    rng = np.random.default_rng(seed)
    tensors = {}

    def add(name, *shape):
        tensors[f'{name}.weight'], tensors[f'{name}.bias'] = conv(rng, *shape)

    add('stem', widths[0], 3, 3)
    before = widths[0]
    for i, width in enumerate(widths[1:]):
        for j in range(depth):
            add(f'stages.{i}.{j}.conv1', width, before, 3)
            add(f'stages.{i}.{j}.conv2', width, width, 3)
            if j == 0:
                add(f'stages.{i}.{j}.shortcut', width, before, shortcut)
            before = width
    matrix = head * rng.standard_normal((outputs, before * grid**2)) / np.sqrt(before * grid**2)
    tensors['head.weight'] = matrix.astype(np.float32)
    tensors['head.bias'] = np.zeros(outputs, np.float32)
    return tensors


def crops(count, side, seed=3):
    """Noise and waves, (count,side,side,3) uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side]
    along_x, along_y = rng.uniform(0.05, 0.4, (2, count, 1, 1, 3))
    waves = np.sin(x[..., None] * along_x + y[..., None] * along_y)
    noise = rng.uniform(-20, 20, waves.shape)
    return np.clip(127 + 100 * waves + noise, 0, 255).astype(np.uint8)
