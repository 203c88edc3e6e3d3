# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What goes out on ~/attention and ~/events, with publishers that only record."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('headpose_ros.msg')
from builtin_interfaces.msg import Time
from std_msgs.msg import Header
from test_outputs import Node
from test_outputs import head as some_head

from headpose_ros.attention import Attention, HeadEventType, Place, Target
from headpose_ros.msg import HeadEvent
from headpose_ros.node.attention_markers import ShownAttention
from headpose_ros.node.attention_output import AttentionOutput
from headpose_ros.node.attentive_principal import AttentivePrincipal
from headpose_ros.result import FrameResult
from headpose_ros.tracking.principal import SWITCH_AFTER

PERIOD_NS = 33_333_333
START_NS = 1_764_000_000_123_456_789
BESIDE = Place((0.8, 0.0, 1.0))
"""A right angle away from where a head that looks at the camera faces."""


def head(name, z=1.0):
    """A head of a known pose, which looks at the camera."""
    return replace(some_head(name, z), covariance=1e-4 * np.eye(6))


class Film:
    """Feeds an output with images of people in their places."""

    def __init__(self, listeners=1):
        self.node = Node()
        self.output = AttentionOutput(self.node, lambda to, message: to.publish(message))
        self.array = self.node.made['~/attention']
        self.events = self.node.made['~/events']
        self.array.listeners = self.events.listeners = listeners
        self.count = 0

    def show(self, *heads, images=1, targets=(), places=None, lost=()):
        """Show `images` of `heads`; `lost`: ids of others who are followed, but not seen."""
        for _ in range(images):
            stamp = START_NS + self.count * PERIOD_NS
            self.count += 1
            header = Header(frame_id='lens', stamp=time_of(stamp))
            followed = frozenset([*lost, *(one.id for one in heads)])
            result = FrameResult(heads, None, stamp / 1e9, followed_ids=followed)
            found = self.output.update(result, header, targets, places or {}, None)
        return found

    def told(self):
        """(type, id, target) of the events so far."""
        sent = self.events.sent
        return [(HeadEventType(m.type).name, m.id, m.target) for m in sent]


def time_of(stamp_ns):
    return Time(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)


def stamp_ns(stamp):
    return stamp.sec * 10**9 + stamp.nanosec


def test_an_event_has_the_header_of_the_image_in_which_it_became_certain():
    film = Film()
    film.show(head('f0001'), images=15)
    assert film.told() == [('ENTERED', 'f0001', ''), ('STARTED_LOOKING', 'f0001', 'camera')]
    entered, started = film.events.sent
    assert entered.header == Header(frame_id='lens', stamp=time_of(START_NS))
    images = [message.header for message in film.array.sent]
    assert started.header in images
    assert (entered.type, started.type) == (HeadEvent.ENTERED, HeadEvent.STARTED_LOOKING)


def test_since_is_the_exact_stamp_of_an_image():
    film = Film()
    film.show(head('f0001'), images=40)
    last = film.array.sent[-1].attention[0]
    started = film.events.sent[1]
    assert last.looking
    assert last.since == started.header.stamp
    assert film.array.sent[0].attention[0].since == time_of(START_NS)


def test_since_stays_exact_while_a_head_is_lost_for_a_moment():
    film = Film()
    film.show(head('f0001'), images=20)
    since = film.array.sent[-1].attention[0].since
    film.show(images=5, lost=['f0001'])
    assert film.array.sent[-1].attention == []
    film.show(head('f0001'))
    assert film.array.sent[-1].attention[0].since == since


def test_one_entry_for_each_head_and_each_target_with_a_place():
    film = Film()
    targets = [Target('cup', radius=0.05), Target('door')]
    found = film.show(head('a'), head('b', 2.0), targets=targets, places={'cup': BESIDE})
    got = [(one.id, one.target) for one in film.array.sent[0].attention]
    assert got == [('a', 'camera'), ('a', 'cup'), ('b', 'camera'), ('b', 'cup')]
    look, entry = found.looks[1], film.array.sent[0].attention[1]
    assert entry.angle == pytest.approx(look.angle, abs=1e-6)
    assert entry.distance == pytest.approx(0.8, abs=1e-6)
    assert entry.probability == pytest.approx(look.probability, abs=1e-6)


