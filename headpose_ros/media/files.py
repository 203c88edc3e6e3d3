# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files to write: whether they can be, told before the work begins."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MIN_FREE_BYTES = 8 << 20
"""What must be left on the disk of a file that is being written."""


class SinkError(OSError):
    """An output that cannot be written; the text says which and why."""


def require_writable(path: Path) -> None:
    """Raise SinkError where a file of this name cannot be written."""
    if not path.parent.is_dir():
        raise SinkError(f'{path}: the folder {path.parent} does not exist')
    if path.is_dir():
        raise SinkError(f'{path}: is a folder; name a file in it')
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise SinkError(f'{path}: cannot be written: permission denied')


def make_folder(path: Path) -> None:
    """Make a folder to write into, where it is not there. Raises SinkError where it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise SinkError(f'{path}: is a file; name a folder') from None
    except OSError as error:
        raise SinkError(f'{path}: this folder cannot be made: {error.strerror}') from None
    if not os.access(path, os.W_OK):
        raise SinkError(f'{path}: cannot be written: permission denied')


def require_room(path: Path) -> None:
    """Raise SinkError where the disk of `path` is nearly full."""
    free = shutil.disk_usage(path.parent).free
    if free < MIN_FREE_BYTES:
        raise SinkError(
            f'{path}: only {free / 2**20:.1f} MB are left on its disk; stopped, so that what is '
            'written can still be finished'
        )
