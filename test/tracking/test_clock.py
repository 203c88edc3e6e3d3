# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The time of a stream: tables of stamps and what must follow."""

from itertools import pairwise

import numpy as np
import pytest

from headpose_ros.tracking.clock import IMAGE_PERIOD, MAX_LATE_IN_A_ROW, Passage, StreamClock

ON, REPEATED, LATE, JUMP = Passage.ON, Passage.REPEATED, Passage.LATE, Passage.JUMP
START = 1.7e9


def ticks(*stamps, keep_lost=0.6, received=()):
    clock = StreamClock()
    found = [
        clock.advance(stamp, keep_lost, received[i] if received else None)
        for i, stamp in enumerate(stamps)
    ]
    return [time for time, _ in found], [passage for _, passage in found]


@pytest.mark.parametrize(
    ('stamps', 'expected'),
    [
        ((0, 1, 2), [ON, ON, ON]),
        ((0, 0.033, 0.066, 0.1, 0.09, 0.133), [ON] * 6),
        ((0, 0.1, 0.2, 0.1, 0.08, 0.3), [ON] * 6),  # two late in a row
        ((0, 0.1, 0.3, 0.1, 0.33), [ON, ON, ON, LATE, ON]),
        ((0, 1, 0.5, 0.6), [ON, ON, JUMP, ON]),
        ((5, 0, 1), [ON, JUMP, ON]),
        ((0, 0, 1, 1, 2), [ON, REPEATED, ON, REPEATED, ON]),  # every image sent twice
        ((0, 0, 0, 0, 1), [ON, REPEATED, REPEATED, REPEATED, ON]),
    ],
)
def test_the_order_of_stamps(stamps, expected):
    assert ticks(*[START + stamp for stamp in stamps])[1] == expected


def test_good_stamps_are_the_time():
    stamps = START + np.cumsum([0.02, 0.033, 0.05, 0.2, 0.033])
    assert ticks(*stamps)[0] == list(stamps)


def test_images_without_stamps_come_at_30_hz():
    times, passages = ticks(None, None, None)
    assert times == pytest.approx([0, IMAGE_PERIOD, 2 * IMAGE_PERIOD])
    assert passages == [ON] * 3


def test_images_with_one_stamp_are_spread_over_the_time_to_the_next():
    """At the rate that the stamps before showed: here three images each 0.1 s."""
    times, _ = ticks(*np.repeat(START + np.arange(8) * 0.1, 3))
    assert np.diff(times[-9:]) == pytest.approx(0.1 / 3, abs=0.003)
    assert all(later > before for before, later in pairwise(times))


def test_images_with_one_stamp_are_told_apart_by_their_reception():
    times, _ = ticks(START, START, START, START + 1, received=(5.0, 5.2, 5.5, 6.0))
    assert np.subtract(times, START) == pytest.approx([0.0, 0.2, 0.5, 1.0])


@pytest.mark.parametrize('jitter', [0.02, 0.06])
def test_the_time_goes_on_whatever_the_jitter(jitter):
    random = np.random.default_rng(0)
    stamps = START + np.arange(300) / 30 + random.uniform(-jitter, jitter, 300)
    times, passages = ticks(*stamps)
    assert passages == [ON] * 300
    assert all(later > before for before, later in pairwise(times))
    assert np.abs(np.subtract(times, START + np.arange(300) / 30)).max() < 0.13


def test_a_clock_that_was_set_back_a_little_is_no_jump():
    stamps = [*(START + np.arange(10) / 30), *(START + np.arange(10, 40) / 30 - 0.25)]
    times, passages = ticks(*stamps)
    assert JUMP not in passages
    assert 0 < passages.count(LATE) <= MAX_LATE_IN_A_ROW
    assert times[-1] == pytest.approx(stamps[-1])


@pytest.mark.parametrize(
    ('stamps', 'expected'),
    [
        ((0, 0.1, 3.2), [ON, ON, JUMP]),
        ((0, 0.1, 3.0), [ON, ON, ON]),
        ((0, 5, 10, 15), [ON, JUMP, ON, ON]),  # slow all the time: the first gap is one
        ((0, 5, 10, 26), [ON, JUMP, ON, JUMP]),
    ],
)
def test_long_gaps_start_anew(stamps, expected):
    assert ticks(*stamps)[1] == expected


def test_a_gap_that_a_lost_head_may_last_is_none():
    assert ticks(0, 0.1, 9.0, keep_lost=10.0)[1] == [ON, ON, ON]


def test_the_period_is_learned():
    clock = StreamClock()
    for stamp in np.arange(10) * 0.2:
        clock.advance(START + stamp, 0.6)
    assert clock.period == pytest.approx(0.2)


def test_after_a_reset_any_stamp_is_the_first():
    clock = StreamClock()
    clock.advance(100.0, 0.6)
    clock.reset()
    assert clock.advance(3.0, 0.6) == (3.0, ON)
