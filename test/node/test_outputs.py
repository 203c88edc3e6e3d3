# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which message goes out on which topic, with publishers that only record."""

import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('headpose_ros.msg')
from scipy.spatial.transform import Rotation
from std_msgs.msg import Header

from headpose_ros.heads import Head, Roi
from headpose_ros.msg import HeadEvent
from headpose_ros.node import outputs
from headpose_ros.node.messages import transforms
from headpose_ros.node.outputs import Outputs
from headpose_ros.result import FrameResult

LOOKING_BACK = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])


class Publisher:
    def __init__(self, topic):
        self.topic_name = topic
        self.sent = []
        self.listeners = 0
        self.takes = 0.0
        self.waited = 0

    def wait_for_all_acked(self, timeout):
        self.waited += 1

    def publish(self, message):
        time.sleep(self.takes)
        self.sent.append(message)

    def get_subscription_count(self):
        return self.listeners


class Node:
    def __init__(self):
        self.made = {}
        self.own_subscriptions = 0

    def create_publisher(self, kind, topic, qos, **how):
        self.made[topic] = Publisher(topic)
        return self.made[topic]

    def destroy_publisher(self, publisher):
        del self.made[publisher.topic_name]

    def get_name(self):
        return 'headpose'

    def get_namespace(self):
        return '/'

    def get_subscriptions_info_by_topic(self, topic):
        """Those of this node, which come first, and of others."""
        names = ['headpose'] * self.own_subscriptions + ['rviz'] * self.made[topic].listeners
        found = [SimpleNamespace(node_name=name, node_namespace='/') for name in names]
        return found[: self.made[topic].listeners]

    def resolve_topic_name(self, topic):
        return topic


class Problems:
    def __init__(self):
        self.active = {}

    def report(self, key, text, error=False):
        self.active[key] = text

    def resolve(self, key):
        self.active.pop(key, None)


@pytest.fixture
def made():
    node, problems = Node(), Problems()
    return node.made, problems, Outputs(node, problems, publish_tf=True)


def head(name, z=1.0):
    return Head(
        name, LOOKING_BACK, np.array([0.0, 0.0, z]), np.eye(6), 1.0, Roi(0, 0, 5, 5), 0.0, 0.0
    )


HEADER = Header(frame_id='camera')


def test_tracked_faces_of_rep_155(made):
    pytest.importorskip('hri_msgs.msg')
    publishers, _, out = made
    out.publish([head('f0001'), head('f0002')], 'f0002', HEADER, 1.0)
    out.publish([], None, HEADER, 1.0)
    ids = [message.ids for message in publishers['/humans/faces/tracked'].sent]
    assert ids == [['f0001', 'f0002'], []]


def test_the_absence_of_everybody_is_published_once_after_the_last_result(made):
    pytest.importorskip('hri_msgs.msg')
    publishers, _, out = made
    heads, tracked = publishers['~/heads'].sent, publishers['/humans/faces/tracked'].sent
    out.publish_absence()
    assert heads == tracked == []  # nothing was ever published
    out.publish([head('f0001')], 'f0001', HEADER, 1.0)
    out._published_at -= 1.5
    out.publish_absence()
    out.publish_absence()
    assert [len(message.heads) for message in heads] == [1, 0]
    assert [message.ids for message in tracked] == [['f0001'], []]
    last = heads[-1]
    assert last.header == tracked[-1].header
    assert (last.header.frame_id, last.principal_id) == ('camera', '')
    later = last.header.stamp.sec + 1e-9 * last.header.stamp.nanosec
    assert 1.5 <= later - HEADER.stamp.sec < 10.0
    out.publish([], None, HEADER, 1.0)
    out.publish_absence()
    assert len(heads) == 4


def test_the_last_message_is_waited_for_where_somebody_subscribes(made):
    publishers, _, out = made
    publishers['~/heads'].listeners = 1
    for wait, waits in ((False, 0), (True, 1)):
        out.publish([head('f0001')], 'f0001', HEADER, 1.0)
        out.publish_absence(wait)
        assert publishers['~/heads'].waited == waits
    if tracked := publishers.get('/humans/faces/tracked'):
        assert tracked.waited == 0


def test_attention_ends_with_the_heads(made):
    publishers, _, out = made
    for topic in ('~/attention', '~/events'):
        publishers[topic].listeners = 1
    result = FrameResult((head('f0001'),), 'f0001', 1.0, followed_ids=frozenset(['f0001']))
    out.publish(result, 'f0001', HEADER, 1.0)
    out.publish_attention(result, HEADER, (), {}, None)
    out.publish_absence(wait=True)
    events = publishers['~/events']
    assert [m.type for m in events.sent] == [HeadEvent.ENTERED, HeadEvent.LEFT]
    assert [m.header for m in events.sent] == [HEADER, HEADER]
    attention = publishers['~/attention']
    assert [len(m.attention) for m in attention.sent] == [1, 0]
    assert attention.sent[-1].header == publishers['~/heads'].sent[-1].header
    assert attention.waited == events.waited == 1


