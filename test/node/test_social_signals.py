# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Gazes at the robot and engagement of persons, as REP-155 consumers expect them."""

from types import SimpleNamespace

import pytest

pytest.importorskip('hri_msgs')
pytest.importorskip('headpose_ros.msg')
from graph import Bench, fake_node, spots
from hri_msgs.msg import EngagementLevel, Gaze, IdsList
from rclpy.qos import DurabilityPolicy
from std_msgs.msg import Header, String
from test_outputs import Node
from tf2_msgs.msg import TFMessage

from headpose_ros.attention import (
    Approach,
    AttentionResult,
    HeadEvent,
    HeadEventType,
    Look,
)
from headpose_ros.node.attention_output import focus_transforms
from headpose_ros.node.engagement import DISENGAGED_AFTER, ENGAGED_AFTER, Engagement, Level
from headpose_ros.node.persons import Persons
from headpose_ros.node.social_signals import SocialSignals

HEADER = Header(frame_id='lens')
GAZING, STATUS = '/humans/interactions/gazing', '/humans/persons/anna/engagement_status'


def test_the_levels_are_those_of_the_message():
    for level in Level:
        assert getattr(EngagementLevel, level.name) == level


def test_a_glance_engages_nobody_and_a_glance_aside_loses_nobody():
    engagement, short = Engagement(), 0.5
    long = max(ENGAGED_AFTER, DISENGAGED_AFTER) + 0.1
    assert engagement.level == Level.UNKNOWN
    for looking, lasts, level in (
        (False, long, Level.DISENGAGED),
        (True, short, Level.ENGAGING),
        (False, short, Level.DISENGAGED),
        (True, short, Level.ENGAGING),
        (True, long, Level.ENGAGED),
        (False, short, Level.DISENGAGING),
        (True, 0.0, Level.ENGAGED),
        (False, short, Level.DISENGAGING),
        (False, long, Level.DISENGAGED),
    ):
        assert engagement.update(looking, lasts) == level


class People:
    """In place of `Persons`: who is whose face is set by a test."""

    def __init__(self):
        self.faces = {}
        self.closed = 0

    def by_face(self):
        return {face: person for person, face in self.faces.items() if face}

    def tracked(self):
        return frozenset(self.faces)

    def close(self):
        self.closed += 1


@pytest.fixture
def made():
    """Signals with publishers that record; `people` says who is who."""
    node, people = Node(), People()
    node.destroy_publisher = lambda publisher: node.made.pop(publisher.topic_name)
    signals = SocialSignals(
        node, lambda to, message: to.publish(message), True, lambda node: people
    )
    signals.refresh(True)
    return SimpleNamespace(signals=signals, people=people, topics=node.made)


def found(stamp, *looks, left=()):
    """What an image says: looks as (id, target, looking, since)."""
    return AttentionResult(
        stamp,
        tuple(
            Look(i, t, looking, 0.9 * looking, 0.1, 1.0, since) for i, t, looking, since in looks
        ),
        tuple(Approach(look[0], 0.0, 0.1) for look in looks),
        tuple(HeadEvent(stamp, name, HeadEventType.LEFT) for name in left),
    )


def test_only_known_persons_gaze(made):
    looks = (('f1', 'camera', True, 0.0), ('f2', 'camera', True, 0.0), ('f1', 'cup', True, 0.0))
    made.signals.publish(found(1.0, *looks), HEADER, 'camera')
    gazes = made.topics[GAZING].sent
    assert gazes == []
    made.people.faces = {'anna': 'f1', 'ben': '', 'cleo': 'f3'}
    made.signals.publish(found(1.0, *looks), HEADER, 'camera')
    assert [(g.sender, g.receiver, g.header.frame_id) for g in gazes] == [('anna', '', 'lens')]
    away = (('f1', 'camera', False, 1.1), ('f1', 'cup', True, 1.1))
    made.signals.publish(found(1.1, *away), HEADER, 'camera')
    assert len(gazes) == 1


def test_the_target_that_stands_for_the_robot(made):
    made.people.faces = {'anna': 'f1'}
    looks = (('f1', 'camera', False, 0.0), ('f1', 'face', True, 0.0))
    made.signals.publish(found(1.5, *looks), HEADER, 'face')
    assert len(made.topics[GAZING].sent) == 1
    assert made.topics[STATUS].sent[-1].level == EngagementLevel.ENGAGED


def test_levels_of_each_person(made):
    made.people.faces = {'anna': 'f1'}
    for stamp, looking, since in ((1.0, True, 0.8), (2.0, True, 0.8), (2.1, False, 2.1)):
        made.signals.publish(found(stamp, ('f1', 'camera', looking, since)), HEADER, 'camera')
    status = made.topics[STATUS]
    assert [m.level for m in status.sent] == [Level.ENGAGING, Level.ENGAGED, Level.DISENGAGING]
    made.signals.publish(found(2.2), HEADER, 'camera')  # lost for a moment
    assert len(status.sent) == 3
    made.signals.publish(found(4.2, left=['f1']), HEADER, 'camera')
    assert status.sent[-1].level == Level.UNKNOWN
    made.people.faces = {'anna': 'f7'}  # who comes back is the same person with another face
    made.signals.publish(found(5.0, ('f7', 'camera', True, 4.9)), HEADER, 'camera')
    assert status.sent[-1].level == Level.ENGAGING
    made.signals.publish_absence(HEADER)
    assert status.sent[-1].level == Level.UNKNOWN
    made.people.faces = {}
    made.signals.publish(found(6.0), HEADER, 'camera')
    assert STATUS not in made.topics


