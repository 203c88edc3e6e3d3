# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sizes of what MTCNN's networks see; the networks: `inference/networks/mtcnn_nets.py`."""

from __future__ import annotations

from headpose_ros.inference.networks import ONET, PNET, RNET

__all__ = ['ONET', 'ONET_PX', 'PNET', 'PNET_CELL', 'PNET_STRIDE', 'RNET', 'RNET_PX']

PNET_CELL, PNET_STRIDE = 12, 2
RNET_PX, ONET_PX = 24, 48
