# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the watch between activate and deactivate says, without a graph."""

from types import SimpleNamespace

import pytest

pytest.importorskip('headpose_ros.msg')
from headpose_ros.node import session
from headpose_ros.node.complaints import Complaints
from headpose_ros.node.session import Session
from headpose_ros.node.subscriptions import LEASE_SECONDS


class Log(list):
    def info(self, text):
        self.append(text)

    warning = error = info


def test_another_node_of_the_same_name_is_told_once_it_cannot_be_a_dead_one(monkeypatch):
    now, twins, log = [100.0], [1], Log()
    monkeypatch.setattr(session.time, 'monotonic', lambda: now[0])
    watched = SimpleNamespace(
        _outputs=SimpleNamespace(twins=lambda: twins[0]),
        _complaints=Complaints(log, 10.0, clock=lambda: now[0]),
        _name='/headpose',
        _alone_at=100.0,
    )
    for seconds in (0.0, LEASE_SECONDS - 1.0):
        now[0] = 100.0 + seconds
        Session._complain_of_twin(watched)
    assert log == []
    now[0] += 2.0
    Session._complain_of_twin(watched)
    (line,) = log
    assert line.startswith('/headpose: another node has this name')
    twins[0] = 0
    Session._complain_of_twin(watched)
    assert log[1:] == [f'solved: {line}']


def watched(log, **parts):
    topic = SimpleNamespace(silent_for=9.0, why_silent=lambda: 'nobody publishes', topic='/t')
    others = ('silence', 'crowd', 'twin', 'loss')
    quiet = {f'_complain_of_{name}': lambda *_: None for name in others}
    values = {
        '_options': lambda: SimpleNamespace(silence_timeout=3.0, always_on=False),
        '_complaints': Complaints(log, 10.0),
        '_image': topic,
        '_info': topic,
        '_depth': None,
        'cameras': SimpleNamespace(frame_id=None),
    }
    return SimpleNamespace(**quiet, **{**values, **parts})


def test_missing_camera_info_is_told_while_images_come_and_no_longer_when_it_has_come():
    log = Log()
    images = SimpleNamespace(silent_for=0.1)
    one = watched(log, _image=images)
    Session._complain(one)
    assert [text for text, _ in one._complaints.current()] == [log[0]]
    assert log[0].startswith('nobody publishes; images come')
    one.cameras.frame_id = 'camera'
    Session._complain(one)
    assert one._complaints.current() == []
    assert log[1:] == [f'solved: {log[0]}']


def test_nothing_is_wrong_while_nobody_listens():
    heard = [True]
    one = watched(Log(), _outputs=SimpleNamespace(listened=lambda: heard[0]), working=True)
    one._image = one._info = SimpleNamespace(refresh=lambda wanted: None)
    one._complain = lambda: None
    one._complaints.say('content.encoding', 'encoding p010', error=True)
    one._complaints.say('configure', 'of another time')
    Session.refresh(one)
    assert len(one._complaints.current()) == 2
    heard[0] = False
    Session.refresh(one)
    assert one._complaints.current() == [('of another time', False)]
