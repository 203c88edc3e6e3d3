# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of any name, for OpenCV's video reader and writer, which do not take every name.

FFmpeg takes what stands before a colon for a protocol, and OpenCV crashes on names that are not
UTF-8, as files from old archives have. A leading / cures the first; a link the second.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def plain_name(path: Path) -> Iterator[str]:
    """Give an absolute name of the file `path` that OpenCV can open, while `with` lasts.

    The file need not be there yet. Raises OSError where no link can be made.
    """
    absolute = Path(os.path.abspath(path))
    if _is_utf8(absolute):
        yield str(absolute)
        return
    with tempfile.TemporaryDirectory(prefix='headpose_') as folder:
        link = Path(folder) / f'file{path.suffix if _is_utf8(Path(path.suffix)) else ""}'
        link.symlink_to(absolute)
        yield str(link)


def printable(text: str) -> str:
    """Return a name as UTF-8 can write it: other bytes as a backslash and a number."""
    return text.encode('utf-8', 'backslashreplace').decode('utf-8')


def write_any_name() -> None:
    """Have standard output and errors write what their encoding cannot as backslash and number.

    They would raise UnicodeEncodeError: a terminal may be ASCII only, and a name no UTF-8.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')


def _is_utf8(path: Path) -> bool:
    try:
        return str(path).encode('utf-8') == os.fsencode(path)
    except UnicodeEncodeError:
        return False
