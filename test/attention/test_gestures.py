# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nods and shakes, and all that is neither."""

import numpy as np
import pytest
from made_heads import facing, head, named, play, turned

from headpose_ros.attention import Attention
from headpose_ros.geometry.rotations import matrix_from_vector

PLACES = {'before': (0.1, 0.0, 1.5), 'aside': (1.2, -0.2, 1.5)}


def cyclic(time, size, rate, cycles, begin=1.0):
    """Down and up again, deg, from end to end."""
    since = time - begin
    return (
        0.5 * size * (1 - np.cos(2 * np.pi * rate * since)) if 0 < since < cycles / rate else 0.0
    )


def symmetric(time, size, rate, cycles, begin=1.0):
    since = time - begin
    return 0.5 * size * np.sin(2 * np.pi * rate * since) if 0 < since < cycles / rate else 0.0


def gestures(events):
    return [name for name in named(events) if name in ('NODDED', 'SHOOK')]


def gesturing(angles_at, where='before', base_left=0.0, noise=0.3, seed=0):
    """Return heads that turn left and up by `angles_at(time)`, deg, from facing the camera."""
    rng, place = np.random.default_rng(seed), np.array(PLACES[where])
    base = turned(facing((0, 0, 0), place), left=base_left)

    def heads(time):
        left, up = angles_at(time) + noise * rng.normal(size=2)
        return head(turned(base, left, up), place)

    return heads


@pytest.mark.parametrize('where', PLACES)
@pytest.mark.parametrize('base_left', [0.0, 50.0])
@pytest.mark.parametrize('size', [9.0, 25.0])
@pytest.mark.parametrize('rate', [0.5, 1.2, 3.0])
def test_nods_and_shakes_are_told_once(where, base_left, size, rate):
    def nod(time):
        return np.array([0.0, -cyclic(time, size, rate, 3)])

    def shake(time):
        return np.array([symmetric(time, size, rate, 3), 0.0])

    seconds = 3 / rate + 3
    for angles, name in ((nod, 'NODDED'), (shake, 'SHOOK')):
        events = play(Attention(), gesturing(angles, where, base_left), seconds)
        assert gestures(events) == [name]
        (event,) = (e for e in events if e.type.name == name)
        assert 1 + 0.8 / rate < event.stamp < 1 + 3 / rate + 0.2


def test_each_of_several_gestures_is_told():
    def angles(time):
        nods = cyclic(time, 15, 2, 3, 1.0) + cyclic(time, 15, 2, 3, 4.0)
        return np.array([symmetric(time, 20, 1.5, 3, 7.0), -nods])

    assert gestures(play(Attention(), gesturing(angles), 11.0)) == ['NODDED', 'NODDED', 'SHOOK']


def test_a_nod_while_the_head_turns_slowly_is_told():
    events = play(
        Attention(), gesturing(lambda t: np.array([8.0 * t, 4.0 * t - cyclic(t, 15, 1.5, 3)])), 4.0
    )
    assert gestures(events) == ['NODDED']


@pytest.mark.parametrize('rate', [10.0, 15.0])
def test_few_images_a_second_are_enough_for_slow_gestures(rate):
    events = play(
        Attention(), gesturing(lambda t: np.array([0.0, -cyclic(t, 15, 1.2, 3)])), 5.0, rate=rate
    )
    assert gestures(events) == ['NODDED']


def test_smoothing_does_not_hide_it():
    place = np.array(PLACES['before'])
    calm = facing((0, 0, 0), place)

    def heads(time):
        return head(turned(calm, up=-cyclic(time, 15, 2, 3)), place, smooth=calm)

    assert gestures(play(Attention(), heads, 4.0)) == ['NODDED']


def looks_there_and_back(time):
    turn = np.interp(
        time, [1, 1.35, 2.2, 2.55, 3.4, 3.75, 4.6, 4.95], [0, 25, 25, 0, 0, 25, 25, 0]
    )
    return np.array([turn, 0.0])


def looks_down_and_up(time):
    turn = np.interp(time, [1, 1.3, 2.0, 2.3, 3.0, 3.3, 4.0, 4.3], [0, 20, 20, 0, 0, 20, 20, 0])
    return np.array([0.0, -turn])


def looks_around(time):
    return np.array([45.0 * np.sin(2 * np.pi * 0.5 * time), 0.0])


def rolls(time):
    return 15.0 * np.array([np.sin(2 * np.pi * time), np.cos(2 * np.pi * time)])


def bobs(time):
    return np.array([1.0 * np.sin(15 * time), 2.2 * np.sin(2 * np.pi * 2.3 * time)])


@pytest.mark.parametrize(
    'angles', [looks_there_and_back, looks_down_and_up, looks_around, rolls, bobs]
)
def test_what_is_no_gesture_is_none(angles):
    assert gestures(play(Attention(), gesturing(angles), 6.0)) == []


def camera_turning(time):
    pan, tilt = np.radians(
        [8.0 * np.sin(2 * np.pi * 0.7 * time), 6 * np.sin(2 * np.pi * 1.1 * time)]
    )
    return matrix_from_vector([0.0, pan, 0.0]) @ matrix_from_vector([tilt, 0.0, 0.0])


@pytest.mark.parametrize('told', [False, True])
@pytest.mark.parametrize('people', [1, 3])
def test_a_camera_that_turns_makes_nobody_nod(told, people):
    def heads(time):
        turn = camera_turning(time).T
        found = []
        for number in range(people):
            place = np.array([number - 1.0, 0.0, 2.0])
            found.append(head(turn @ facing((0, 0, 0), place), turn @ place, f'f{number:04d}'))
        return tuple(found)

    events = play(Attention(), heads, 8.0, fixed_at=camera_turning if told else None)
    assert gestures(events) == []


@pytest.mark.parametrize('told', [False, True])
def test_a_nod_is_told_though_the_camera_turns(told):
    place = np.array([0.3, 0.0, 1.5])

    def heads(time):
        turn = camera_turning(time).T
        nod = turned(facing((0, 0, 0), place), up=-cyclic(time, 20, 2, 3))
        return head(turn @ nod, turn @ place)

    events = play(Attention(), heads, 4.0, fixed_at=camera_turning if told else None)
    assert gestures(events) == ['NODDED']


def test_noise_of_a_head_that_is_hardly_seen_is_no_gesture():
    rng, place = np.random.default_rng(1), np.array([0.0, 0.0, 6.0])
    calm = facing((0, 0, 0), place)

    def heads(time):
        left, up = 4.0 * rng.normal(size=2)
        return head(turned(calm, left, up), place, sigma_deg=4.0)

    assert gestures(play(Attention(), heads, 60.0)) == []


def test_a_head_that_was_gone_does_not_go_on_with_its_nod():
    def heads(time):
        return gesturing(lambda t: np.array([0.0, -cyclic(t, 15, 1, 3)]))(time)

    attention = Attention()
    events = play(attention, heads, 1.9)
    events += play(attention, heads, 0.5, begin=2.4)  # half a second is missing
    assert gestures(events) == []
