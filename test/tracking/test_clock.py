# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The time of a stream: tables of stamps and what must follow."""

import pytest

from headpose_ros.tracking.clock import IMAGE_PERIOD, Passage, StampOrder, StreamClock

ON, LATE, STILL, JUMP = Passage.ON, Passage.LATE, Passage.STILL, Passage.JUMP
START = 1.7e9


@pytest.mark.parametrize(
    ('stamps', 'expected'),
    [
        ((0, 1, 2), [ON, ON, ON]),
        ((0, 0.033, 0.066, 0.1, 0.09, 0.133), [ON, ON, ON, ON, LATE, ON]),
        ((0, 1, 0.5, 0.6), [ON, ON, JUMP, ON]),
        ((5, 0, 1), [ON, JUMP, ON]),
        ((0.15, 0, 0.05, 0.1), [ON, LATE, JUMP, ON]),  # a recording that short, looping
        ((0, 0, 1, 1, 2), [ON, LATE, ON, LATE, ON]),  # every image sent twice
        ((0, 0, 0, 0, 1), [ON, LATE, STILL, STILL, ON]),
        ((0, 0, 0, 1, 1, 1), [ON, LATE, STILL, ON, LATE, STILL]),
    ],
)
def test_the_order_of_stamps(stamps, expected):
    order = StampOrder()
    assert [order.judge(START + stamp) for stamp in stamps] == expected


def ticks(*stamps, keep_lost=0.6):
    clock = StreamClock()
    found = [clock.advance(stamp, keep_lost) for stamp in stamps]
    return [time for time, _ in found], [passage for _, passage in found]


def test_images_without_stamps_come_at_30_hz():
    times, passages = ticks(None, None, None)
    assert times == pytest.approx([0, IMAGE_PERIOD, 2 * IMAGE_PERIOD])
    assert passages == [ON] * 3


def test_stamps_that_stand_still_count_as_none():
    times, passages = ticks(7.0, 7.0, 7.0, 7.0, 7.5)
    assert passages == [ON, LATE, ON, ON, ON]
    assert times == pytest.approx([7, 7, 7 + IMAGE_PERIOD, 7 + 2 * IMAGE_PERIOD, 7.5])


def test_a_stamp_behind_the_time_counted_meanwhile_is_a_jump():
    assert ticks(7.0, None, None, 7.05)[1] == [ON, ON, ON, JUMP]


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


def test_a_late_image_changes_nothing():
    clock = StreamClock()
    for stamp in (0.0, 0.1, 0.05):
        clock.advance(stamp, 0.6)
    assert clock.advance(0.2, 0.6) == (0.2, ON)


def test_after_a_reset_any_stamp_is_the_first():
    clock = StreamClock()
    clock.advance(100.0, 0.6)
    clock.reset()
    assert clock.advance(3.0, 0.6) == (3.0, ON)
