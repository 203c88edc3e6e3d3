# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""QoS matching and the words for silence, as tables."""

import pytest

pytest.importorskip('rclpy')
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from headpose_ros.node.qos import matching, mismatch
from headpose_ros.node.subscriptions import Publishing, why_silent

RELIABLE, BEST_EFFORT = ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT
VOLATILE, LATCHED = DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL
KIND = 'sensor_msgs/msg/Image'


def qos(reliability=RELIABLE, durability=VOLATILE):
    return QoSProfile(depth=5, reliability=reliability, durability=durability)


@pytest.mark.parametrize(
    ('offered', 'asked', 'reliability', 'durability'),
    [
        ([], 'auto', BEST_EFFORT, VOLATILE),
        ([qos()], 'auto', RELIABLE, VOLATILE),
        ([qos(BEST_EFFORT)], 'auto', BEST_EFFORT, VOLATILE),
        ([qos(), qos(BEST_EFFORT)], 'auto', BEST_EFFORT, VOLATILE),
        ([qos(RELIABLE, LATCHED)], 'auto', RELIABLE, LATCHED),
        ([qos(RELIABLE, LATCHED), qos()], 'auto', RELIABLE, VOLATILE),
        ([qos(BEST_EFFORT)], 'reliable', RELIABLE, VOLATILE),
        ([qos()], 'best_effort', BEST_EFFORT, VOLATILE),
    ],
)
def test_the_strictest_profile_that_all_can_serve(offered, asked, reliability, durability):
    profile = matching(offered, asked)
    assert (profile.reliability, profile.durability) == (reliability, durability)
    assert profile.depth == 1
    if asked == 'auto':
        assert all(mismatch(one, profile) is None for one in offered)


def test_a_mismatch_is_named():
    assert 'reliable subscription' in mismatch(qos(BEST_EFFORT), qos()).lower()
    assert mismatch(qos(), qos(BEST_EFFORT)) is None


def publishing(kind=KIND, profile=None):
    return Publishing('/cam/driver', kind, profile or qos())


@pytest.mark.parametrize(
    ('publishers', 'profile', 'others', 'words'),
    [
        ([], qos(), [], ['/image', 'nobody publishes', 'start the camera']),
        ([], qos(), ['/cam/image_raw'], ['published on /cam/image_raw', 'remap']),
        ([publishing('sensor_msgs/msg/CompressedImage')], qos(), [],
         ['carries sensor_msgs/msg/CompressedImage', 'image_transport']),
        ([publishing(profile=qos(BEST_EFFORT))], qos(), [],
         ['/cam/driver offers QoS (best_effort', 'image_reliability to auto']),
        ([publishing()], qos(), [], ['/cam/driver is there but sends nothing', 'check']),
    ],
)  # fmt: skip
def test_silence_has_topic_cause_and_fix(publishers, profile, others, words):
    text = why_silent('/image', KIND, publishers, profile, others)
    assert text.startswith('/image: ')
    for word in words:
        assert word in text
    assert '\n' not in text
