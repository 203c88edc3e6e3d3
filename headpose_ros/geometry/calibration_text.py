# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The text of a calibration file, whatever its encoding."""

from __future__ import annotations

import codecs
import re
from os import PathLike

from headpose_ros.geometry.errors import CameraModelError

_MOST_BYTES = 16 << 20
_MARKS = (  # UTF-32 first: its mark begins as that of UTF-16
    (codecs.BOM_UTF32_LE, 'utf-32'),
    (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
    (codecs.BOM_UTF8, 'utf-8-sig'),
)
_BINARY = re.compile(r'[\x00-\x08\x0e-\x1f\x7f]')
_NOT_YAML = re.compile('[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')
"""What YAML takes for no text at all, however harmless where it stands."""


def read_text(path: str | PathLike[str]) -> str:
    """Return the text of a file in UTF-8, -16 or -32, or one whose ASCII is that of Latin-1.

    Raises OSError as `open` does, CameraModelError where it is no text.
    """
    with open(path, 'rb') as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise CameraModelError(f'larger than {_MOST_BYTES >> 20} MiB: not a calibration file')
    text = _decoded(data)
    if text is None or _BINARY.search(text):
        raise CameraModelError(
            'not a text file; expected YAML (of camera_calibration, OpenCV, Kalibr, or ros2 topic '
            'echo) or the cameras.txt of COLMAP (colmap model_converter makes it of .bin)'
        )
    return _NOT_YAML.sub('?', text)


def _decoded(data: bytes) -> str | None:
    """Return the text, or None where it is none."""
    encodings = [encoding for mark, encoding in _MARKS if data.startswith(mark)][:1]
    if not encodings and b'\0' in data:
        # Text of mostly ASCII letters has every second byte zero.
        encodings = ['utf-16-le' if data[1:2] == b'\0' else 'utf-16-be']
    for encoding in encodings or ['utf-8', 'cp1252', 'latin-1']:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
