# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Annotated video, complete whatever ends the program, each image at its time.

A video needs some room to be finished (an MP4's index comes last), so room is watched while
writing: when the disk is nearly full, writing stops with an error while the file can still be
finished.
"""

from __future__ import annotations

import logging
import math
from array import array
from pathlib import Path

import cv2

from headpose_ros.media.closing import Closing
from headpose_ros.media.file_names import plain_name
from headpose_ros.media.files import SinkError, require_room, require_writable
from headpose_ros.media.frames import as_bgr
from headpose_ros.media.pictures import IMAGE_SUFFIXES
from headpose_ros.media.retiming import LayoutError, retime
from headpose_ros.typing import Image

__all__ = ['VIDEO_CODECS', 'SinkError', 'VideoSink']

_LOG = logging.getLogger(__name__)

VIDEO_CODECS = {'.avi': 'MJPG', '.m4v': 'mp4v', '.mkv': 'mp4v', '.mov': 'mp4v', '.mp4': 'mp4v'}

TIMED = frozenset({'.m4v', '.mov', '.mp4'})
"""Videos whose images have times of their own; the others have one rate, and repeat images."""

MIN_RATE_HZ = 1.0
"""The lowest rate that codecs are asked for: below it they round it."""

MAX_FILL = 600.0
"""Seconds without images that a video of one rate shows by its last one; what is longer is cut."""

EVEN = 1e-3
"""Seconds by which images may be early or late and still come evenly: files round times."""

MIN_GAP = 1e-3
"""Seconds between two images at least, where their times say less, or that they go back."""

TOLD_LATE = 1.0
"""Seconds by which a video may end late, or be cut, without a word."""


class VideoSink(Closing):
    """Writes frames of one size to a video file, or one to an image file.

    Every image is written, at its time. MP4 and MOV hold each once, for as long as it lasts. Other
    videos have one rate: there the last image is repeated to fill gaps, and images that come
    faster than the rate are shown late.

    Use it with `with`: the file is finished on leaving, also by an exception. It is begun with the
    first image: what was there by its name stays until there is something to write. Codecs take an
    even number of rows and columns: an odd last one is left out. Raises SinkError where it cannot
    write, where the disk is nearly full, and after `close`; ValueError for a rate that is not
    positive.
    """

    def __init__(self, path: str | Path, width: int, height: int, rate_hz: float) -> None:
        self.path = Path(path)
        self.frames = 0
        self._size = (width, height)
        if not 0.0 < rate_hz < math.inf:
            raise ValueError(f'rate_hz: expected a positive number of images a second: {rate_hz}')
        self._rate = rate_hz
        self._times = array('d')
        self._cut = self._late = 0.0
        self._last: Image | None = None
        self._closed = False
        self._suffix = self.path.suffix.lower()
        if self._suffix not in VIDEO_CODECS and self._suffix not in IMAGE_SUFFIXES:
            known = ', '.join(sorted(VIDEO_CODECS))
            raise SinkError(f'{self.path}: unknown kind of video; these can be written: {known}')
        self._timed = self._suffix in TIMED
        self._written_rate = max(rate_hz, MIN_RATE_HZ)
        require_writable(self.path)
        require_room(self.path)
        self._writer: cv2.VideoWriter | None = None

    def write(self, image_bgr: Image, time: float | None = None) -> None:
        """Append one image (H,W,3) or (H,W), uint8, of the size given at the start.

        `time`: seconds since the start, so that images that come unevenly are played in their
        time. None: one image's length after the one before.
        """
        if self._closed:
            raise SinkError(f'{self.path}: is closed and finished; nothing can be appended')
        image = as_bgr(image_bgr)
        if image.shape[1::-1] != self._size:
            raise ValueError(
                f'image: expected {self._size[0]}x{self._size[1]}, got '
                f'{image.shape[1]}x{image.shape[0]}'
            )
        if self._suffix in IMAGE_SUFFIXES:
            self._write_image(image)
            return
        time = self._increasing(time)
        if not self._timed:
            self._fill_until(time)
        self._append(image)
        self._times.append(time)

    def close(self) -> None:
        """Finish the file, and check that it can be read. Harmless when done twice."""
        self._closed = True
        self._last = None
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        if self._timed and not self._is_even():
            self._give_times()
        with plain_name(self.path) as name:
            check = cv2.VideoCapture(name)
            playable = check.isOpened() and check.read()[0]
            check.release()
        if not playable:
            raise SinkError(f'{self.path}: was not written completely; is the disk full?')
        if self._late > TOLD_LATE or self._cut > TOLD_LATE:
            what = f'a pause was cut by {self._cut:.1f} s' if self._cut > self._late else (
                f'images are shown up to {self._late:.1f} s late'
            )  # fmt: skip
            _LOG.warning(
                '%s: %s, since a video of this kind has one rate; an .mp4 shows any times',
                self.path,
                what,
            )

    def _increasing(self, time: float | None) -> float:
        if not self._times:
            return 0.0 if time is None else time
        before = self._times[-1]
        return before + 1.0 / self._rate if time is None else max(time, before + MIN_GAP)

    def _is_even(self) -> bool:
        first = self._times[0]
        return self._written_rate == self._rate and all(
            abs(time - first - number / self._rate) <= EVEN
            for number, time in enumerate(self._times)
        )

    def _give_times(self) -> None:
        try:
            retime(self.path, self._times, 1.0 / self._rate)
        except (LayoutError, OSError) as error:
            raise SinkError(
                f'{self.path}: holds all images, but not at their times: {error}'
            ) from None

    def _fill_until(self, time: float) -> None:
        """Repeat the last image until it is the turn of the one of `time`, seconds."""
        if self._last is None:
            return
        late = (time - self._times[0] - self._cut) * self._written_rate - self.frames
        if late > MAX_FILL * self._written_rate:
            self._cut += late / self._written_rate - MAX_FILL
            late = MAX_FILL * self._written_rate
        self._late = max(self._late, -late / self._written_rate)
        for _ in range(math.floor(late + 1e-6)):  # an image may be early by less than one
            self._append(self._last)

    def _open(self) -> cv2.VideoWriter:
        codec = cv2.VideoWriter.fourcc(*VIDEO_CODECS[self._suffix])
        with plain_name(self.path) as name:
            writer = cv2.VideoWriter(name, codec, self._written_rate, self._size)
        if not writer.isOpened():
            width, height = self._size
            raise SinkError(f'{self.path}: cannot be opened for writing {width}x{height}')
        return writer

    def _append(self, image_bgr: Image) -> None:
        require_room(self.path)
        if self._writer is None:
            self._writer = self._open()
        self._writer.write(image_bgr)
        self._last = None if self._timed else image_bgr
        self.frames += 1

    def _write_image(self, image_bgr: Image) -> None:
        if self.frames:
            known = ', '.join(sorted(VIDEO_CODECS))
            raise SinkError(
                f'{self.path}: holds one image, and this is another; for a video, name one of '
                f'these: {known}'
            )
        require_room(self.path)
        write_picture(self.path, image_bgr)
        self.frames += 1


def write_picture(path: Path, image_bgr: Image) -> None:
    """Write one picture in the format of the name's ending. Raises SinkError where it cannot."""
    try:
        done, data = cv2.imencode(path.suffix, image_bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])
    except (cv2.error, UnicodeEncodeError):  # an ending that OpenCV does not know
        done = False
    if not done:
        raise SinkError(f'{path}: cannot be written: unknown kind of picture {path.suffix!r}')
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise SinkError(f'{path}: cannot be written: {error.strerror}') from None