def test_the_principal_head_is_named(made):
    publishers, _, out = made
    people = [head('f0001'), head('f0002')]
    for principal, expected in (('f0002', 'f0002'), (None, ''), ('f0009', '')):
        out.publish(people, principal, HEADER, 1.0)
        assert publishers['~/heads'].sent[-1].principal_id == expected
    assert len(publishers['~/pose'].sent) == 1


def test_a_subscriber_that_has_left_is_no_longer_too_slow(made):
    publishers, problems, out = made
    markers = publishers['~/markers']
    markers.takes, markers.listeners = outputs.SLOW_PUBLISH * 1.5, 1
    for _ in range(outputs.MIN_SLOW_PUBLISHES):
        out.publish([], None, HEADER, 1.0)
    assert list(problems.active) == ['output.~/markers']
    markers.listeners = 0
    out.publish([], None, HEADER, 1.0)
    assert problems.active == {}


def test_a_principal_head_that_is_lost_has_no_pose(made):
    publishers, _, out = made
    out.publish([head('f0001')], 'f0009', HEADER, 1.0)
    assert publishers['~/pose'].sent == []
    assert len(publishers['~/heads'].sent[0].heads) == 1


def test_a_subscriber_that_blocks_is_named(made):
    publishers, problems, out = made
    publishers['~/heads'].takes = outputs.SLOW_PUBLISH * 1.5
    out.publish([], None, HEADER, 1.0)
    assert problems.active == {}  # once is a busy machine
    for _ in range(outputs.MIN_SLOW_PUBLISHES - 1):
        out.publish([], None, HEADER, 1.0)
    assert '~/heads: publishing took' in problems.active['output.~/heads']
    assert 'best effort' in problems.active['output.~/heads']
    publishers['~/heads'].takes = 0.0
    out.publish([], None, HEADER, 1.0)
    assert problems.active == {}


def test_no_transforms_without_a_frame(made):
    publishers, problems, out = made
    out.publish([head('f0001')], None, Header(), 1.0)
    assert publishers['/tf'].sent == []
    assert 'frame_id is empty' in problems.active['image.frame_id']
    out.publish([head('f0001')], None, HEADER, 1.0)
    assert len(publishers['/tf'].sent) == 1
    assert problems.active == {}


@pytest.mark.parametrize(
    'topic',
    [
        '~/heads',
        '~/pose',
        '~/markers',
        '~/debug_image',
        '/humans/faces/tracked',
        '/tf',
        '~/attention',
        '~/events',
    ],
)  # fmt: skip
def test_each_output_counts_its_subscribers(made, topic):
    publishers, _, out = made
    if topic.startswith('/humans'):
        pytest.importorskip('hri_msgs.msg')
    assert not out.has_subscribers()
    publishers[topic].listeners = 1
    assert out.has_subscribers()


def test_markers_do_not_outlive_a_node_that_died(made):
    publishers, _, out = made
    publishers['~/markers'].listeners = 1
    out.publish([head('f0001')], None, HEADER, 1.0)
    (message,) = publishers['~/markers'].sent
    lifetimes = {
        marker.lifetime.sec + 1e-9 * marker.lifetime.nanosec for marker in message.markers
    }
    assert 0.0 < min(lifetimes) <= max(lifetimes) <= 2.0  # 0 is for ever


def test_markers_reuse_numbers_and_are_deleted(made):
    publishers, _, out = made
    markers = publishers['~/markers']
    out.publish([head('f0001')], None, HEADER, 1.0)
    assert markers.sent == []  # nobody watches
    markers.listeners = 1
    for names in (['f0001', 'f0002'], ['f0002'], ['f0003', 'f0002'], []):
        out.publish([head(name) for name in names], None, HEADER, 1.0)
    numbers = [{(m.id, m.action) for m in message.markers} for message in markers.sent]
    assert numbers == [
        {(0, 0), (1, 0)},
        {(0, 2), (1, 0)},
        {(0, 0), (1, 0)},
        {(0, 2), (1, 2)},
    ]
    out.publish_absence()
    assert [m.action for m in markers.sent[-1].markers] == [3]


def test_face_and_gaze_frames_of_any_rotation():
    """Gaze looks along z, x to the person's right, y down (REP-155)."""
    for face in Rotation.random(50, random_state=0):
        turned = replace(head('f0001'), rotation_camera_from_face=face.as_matrix())
        turns = [t.transform.rotation for t in transforms([turned], HEADER)]
        got = Rotation.from_quat([[q.x, q.y, q.z, q.w] for q in turns]).as_matrix()
        forward, left, up = face.as_matrix().T
        np.testing.assert_allclose(got[0], face.as_matrix(), atol=1e-12)
        np.testing.assert_allclose(got[1], np.transpose([-left, -up, forward]), atol=1e-12)
        assert min(q.w for q in turns) >= 0.0
