# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Head poses in the camera's optical frame, right anywhere in the image.

The names below are loaded when first used, so that a program which needs only the geometry does
not pay for the networks.
"""

from __future__ import annotations

import importlib
from pkgutil import extend_path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headpose_ros.attention import Attention, AttentionOptions, HeadEventType, Place, Target
    from headpose_ros.config import PipelineConfig
    from headpose_ros.detection import BoxToFace, FaceSearch
    from headpose_ros.geometry import CameraModel
    from headpose_ros.heads import Boxes, Head, Roi
    from headpose_ros.hindsight import Hindsight
    from headpose_ros.media.drawing import annotate
    from headpose_ros.media.sources import open_source
    from headpose_ros.pipeline import HeadPosePipeline
    from headpose_ros.result import FrameResult

# The generated messages (headpose_ros.msg) are installed into a folder of the same name; this
# lets a source checkout on sys.path find the built ones as well.
__path__ = extend_path(__path__, __name__)
__version__ = '0.1.0'

_HOME_OF = {
    'Attention': 'headpose_ros.attention',
    'AttentionOptions': 'headpose_ros.attention',
    'BoxToFace': 'headpose_ros.detection',
    'Boxes': 'headpose_ros.heads',
    'CameraModel': 'headpose_ros.geometry',
    'FaceSearch': 'headpose_ros.detection',
    'FrameResult': 'headpose_ros.result',
    'Head': 'headpose_ros.heads',
    'HeadEventType': 'headpose_ros.attention',
    'HeadPosePipeline': 'headpose_ros.pipeline',
    'Hindsight': 'headpose_ros.hindsight',
    'PipelineConfig': 'headpose_ros.config',
    'Place': 'headpose_ros.attention',
    'Roi': 'headpose_ros.heads',
    'Target': 'headpose_ros.attention',
    'annotate': 'headpose_ros.media.drawing',
    'open_source': 'headpose_ros.media.sources',
}
__all__ = [
    'Attention',
    'AttentionOptions',
    'BoxToFace',
    'Boxes',
    'CameraModel',
    'FaceSearch',
    'FrameResult',
    'Head',
    'HeadEventType',
    'HeadPosePipeline',
    'Hindsight',
    'PipelineConfig',
    'Place',
    'Roi',
    'Target',
    '__version__',
    'annotate',
    'open_source',
]


def __getattr__(name: str) -> Any:
    """Import a public name from its module on first use (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    """List the public names as well, whether they are loaded yet or not."""
    return sorted({*globals(), *__all__})
