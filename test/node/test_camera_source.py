# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera is made anew for each change of its CameraInfo, and only for these."""

import pytest

pytest.importorskip('headpose_ros.msg')
from sensor_msgs.msg import CameraInfo

from headpose_ros.node.camera_source import CameraSource


def info(**changes):
    message = CameraInfo(width=64, height=48, distortion_model='plumb_bob', d=[0.0] * 5)
    message.k = [30.0, 0.0, 32.0, 0.0, 30.0, 24.0, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [30.0, 0.0, 32.0, 0.0, 0.0, 30.0, 24.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    for name, value in changes.items():
        target, _, field = name.rpartition('__')
        setattr(getattr(message, target) if target else message, field, value)
    return message


BEFORE = info()
AFTER = {
    'k': info(k=[31.0, 0.0, 32.0, 0.0, 31.0, 24.0, 0.0, 0.0, 1.0]),
    'd': info(d=[0.1, 0.0, 0.0, 0.0, 0.0]),
    'model': info(distortion_model='equidistant', d=[0.0] * 4),
    'width': info(width=128, height=96),
    'binning': info(binning_x=2, binning_y=2),
    'roi': info(roi__x_offset=4, roi__y_offset=4, roi__width=32, roi__height=24),
}
SIZES = {'width': (128, 96), 'binning': (32, 24), 'roi': (32, 24)}


@pytest.mark.parametrize('what', AFTER)
def test_each_part_of_camera_info_counts(what):
    cameras = CameraSource(rectified=False)
    cameras.update(BEFORE)
    before = cameras.camera(64, 48)
    cameras.update(info())
    assert cameras.camera(64, 48) is before, 'the same content'
    cameras.update(AFTER[what])
    size = SIZES.get(what, (64, 48))
    after = cameras.camera(*size)
    fresh = CameraSource(rectified=False)
    fresh.update(AFTER[what])
    expected = fresh.camera(*size)
    pixel = [[20.0, 10.0]]
    assert after.rays(pixel) == pytest.approx(expected.rays(pixel))
    assert not cameras.size_note()


def test_p_counts_for_rectified_images():
    cameras = CameraSource(rectified=True)
    cameras.update(BEFORE)
    before = cameras.camera(64, 48).rays([[20.0, 10.0]])
    cameras.update(info(p=[40.0, 0.0, 32.0, 0.0, 0.0, 40.0, 24.0, 0.0, 0.0, 0.0, 1.0, 0.0]))
    assert cameras.camera(64, 48).rays([[20.0, 10.0]]) != pytest.approx(before)
