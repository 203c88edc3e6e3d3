# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is counted of people who are followed: outcomes made by hand."""

import pytest
from people_world import PERIOD, head, outcome, someone

pytest.importorskip('motmetrics')

from benchmark.accuracy.people import metrics
from benchmark.accuracy.people.compose import HIDDEN, UNSURE
from benchmark.accuracy.people.demands import Demand, demands
from benchmark.accuracy.people.recorded import Recorded
from benchmark.accuracy.people.recorded import measure as measure_recorded

TWO = [someone(0, -0.5), someone(1, 0.5)]
BOTH = [head('a', -0.5), head('b', 0.5)]
SWAPPED = [head('b', -0.5), head('a', 0.5)]


def test_perfect_tracks_are_perfect():
    got = metrics.measure([outcome(*[(TWO, BOTH)] * 10)])
    assert got['mota'] == got['idf1'] == got['share'] == got['one_id'] == got['within_15'] == 1.0
    assert got['switches'] == got['false_heads'] == got['longest_wrong_s'] == 0
    assert got['first_s'] == {'median': 0.0, 'worst': 0.0}
    assert got['first_images'] == {'median': 1.0, 'worst': 1.0}


def test_swapped_ids_are_switches_and_lower_idf1():
    got = metrics.measure([outcome(*[(TWO, BOTH)] * 5, *[(TWO, SWAPPED)] * 5)])
    assert got['idf1'] == pytest.approx(0.5)
    assert got['switches'] == 2
    assert got['one_id'] == 0.0
    assert got['share'] == 1.0, 'everybody was found'
    assert got['mota'] == pytest.approx(0.9)


def test_figures_of_several_scenes_are_over_all_their_images():
    good, bad = outcome(*[(TWO, BOTH)] * 9), outcome((TWO, []))
    got = metrics.measure([good, bad])
    assert got['mota'] == pytest.approx(0.9)
    assert metrics.measure([bad])['mota'] == pytest.approx(0.0)
    assert metrics.measure([bad])['first_s'] == {'median': None, 'worst': None}
    one_never = outcome((TWO, BOTH[:1]))
    assert metrics.measure([one_never])['first_s'] == {'median': None, 'worst': None}
    assert metrics.measure([one_never, good])['first_s'] == {'median': 0.0, 'worst': None}


def test_nobody_there_is_no_miss_but_heads_are_false():
    got = metrics.measure([outcome(*[([], [head('ghost', 0.0)])] * 6, people=0)])
    assert (got['false_heads'], got['false_images'], got['mota']) == (1, 1.0, None)
    assert got['false_heads_per_minute'] == pytest.approx(100.0)
    assert got['longest_wrong_s'] == pytest.approx(0.6)


@pytest.mark.parametrize('state', [UNSURE, HIDDEN])
@pytest.mark.parametrize('said', [[], [head('a', -0.5)]])
def test_who_is_not_plain_to_see_counts_neither_way(state, said):
    plain, not_plain = [someone(0, -0.5)], [someone(0, -0.5, state)]
    got = metrics.measure([outcome(*[(plain, said)] * 5, *[(not_plain, said)] * 5, people=1)])
    alone = metrics.measure([outcome(*[(plain, said)] * 5, people=1)])
    assert {k: got[k] for k in ('mota', 'idf1', 'share', 'false_heads')} == {
        k: alone[k] for k in ('mota', 'idf1', 'share', 'false_heads')
    }


def test_a_head_beside_somebody_is_nobodys():
    near, beside = head('a', 0.1), head('a', 0.15)
    person = [someone(0, 0.0)]
    assert metrics.measure([outcome((person, [near]))])['false_images'] == 0.0
    assert metrics.measure([outcome((person, [beside]))])['false_images'] == 1.0


def test_who_is_plain_to_see_gets_the_head_before_who_is_not():
    both = [someone(0, 0.0, UNSURE), someone(1, 0.08)]
    moment = outcome((both, [head('a', 0.03)])).moments[0]
    assert moment.matched == {0: 1}


