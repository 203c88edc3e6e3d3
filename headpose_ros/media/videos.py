# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Video files, through OpenCV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2

from headpose_ros.media.frames import Frame, FrameSource, SourceError, as_bgr, stated_rate
from headpose_ros.media.pictures import IMAGE_RATE_HZ
from headpose_ros.typing import Image


class VideoSource(FrameSource):
    """A video file; times are the file's own, unless a rate is given."""

    def __init__(self, path: Path, loop: bool = False, rate: float | None = None) -> None:
        self.name = path.name
        self._path = path
        self._loop = loop
        self._capture = _open_capture(path)
        self._position = 0.0
        """Time of the image read last as the file says, seconds."""
        image = self._next()
        if image is None:
            self.close()
            raise SourceError(f'{path}: holds no image that OpenCV can decode')
        self._first: Image | None = image
        self.height, self.width = image.shape[:2]
        self._own_rate = stated_rate(self._capture) or IMAGE_RATE_HZ
        self._stamped = rate is None
        self.rate_hz = rate or self._own_rate
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
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

    def _rewind(self) -> None:
        """Start again; opening anew works for every container, which seeking does not."""
        self._capture.release()
        self._capture = _open_capture(self._path)
        self._first = self._next()
        if self._first is None:
            raise SourceError(f'{self._path}: cannot be read a second time; did it change?')

    def _next(self) -> Image | None:
        read, image = self._capture.read()
        if not read:
            return None
        self._position = 1e-3 * float(self._capture.get(cv2.CAP_PROP_POS_MSEC))
        return as_bgr(image)

    def _check_complete(self, images: int, last: float) -> None:
        """Tell a file that breaks off from one that ends; headers may be a little wrong.

        Some containers state a duration, from which OpenCV reckons a count: with images that come
        unevenly that is too large, but then the last one's time, in seconds, is near the end.
        """
        expected = 0.9 * (self.frame_count or 0) - 1
        if images < expected and last * self._own_rate < expected - 1:
            raise SourceError(
                f'{self._path}: breaks off after {images} of {self.frame_count} images; '
                'the file is damaged or incomplete'
            )


def _open_capture(path: Path) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise SourceError(f'{path}: is neither an image nor a video that OpenCV can read')
    return capture
