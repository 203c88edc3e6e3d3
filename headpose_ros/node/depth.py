# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth images aligned with the colour image, matched by stamp."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from headpose_ros.media.image_messages import ImageError, to_metres
from headpose_ros.node.stamps import NANO

if TYPE_CHECKING:
    from sensor_msgs.msg import Image
    from std_msgs.msg import Header


MIN_MISSES = 30
"""Images in a row without depth, before it is reported: depth may arrive after its image."""


class DepthBuffer:
    """Keeps the last few depth images."""

    def __init__(self) -> None:
        self._recent: deque[Image] = deque(maxlen=6)
        self._missed = 0

    def put(self, message: Image) -> None:
        """Keep one more."""
        self._recent.append(message)

    def clear(self) -> None:
        """Drop all of them."""
        self._recent.clear()
        self._missed = 0

    def at(
        self, header: Header, width: int, height: int, tolerance: float
    ) -> NDArray[np.float32] | None:
        """Return the depth (H,W), metres, nearest in time to `header`, None where none is near.

        Raises ImageError where it is not aligned with the image or cannot be read, and where none
        was near for many images in a row.
        """
        stamp = nanoseconds(header)
        recent = list(self._recent)
        if not recent:
            return None
        nearest = min(recent, key=lambda message: abs(nanoseconds(message.header) - stamp))
        apart = abs(nanoseconds(nearest.header) - stamp) / NANO
        if apart > tolerance:
            self._missed += 1
            if self._missed < MIN_MISSES:
                return None
            raise ImageError(
                'stamp',
                f'the nearest depth image is {apart:.3f} s from the image, depth_tolerance is '
                f'{tolerance:g} s: synchronise depth and colour in the driver, or raise it',
            )
        self._missed = 0
        if (nearest.width, nearest.height) != (width, height):
            raise ImageError(
                'size',
                f'depth is {nearest.width}x{nearest.height}, the image {width}x{height}: not '
                'aligned; use the aligned depth topic of the driver, or depth_image_proc',
            )
        if nearest.header.frame_id != header.frame_id:
            raise ImageError(
                'frame',
                f'depth is in frame {nearest.header.frame_id!r}, the image in '
                f'{header.frame_id!r}: not aligned; use the aligned depth topic of the driver, '
                'or depth_image_proc',
            )
        return to_metres(nearest)


def nanoseconds(header: Header) -> int:
    """Return the stamp of a header in nanoseconds."""
    return int(header.stamp.sec) * NANO + int(header.stamp.nanosec)
