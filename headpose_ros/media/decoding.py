# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""JPEG, PNG and the like, of files and of messages, decoded by OpenCV, or told why not.

Around JPEGs there is often something: drivers send the whole buffer of a frame, phones append a
second picture, and some cameras leave the end marker out. Only what lacks a part of the picture is
refused.
"""

from __future__ import annotations

import math
import os
import re
import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_START_OF_JPEG, _END_OF_JPEG = b'\xff\xd8', b'\xff\xd9'
_START_OF_PNG, _END_OF_PNG = b'\x89PNG\r\n\x1a\n', b'IEND'
_START_OF_SCAN = 0xDA
_PROGRESSIVE = 0xC2
_NO_FRAME_HEADERS = (0xC4, 0xC8, 0xCC)  # among the markers C0 to CF
_HEADER_BYTES = 1 << 16  # in which the frame header is looked for
_TAIL_BYTES = 1 << 10  # in which the end marker nearly always is
_MISSING = 128  # the level of blocks without data

MAX_PIXELS = 1 << 30
"""What OpenCV takes where OPENCV_IO_MAX_IMAGE_PIXELS says nothing else."""

SURELY_FREE = 1 << 24
"""Pixels for which nobody needs to ask how much memory there is."""

Bytes = NDArray[np.uint8]


class ImageError(ValueError):
    """An image that cannot be used; `kind` is a key for its cause."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def decode(data: Any, flags: int) -> NDArray[Any]:
    """Decode a picture with the IMREAD flags of OpenCV. `data`: bytes, or an array of uint8.

    Raises ImageError of the kinds `size` (more pixels than fit into memory), `length` (a part of
    the picture is missing), `encoding` (no picture).
    """
    array = np.frombuffer(data, np.uint8)
    _require_memory(array)
    _require_whole_png(array)
    is_jpeg = bytes(array[:2]) == _START_OF_JPEG
    picture = b''
    if is_jpeg and _END_OF_JPEG not in bytes(array[-_TAIL_BYTES:]):
        picture = _without_end(bytes(array))
    image = _decoded(picture + _END_OF_JPEG if picture else array, flags)
    if image is None and flags & cv2.IMREAD_ANYDEPTH:
        # A grey TIFF of floating-point numbers, which OpenCV does not turn into colour.
        grey = _decoded(array, flags & ~cv2.IMREAD_COLOR)
        image = None if grey is None else cv2.merge([grey] * 3)
    if picture and image is not None and _may_be_cut(picture, image) and _is_cut(picture):
        raise ImageError(
            'length', 'is a JPEG that is cut off: the last part of the picture is missing'
        )
    if image is None:
        what = (
            'a JPEG, but is damaged'
            if is_jpeg
            else 'not an image that OpenCV can read, or is damaged'
        )
        raise ImageError('encoding', f'is {what}')
    return image


def jpeg_size(data: Any) -> tuple[int, int] | None:
    """Return width and height that the header of a JPEG states; None where it is no JPEG."""
    header = _frame_header(data)
    return header and header[1:]


def _frame_header(data: Any) -> tuple[int, int, int] | None:
    """Return the marker of a JPEG's frame header, width and height."""
    head = bytes(data[:_HEADER_BYTES])
    at = 2
    while head[:2] == _START_OF_JPEG and at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME_HEADERS:
            height, width = struct.unpack('>HH', head[at + 5 : at + 9])
            return marker, width, height
        at += 2 + int.from_bytes(head[at + 2 : at + 4], 'big')
    return None


def _stated_size(data: Bytes) -> tuple[int, int] | None:
    """Return width and height as the header of a JPEG, PNG, BMP or PNM states them."""
    head = bytes(data[:64])
    if head[:8] == _START_OF_PNG and len(head) >= 24:
        width, height = struct.unpack('>LL', head[16:24])
        return width, height
    if head[:2] == b'BM' and len(head) >= 26:
        width, height = struct.unpack('<ll', head[18:26])
        return abs(width), abs(height)
    if plain := re.match(rb'P[1-6]\s+(?:#[^\n]*\s+)*(\d{1,10})\s+(\d{1,10})\s', head):
        return int(plain[1]), int(plain[2])
    return jpeg_size(data)


def _require_memory(data: Bytes) -> None:
    size = _stated_size(data)
    if size is None:
        return
    pixels = size[0] * size[1]
    most = int(os.environ.get('OPENCV_IO_MAX_IMAGE_PIXELS', MAX_PIXELS))
    free = _free_bytes() if pixels > SURELY_FREE else math.inf
    if pixels > most or 3 * pixels > free:
        limit = f'{most / 1e6:.0f} million are read'
        if 3 * pixels > free:
            limit = f'{3e-9 * pixels:.1f} GB, and {1e-9 * free:.1f} GB of memory are free'
        raise ImageError(
            'size', f'has {size[0]}x{size[1]} pixels by its header ({limit}); is it damaged?'
        )


def _require_whole_png(data: Bytes) -> None:
    """Refuse a PNG with a chunk that is longer than what came: OpenCV takes memory for all of it.

    A chunk is its length, its name, so many bytes, and a checksum (PNG specification, 5.3).
    """
    at = len(_START_OF_PNG)
    if bytes(data[:at]) != _START_OF_PNG:
        return
    while at + 8 <= len(data):
        length, name = struct.unpack('>L4s', bytes(data[at : at + 8]))
        at += 12 + length
        if at > len(data):
            raise ImageError(
                'length',
                f'is a PNG, but cut off or damaged: {at - len(data)} bytes are missing',
            )
        if name == _END_OF_PNG:
            return


def _free_bytes() -> int:
    try:
        found = re.search(r'MemAvailable:\s*(\d+) kB', Path('/proc/meminfo').read_text('ascii'))
    except OSError:
        found = None
    return int(found[1]) << 10 if found else 1 << 62


def _without_end(jpeg: bytes) -> bytes:
    """Return a JPEG up to where its end marker is missing; nothing where it has one somewhere."""
    if jpeg.rfind(_END_OF_JPEG) > _first_scan(jpeg):
        return b''  # something follows it, which no decoder looks at
    # Padding by zeros would be taken for a part of the picture, which may end by one or two.
    return jpeg[: len(jpeg.rstrip(b'\0')) + 2].rstrip(b'\xff')


def _may_be_cut(picture: bytes, image: NDArray[Any]) -> bool:
    """Return whether a corner, of which one is the last, is as decoders leave what is missing.

    A progressive JPEG has all corners from its first pass on.
    """
    header = _frame_header(picture)
    if header is not None and header[0] == _PROGRESSIVE:
        return True
    ends = (slice(-4, None), slice(None, 4))
    return any(bool((image[rows, columns] == _MISSING).all()) for rows in ends for columns in ends)


def _is_cut(picture: bytes) -> bool:
    """Return whether a JPEG lacks more than its end: else nothing that follows can change it."""
    tails = (b'', b'\xaa' * 64, b'\x55' * 64)
    first, *others = (_decoded(picture + t + _END_OF_JPEG, cv2.IMREAD_COLOR) for t in tails)
    return any(a is None or first is None or not np.array_equal(a, first) for a in others)


def _first_scan(jpeg: bytes) -> int:
    """Return where the picture itself begins: a preview in the header has an end marker, too."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF and jpeg[at + 1] != _START_OF_SCAN:
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], 'big')
    return at


def _decoded(data: Bytes | bytes, flags: int) -> NDArray[Any] | None:
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # for example more pixels than OpenCV takes
        return None
