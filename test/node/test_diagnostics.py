# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Levels and reasons of the status on /diagnostics, and the figures in it."""

import pytest

pytest.importorskip('diagnostic_msgs')
from diagnostic_msgs.msg import DiagnosticStatus

from headpose_ros.node import diagnostics
from headpose_ros.node.diagnostics import (
    Counts,
    Limits,
    Rates,
    Statistics,
    exceeded_limits,
    status,
)

LIMITS = Limits(rate=5.0, latency=0.2, dropped=0.5)


@pytest.mark.parametrize(
    ('rates', 'latency', 'words'),
    [
        (Rates(30.0, 30.0, 0.0), 0.05, []),
        (Rates(30.0, 4.9, 0.0), 0.05, ['output 4.9 Hz < 5 Hz']),
        (Rates(30.0, 30.0, 0.0), 0.25, ['latency p95 0.25 s > 0.2 s']),
        (Rates(30.0, 12.0, 0.6), 0.05, ['60% of the images dropped']),
        (Rates(0.0, 0.0, 0.0), 9.0, ['output 0.0 Hz < 5 Hz']),  # an old latency says nothing
        (Rates(30.0, 0.0, 0.9), None, ['output 0.0 Hz', '90%']),
    ],
)
def test_what_is_beyond_the_limits(rates, latency, words):
    found = exceeded_limits(rates, latency, LIMITS)
    assert len(found) == len(words)
    for (text, is_error), word in zip(found, words, strict=True):
        assert word in text
        assert not is_error


@pytest.mark.parametrize(
    ('problems', 'level', 'message'),
    [
        ([], DiagnosticStatus.OK, 'processing'),
        ([('slow', False)], DiagnosticStatus.WARN, 'slow'),
        ([('slow', False), ('no image', True)], DiagnosticStatus.ERROR, 'slow; no image'),
    ],
)
def test_the_worst_problem_gives_the_level(problems, level, message):
    made = status('headpose: head poses', 'camera', 'processing', problems, {'people': '2'})
    assert (made.level, made.message, made.hardware_id) == (level, message, 'camera')
    assert [(item.key, item.value) for item in made.values] == [('people', '2')]


def test_rates_are_averages_over_some_seconds(monkeypatch):
    now = [10.0]
    monkeypatch.setattr(diagnostics.time, 'monotonic', lambda: now[0])
    statistics = Statistics()
    now[0] += 2.0
    assert statistics.rates(Counts(60, 40, 15, 5)) == Rates(30.0, 20.0, 0.25)
    for _ in range(4):
        now[0] += 1.0
        rates = statistics.rates(Counts(60, 40, 15, 5))
    assert rates == Rates(10.0, 40 / 6, 0.25)
    for _ in range(2):
        now[0] += 1.0
        rates = statistics.rates(Counts(60, 40, 15, 5))
    assert rates == Rates(0.0, 0.0, 0.0)
    statistics.clear(Counts(60, 40, 15, 5))
    now[0] += 1.0
    assert statistics.rates(Counts(90, 70, 15, 5)).published_hz == 30.0


@pytest.mark.parametrize('max_rate', [4.0, 2.0, 0.5, 0.1])
def test_a_low_max_rate_is_no_reason_to_warn(monkeypatch, max_rate):
    """A healthy node that processes as many images as it may, watched each second."""
    now = [0.0]
    monkeypatch.setattr(diagnostics.time, 'monotonic', lambda: now[0])
    statistics, limits = Statistics(), Limits(5.0, 0.2, 0.5, max_rate)
    for second in range(1, 60):
        now[0] = float(second)
        done = 1 + int(second * max_rate)
        rates = statistics.rates(Counts(done, done, 0, 0), max_rate)
        assert exceeded_limits(rates, 0.05, limits) == []
    stopped = Rates(0.0, 0.4 * max_rate, 0.0)
    assert exceeded_limits(stopped, 0.05, limits)


def test_latency_of_the_last_images():
    statistics = Statistics()
    assert statistics.latency_p95() is None
    assert statistics.values() == {'people': '0'}
    for number in range(1, 101):
        statistics.record(number / 1000.0, 0.002, people=3)
    values = statistics.values()
    assert values['people'] == '3'
    assert float(values['latency p50 (ms)']) == pytest.approx(50.5)
    assert float(values['latency p95 (ms)']) == pytest.approx(95.0, abs=0.1)
    assert float(values['latency max (ms)']) == 100.0
    assert statistics.latency_p95() == pytest.approx(0.095, abs=1e-4)
    statistics.clear(Counts())
    assert statistics.latency_p95() is None
    assert statistics.published == 100
