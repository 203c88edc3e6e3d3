# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Advice for large images, by the RMW in use."""

import pytest

pytest.importorskip('rclpy')
from headpose_ros.node.middleware import dds_profile, large_image_advice


@pytest.mark.parametrize(
    ('rmw', 'distro', 'words'),
    [
        ('rmw_fastrtps_cpp', 'jazzy', 'FASTRTPS_DEFAULT_PROFILES_FILE='),
        ('rmw_fastrtps_dynamic_cpp', 'kilted', 'FASTDDS_DEFAULT_PROFILES_FILE='),
        ('rmw_cyclonedds_cpp', 'jazzy', 'CYCLONEDDS_URI'),
        ('rmw_zenoh_cpp', 'jazzy', 'ZENOH_SESSION_CONFIG_URI'),
        ('rmw_other', 'jazzy', 'buffers of rmw_other'),
    ],
)
def test_advice_names_the_setting_of_the_middleware(monkeypatch, rmw, distro, words):
    monkeypatch.setenv('ROS_DISTRO', distro)
    advice = large_image_advice(rmw)
    assert words in advice
    assert ('fastdds_images.xml' in advice) == ('fastrtps' in rmw)


def test_the_profile_of_the_advice_exists():
    assert dds_profile().is_file()
    assert str(dds_profile()) in large_image_advice('rmw_fastrtps_cpp')
