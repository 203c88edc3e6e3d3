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
    from headpose_ros.config import PipelineConfig
    from headpose_ros.geometry import CameraModel
    from headpose_ros.heads import Head
    from headpose_ros.pipeline import HeadPosePipeline

# The generated messages (headpose_ros.msg) are installed into a folder of the same name; this
# lets a source checkout on sys.path find the built ones as well.
__path__ = extend_path(__path__, __name__)
__version__ = '0.1.0'

_HOME_OF = {
    'CameraModel': 'headpose_ros.geometry',
    'Head': 'headpose_ros.heads',
    'HeadPosePipeline': 'headpose_ros.pipeline',
    'PipelineConfig': 'headpose_ros.config',
}
__all__ = ['CameraModel', 'Head', 'HeadPosePipeline', 'PipelineConfig', '__version__']


def __getattr__(name: str) -> Any:
    """Import a public name from its module on first use (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(importlib.import_module(_HOME_OF[name]), name)
