# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of stamps, as tables of stamps and expected results."""

from itertools import pairwise

import pytest

from headpose_ros.node.stamps import NANO, StampChecker
from headpose_ros.tracking.clock import Passage

START = 1_700_000_000 * NANO
ON, LATE, JUMP = Passage.ON, Passage.LATE, Passage.JUMP


def orders(*seconds):
    checker = StampChecker()
    stamps = [START + int(s * NANO) for s in seconds]
    return [checker.check(stamp, stamp, 5.0).passage for stamp in stamps]


@pytest.mark.parametrize(
    ('seconds', 'expected'),
    [
        ((0, 1, 2), [ON, ON, ON]),
        ((0, 1, 0.95, 1.1), [ON, ON, ON, ON]),
        ((0, 1, 0.8, 1.1), [ON, ON, LATE, ON]),
        ((0, 1, 0.5, 0.6), [ON, ON, JUMP, ON]),
        ((5, 0, 1), [ON, JUMP, ON]),
        ((0, 0, 1, 1, 2), [ON, ON, ON, ON, ON]),  # every image sent twice
        ((0, 1000), [ON, ON]),
    ],
)
def test_order_of_stamps(seconds, expected):
    assert orders(*seconds) == expected


def test_the_time_always_goes_on():
    """However stamps repeat, jitter or come late."""
    watch = StampChecker()
    stamps = (0.0, 0.0, 0.0, 0.1, 0.06, 0.1, 0.1, 0.2, 0.15, 0.3)
    times = [
        watch.check(START + int(s * NANO), START, 0.033 * i).seconds for i, s in enumerate(stamps)
    ]
    assert all(later > before for before, later in pairwise(times))
    assert times[2] - times[0] == pytest.approx(0.066, abs=1e-3), 'as they were received'
    assert times[-1] == pytest.approx(START / NANO + 0.3)


def test_going_back_is_told():
    checker = StampChecker()
    checker.check(START, START, 0.0)
    checked = checker.check(START - 5 * NANO, START, 0.1)
    assert checked.passage is JUMP
    assert checked.warning[0] == 'stamp_back'
    assert 'back by 5.0 s' in checked.warning[1]
    assert checker.check(START - 4 * NANO, START, 0.2).warning is None


def test_zero_stamps_use_the_time_of_reception():
    checker = StampChecker()
    first, second = checker.check(0, START, 7.0), checker.check(0, START, 7.1)
    assert (first.seconds, second.seconds) == (7.0, 7.1)
    assert (first.passage, second.passage) == (JUMP, ON)
    assert first.warning[0] == 'stamp_zero'
    healed = checker.check(START, START, 7.2)
    assert (healed.passage, healed.warning) == (JUMP, None)
    assert checker.check(START + NANO, START + NANO, 8.2).passage is ON


def test_a_stamp_that_does_not_change():
    checker = StampChecker()
    kinds = [checker.check(START, START, at).warning for at in (1.0, 2.0, 3.0, 4.0)]
    assert [kind and kind[0] for kind in kinds] == [None, None, 'stamp_still', 'stamp_still']


def test_repeated_stamps_are_told_once_and_not_solved_in_between():
    watch = StampChecker()
    told = [
        watch.check(START + k // 3 * NANO // 10, START + NANO, 0.033 * k).warning
        for k in range(12)
    ]
    assert [t and t[0] for t in told] == [None] * 2 + ['stamp_still'] * 10
    for k in range(4, 16):
        moment = watch.check(START + k * NANO // 10, START + NANO, 0.1 * k)
        assert moment.passage is ON
    assert moment.warning is None


@pytest.mark.parametrize(
    ('offset', 'kind'),
    [(0.0, None), (0.4, None), (-9.0, None), (0.6, 'stamp_ahead'), (-11.0, 'stamp_past')],
)
def test_against_the_clock(offset, kind):
    checked = StampChecker().check(START + int(offset * NANO), START, 0.0)
    assert (checked.warning and checked.warning[0]) == kind


def test_simulated_time_without_a_clock():
    assert StampChecker().check(START, 0, 0.0).warning[0] == 'no_clock'
