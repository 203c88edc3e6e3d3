# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who looks at what: probabilities, hysteresis, dwell, targets that come and go."""

import numpy as np
import pytest
from made_heads import facing, head, image, named, play, turned

from headpose_ros.attention import Attention, AttentionOptions, HeadEventType, Place, Target
from headpose_ros.result import FrameResult

HERE = np.array([0.0, 0.0, 2.0])
AT_CAMERA = facing((0, 0, 0), HERE)
AWAY = turned(AT_CAMERA, left=45.0)


def probabilities(rotation, targets=(), places=None, sigma_deg=1.0, options=None):
    result = Attention(targets, options).update(
        image(0.0, head(rotation, HERE, sigma_deg=sigma_deg)), places
    )
    return {look.target: look.probability for look in result.looks}


def test_the_probability_falls_with_the_angle():
    found = [probabilities(turned(AT_CAMERA, left=a))['camera'] for a in range(0, 70, 5)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.9
    assert found[4] < 0.5
    assert found[-1] < 0.001


def test_a_head_of_which_little_is_known_says_less_both_ways():
    ahead = [probabilities(AT_CAMERA, sigma_deg=s)['camera'] for s in (1, 10, 30)]
    assert ahead == sorted(ahead, reverse=True)
    aside = [probabilities(turned(AT_CAMERA, left=30), sigma_deg=s)['camera'] for s in (1, 10)]
    assert aside == sorted(aside)


def test_a_large_target_is_looked_at_from_farther_off():
    place, rotation = {'t': (0.0, 0.0, -0.0)}, turned(AT_CAMERA, left=20.0)
    small, large = (
        probabilities(rotation, [Target('camera', radius=radius)], place)['camera']
        for radius in (0.01, 0.7)
    )
    assert small < 0.5 < large


def test_of_two_targets_side_by_side_the_one_ahead_is_looked_at():
    targets = [Target('one', radius=0.17), Target('other', radius=0.17)]
    places = {
        'one': HERE + 2.0 * turned(AWAY, left=7.5)[:, 0],
        'other': HERE + 2.0 * turned(AWAY, left=-7.5)[:, 0],
    }
    found = probabilities(facing(places['one'], HERE), targets, places)
    assert found['one'] > 0.7 > 0.3 > found['other']


def test_a_webcam_on_a_screen_does_not_take_the_screen_away():
    screen = [Target('screen', size=(0.6, 0.34))]
    place = {'screen': Place((0, 0.2, 0), [[0, -1, 0], [0, 0, -1], [1, 0, 0]])}
    both = probabilities(AT_CAMERA, screen, place)
    assert both['camera'] > 0.5
    assert both['screen'] > 0.5


def test_nobody_looks_at_a_screen_from_behind():
    back = {'screen': Place((0, 0, 0), [[0, 1, 0], [0, 0, -1], [-1, 0, 0]])}
    assert probabilities(AT_CAMERA, [Target('screen', size=(1, 1))], back)['screen'] == 0.0


def test_looking_begins_and_ends_once_each():
    attention = Attention()
    events = play(attention, lambda t: head(AT_CAMERA if 1.0 < t < 3.0 else AWAY, HERE), 4.0)
    assert named(events) == ['ENTERED', 'STARTED_LOOKING camera', 'STOPPED_LOOKING camera']
    assert events[1].stamp == pytest.approx(1.2, abs=0.08)
    assert events[2].stamp == pytest.approx(3.15, abs=0.08)


def test_since_is_the_image_of_the_change():
    attention = Attention()
    events, looks = [], []
    for k in range(30):
        answer = attention.update(image(5 + k / 30, head(AT_CAMERA, HERE)))
        events += answer.events
        looks += answer.looks
    started = next(e for e in events if e.type == HeadEventType.STARTED_LOOKING)
    assert looks[0].since == 5.0
    assert not looks[0].looking
    assert looks[-1].since == started.stamp
    assert looks[-1].looking


def test_one_wrong_image_changes_nothing():
    rotations = [AWAY if k in (40, 50, 51) else AT_CAMERA for k in range(90)]
    events = play(Attention(), lambda t: head(rotations[round(t * 30)], HERE), 3.0)
    assert named(events) == ['ENTERED', 'STARTED_LOOKING camera']


def test_on_the_edge_it_does_not_flicker():
    rng = np.random.default_rng(3)
    options = AttentionOptions()
    angles = np.linspace(10.0, 25.0, 300) + rng.normal(0.0, 1.5, 300)
    chance = [probabilities(turned(AT_CAMERA, left=a), options=options)['camera'] for a in angles]
    assert np.abs(np.diff(np.array(chance) > 0.5)).sum() > 4  # a threshold alone would
    events = play(
        Attention(), lambda t: head(turned(AT_CAMERA, left=angles[round(t * 30)]), HERE), 10.0
    )
    assert named(events) == ['ENTERED', 'STARTED_LOOKING camera', 'STOPPED_LOOKING camera']


def test_a_head_that_sweeps_past_does_not_look():
    # 200 degrees a second: the camera is within reach for 0.18 s, longer than the dwell.
    events = play(Attention(), lambda t: head(turned(AT_CAMERA, left=60.0 - 200.0 * t), HERE), 0.6)
    assert named(events) == ['ENTERED']


def test_a_target_without_a_place_is_left_out_and_looking_ends():
    attention = Attention([Target('cup')])
    at_cup = head(facing((1.5, 0, 0.5), HERE), HERE)
    events = play(attention, lambda t: at_cup, 1.0, places={'cup': (1.5, 0, 0.5)})
    assert named(events)[-1] == 'STARTED_LOOKING cup'
    answer = attention.update(image(1.0, at_cup))
    assert [look.target for look in answer.looks] == ['camera']
    events = play(attention, lambda t: at_cup, 1.0, begin=1.1)
    assert named(events) == ['STOPPED_LOOKING cup']


def test_targets_change_while_running():
    attention = Attention([Target('cup')])
    attention.targets = [Target('door'), Target('camera', radius=0.3)]
    assert [target.name for target in attention.targets] == ['camera', 'door']
    answer = attention.update(image(0.0, head(AT_CAMERA, HERE)), {'door': (2, 0, 0)})
    assert [look.target for look in answer.looks] == ['camera', 'door']
    assert answer.looks[0].angle == 0.0
    with pytest.raises(ValueError, match='two of one name: door'):
        attention.targets = [Target('door'), Target('door')]


def test_who_is_lost_for_long_looks_no_more():
    attention = Attention()
    play(attention, lambda t: head(AT_CAMERA, HERE), 1.0)
    events = play_lost(attention, 1.0, 1.0)
    assert named(events) == ['STOPPED_LOOKING camera']
    assert events[0].stamp == pytest.approx(1.47, abs=0.1)


def play_lost(attention, begin, seconds):
    events = []
    for k in range(round(30 * seconds)):
        lost = image(begin + k / 30, followed=frozenset({'f0001'}))
        events += attention.update(lost).events
    return events


def test_who_goes_has_stopped_looking_before():
    attention = Attention()
    play(attention, lambda t: head(AT_CAMERA, HERE), 1.0)
    events = attention.update(image(1.0)).events
    assert named(events) == ['STOPPED_LOOKING camera', 'LEFT']
    assert {event.stamp for event in events} == {1.0}


def test_closing_tells_that_everybody_has_left():
    attention = Attention()
    play(attention, lambda t: (head(AT_CAMERA, HERE), head(AWAY, HERE, 'f0002')), 1.0)
    events = attention.close()
    assert [(e.id, e.type.name) for e in events] == [
        ('f0001', 'STOPPED_LOOKING'), ('f0001', 'LEFT'), ('f0002', 'LEFT'),
    ]  # fmt: skip
    assert attention.close() == ()


def test_a_recording_that_loops_begins_anew():
    attention = Attention()
    play(attention, lambda t: head(AT_CAMERA, HERE), 2.0, begin=10.0)
    events = play(attention, lambda t: head(AT_CAMERA, HERE, 'f0002'), 1.0, begin=0.0)
    assert named(events) == [
        'STOPPED_LOOKING camera', 'LEFT', 'ENTERED', 'STARTED_LOOKING camera',
    ]  # fmt: skip
    assert [e.stamp for e in events[:3]] == [0.0] * 3


def test_stamps_that_repeat_or_step_back_a_little_are_taken():
    attention, events = Attention(), []
    for k in range(90):
        stamp = max(0.0, k // 3 / 10 - (0.05 if k % 7 == 0 else 0.0))
        events += attention.update(image(stamp, head(AT_CAMERA, HERE))).events
    assert named(events) == ['ENTERED', 'STARTED_LOOKING camera']


def test_a_dropped_image_says_nothing():
    attention = Attention()
    play(attention, lambda t: head(AT_CAMERA, HERE), 1.0)
    answer = attention.update(FrameResult(stamp=0.9, dropped=True))
    assert (answer.looks, answer.events) == ((), ())


def test_what_is_wrong_is_told_and_changes_nothing():
    attention = Attention([Target('cup')])
    with pytest.raises(ValueError, match='has no stamp'):
        attention.update(FrameResult())
    with pytest.raises(ValueError, match='place of target cup'):
        attention.update(image(0.0, head(AT_CAMERA, HERE)), {'cup': (1, 2)})
    with pytest.raises(ValueError, match='rotation_fixed_from_camera'):
        attention.update(image(0.0, head(AT_CAMERA, HERE)), None, np.eye(2))
    assert named(attention.update(image(0.0, head(AT_CAMERA, HERE))).events) == ['ENTERED']


@pytest.mark.parametrize(
    'wrong',
    [
        {'start_probability': 1.2}, {'stop_probability': 0.9}, {'start_dwell': -1.0},
        {'eye_sigma_sideways': 0.0}, {'walk_speed': float('nan')}, {'gesture_angle': 0.0},
    ],
)  # fmt: skip
def test_options_are_checked(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=name):
        AttentionOptions(**wrong)
