# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which depth image belongs to an image."""

import numpy as np
import pytest

pytest.importorskip('headpose_ros.msg')
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from headpose_ros.media.image_messages import ImageError
from headpose_ros.node.depth import MIN_MISSES, DepthBuffer

TOLERANCE = 0.05


def header(seconds):
    made = Header(frame_id='camera')
    made.stamp.sec, made.stamp.nanosec = int(seconds), round(seconds % 1 * 1e9)
    return made


def depth(seconds, metres):
    data = np.full((4, 6), 1000 * metres, np.uint16).tobytes()
    made = Image(header=header(seconds), height=4, width=6, encoding='16UC1', step=12)
    made.data = data
    return made


def at(buffer, seconds):
    return buffer.at(header(seconds), 6, 4, TOLERANCE)


def test_the_nearest_in_time_is_taken_if_near_enough():
    buffer = DepthBuffer()
    assert at(buffer, 1.0) is None
    buffer.put(depth(1.0, 2))
    buffer.put(depth(1.1, 3))
    assert at(buffer, 1.02)[0, 0] == pytest.approx(2)
    assert at(buffer, 1.09)[0, 0] == pytest.approx(3)
    assert at(buffer, 1.3) is None
    buffer.clear()
    assert at(buffer, 1.0) is None


def test_depth_that_never_is_of_the_same_time_is_told():
    buffer = DepthBuffer()
    buffer.put(depth(1.0, 2))
    for _ in range(MIN_MISSES - 1):
        assert at(buffer, 1.2) is None
    with pytest.raises(
        ImageError, match=r'0\.200 s from the image, depth_tolerance is 0\.05 s'
    ) as told:
        at(buffer, 1.2)
    assert told.value.kind == 'stamp'
    assert at(buffer, 1.0) is not None
    assert at(buffer, 1.2) is None  # one alone is no news
