# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Video files, images, folders of images and webcams, all as one stream of frames."""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from headpose_ros.media.closing import Closing
from headpose_ros.typing import Image

IMAGE_SUFFIXES = frozenset(
    {'.bmp', '.jpeg', '.jpg', '.png', '.pgm', '.ppm', '.tif', '.tiff', '.webp'}
)
IMAGE_RATE_HZ = 10.0
"""Rate of folders of images, and of videos that do not say theirs."""

WEBCAM_RATE_HZ = 30.0


class SourceError(OSError):
    """An input that cannot be opened or read to its end; the text says which and why."""


@dataclass(frozen=True)
class Frame:
    """One image (H,W,3) uint8 BGR, its time in seconds since the start, its index from 0.

    `name` tells the frame from others in a table: a file's name, or the video's and the index.
    """

    image_bgr: Image
    time: float
    index: int
    name: str


class FrameSource(Closing, ABC):
    """A stream of frames of one size; iterate over it, then close it (or use `with`).

    `rate_hz`: images a second, as far as they come evenly. `frame_count`: None where it is endless
    or not known. Iterating raises SourceError where reading breaks off.
    """

    name: str
    width: int
    height: int
    rate_hz: float
    frame_count: int | None

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]: ...


def open_source(uri: str | Path, *, loop: bool = False, rate: float | None = None) -> FrameSource:
    """Open a video file, an image, a folder of images, or a webcam ('0', '/dev/video0').

    `loop` starts files over when they end; time and index go on. `rate`: images a second, in
    place of the file's own; a webcam is asked for it. A folder's images are taken in natural
    order (2 before 10). Raises SourceError where there is nothing to read, ValueError for a rate
    that is not positive.
    """
    if rate is not None and not 0.0 < rate < float('inf'):
        raise ValueError(f'rate: expected a positive number of images a second, got {rate}')
    text = str(uri)
    if re.fullmatch(r'\d+', text) and not Path(text).exists():
        return WebcamSource(int(text), rate)
    path = Path(text)
    if re.fullmatch(r'/dev/video\d+', text):
        if not path.exists():
            raise SourceError(f'{text}: no such camera; is it plugged in?')
        return WebcamSource(text, rate)
    if path.is_dir():
        return ImageSource(_images_in(path), path.name, loop, rate)
    if not path.exists():
        raise SourceError(f'{text}: no such file, folder or camera')
    if path.stat().st_size == 0:
        raise SourceError(f'{text}: the file is empty')
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return ImageSource([path], path.name, loop, rate)
    return VideoSource(path, loop, rate)


class ImageSource(FrameSource):
    """Image files, shown one after the other."""

    def __init__(self, paths: list[Path], name: str, loop: bool, rate: float | None) -> None:
        first = _read_image(paths[0])
        self.name = name
        self.height, self.width = first.shape[:2]
        self.rate_hz = rate or IMAGE_RATE_HZ
        self.frame_count = None if loop else len(paths)
        self._paths = paths
        self._loop = loop

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while True:
            for path in self._paths:
                image = _read_image(path)
                if image.shape[:2] != (self.height, self.width):
                    raise SourceError(
                        f'{path}: is {image.shape[1]}x{image.shape[0]}, but the first image was '
                        f'{self.width}x{self.height}; all images must have one size'
                    )
                yield Frame(image, index / self.rate_hz, index, path.name)
                index += 1
            if not self._loop:
                return


class VideoSource(FrameSource):
    """A video file, through OpenCV; times are the file's own, unless a rate is given."""

    def __init__(self, path: Path, loop: bool, rate: float | None) -> None:
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
        self.name = path.name
        self.height, self.width = image.shape[:2]
        own_rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        self._own_rate = own_rate if 0.1 <= own_rate <= 1000.0 else IMAGE_RATE_HZ
        self._stamped = rate is None
        self.rate_hz = rate or self._own_rate
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.frame_count = count if count > 0 and not loop else None

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        began = self._position
        time = offset = 0.0
        while True:
            image = self._first if self._first is not None else self._next()
            self._first = None
            if image is not None:
                if index:
                    stamp = offset + self._position - began
                    # A file that says nothing useful of its times is taken to be even.
                    even = time + 1.0 / self.rate_hz
                    time = stamp if self._stamped and stamp > time else even
                yield Frame(image, time, index, f'{self.name}#{index:06d}')
                index += 1
            elif self._loop:
                offset = time + 1.0 / self.rate_hz
                self._capture.release()
                self._capture = _open_capture(self._path)
            else:
                self._check_complete(index, self._position - began)
                return

    def close(self) -> None:
        """Release the file."""
        self._capture.release()

    def _next(self) -> Image | None:
        read, image = self._capture.read()
        if not read:
            return None
        self._position = 1e-3 * float(self._capture.get(cv2.CAP_PROP_POS_MSEC))
        return np.asarray(image, np.uint8)

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


class WebcamSource(FrameSource):
    """A camera of this machine. It gives the newest image; time is that of its arrival."""

    def __init__(self, device: int | str, rate: float | None) -> None:
        self._capture = cv2.VideoCapture(device)
        self.name = f'camera {device}'
        if rate is not None:
            self._capture.set(cv2.CAP_PROP_FPS, rate)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        read, image = self._capture.read()
        if not read:
            self.close()
            raise SourceError(
                f'{self.name}: cannot be opened; is it plugged in, free, and readable by this '
                'user (group "video")?'
            )
        self.height, self.width = image.shape[:2]
        self.rate_hz = float(self._capture.get(cv2.CAP_PROP_FPS)) or rate or WEBCAM_RATE_HZ
        self.frame_count = None

    def __iter__(self) -> Iterator[Frame]:
        start = time.monotonic()
        index = 0
        while True:
            read, image = self._capture.read()
            if not read:
                raise SourceError(f'{self.name}: gives no more images; was it unplugged?')
            elapsed = time.monotonic() - start
            name = f'{self.name}#{index:06d}'
            yield Frame(np.asarray(image, np.uint8), elapsed, index, name)
            index += 1

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()


def _open_capture(path: Path) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise SourceError(f'{path}: is neither an image nor a video that OpenCV can read')
    return capture


def _images_in(folder: Path) -> list[Path]:
    paths = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith('.')
    ]
    if not paths:
        known = ', '.join(sorted(IMAGE_SUFFIXES))
        raise SourceError(f'{folder}: holds no images ({known})')
    return sorted(paths, key=_natural)


def _natural(path: Path) -> list[tuple[int, int | str]]:
    parts = re.split(r'(\d+)', path.name.lower())
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


def _read_image(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise SourceError(f'{path}: is not an image that OpenCV can read')
    return np.asarray(image, np.uint8)
