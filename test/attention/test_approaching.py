# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who comes nearer: speeds with their deviation, and walks told once."""

import numpy as np
import pytest
from made_heads import facing, head, image, named, play, turned

from headpose_ros.attention import Attention

AT_CAMERA = facing((0, 0, 0), (0, 0, 2))


def walking(distance_at, noise=0.003, seed=0):
    rng = np.random.default_rng(seed)

    def heads(time):
        distance = distance_at(time) * np.exp(noise * rng.normal())
        return head(AT_CAMERA, (0.0, 0.0, distance))

    return heads


def walks(events):
    return [name for name in named(events) if name in ('APPROACHED', 'MOVED_AWAY')]


@pytest.mark.parametrize('speed', [0.5, 0.8, 1.4])
def test_somebody_who_comes_and_goes_is_told_once_each(speed):
    seconds = 1.5 / speed
    times, places = [0, 2, 2 + seconds, 4 + seconds, 4 + 2 * seconds, 99], [3, 3, 1.5, 1.5, 3, 3]
    events = play(Attention(), walking(lambda t: np.interp(t, times, places)), 6 + 2 * seconds)
    assert walks(events) == ['APPROACHED', 'MOVED_AWAY']
    at = [e.stamp for e in events if e.type.name in ('APPROACHED', 'MOVED_AWAY')]
    assert 2.2 < at[0] < 2 + seconds + 0.3
    assert 4 + seconds + 0.2 < at[1] < 4 + 2 * seconds + 0.3


def test_the_speed_is_metres_a_second_and_its_deviation_covers_the_error():
    attention, found = Attention(), []
    for k in range(90):
        heads = walking(lambda t: 3.5 - 0.7 * t, seed=k)
        found.append(attention.update(image(k / 30, heads(k / 30))).approaches[0])
    assert found[-1].id == 'f0001'
    assert found[-1].speed == pytest.approx(0.7, abs=0.15)
    late = [(a.speed - 0.7) / a.deviation for a in found[45:]]
    assert np.sqrt(np.mean(np.square(late))) < 1.5


def test_at_first_nothing_is_known_of_the_speed():
    (approach,) = Attention().update(image(0.0, head(AT_CAMERA, (0, 0, 2)))).approaches
    assert approach.speed == 0.0
    assert approach.deviation > 0.4


def test_a_head_larger_than_average_does_not_walk():
    # 10 per cent: more than twice the prior's deviation, for ever.
    events = play(Attention(), walking(lambda t: 2.0 / 1.1), 10.0)
    assert walks(events) == []


def test_what_depth_corrects_is_no_walk():
    # Depth appears at 3 s and takes back 4.5 per cent within a third of a second.
    events = play(
        Attention(), walking(lambda t: 3.0 * (1.045 - 0.045 * np.clip(3 * (t - 3), 0, 1))), 6.0
    )
    assert walks(events) == []


def test_a_head_that_turns_seems_nearer_and_does_not_walk():
    def heads(time):
        angle = 60.0 * np.sin(2 * np.pi * 0.3 * time)
        distance = 3.0 * (1.0 - 0.05 * np.sin(np.radians(angle)) ** 2)  # as an estimator errs
        return head(turned(AT_CAMERA, left=angle), (0.0, 0.0, distance))

    assert walks(play(Attention(), heads, 20.0)) == []


def test_leaning_forward_is_no_walk():
    events = play(Attention(), walking(lambda t: 1.5 - 0.25 * np.clip((t - 2) / 0.6, 0, 1)), 5.0)
    assert walks(events) == []


def test_walking_past_is_judged_by_the_distance():
    def heads(time):
        return head(AT_CAMERA, (2.0 - time, 0.0, 2.5))

    events = play(Attention(), heads, 4.0)
    assert walks(events) in ([], ['APPROACHED'], ['MOVED_AWAY'], ['APPROACHED', 'MOVED_AWAY'])
