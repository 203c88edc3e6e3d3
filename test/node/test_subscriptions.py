# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""QoS matching and the reasons for missing data, as tables."""

from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy')
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from headpose_ros.node import subscriptions
from headpose_ros.node.qos import matching, mismatch
from headpose_ros.node.subscriptions import LEASE_SECONDS, Input, PublisherInfo, no_data_reason

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


def test_the_most_similar_topics_are_listed():
    others = [f'/depth/other_{n}' for n in range(40)] + ['/cam/image_raw']
    text = no_data_reason('/cam/image', KIND, [], qos(), others)
    assert '/cam/image_raw, ' in text
    assert text.count('other_') == 4
    assert 'and 36 more topics' in text


def publishing(kind=KIND, profile=None):
    return PublisherInfo('/cam/driver', kind, profile or qos())


@pytest.mark.parametrize(
    ('publishers', 'profile', 'others', 'words'),
    [
        ([], qos(), [], ['/image', 'nobody publishes', 'start the camera']),
        ([], qos(), ['/cam/image_raw'], ['published on /cam/image_raw', 'remap']),
        ([publishing('sensor_msgs/msg/CompressedImage')], qos(), [],
         ['carries sensor_msgs/msg/CompressedImage', 'image_transport']),
        ([publishing(profile=qos(BEST_EFFORT))], qos(), [],
         ['/cam/driver offers QoS (best_effort', 'image_reliability to auto']),
        ([publishing()], qos(), [], ['/cam/driver publishes but no message', 'middleware']),
    ],
)  # fmt: skip
def test_missing_data_has_topic_cause_and_fix(publishers, profile, others, words):
    text = no_data_reason('/image', KIND, publishers, profile, others)
    assert text.startswith('/image: ')
    for word in words:
        assert word in text
    assert '\n' not in text


class Graph:
    """A node that sees what it is told to."""

    def __init__(self):
        self.names = []
        self.offered = qos()
        self.subscribed = []

    def get_publishers_info_by_topic(self, topic):
        return [
            SimpleNamespace(
                node_namespace='/', node_name=n, topic_type=KIND, qos_profile=self.offered
            )
            for n in self.names
        ]

    def create_subscription(self, kind, topic, callback, qos, **more):
        self.subscribed.append(qos)
        return object()

    def destroy_subscription(self, subscription):
        pass


@pytest.mark.parametrize(
    ('names', 'after', 'competing'),
    [
        (['a'], 99, []),
        (['a', 'b'], 0, ['/a', '/b']),
        (['a', 'a'], 1, []),
        (['a', 'a'], LEASE_SECONDS + 1, ['/a', '/a']),
        (['a', '_NODE_NAME_UNKNOWN_'], 1, []),
    ],
)
def test_a_dead_publisher_of_the_same_node_does_not_count(monkeypatch, names, after, competing):
    now = [100.0]
    monkeypatch.setattr(subscriptions.time, 'monotonic', lambda: now[0])
    node = Graph()
    topic = Input(node, Image, '/image', lambda message: None)
    topic.refresh(True)
    node.names = names
    topic.refresh(True)
    now[0] += after
    topic.refresh(True)
    assert topic.competing_publishers() == competing
    node.names = names[:1]
    topic.refresh(True)
    assert topic.competing_publishers() == []


def test_a_bridge_that_waits_for_a_subscriber_gets_one(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(subscriptions.time, 'monotonic', lambda: now[0])
    node = Graph()
    topic = Input(node, Image, '/image', lambda message: None)
    for _ in range(4):
        topic.refresh(True, publisher_timeout=2.0)
        now[0] += 0.5
    assert node.subscribed == []
    now[0] += 0.5
    topic.refresh(True, publisher_timeout=2.0)
    assert [profile.reliability for profile in node.subscribed] == [BEST_EFFORT]
    assert topic.seconds_since_message == 2.5  # still reported as missing
    topic.refresh(True, publisher_timeout=2.0)
    assert len(node.subscribed) == 1
    node.names = ['bridge']
    topic.refresh(True, publisher_timeout=2.0)
    assert [profile.reliability for profile in node.subscribed] == [BEST_EFFORT, RELIABLE]


@pytest.mark.parametrize(
    ('before', 'after'),
    [
        ((RELIABLE, VOLATILE), (RELIABLE, LATCHED)),
        ((RELIABLE, LATCHED), (RELIABLE, VOLATILE)),
        ((RELIABLE, VOLATILE), (BEST_EFFORT, VOLATILE)),
    ],
)
def test_a_publisher_that_comes_back_with_another_qos_is_followed(before, after):
    node = Graph()
    topic = Input(node, Image, '/image', lambda message: None)
    node.names = ['camera']
    for offered in (before, before, after, after):
        node.offered = qos(*offered)
        topic.refresh(True)
    got = [(profile.reliability, profile.durability) for profile in node.subscribed]
    assert got == [before, after]


def test_hints_leave_out_what_nodes_publish_that_find_heads():
    node = Graph()
    kinds = {
        '/camera/image': KIND,
        '/own/debug': KIND,
        '/right/headpose/debug_image': KIND,
        '/humans/faces/f0001/cropped': KIND,
        '/right/headpose/heads': subscriptions.HEADS,
    }
    node.get_topic_names_and_types = lambda: [(name, [kind]) for name, kind in kinds.items()]
    owners = {name: ['right'] for name in kinds} | {
        '/camera/image': ['camera'],
        '/own/debug': ['own'],
        '/image': [],
    }

    def infos(topic):
        node.names = owners[topic]
        return Graph.get_publishers_info_by_topic(node, topic)

    node.get_publishers_info_by_topic = infos
    node.get_fully_qualified_name = lambda: '/own'
    topic = Input(node, Image, '/image', lambda message: None)
    topic.refresh(True)
    assert '/camera/image' in topic.no_data_reason()
    for hidden in ('/own/debug', 'debug_image', 'cropped', 'heads'):
        assert hidden not in topic.no_data_reason()


def taking(monkeypatch):
    """A topic with a publisher, and a clock that a test sets."""
    now = [100.0]
    monkeypatch.setattr(subscriptions.time, 'monotonic', lambda: now[0])
    node = Graph()
    node.names = ['camera']
    topic = Input(node, Image, '/image', lambda message: None)
    topic.refresh(True)
    return topic, node, now


@pytest.mark.parametrize('seconds', [1 / 30, 1.0, 4.0, 20.0])
def test_a_slow_camera_is_not_silent_between_its_images(monkeypatch, seconds):
    topic, _, now = taking(monkeypatch)
    silent = []
    for number in range(12):
        topic._take(Image())
        for _ in range(8):
            now[0] += seconds / 8
            if number:
                silent.append(topic.is_silent(2.0))
    assert not any(silent)
    now[0] += max(2.0, 2.5 * seconds)
    assert topic.is_silent(2.0), 'it stopped'


def test_one_pause_does_not_make_a_camera_slow(monkeypatch):
    topic, _, now = taking(monkeypatch)
    for number in range(10):
        now[0] += 100.0 if number == 5 else 0.1
        topic._take(Image())
    now[0] += 2.1
    assert topic.is_silent(2.0)


def test_a_slow_camera_that_is_gone_is_silent(monkeypatch):
    topic, node, now = taking(monkeypatch)
    for _ in range(4):
        now[0] += 4.0
        topic._take(Image())
    now[0] += 3.0
    assert not topic.is_silent(2.0)
    node.names = []
    topic.update_publishers()
    assert topic.is_silent(2.0)
