# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cameras of this machine and streams from the network: the newest image, when it comes."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import cv2

from headpose_ros.media.frames import Frame, FrameSource, SourceError, as_bgr, stated_rate
from headpose_ros.typing import Image

WEBCAM_RATE_HZ = 30.0
STREAM_RATE_HZ = 25.0
"""Rates of cameras and streams that do not state theirs."""

MAX_LIVE_RATE_HZ = 240.0
"""Streams that state more do not know their rate: 1000 stands for times in milliseconds."""

STREAM_TIMEOUT = 10.0
"""Seconds without an answer, or without an image, after which a stream is given up."""

STREAM_SCHEMES = ('rtsp', 'rtsps', 'rtmp', 'http', 'https', 'udp', 'tcp', 'srt')


def is_stream(uri: str) -> bool:
    """Return whether `uri` looks like the address of a stream, as rtsp://camera/live does."""
    return re.match(r'[A-Za-z][A-Za-z0-9+.-]*://', uri) is not None


def is_webcam(uri: str) -> bool:
    """Return whether `uri` names a camera of this machine: a number, or /dev/videoN."""
    return re.fullmatch(r'\d+|/dev/video\d+', uri) is not None


class WebcamSource(FrameSource):
    """A camera of this machine. It gives the newest image; time is that of its arrival."""

    def __init__(self, device: int | str, rate: float | None = None) -> None:
        self.name = f'camera {device}'
        self._capture = cv2.VideoCapture(device)
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
        self.height, self.width = as_bgr(image).shape[:2]
        self.rate_hz = stated_rate(self._capture) or rate or WEBCAM_RATE_HZ
        self.frame_count = None

    def __iter__(self) -> Iterator[Frame]:
        start = time.monotonic()
        index = 0
        while True:
            self._require_open()
            read, image = self._capture.read()
            if not read:
                raise SourceError(f'{self.name}: gives no more images; was it unplugged?')
            yield self._frame(as_bgr(image), time.monotonic() - start, index)
            index += 1

    def close(self) -> None:
        """Release the camera."""
        super().close()
        self._capture.release()


class StreamSource(FrameSource):
    """A stream from the network: live, or a file that a server holds.

    Of a live one it gives the newest image, whose time is that of its arrival; of a file every
    image at the file's own times. Images are read by a thread of their own, so that those of a
    camera do not queue up while one is worked on, and so that a server which falls silent holds
    nobody longer than `timeout`, seconds. It can be iterated over once.
    """

    def __init__(
        self, url: str, rate: float | None = None, timeout: float = STREAM_TIMEOUT
    ) -> None:
        self.name = without_password(url)
        self.frame_count = None
        self._url = url
        self._timeout = timeout
        self._changed = threading.Condition()
        self._newest: tuple[Image, float] | None = None
        self._stated: float | None = None
        self._ended = ''
        self._reader = threading.Thread(target=self._read, daemon=True, name='stream reader')
        self._reader.start()
        try:
            first = self._await()
        except BaseException:
            self.close()
            raise
        if first is None:
            self.close()
            raise SourceError(f'{self.name}: {self._ended}')
        self.height, self.width = first[0].shape[:2]
        self.rate_hz = rate or self._stated or STREAM_RATE_HZ

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        start: float | None = None
        while True:
            self._require_open()
            newest = self._await()
            if newest is None:
                if index >= 0.9 * (self.frame_count or math.inf) - 1:
                    return
                raise SourceError(f'{self.name}: {self._ended}, after {index} images')
            with self._changed:
                self._newest = None
                self._changed.notify_all()
            image, time_of_image = newest
            start = time_of_image if start is None else start
            yield self._frame(image, time_of_image - start, index)
            index += 1

    def close(self) -> None:
        """Stop reading. A connection that hangs is left to end by its own timeout."""
        super().close()
        with self._changed:
            self._changed.notify_all()
        self._reader.join(1.0)

    def _await(self) -> tuple[Image, float] | None:
        """Return the newest image and its time when there is one; it stays. None at the end."""
        with self._changed:
            answered = self._changed.wait_for(
                lambda: bool(self._newest or self._ended or self.closed), self._timeout
            )
            self._require_open()
            if not answered:
                raise SourceError(
                    f'{self.name}: no image came for {self._timeout:g} s; is the address right '
                    'and the server up?'
                )
            return self._newest

    def _read(self) -> None:
        try:
            ended = self._read_all()
        except Exception as error:  # else the thread would end without a word
            ended = f'cannot be read: {" ".join(str(error).split())}'
        with self._changed:
            self._ended = ended
            self._changed.notify_all()

    def _read_all(self) -> str:
        """Read until the end; return why it ended."""
        capture = _open_stream(self._url, self._timeout)
        try:
            if not capture.isOpened():
                return 'cannot be opened; is the address right, the server up, the path there?'
            stated = stated_rate(capture)
            self._stated = stated if stated and stated <= MAX_LIVE_RATE_HZ else None
            count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
            self.frame_count = count if count > 0 else None
            while self._hand_over(capture):
                pass
            return 'the stream broke off, or ended'
        finally:
            capture.release()

    def _hand_over(self, capture: cv2.VideoCapture) -> bool:
        """Read one image and offer it; return whether to go on."""
        read, image = capture.read()
        if not read or self.closed:
            return False
        a_file = self.frame_count is not None
        moment = 1e-3 * capture.get(cv2.CAP_PROP_POS_MSEC) if a_file else time.monotonic()
        with self._changed:
            if a_file:  # none of its images is left out
                self._changed.wait_for(lambda: self._newest is None or self.closed)
            self._newest = (as_bgr(image), moment)
            self._changed.notify_all()
        return True


def _open_stream(url: str, timeout: float) -> cv2.VideoCapture:
    limit = max(1, round(1e3 * timeout))
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit]
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, limits)
    # An OpenCV that was built without FFmpeg may have GStreamer, which takes no limits.
    return capture if capture.isOpened() else cv2.VideoCapture(url, cv2.CAP_GSTREAMER)


def without_password(url: str) -> str:
    """Return an address as it may be shown: without user, password and query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition('@')[2]
    return urlunsplit((parts.scheme, host, parts.path, '', ''))
