# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Video files, whose images have the times that the file gives them.

What a header says of rate and count is a guess in many files: browsers write 1000 images a second
and no length, a recorder that paused the mean, raw streams nothing. So both are taken from the
times of the first images, as far as these go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from headpose_ros.media.file_names import plain_name
from headpose_ros.media.frames import (
    MAX_RATE_HZ,
    Frame,
    FrameSource,
    SourceError,
    as_bgr,
    stated_rate,
)
from headpose_ros.media.levels import Levels
from headpose_ros.media.pictures import IMAGE_RATE_HZ
from headpose_ros.typing import Image

SCANNED = 24
"""Images whose times are looked at first."""

TRUE_ENOUGH = 0.1
"""A stated rate this near to the times' own, as a share of it, is the better one: it is exact."""


_DEEP_GREY = tuple(int.from_bytes(b'Y1\0' + bytes([bits]), 'little') for bits in (10, 12, 14, 16))
"""Pixel formats of thermal and infrared recordings, of which OpenCV keeps the upper 8 bits."""


class VideoSource(FrameSource):
    """A video file; times are the file's own, unless a rate is given."""

    def __init__(self, path: Path, loop: bool = False, rate: float | None = None) -> None:
        self.name = path.name
        self._path = path
        self._loop = loop
        self._levels = Levels()
        self._capture = _open_capture(path)
        self._position = 0.0
        """Time of the image read last as the file says, seconds."""
        image = self._next()
        if image is None:
            self.close()
            raise SourceError(f'{path}: holds no image that OpenCV can decode')
        self._first: Image | None = image
        self.height, self.width = image.shape[:2]
        stated = stated_rate(self._capture)
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        times, whole = self._scan() if path.is_file() else ([], False)
        self._stated_count = count
        count = len(times) if whole else count
        self._own_rate = stated or IMAGE_RATE_HZ
        self._stamped = rate is None
        self.rate_hz = rate or usual_rate(times, stated) or IMAGE_RATE_HZ
        self.frame_count = count if count > 0 and not loop else None

    def __iter__(self) -> Iterator[Frame]:
        self._require_open()
        if self._first is None:
            self._rewind()
        index = 0
        began = self._position
        time = offset = 0.0
        while True:
            self._require_open()
            image = self._first if self._first is not None else self._next()
            self._first = None
            if image is not None:
                if index:
                    stamp = offset + self._position - began
                    # A file that says nothing useful of its times is taken to be even.
                    even = time + 1.0 / self.rate_hz
                    time = stamp if self._stamped and stamp > time else even
                yield self._frame(image, time, index)
                index += 1
            elif self._loop:
                offset = time + 1.0 / self.rate_hz
                self._rewind()
            else:
                self._check_complete(index, self._position - began)
                return

    def close(self) -> None:
        """Release the file."""
        super().close()
        self._capture.release()

    def _scan(self) -> tuple[list[float], bool]:
        """Return the times of the first images, seconds, and whether there are no more."""
        times = [self._position]
        while len(times) < SCANNED and self._capture.grab():
            times.append(self._moment())
        whole = len(times) < SCANNED
        self._rewind()
        return times, whole

    def _rewind(self) -> None:
        """Start again; opening anew works for every container, which seeking does not."""
        self._capture.release()
        self._capture = _open_capture(self._path)
        self._levels = Levels()
        self._first = self._next()
        if self._first is None:
            raise SourceError(f'{self._path}: cannot be read a second time; did it change?')

    def _next(self) -> Image | None:
        try:
            read, image = self._capture.read()
        except cv2.error:
            raise SourceError(
                f'{self._path}: holds an image that OpenCV cannot decode; is it damaged, or '
                'larger than the memory?'
            ) from None
        if not read:
            return None
        self._position = self._moment()
        return as_bgr(self._levels.eight_bit(image))

    def _moment(self) -> float:
        return 1e-3 * float(self._capture.get(cv2.CAP_PROP_POS_MSEC))

    def _check_complete(self, images: int, last: float) -> None:
        """Tell a file that breaks off from one that ends; headers may be a little wrong.

        Some containers state a duration, from which OpenCV reckons a count: with images that come
        unevenly that is too large, but then the last one's time, in seconds, is near the end.
        """
        stated = max(self._stated_count, self.frame_count or 0)
        expected = 0.9 * stated - 1
        if images < expected and last * self._own_rate < expected - 1:
            raise SourceError(
                f'{self._path}: breaks off after {images} of {stated} images; '
                'the file is damaged or incomplete'
            )


def usual_rate(times: Sequence[float], stated: float | None) -> float | None:
    """Return images a second, between pauses. `stated`: what the header says, which may be wrong.

    `times`: of some images, seconds; where they say nothing, `stated` is returned.
    """
    gaps = np.diff(times)
    gaps = gaps[gaps > 0.0]
    if not len(gaps):
        return stated
    measured = 1.0 / float(gaps[gaps <= 1.5 * np.median(gaps)].mean())
    if measured > MAX_RATE_HZ:
        return stated
    close = stated is not None and abs(stated / measured - 1.0) <= TRUE_ENOUGH
    return stated if close else measured


def _open_capture(path: Path) -> cv2.VideoCapture:
    with plain_name(path) as name:
        capture = cv2.VideoCapture(name)
    if not capture.isOpened():
        raise SourceError(f'{path}: is neither an image nor a video that OpenCV can read')
    if int(capture.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)) in _DEEP_GREY:
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)  # an OpenCV that cannot goes on as before
    return capture
