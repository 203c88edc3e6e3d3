# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every network once, as a PyTorch module: what trains, what runs on GPUs, what model files hold.

Importing this package imports no PyTorch. The architecture of a model file, in its metadata, says
which module its tensors belong to. All modules take images (N,H,W,3) BGR, 0..255, and return a
tuple of outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headpose_ros.inference.networks.layers import Network, Tensors

POSE = 'headpose-pose-network'
LANDMARKS = 'headpose-landmarks-68'
PROPOSALS = 'headpose-proposal-network'
PNET, RNET, ONET = 'mtcnn-pnet', 'mtcnn-rnet', 'mtcnn-onet'
RETINAFACE = 'retinaface-mobilenet0.25'
LIGHTWEIGHT_HPE = 'lightweight-hpe'


def network_of(metadata: Mapping[str, str], tensors: Tensors) -> Network:
    """Return the module of a model file, with these tensors, ready to run.

    Its size is that of the tensors. Raises ValueError where the architecture in `metadata` is not
    known, or tensors are missing, unknown or of another shape.
    """
    from headpose_ros.inference.networks.layers import load_tensors

    try:
        network = _untrained(metadata, tensors)
    except KeyError as missing:
        raise ValueError(f'no tensor or metadata {missing}') from None
    load_tensors(network, tensors)
    return network.eval()


def _untrained(metadata: Mapping[str, str], tensors: Tensors) -> Network:
    architecture = metadata.get('architecture', 'none named')
    if architecture == POSE:
        from headpose_ros.inference.networks.pose_net import PoseNet

        return PoseNet.shaped_as(tensors, metadata)
    if architecture == LANDMARKS:
        from headpose_ros.inference.networks.landmark_net import LandmarkNet

        return LandmarkNet.shaped_as(tensors, metadata)
    if architecture == PROPOSALS:
        from headpose_ros.inference.networks.proposal_net import ProposalNet

        return ProposalNet.shaped_as(tensors)
    if architecture in (PNET, RNET, ONET):
        from headpose_ros.inference.networks import mtcnn_nets as mtcnn

        return {PNET: mtcnn.PNet, RNET: mtcnn.RNet, ONET: mtcnn.ONet}[architecture]()
    if architecture == RETINAFACE:
        from headpose_ros.inference.networks.retinaface_net import RetinaFaceNet

        return RetinaFaceNet()
    if architecture == LIGHTWEIGHT_HPE:
        from headpose_ros.inference.networks.lightweight_hpe_net import LightweightHpeNet

        return LightweightHpeNet()
    raise ValueError(f'architecture {architecture} is none that PyTorch can be given here')