def test_without_engagement_who_is_who_is_asked_only_while_somebody_listens():
    node, people = Node(), People()
    signals = SocialSignals(node, lambda *words: None, False, lambda node: people)
    signals.refresh(True)
    signals.publish(found(1.0, ('f1', 'camera', True, 0.0)), HEADER, 'camera')
    assert signals._persons is None
    node.made[GAZING].listeners = 1
    signals.refresh(True)
    assert signals._persons is people
    people.faces = {'anna': 'f1'}
    signals.publish(found(1.0, ('f1', 'camera', True, 0.0)), HEADER, 'camera')
    assert list(node.made) == [GAZING]
    signals.refresh(False)
    assert people.closed == 1


def test_whose_face_is_whose():
    subscriptions = {}

    def create_subscription(kind, topic, callback, qos):
        subscriptions[topic] = callback
        return topic

    node = SimpleNamespace(
        create_subscription=create_subscription, destroy_subscription=subscriptions.pop
    )
    persons = Persons(node)
    tracked = subscriptions['/humans/persons/tracked']
    tracked(IdsList(ids=['anna', 'ben', '']))
    subscriptions['/humans/persons/anna/face_id'](String(data='f1'))
    subscriptions['/humans/persons/ben/face_id'](String(data='f2'))
    subscriptions['/humans/persons/ben/face_id'](String(data=''))
    assert persons.by_face() == {'f1': 'anna'}
    assert persons.tracked() == {'anna', 'ben'}
    tracked(IdsList(ids=['ben']))
    assert persons.by_face() == {}
    assert set(subscriptions) == {'/humans/persons/tracked', '/humans/persons/ben/face_id'}
    persons.close()
    assert subscriptions == {}


def test_the_focus_is_the_most_probable_of_what_is_looked_at():
    looks = (
        Look('f1', 'camera', True, 0.6, 0.1, 1.0, 0.0),
        Look('f1', 'cup', True, 0.8, 0.1, 1.0, 0.0),
        Look('f1', 'door', False, 0.9, 0.1, 1.0, 0.0),
        Look('f2', 'door', False, 0.1, 0.1, 1.0, 0.0),
    )
    ends = {'camera': (0.0, 0.0, 0.0), 'cup': (1.0, 2.0, 3.0), 'door': (5.0, 5.0, 5.0)}
    (focus,) = focus_transforms(AttentionResult(0.0, looks), HEADER, ends, 'robot/')
    assert (focus.header.frame_id, focus.child_frame_id) == ('lens', 'robot/focus_f1')
    shift = focus.transform.translation
    assert (shift.x, shift.y, shift.z) == (1.0, 2.0, 3.0)


@pytest.fixture
def running():
    """In place of the node that all other files share."""


@pytest.fixture
def bench(domain):
    with Bench(domain) as made:
        yield made


def test_over_dds_with_a_person_manager(bench, domain, logs):
    """Listeners to the level alone, and to gazes; who leaves is unknown again."""
    latched = {'durability': DurabilityPolicy.TRANSIENT_LOCAL}
    bench.camera()
    tracked = bench.advertise(IdsList, '/humans/persons/tracked')
    bench.advertise(String, '/humans/persons/anna/face_id', **latched).publish(
        String(data='f0001')
    )
    for kind, topic in ((Gaze, GAZING), (EngagementLevel, STATUS), (TFMessage, '/tf')):
        bench.listen(kind, topic)
    levels, gazes = bench.got[STATUS], bench.got[GAZING]
    with fake_node(domain, logs, '-p', 'publish_engagement:=true') as node:

        def reached(level):
            tracked.publish(IdsList(ids=['anna']))
            return levels and levels[-1].level == level

        bench.shoot_until(lambda: reached(Level.ENGAGED), 'engaged')
        assert next(m.level for m in levels if m.level != Level.DISENGAGED) == Level.ENGAGING
        assert {(m.sender, m.receiver) for m in gazes} == {('anna', '')}
        assert gazes[-1].header.frame_id == 'camera'
        frames = {t.child_frame_id for m in bench.got['/tf'] for t in m.transforms}
        assert frames == {'face_f0001', 'gaze_f0001', 'focus_f0001'}
        bench.shoot_until(lambda: reached(Level.UNKNOWN), 'unknown', image=spots())
        seen = len(gazes)
        bench.shoot(spots())
        bench.spin(0.3)
        assert len(gazes) == seen
        assert node.end() == 0
        assert 'Traceback' not in node.output()
