# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image messages to arrays by cv_bridge, where it is installed and reads them correctly.

Elsewhere `headpose_ros.media.image_messages` converts, with the same results
(`test/node/test_images.py` is the table). Its checks come first, so that a bad image gets the same
error everywhere.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from headpose_ros.media.image_messages import Bgr, Pixels, stored_pixels
from headpose_ros.media.levels import Levels

if TYPE_CHECKING:
    from sensor_msgs.msg import Image

_CV_BRIDGE_ENCODINGS = frozenset(['rgb8', 'bgra8', 'rgba8', 'mono8', 'yuv422', 'yuv422_yuy2'])
"""Those of 8 bits: it shows others by their whole range, in which many cameras are black."""


@cache
def cv_bridge_converter() -> Callable[[Any, str], Pixels] | None:
    """Return cv_bridge's `imgmsg_to_cv2`, or None where it is absent or broken."""
    try:
        from cv_bridge import CvBridge
    except Exception:  # built for another NumPy it fails with more than ImportError
        return None
    convert: Callable[[Any, str], Pixels] = CvBridge().imgmsg_to_cv2
    return convert


def to_bgr(message: Image, levels: Levels | None = None) -> Bgr:
    """Return the pixels of `message`, (H,W,3) uint8 BGR; raise ImageError where it is bad.

    `levels`: those of the stream that it is part of; None: it is scaled by what it holds itself,
    where it has more than 8 bits. The array may share memory with the message and must not be
    written to.
    """
    encoding, pixels = stored_pixels(message)
    if _suits_cv_bridge(message, pixels) and (bridge := cv_bridge_converter()) is not None:
        return np.asarray(bridge(message, 'bgr8'), np.uint8)
    return encoding.to_bgr((levels or Levels()).eight_bit(pixels))


def _suits_cv_bridge(message: Image, pixels: Pixels) -> bool:
    """Return whether cv_bridge reads this image correctly.

    It reads padding as pixels where a row is no whole number of pixels, requires padding of the
    last row, and fails on what is marked as of foreign byte order with NumPy 2, bytes as well.
    """
    return (
        message.encoding in _CV_BRIDGE_ENCODINGS
        and message.step % pixels.strides[1] == 0
        and len(message.data) >= message.step * message.height
        and bool(message.is_bigendian) == (sys.byteorder == 'big')
    )
