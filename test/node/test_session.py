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
