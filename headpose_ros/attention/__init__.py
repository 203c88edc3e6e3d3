# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who looks at what, who comes nearer, who nods: heads over time in, answers and events out."""

from headpose_ros.attention.attention import Attention
from headpose_ros.attention.events import HeadEvent, HeadEventType
from headpose_ros.attention.looks import Approach, AttentionResult, Look
from headpose_ros.attention.options import AttentionOptions
from headpose_ros.attention.targets import CAMERA, Place, PlacedTarget, Target

__all__ = [
    'CAMERA',
    'Approach',
    'Attention',
    'AttentionOptions',
    'AttentionResult',
    'HeadEvent',
    'HeadEventType',
    'Look',
    'Place',
    'PlacedTarget',
    'Target',
]
