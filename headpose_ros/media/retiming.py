# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Gives each image of a finished MP4 or MOV file a time of its own.

OpenCV writes images at one rate only. Where they came unevenly, the table of durations in the
file's index is written anew; the images stay as they are. The format is the ISO base media file
format, ISO/IEC 14496-12, whose boxes the names of four letters stand for.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import numpy as np

from headpose_ros.typing import Array

FINE, COARSE = 90_000, 1_000
"""Ticks a second: those of video, and those for what lasts longer than hours."""

_MAX_TICKS = 1 << 31
_HOLD_BOXES = (b'trak', b'edts', b'mdia', b'minf', b'stbl')


class LayoutError(ValueError):
    """A file that is laid out in an unexpected way; it was left as it is."""


def retime(path: Path, times: Sequence[float], last: float) -> None:
    """Show the images of a file at `times`, seconds, increasing; the last one for `last` seconds.

    The first is shown at the beginning. Raises LayoutError where the file has another number of
    images, or where its index is not its end.
    """
    moments = np.append(np.asarray(times, np.float64), times[-1] + last) - times[0]
    with path.open('r+b') as file:
        start = _start_of_index(file)
        file.seek(start)
        try:
            index = _Timeline(moments).of_index(file.read())
        except struct.error:
            raise LayoutError('its index is damaged') from None
        file.seek(start)
        file.write(index)
        file.truncate()


def _start_of_index(file: BinaryIO) -> int:
    """Return where `moov` begins, which must be the last box."""
    end = file.seek(0, 2)
    start, name = 0, b''
    while start + 8 <= end:
        file.seek(start)
        head = file.read(16)
        size, name = struct.unpack('>L4s', head[:8])
        if size == 1:
            (size,) = struct.unpack('>Q', head[8:])
        if name == b'moov' and start + size == end:
            return start
        start += max(size, 8)
    raise LayoutError(f'the index is not the last box, which is {name!r}')


class _Timeline:
    """Writes the times into the boxes of an index. `moments`: seconds, and the end."""

    def __init__(self, moments: Array) -> None:
        self._seconds = float(moments[-1])
        self._scale = FINE if self._seconds * FINE < _MAX_TICKS else COARSE
        ticks = np.round(moments * self._scale).astype(np.int64)
        ticks = np.maximum.accumulate(ticks - np.arange(len(ticks))) + np.arange(len(ticks))
        self._durations = np.diff(ticks).tolist()
        self._movie_scale = 0

    def of_index(self, moov: bytes) -> bytes:
        """Return the box `moov` with the times."""
        return _box(b'moov', self._of_boxes(moov[8:]))

    def _of_boxes(self, data: bytes) -> bytes:
        return b''.join(_box(name, self._of_box(name, body)) for name, body in _boxes(data))

    def _of_box(self, name: bytes, body: bytes) -> bytes:
        if name in _HOLD_BOXES:
            return self._of_boxes(body)
        wide = body[:1] == b'\x01'  # version 1 has times of 64 bits
        if name == b'mvhd':
            (self._movie_scale,) = struct.unpack_from('>L', body, 20 if wide else 12)
            return _with(body, 24 if wide else 16, wide, self._ticks(self._movie_scale))
        if name == b'tkhd':
            return _with(body, 28 if wide else 20, wide, self._ticks(self._movie_scale))
        if name == b'elst':
            return _with(body, 8, wide, self._ticks(self._movie_scale))
        if name == b'mdhd':
            body = _with(body, 20 if wide else 12, False, self._scale)
            return _with(body, 24 if wide else 16, wide, sum(self._durations))
        return self._table(body) if name == b'stts' else body

    def _ticks(self, scale: int) -> int:
        return round(self._seconds * scale)

    def _table(self, body: bytes) -> bytes:
        """Return `stts`: how many images in a row have which duration."""
        (rows,) = struct.unpack_from('>L', body, 4)
        images = sum(struct.unpack_from(f'>{2 * rows}L', body, 8)[::2])
        if images != len(self._durations):
            raise LayoutError(f'it has {images} images, and {len(self._durations)} were written')
        runs = [(len(list(run)), ticks) for ticks, run in groupby(self._durations)]
        return (
            body[:4]
            + struct.pack('>L', len(runs))
            + b''.join(struct.pack('>LL', *r) for r in runs)
        )


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from('>L4s', data, at)
        if not 8 <= size <= len(data) - at:
            raise LayoutError(f'a box {name!r} of {size} bytes does not fit')
        yield name, data[at + 8 : at + size]
        at += size


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack('>L4s', 8 + len(body), name) + body


def _with(body: bytes, at: int, wide: bool, number: int) -> bytes:
    """Return the body of a box with another number of 32 bits, or 64, at a place."""
    packed = struct.pack('>Q' if wide else '>L', number)
    return body[:at] + packed + body[at + len(packed) :]
