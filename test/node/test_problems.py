# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Log lines of problems: one for each problem and period."""

import pytest

from headpose_ros.node.problems import ProblemLog


class Log:
    def __init__(self):
        self.lines = []

    def info(self, text):
        self.lines.append(('info', text))

    def warning(self, text):
        self.lines.append(('warning', text))

    def error(self, text):
        self.lines.append(('error', text))


@pytest.fixture
def made():
    log, now = Log(), [0.0]
    return log, now, ProblemLog(log, 10.0, clock=lambda: now[0])


def test_once_in_its_period(made):
    log, now, problems = made
    for at in (0, 1, 5, 9.9, 10, 11, 19.9):
        now[0] = at
        problems.report('image.encoding', 'bad')
    assert log.lines == [('warning', 'bad')] * 2


def test_keys_are_throttled_apart(made):
    log, _, problems = made
    problems.report('a', 'one')
    problems.report('b', 'two', error=True)
    assert log.lines == [('warning', 'one'), ('error', 'two')]


def test_the_end_is_logged_once(made):
    log, _, problems = made
    problems.report('image.encoding', 'bad')
    problems.resolve('image')
    problems.resolve('image')
    assert log.lines[1:] == [('info', 'resolved: bad')]
    assert problems.current() == []


def test_resolving_does_not_touch_other_keys(made):
    _, _, problems = made
    problems.report('images', 'bad')
    problems.resolve('image')
    assert problems.current() == [('bad', False)]


def test_a_problem_that_comes_and_goes_is_still_throttled(made):
    log, now, problems = made
    for at in range(100):
        now[0] = at * 0.05
        problems.report('image', 'bad')
        problems.resolve('image')
    assert log.lines == [('warning', 'bad'), ('info', 'resolved: bad')]


def test_forgotten_without_a_line(made):
    log, _, problems = made
    problems.report('image.silent', 'bad')
    problems.forget('image')
    problems.resolve('image')
    assert (log.lines, problems.current()) == ([('warning', 'bad')], [])


def test_what_is_no_problem_is_mentioned_once(made):
    log, now, problems = made
    for at in range(0, 100, 10):
        now[0] = at
        problems.mention("'fisheye' is taken for 'equidistant'")
    assert log.lines == [('info', "'fisheye' is taken for 'equidistant'")]
    assert problems.current() == []
    for number in range(1000):
        problems.mention(f'another {number}')
    assert len(log.lines) == 100
