# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The time between activate and deactivate, without a graph."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('headpose_ros.msg')
from headpose_ros.node import session as session_module
from headpose_ros.node.parameters import NodeConfig
from headpose_ros.node.problems import ProblemLog
from headpose_ros.node.session import Session

TIMEOUT = 3.0


class Log(list):
    def info(self, text):
        self.append(text)

    warning = error = info


@pytest.fixture
def made():
    """A session whose parts do nothing; `subscribed` and `silent` (seconds) are set by a test."""
    parts = SimpleNamespace(
        subscribed=True, absences=0, begun=0, silent=0.0, busy=False, cleared=[]
    )

    def publish_absence():
        parts.absences += 1

    def begin():
        parts.begun += 1

    class Image:
        def is_silent(self, timeout):
            return parts.silent > timeout

    class Worker:
        is_idle = property(lambda self: not parts.busy)

    session = SimpleNamespace(
        _options=lambda: NodeConfig(silence_timeout=TIMEOUT),
        _outputs=SimpleNamespace(
            has_subscribers=lambda: parts.subscribed, follow_persons=lambda wanted: None
        ),
        _problems=ProblemLog(Log(), 10.0),
        _statistics=SimpleNamespace(clear=parts.cleared.append),
        _inputs=SimpleNamespace(refresh=lambda wanted, timeout: None, image=Image()),
        _fixed_frame=None,
        _tf=SimpleNamespace(refresh=lambda wanted: None),
        _monitor=SimpleNamespace(check=lambda timeout: None),
        _processor=SimpleNamespace(publish_absence=publish_absence, begin=begin),
        _idle=SimpleNamespace(update=lambda idle, delay: None),
        _worker=Worker(),
        counts=lambda: 'counts so far',
        is_processing=False,
    )
    return parts, session


def test_no_problem_is_left_while_nothing_is_subscribed(made):
    parts, session = made
    session._problems.report('content.encoding', 'encoding p010', error=True)
    session._problems.report('configure', 'of another time')
    Session.refresh(session)
    assert len(session._problems.current()) == 2
    parts.subscribed = False
    Session.refresh(session)
    assert session._problems.current() == [('of another time', False)]


def test_absence_is_published_once_images_have_stopped_and_the_last_one_is_done(made):
    parts, session = made
    Session.refresh(session)
    assert parts.absences == 0
    parts.silent, parts.busy = TIMEOUT + 0.1, True
    Session.refresh(session)
    assert parts.absences == 0
    parts.busy = False
    Session.refresh(session)
    assert parts.absences == 1


def test_figures_begin_anew_each_time_processing_begins(made):
    """The latency before a pause of an hour is nobody's any more."""
    parts, session = made
    for subscribed, times in ((True, 1), (True, 1), (False, 1), (True, 2)):
        parts.subscribed = subscribed
        Session.refresh(session)
        assert parts.cleared == ['counts so far'] * times


@pytest.mark.parametrize(
    ('camera_hz', 'max_rate', 'expected'),
    [
        (30.0, 20.0, 20.0),
        (30.0, 25.0, 25.0),
        (30.0, 7.0, 7.0),
        (30.0, 60.0, 30.0),
        (30.0, 0.0, 30),
    ],
)
def test_max_rate_is_reached_and_not_exceeded(monkeypatch, camera_hz, max_rate, expected):
    """Skipping to the next image after each pause would make 15 Hz of 20 at 30 Hz."""
    handed, now = [], [0.0]
    monkeypatch.setattr(session_module.time, 'monotonic', lambda: now[0])
    session = SimpleNamespace(
        _options=lambda: SimpleNamespace(max_rate=max_rate),
        _next_due=0.0,
        _worker=SimpleNamespace(put=handed.append),
    )
    seconds = 10.0
    for now[0] in np.arange(0.0, seconds, 1.0 / camera_hz):
        Session._on_image(session, None)
    assert len(handed) / seconds == pytest.approx(expected, rel=0.03)


def test_what_was_known_before_a_time_without_listeners_is_forgotten_once(made):
    parts, session = made
    for subscribed, begun in ((True, 1), (True, 1), (False, 1), (False, 1), (True, 2)):
        parts.subscribed = subscribed
        Session.refresh(session)
        assert parts.begun == begun