def test_only_images_from_a_while_after_entry_are_asked_for():
    person = [someone(0, 0.0)]
    late = [(person, [])] * 3 + [(person, [head('a', 0.0)])] * 4
    got = metrics.measure([outcome(*late, people=1)])
    assert got['share'] == 1.0
    assert got['first_s']['worst'] == pytest.approx(3 * PERIOD)
    assert got['first_images']['worst'] == 4
    assert got['first_in_time'] == 0.0
    later = [(person, [])] * 4 + [(person, [head('a', 0.0)])] * 3
    assert metrics.measure([outcome(*later, people=1)])['share'] == pytest.approx(3 / 4)


def test_the_first_result_may_take_three_images_or_a_quarter_of_a_second():
    person = [someone(0, 0.0)]
    third = [(person, [])] * 2 + [(person, [head('a', 0.0)])]
    assert metrics.measure([outcome(*third, people=1)])['first_in_time'] == 1.0
    assert metrics._in_time(0.25, 8)
    assert not metrics._in_time(0.3, 4)


def test_ids_before_and_after_being_out_of_sight_are_compared():
    here, away = [someone(0, 0.0)], [someone(0, 0.0, HIDDEN)]
    before, gone = [(here, [head('a', 0.0)])] * 3, [(away, [])] * 3
    same = outcome(*before, *gone, *before, people=1)
    other = outcome(*before, *gone, (here, [head('b', 0.0)]), people=1)
    never = outcome(*before, *gone, (here, []), people=1)
    left = outcome(*before, ([], []), people=1)
    got = [metrics.measure([o])['same_id'] for o in (same, other, never, left)]
    assert got == [1.0, 0.0, 0.0, None]


def test_the_longest_time_on_end_that_a_pose_is_wrong():
    person = [someone(0, 0.0)]
    right, wrong = [head('a', 0.0, 20.0)], [head('a', 0.0, 40.0)]
    turns = [right, wrong, wrong, right, wrong, wrong, wrong, right]
    made = outcome(*[(person, said) for said in turns], people=1)
    assert metrics.longest_wrong(made) == pytest.approx(3 * PERIOD)
    assert metrics.measure([made])['within_15'] == 0.0


def test_who_is_reported_as_turned_away_has_no_wrong_pose():
    person, silent = [someone(0, 0.0)], [head('a', 0.0, claims=False)]
    got = metrics.measure([outcome(*[(person, silent)] * 5, people=1)])
    assert (got['longest_wrong_s'], got['within_15'], got['share']) == (0.0, None, 1.0)
    astray = [head('a', 1.0, claims=False)]
    assert metrics.longest_wrong(outcome(*[(person, astray)] * 5)) == pytest.approx(0.5)


def test_ids_beyond_the_number_of_people_are_false_in_a_recording():
    ids = [('a',)] * 8 + [('a', 'b')] * 2
    got = measure_recorded([Recorded('clip', 'clips', 1, 0.1, ids)])
    assert (got['false_heads'], got['ids'], got['one_id']) == (1, 2, 0.0)
    assert got['false_images'] == pytest.approx(0.2)
    assert got['longest_false_s'] == pytest.approx(0.2)
    assert measure_recorded([Recorded('c', 'c', None, 0.1, ids)])['false_heads'] is None


@pytest.mark.parametrize(
    ('value', 'at_least', 'met'),
    [(0.9, True, True), (0.89, True, False), (0.9, False, True), (0.91, False, False),
     (None, True, None)],
)  # fmt: skip
def test_a_demand_is_met_within_its_limit(value, at_least, met):
    assert Demand('x', value, 0.9, at_least).met is met


def test_no_false_head_is_a_figure_and_not_a_gap():
    empty = {'groups': {}, 'ordinary': {}, 'recorded': {'nobody': {'false_heads_per_minute': 0.0}}}
    rows = {row.text: row for row in demands(empty)}
    assert rows['nobody there: false heads in 10 minutes'].met is True
    assert rows['ordinary part: IDF1'].met is None
