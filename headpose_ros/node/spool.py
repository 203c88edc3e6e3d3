# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images as JPEG in a temporary file, by stamp, so that memory does not limit a recording."""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from headpose_ros.media.decoding import ImageError, decode
from headpose_ros.media.image_messages import Bgr
from headpose_ros.media.levels import Levels
from headpose_ros.node.depth import nanoseconds
from headpose_ros.node.images import to_bgr

JPEG_QUALITY = 92
_AS_STORED = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION


class Spool:
    """Encodes and stores images in a thread of its own, so that receiving never waits."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._offsets: dict[int, tuple[int, int]] = {}
        self._queue: queue.Queue[Any] = queue.Queue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._offsets)

    @property
    def stamps(self) -> list[int]:
        """Stamps of all images, ns, in order."""
        return sorted(self._offsets)

    def put(self, message: Any) -> None:
        """Keep an Image or CompressedImage."""
        self._queue.put(message)

    def finish(self) -> None:
        """Wait until all are written."""
        self._queue.put(None)
        self._thread.join()

    def encoded(self, stamp: int) -> bytes | None:
        """Return the image of a stamp as it is kept, a JPEG or as it came; None without one."""
        if stamp not in self._offsets:
            return None
        start, length = self._offsets[stamp]
        self._file.seek(start)
        return self._file.read(length)

    def images(self) -> Iterator[tuple[int, Bgr]]:
        """Yield (stamp in ns, image) in the order of the stamps."""
        levels = Levels()
        for stamp in self.stamps:
            data = np.frombuffer(self.encoded(stamp) or b'', np.uint8)
            try:
                yield stamp, levels.eight_bit(decode(data, _AS_STORED))
            except ImageError:
                continue

    def _run(self) -> None:
        levels = Levels()
        while (message := self._queue.get()) is not None:
            data = _encoded(message, levels)
            if data is not None:
                start = self._file.tell()
                self._file.write(data)
                self._offsets[nanoseconds(message.header)] = (start, len(data))


def _encoded(message: Any, levels: Levels) -> bytes | None:
    if hasattr(message, 'format'):
        return bytes(message.data)
    try:
        image = to_bgr(message, levels)
    except ImageError:
        return None
    done, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return data.tobytes() if done else None
