# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Annotated video, complete whatever ends the program.

A video needs some room to be finished (an MP4's index comes last), so room is watched while
writing: when the disk is nearly full, writing stops with an error while the file can still be
finished.
"""

from __future__ import annotations

import math
from pathlib import Path

import cv2

from headpose_ros.media.closing import Closing
from headpose_ros.media.files import SinkError, require_room, require_writable
from headpose_ros.media.frames import as_bgr
from headpose_ros.media.pictures import IMAGE_SUFFIXES
from headpose_ros.typing import Image

__all__ = ['VIDEO_CODECS', 'SinkError', 'VideoSink']

VIDEO_CODECS = {'.avi': 'MJPG', '.m4v': 'mp4v', '.mkv': 'mp4v', '.mov': 'mp4v', '.mp4': 'mp4v'}

MAX_FILL = 10.0
"""Seconds without images that a video shows by its last one; longer pauses are cut to none."""


class VideoSink(Closing):
    """Writes frames of one size and rate to a video file, or one to an image file.

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
        self._pauses = 0.0
        self._last: Image | None = None
        self._closed = False
        suffix = self.path.suffix.lower()
        if suffix not in VIDEO_CODECS and suffix not in IMAGE_SUFFIXES:
            known = ', '.join(sorted(VIDEO_CODECS))
            raise SinkError(f'{self.path}: unknown kind of video; these can be written: {known}')
        require_writable(self.path)
        require_room(self.path)
        self._writer: cv2.VideoWriter | None = None

    def write(self, image_bgr: Image, time: float | None = None) -> None:
        """Append one image (H,W,3) or (H,W), uint8, of the size given at the start.

        `time`: seconds since the start, so that images that come unevenly are played in their
        time: the last one is repeated to fill gaps, and those too many for the rate are left out.
        None: a constant rate.
        """
        if self._closed:
            raise SinkError(f'{self.path}: is closed and finished; nothing can be appended')
        image = as_bgr(image_bgr)
        if image.shape[1::-1] != self._size:
            raise ValueError(
                f'image: expected {self._size[0]}x{self._size[1]}, got '
                f'{image.shape[1]}x{image.shape[0]}'
            )
        if self.path.suffix.lower() in IMAGE_SUFFIXES:
            self._write_image(image)
            return
        late = 0.0 if time is None else self._lateness(time)
        if late <= -1.0:
            return
        while self._last is not None and late >= 1.0:
            self._append(self._last)
            late -= 1.0
        self._append(image)
        self._last = image

    def close(self) -> None:
        """Finish the file, and check that it can be read. Harmless when done twice."""
        self._closed = True
        self._last = None
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        check = cv2.VideoCapture(str(self.path))
        playable = check.isOpened() and check.read()[0]
        check.release()
        if not playable:
            raise SinkError(f'{self.path}: was not written completely; is the disk full?')

    def _open(self) -> cv2.VideoWriter:
        codec = cv2.VideoWriter.fourcc(*VIDEO_CODECS[self.path.suffix.lower()])
        writer = cv2.VideoWriter(str(self.path), codec, self._rate, self._size)
        if not writer.isOpened():
            width, height = self._size
            raise SinkError(f'{self.path}: cannot be opened for writing {width}x{height}')
        return writer

    def _lateness(self, time: float) -> float:
        """Return how many images too few were written before the one of `time`, seconds."""
        late = (time - self._pauses) * self._rate - self.frames
        if late > MAX_FILL * self._rate:
            self._pauses += late / self._rate
            return 0.0
        return late

    def _append(self, image_bgr: Image) -> None:
        require_room(self.path)
        if self._writer is None:
            self._writer = self._open()
        self._writer.write(image_bgr)
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
        written = cv2.imwrite(str(path), image_bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])
    except cv2.error:  # an ending that OpenCV does not know
        written = False
    if not written:
        raise SinkError(f'{path}: cannot be written')