def test_who_listens_later_finds_the_state_as_it_is():
    """No second ENTERED, and the same since as for who listened from the start."""
    film, late = Film(), Film(listeners=0)
    for one in (film, late):
        one.show(head('f0001'), images=30)
    late.array.listeners = late.events.listeners = 1
    for one in (film, late):
        one.show(head('f0001'))
    assert late.array.sent == film.array.sent[-1:]
    assert late.events.sent == []
    late.show(images=1)
    assert [one[0] for one in late.told()] == ['STOPPED_LOOKING', 'LEFT']


def test_at_the_end_everybody_leaves_with_the_last_image():
    film = Film()
    film.show(head('a'), head('b'), images=3)
    later = Header(frame_id='lens', stamp=time_of(START_NS + 10**10))
    film.output.publish_absence(later)
    left = [m for m in film.events.sent if m.type == HeadEvent.LEFT]
    assert [m.id for m in left] == ['a', 'b']
    assert {stamp_ns(m.header.stamp) for m in left} == {START_NS + 2 * PERIOD_NS}
    assert film.array.sent[-1].header == later
    assert film.array.sent[-1].attention == []
    assert film.output.last is None
    film.output.leave()
    assert film.told()[-1][0] == 'LEFT'
    assert len([one for one in film.told() if one[0] == 'LEFT']) == 2


def test_what_is_forgotten_is_not_told():
    film = Film()
    film.show(head('a'), images=10)
    film.output.forget()
    film.show(head('a'))
    assert [one[0] for one in film.told()].count('ENTERED') == 2
    assert 'LEFT' not in [one[0] for one in film.told()]


def test_targets_change_while_it_runs():
    film = Film()
    film.show(head('a'), images=20)
    film.show(head('a'), targets=[Target('cup')], places={'cup': BESIDE})
    assert [one.target for one in film.array.sent[-1].attention] == ['camera', 'cup']
    assert film.array.sent[-1].attention[0].looking  # what was known stays
    film.show(head('a'))
    assert [one.target for one in film.array.sent[-1].attention] == ['camera']


def test_an_image_with_nobody_has_an_empty_message():
    film = Film()
    film.show()
    assert film.array.sent[0].attention == []
    assert stamp_ns(film.array.sent[0].header.stamp) == START_NS


def test_markers_of_targets_and_of_who_looks():
    shown, attention = ShownAttention(), Attention([Target('plate', size=(0.4, 0.3))])
    plate = Place((0.0, 0.0, 0.1), [[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
    header = Header(frame_id='lens')
    targets, places = attention.targets, {'plate': plate}
    for k in range(20):
        result = FrameResult((head('a'),), None, k / 30, followed_ids=frozenset('a'))
        found = attention.update(result, places)
        message = shown.message(result, header, targets, places, found)
    kinds = [(m.ns, m.type) for m in message.markers]
    assert kinds[0] == ('target', 1)  # CUBE
    assert kinds[1] == ('target', 9)  # TEXT
    assert message.markers[1].text == 'plate'
    scale = message.markers[0].scale
    assert (scale.y, scale.z) == (0.4, 0.3)
    arrows = [m for m in message.markers if m.ns == 'look']
    assert len(arrows) == sum(look.looking for look in found.looks) >= 1
    assert (arrows[0].points[0].z, arrows[0].points[1].z) == (1.0, 0.0)
    left = FrameResult((), None, 1.0)
    gone = shown.message(left, header, targets, {}, attention.update(left))
    assert {m.action for m in gone.markers} == {2}
    assert len(gone.markers) == len(message.markers)


def test_the_principal_head_is_who_looks():
    choice, near, far = AttentivePrincipal(), head('near', 0.6), head('far', 3.0)
    for k in range(10):
        chosen = choice.choose(FrameResult((near, far), None, k / 30), ())
    assert chosen == 'near'
    chosen = [
        choice.choose(FrameResult((near, far), None, 1.0 + k / 30), ('far',)) for k in range(30)
    ]
    assert chosen[0] == 'near'  # with hysteresis
    assert chosen.index('far') == pytest.approx(30 * SWITCH_AFTER, abs=2)
    assert choice.choose(FrameResult((near, far), None, 2.1), ('far', 'near')) == 'far'
