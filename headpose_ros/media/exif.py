# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The field of view of a photograph, as its camera noted it in EXIF."""

from __future__ import annotations

import math
import struct

FILM_DIAGONAL = math.hypot(36.0, 24.0)
"""Diagonal, mm, of the film that equivalent focal lengths refer to (CIPA DCG-001)."""

ASPECT_TOLERANCE = 0.01
"""Relative difference of aspect ratios from which on a picture counts as cropped."""

_EXIF_IFD = 0x8769
_PIXELS_X, _PIXELS_Y = 0xA002, 0xA003
_FOCAL_LENGTH_35MM = 0xA405
_FORMATS = {3: 'H', 4: 'L'}
"""Types of numbers that these entries have: short and long."""


def exif_hfov(jpeg: bytes, width: int, height: int) -> float | None:
    """Return the horizontal field of view, rad, of a JPEG that is shown as `width` x `height`.

    From FocalLengthIn35mmFilm, which gives the angle across the diagonal. None where it is not
    there, or where the picture's aspect ratio is not the camera's: then it was cropped, and the
    angle is no longer known.
    """
    try:
        tags = _exif_tags(jpeg)
    except (struct.error, IndexError):  # damaged, or made by a program that makes it wrong
        return None
    focal, x, y = (tags.get(tag, 0) for tag in (_FOCAL_LENGTH_35MM, _PIXELS_X, _PIXELS_Y))
    if not (focal and x and y):
        return None
    # The entries are of the sensor as it lies; the picture may be shown upright.
    aspects = (max(x, y) / min(x, y), max(width, height) / min(width, height))
    if abs(aspects[0] / aspects[1] - 1.0) > ASPECT_TOLERANCE:
        return None
    focal_px = focal / FILM_DIAGONAL * math.hypot(width, height)
    return 2.0 * math.atan(0.5 * width / focal_px)


def _exif_tags(jpeg: bytes) -> dict[int, int]:
    """Return the whole numbers of the EXIF directory by tag, nothing where there is none."""
    tiff = _tiff_block(jpeg)
    if tiff[:2] not in (b'II', b'MM'):
        return {}
    order = '<' if tiff[:2] == b'II' else '>'
    (start,) = struct.unpack_from(order + 'L', tiff, 4)
    directory = _directory(tiff, start, order).get(_EXIF_IFD)
    return {} if directory is None else _directory(tiff, directory, order)


def _tiff_block(jpeg: bytes) -> bytes:
    """Return what the APP1 segment named Exif holds."""
    at = 2
    while jpeg[:2] == b'\xff\xd8' and jpeg[at : at + 1] == b'\xff':
        marker, (length,) = jpeg[at + 1], struct.unpack_from('>H', jpeg, at + 2)
        if marker == 0xDA:  # the picture itself begins
            break
        if marker == 0xE1 and jpeg[at + 4 : at + 10] == b'Exif\0\0':
            return jpeg[at + 10 : at + 2 + length]
        at += 2 + length
    return b''


def _directory(tiff: bytes, start: int, order: str) -> dict[int, int]:
    (count,) = struct.unpack_from(order + 'H', tiff, start)
    values = {}
    for n in range(count):
        entry = start + 2 + 12 * n
        tag, kind, number = struct.unpack_from(order + 'HHL', tiff, entry)
        if kind in _FORMATS and number == 1:
            (values[tag],) = struct.unpack_from(order + _FORMATS[kind], tiff, entry + 8)
    return values
