# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Video files, images, folders of images, webcams and streams, all as one stream of frames."""

from __future__ import annotations

import math
from pathlib import Path

from headpose_ros.media.frames import Frame, FrameSource, SourceError
from headpose_ros.media.live import (
    STREAM_SCHEMES,
    STREAM_TIMEOUT,
    StreamSource,
    WebcamSource,
    is_stream,
    is_webcam,
)
from headpose_ros.media.pictures import (
    IMAGE_RATE_HZ,
    IMAGE_SUFFIXES,
    ImageSource,
    is_picture,
    pictures_in,
)
from headpose_ros.media.videos import VideoSource

__all__ = [
    'IMAGE_RATE_HZ',
    'IMAGE_SUFFIXES',
    'Frame',
    'FrameSource',
    'ImageSource',
    'SourceError',
    'StreamSource',
    'VideoSource',
    'WebcamSource',
    'is_live',
    'open_source',
]


def open_source(
    uri: str | Path,
    *,
    loop: bool = False,
    rate: float | None = None,
    timeout: float = STREAM_TIMEOUT,
) -> FrameSource:
    """Open a video, an image, a folder of images, a webcam ('0', '/dev/video0') or a stream.

    Files are told by their content, not by their names. A folder's images are taken in natural
    order (2 before 10). `loop` starts files over when they end; time and index go on. `rate`:
    images a second, in place of the file's own; a webcam is asked for it. `timeout`: seconds after
    which a silent stream (rtsp://, http://, …) is given up. Raises SourceError where there is
    nothing to read, ValueError for a rate or timeout that is not positive.
    """
    _require_positive('rate', rate, 'number of images a second')
    _require_positive('timeout', timeout, 'number of seconds')
    text = str(uri)
    if is_stream(text):
        return _open_stream(text, rate, timeout)
    path = Path(text)
    if text.isdigit() and not path.exists():
        return WebcamSource(int(text), rate)
    if not path.exists():
        if is_webcam(text):
            raise SourceError(f'{text}: no such camera; is it plugged in?')
        raise SourceError(f'{text}: no such file, folder or camera')
    if path.is_dir():
        return ImageSource(pictures_in(path), path.resolve().name, loop, rate)
    if is_webcam(text):
        return WebcamSource(text, rate)
    if path.is_file() and path.stat().st_size == 0:
        raise SourceError(f'{text}: the file is empty')
    if is_picture(path):
        return ImageSource([path], path.name, loop, rate)
    try:
        return VideoSource(path, loop, rate)
    except SourceError:
        if path.suffix.lower() in IMAGE_SUFFIXES:
            return ImageSource([path], path.name, loop, rate)  # which says why it cannot be read
        raise


def is_live(uri: str | Path) -> bool:
    """Return whether `uri` names a camera or a stream, which has no end of its own."""
    text = str(uri)
    return is_stream(text) or (is_webcam(text) and not Path(text).is_file())


def _open_stream(url: str, rate: float | None, timeout: float) -> FrameSource:
    scheme = url.partition('://')[0].lower()
    if scheme not in STREAM_SCHEMES:
        known = ', '.join(f'{name}://' for name in STREAM_SCHEMES)
        raise SourceError(f'{url}: {scheme}:// cannot be read; these can: {known}')
    return StreamSource(url, rate, timeout)


def _require_positive(name: str, value: float | None, what: str) -> None:
    if value is not None and not 0.0 < value < math.inf:
        raise ValueError(f'{name}: expected a positive {what}, got {value}')
