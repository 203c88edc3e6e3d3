# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The line that says why an active node processes nothing."""

import pytest

from headpose_ros.node.idle import CHECK_PERIOD, NO_SUBSCRIBER, IdleNotice

DELAY = 2.0


class Log(list):
    def info(self, text):
        self.append(('info', text))

    def warning(self, text):
        self.append(('warning', text))


@pytest.fixture
def made():
    log, now, problem = Log(), [100.0], ['']
    return log, now, problem, IdleNotice(lambda: problem[0], log, clock=lambda: now[0])


def run(notice, now, seconds, idle=True):
    end = now[0] + seconds
    while now[0] < end:
        now[0] += 0.2
        notice.update(idle, DELAY)


def test_once_for_each_idle_time(made):
    log, now, _, notice = made
    run(notice, now, DELAY - 0.3)
    assert log == []
    run(notice, now, 60.0)
    ((level, text),) = log
    assert level == 'info'
    assert text.startswith(NO_SUBSCRIBER)
    assert 'always_on:=true' in text
    run(notice, now, 1.0, idle=False)
    run(notice, now, 10.0)
    assert log == [(level, text)] * 2


def test_a_wrong_remap_is_told_and_a_new_one_again(made):
    log, now, problem, notice = made
    problem[0] = '/image: nobody publishes'
    run(notice, now, 30.0)
    assert log == [('warning', f'{NO_SUBSCRIBER}; /image: nobody publishes')]
    assert notice.text == log[0][1]
    problem[0] = ''
    run(notice, now, CHECK_PERIOD + 1.0)
    assert notice.text == NO_SUBSCRIBER
    assert len(log) == 1
    problem[0] = '/camera_info: nobody publishes'
    run(notice, now, CHECK_PERIOD + 1.0)
    assert len(log) == 2
