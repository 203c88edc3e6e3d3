# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the checks of the inputs report, without a graph."""

from types import SimpleNamespace

import pytest

pytest.importorskip('headpose_ros.msg')
from headpose_ros.node import input_monitor
from headpose_ros.node.input_monitor import (
    CONFLICT_PERIOD,
    CONFLICT_SECONDS,
    REASON_PERIOD,
    InputMonitor,
    Inputs,
)
from headpose_ros.node.problems import ProblemLog
from headpose_ros.node.subscriptions import LEASE_SECONDS


class Log(list):
    def info(self, text):
        self.append(text)

    warning = error = info


class Topic:
    """An input with publishers and times as a test sets them."""

    kind = 'sensor_msgs/msg/Image'
    received = lost = 0

    def __init__(self, name, seconds=0.1):
        self.topic = name
        self.seconds_since_message = seconds
        self.publishers = [SimpleNamespace(kind=self.kind)]
        self.searches = 0

    def is_silent(self, timeout):
        return self.seconds_since_message > timeout

    def competing_publishers(self):
        return []

    def update_publishers(self):
        pass

    def no_data_reason(self):
        self.searches += 1
        return f'{self.topic}: nobody publishes'


@pytest.fixture
def now(monkeypatch):
    time = [100.0]
    monkeypatch.setattr(input_monitor.time, 'monotonic', lambda: time[0])
    return time


@pytest.fixture
def made(now):
    log = Log()
    parts = SimpleNamespace(
        log=log,
        now=now,
        image=Topic('/image'),
        info=Topic('/camera_info'),
        cameras=SimpleNamespace(frame_id='camera', alternation=lambda: ''),
        clock=lambda: int(1e9 * now[0]),
        others=0,
        conflicts={},
        problems=ProblemLog(log, 10.0, clock=lambda: now[0]),
    )
    outputs = SimpleNamespace(
        other_publishers=lambda: parts.others, conflicts=lambda: parts.conflicts
    )
    parts.monitor = InputMonitor(
        Inputs(parts.image, parts.info, None),
        parts.cameras,
        outputs,
        parts.problems,
        '/headpose',
        lambda: parts.clock(),
    )
    return parts


def test_another_node_of_the_same_name_is_reported_once_it_cannot_be_a_dead_one(made):
    made.others = 1
    for seconds in (0.0, LEASE_SECONDS - 1.0):
        made.now[0] = 100.0 + seconds
        made.monitor.check(3.0)
    assert made.log == []
    made.now[0] += 2.0
    made.monitor.check(3.0)
    (line,) = made.log
    assert line.startswith('/headpose: another node has the same name')
    made.others = 0
    made.monitor.check(3.0)
    assert made.log[1:] == [f'resolved: {line}']


def test_conflicts_with_other_nodes_are_reported_once_they_last(made):
    made.monitor.check(3.0)
    made.conflicts = {'ids': '/b: the same ids', 'tracked': ''}
    for seconds in (0.0, CONFLICT_SECONDS - 0.1):
        made.now[0] = 100.0 + seconds
        made.monitor.check(3.0)
    assert made.log == []
    made.now[0] += CONFLICT_SECONDS + 0.2
    made.monitor.check(3.0)
    assert made.log == ['/b: the same ids']
    made.conflicts = {'ids': '', 'tracked': ''}
    made.now[0] += CONFLICT_PERIOD
    made.monitor.check(3.0)
    assert made.log[1:] == ['resolved: /b: the same ids']


def test_a_paused_bag_is_told_by_its_clock(made):
    made.image.seconds_since_message = 9.0
    made.monitor.check(3.0)
    assert made.log.pop().startswith('/image: nobody publishes')
    made.clock = lambda: 17  # stands still
    for _ in range(8):
        made.now[0] += 1.0
        made.monitor.check(3.0)
    assert made.log == [
        '/image: no message arrives and /clock stands still: a bag that is paused?'
    ]
    ((text, is_error),) = made.problems.current()
    assert text == made.log[0]
    assert not is_error
    made.image.publishers = []  # the player is gone
    made.now[0] += 1.0
    made.monitor.check(3.0)
    assert [text for text, _ in made.problems.current()] == ['/image: nobody publishes']


def test_a_bag_that_was_just_paused_is_not_taken_for_a_broken_camera(made):
    """Its clock was seen to move a little after the last image, at the check that came then."""
    made.image.publishers = ['the player']
    made.clock = lambda: 17
    for waited in (0.3, 2.0, 3.1, 4.0):
        made.now[0] = 100.0 + waited
        made.image.seconds_since_message = waited + 0.5
        made.monitor.check(3.0)
        told = made.log[:]
        assert not told or 'a bag that is paused?' in told[0], told
    assert len(told) == 1


def test_two_publishers_of_any_input_are_told(made):
    for topic in (made.image, made.info):
        topic.competing_publishers = lambda: ['/a', '/b']
        made.monitor.check(3.0)
        assert made.log.pop().startswith(f'{topic.topic}: /a, /b all publish on it')
        topic.competing_publishers = lambda: []
        made.monitor.check(3.0)
        assert made.log.pop().startswith('resolved: ')


def test_calibrations_that_take_turns_are_told(made):
    made.cameras.alternation = lambda: 'two calibrations take turns'
    made.monitor.check(3.0)
    assert made.log == ['/camera_info: two calibrations take turns']


def test_missing_camera_info_is_reported_until_it_arrives(made):
    made.info.seconds_since_message = 9.0
    made.cameras.frame_id = None
    made.monitor.check(3.0)
    assert [text for text, _ in made.problems.current()] == [made.log[0]]
    assert made.log[0].startswith('/camera_info: nobody publishes; images arrive')
    made.cameras.frame_id = 'camera'
    made.monitor.check(3.0)
    assert made.problems.current() == []
    assert made.log[1:] == [f'resolved: {made.log[0]}']


def test_the_graph_is_not_searched_at_each_check(made):
    made.image.seconds_since_message = 9.0
    for _ in range(10):
        made.monitor.check(3.0)
        made.now[0] += REASON_PERIOD / 10
    assert made.image.searches == 1
    made.now[0] += 0.01
    made.monitor.check(3.0)
    assert made.image.searches == 2
    made.image.publishers = []  # another reason
    made.monitor.check(3.0)
    assert made.image.searches == 3


def test_wrong_remaps_are_found_while_nothing_is_subscribed_to(made):
    assert made.monitor.unavailable() == ''
    made.image.publishers = []
    assert made.monitor.unavailable() == '/image: nobody publishes'
    made.info.publishers = [SimpleNamespace(kind='another')]
    assert made.monitor.unavailable().endswith('; /camera_info: nobody publishes')
