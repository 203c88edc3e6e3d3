# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every source of images has in common: frames, their time, their size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from headpose_ros.media.closing import Closing
from headpose_ros.typing import Image

MIN_RATE_HZ, MAX_RATE_HZ = 0.1, 1000.0
"""Rates outside of these, as some files and drivers state them, are taken for not known."""


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

    Files start again with each iteration; cameras and streams go on with the newest image, their
    time starting at 0. `rate_hz`: images a second, as far as they come evenly. `frame_count`: None
    where it is endless or not known. `unreadable`: images that were left out, each
    told in the log. Iterating raises SourceError where reading breaks off, where an image has
    another size than the first, and after `close`.
    """

    name: str
    width: int
    height: int
    rate_hz: float
    frame_count: int | None
    unreadable: int = 0
    closed: bool = False
    _size_hint = 'all images of a stream must have one size'

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None:
        """Release the file or the device. Harmless when done twice."""
        self.closed = True

    def _frame(self, image: Image, time: float, index: int, name: str = '') -> Frame:
        """Return the frame of `image`; raise SourceError where its size is another."""
        height, width = image.shape[:2]
        name = name or f'{self.name}#{index:06d}'
        if (width, height) != (self.width, self.height):
            raise SourceError(
                f'{name}: is {width}x{height}, but the first image was '
                f'{self.width}x{self.height}; {self._size_hint}'
            )
        return Frame(image, time, index, name)

    def _require_open(self) -> None:
        if self.closed:
            raise SourceError(f'{self.name}: is closed; open it again to read more')


def as_bgr(image: Any) -> Image:
    """Return an image (H,W), (H,W,1), (H,W,3) or (H,W,4) of uint8 as (H,W,3) BGR.

    Raises ValueError for any other shape or type.
    """
    pixels = np.asarray(image)
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise ValueError(
            f'image: expected uint8 pixels (H,W) or (H,W,3), got {pixels.dtype} {pixels.shape}'
        )
    if channels == 3:
        return pixels
    code = cv2.COLOR_GRAY2BGR if channels == 1 else cv2.COLOR_BGRA2BGR
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), code), np.uint8)


def stated_rate(capture: cv2.VideoCapture) -> float | None:
    """Return the images a second that a file or driver states, None where it makes no sense."""
    rate = float(capture.get(cv2.CAP_PROP_FPS))
    return rate if MIN_RATE_HZ <= rate <= MAX_RATE_HZ else None
