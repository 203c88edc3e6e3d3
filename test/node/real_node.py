# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The real node and its real models, in a place where things fail on demand.

Environment: MODELS, a folder in place of the shipped models; ROOM, a file that says how many
images the "GPU" (OpenVINO here) holds at once, any number where it is empty. It raises what
PyTorch raises, and is tried again after half a second.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from headpose_ros.inference import fallback, protocols, runtime, weights


class OutOfMemoryError(RuntimeError):
    """As of PyTorch."""


class ScarceRuntime:
    """A runtime that holds as many images as the file says."""

    def __init__(self, inner: protocols.Runtime, room: Path) -> None:
        self.name, self.device = inner.name, inner.device
        self._inner = inner
        self._room = room

    def compile(self, *how: Any, **more: Any) -> Any:
        network = self._inner.compile(*how, **more)

        def compute(images: Any) -> Any:
            room = self._room.read_text()
            if room and len(images) > int(room):
                raise OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB.')
            return network(images)

        return compute


def scarce(room: Path) -> Any:
    """Return a `create_runtime` of the fallback around a scarce runtime."""
    create = runtime.create_runtime

    def created(device: str = 'auto', threads: int = 0) -> Any:
        gpu: Any = ScarceRuntime(create('cpu', threads), room)
        return fallback.FallbackRuntime(gpu, lambda: create('cpu', threads))

    return created


if __name__ == '__main__':
    if folder := os.environ.get('MODELS'):
        weights.MODELS = Path(folder)
    if file := os.environ.get('ROOM'):
        fallback.RETRY_SECONDS = 0.5
        runtime.create_runtime = scarce(Path(file))
    from headpose_ros.node.main import main

    sys.exit(main())
