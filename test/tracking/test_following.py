# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""People as they move, cameras as they are: rates, light, stamps, turns, a robot that turns.

The estimator reads faces within its measured capture radius only, see `head_world`.
"""

import numpy as np
import pytest
from head_world import CAMERA, FRONTAL, IMAGE, Person, World, make_pipeline, play, turning, walking

from headpose_ros.config import PipelineConfig
from headpose_ros.geometry.rotations import matrix_from_vector
from headpose_ros.tracking.tracker import MAX_TURNED_AWAY


def found(pipeline, world, times, name='a', since=0.3):
    """Return the share of images with `name` from `since` seconds after the first, and the ids."""
    seen, ids, began = [], set(), None
    for t, named in play(pipeline, world, times):
        if began is None and any(person.name == name for person, _, _ in world.visible()):
            began = t
        if began is None or not any(person.name == name for person, _, _ in world.visible()):
            continue
        if name in named:
            ids.add(named[name].id)
        if t - began >= since - 1e-9:
            seen.append(name in named)
    return np.mean(seen), ids


def passing(speed, distance=2.0):
    return walking('a', [-0.75 * distance, 0, distance], [speed, 0, 0])


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('rate', [5, 10, 15, 30, 120])
@pytest.mark.parametrize('speed', [0.5, 1.0, 1.5, 2.0])
def test_somebody_who_walks_past_is_followed_at_any_rate(monkeypatch, speed, rate, seed):
    world = World([passing(speed)], ray_noise=0.05, size_noise=0.04, seed=seed)
    times = np.arange(0, 3.0 / speed, 1 / rate)
    share, ids = found(make_pipeline(world, monkeypatch), world, times)
    assert share >= 0.9 if rate > 5 else share >= 0.75
    assert len(ids) == 1


@pytest.mark.parametrize('rate', [2, 3])
def test_slow_images_of_somebody_slow(monkeypatch, rate):
    world = World([walking('a', [-1.2, 0, 2], [0.25, 0, 0])], ray_noise=0.03)
    share, ids = found(make_pipeline(world, monkeypatch), world, np.arange(0, 9, 1 / rate))
    assert share >= 0.9
    assert len(ids) == 1


@pytest.mark.parametrize('rate', [5, 10, 15, 30])
def test_a_head_that_swings_is_one_id(monkeypatch, rate):
    """By 0.3 m once a second, 1 m away: between two images by up to three radii of the face."""
    head = Person('a', lambda t: np.array([0.3 * np.sin(2 * np.pi * t), 0, 1.0]))
    world = World([head], ray_noise=0.03)
    share, ids = found(make_pipeline(world, monkeypatch), world, np.arange(0, 12, 1 / rate))
    assert share >= 0.95
    assert len(ids) == 1


@pytest.mark.parametrize('lit', [(0,), (0, 1), (1,)])
@pytest.mark.parametrize('rate', [10, 30])
def test_light_that_comes_and_goes(monkeypatch, rate, lit):
    """As an infrared camera's, whose emitter lights every second image, or one of three."""
    period = 3 if lit != (1,) else 2

    def is_lit(t):
        return round(t * rate) % period in lit

    world = World([walking('a', [0.2, 0, 1.3], [0, 0, 0], there=is_lit)])
    pipeline = make_pipeline(world, monkeypatch)
    seen = dict(play(pipeline, world, np.arange(0, 4, 1 / rate)))
    bright = [named for t, named in seen.items() if is_lit(t)]
    assert np.mean([bool(named) for named in bright[4:]]) >= 0.95
    assert {head.id for named in bright for head in named.values()} == {'f0001'}
    assert not any(named for t, named in seen.items() if not is_lit(t))


STAMPS = np.arange(0, 4, 1 / 30)


@pytest.mark.parametrize(
    'stamps',
    [
        *(np.floor(np.arange(len(STAMPS)) / n) * n / 30 for n in (2, 3, 5, 10)),
        np.floor(STAMPS + 1e-9),
        STAMPS + np.random.default_rng(0).uniform(-0.06, 0.06, len(STAMPS)),
        STAMPS - 0.1 * np.isin(np.arange(len(STAMPS)) % 25, (0, 1)),
    ],
    ids=['2 times', '3 times', '5 times', '10 times', 'whole seconds', 'jitter', 'two late'],
)
@pytest.mark.parametrize('speed', [0.0, 0.3])
def test_stamps_as_they_come(monkeypatch, stamps, speed):
    """Whatever they are, nobody is taken for another."""
    person = walking('a', [-0.5, 0, 1.5], [speed, 0, 0])
    world = World([person], ray_noise=0.03)
    pipeline = make_pipeline(world, monkeypatch)
    ids, seen = set(), []
    for t, stamp in zip(STAMPS, stamps, strict=True):
        world.now = float(t)
        result = pipeline.process(IMAGE, CAMERA, stamp=1.7e9 + float(stamp))
        ids |= {head.id for head in result}
        seen.append(len(result) == 1)
    assert np.mean(seen[4:]) >= 0.95
    assert ids == {'f0001'}


def a_turn(seconds):
    """Return somebody who turns all around, from 1 s on."""
    rotation = turning([0, 1, 0], 2 * np.pi / seconds)
    return Person(
        'a',
        lambda t: np.array([0.1, 0, 1.4]) - rotation(np.clip(t - 1, 0, seconds)) @ [-0.03, 0, 0],
        lambda t: rotation(np.clip(t - 1, 0, seconds)),
    )


@pytest.mark.parametrize('rate', [5, 10, 30])
@pytest.mark.parametrize('seconds', [4, 8])
def test_who_turns_around_is_held_and_comes_back_with_the_same_id(monkeypatch, seconds, rate):
    person = a_turn(seconds)
    world = World([person, walking('b', [-0.8, 0, 2], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch)
    ids, away = set(), []
    for t, named in play(pipeline, world, np.arange(0, seconds + 2, 1 / rate)):
        if 'a' in named:
            assert named['a'].facing_angle < np.radians(105), (
                'no pose is claimed of what is hidden'
            )
            ids.add(named['a'].id)
        if abs(t - 1 - seconds / 2) < seconds / 5:
            away.append(world.result.turned_away)
    assert 'a' in named
    assert len(ids) == 1
    assert len(away) > 3
    assert all(now == ids for now in away), 'a behaviour sees who is there but turned away'


def test_who_stays_turned_away_is_forgotten(monkeypatch):
    back = matrix_from_vector([0, np.pi, 0]) @ FRONTAL
    person = Person('a', lambda t: np.array([0, 0, 1.2]), lambda t: FRONTAL if t < 1 else back)
    world = World([person])
    pipeline = make_pipeline(world, monkeypatch)
    followed = {}
    for t, _ in play(pipeline, world, np.arange(0, MAX_TURNED_AWAY + 4, 0.1)):
        followed[t] = bool(world.result.followed_ids)
    last = max(t for t, now in followed.items() if now)
    assert last == pytest.approx(1 + MAX_TURNED_AWAY, abs=0.3)


def test_what_cannot_be_read_is_never_reported(monkeypatch):
    """As a crowd's texture, that detector and face probability take for a face."""
    back = matrix_from_vector([0, np.pi, 0]) @ FRONTAL
    world = World([Person('crowd', lambda t: np.array([0.3, 0, 1.0]), lambda t: back)])
    pipeline = make_pipeline(world, monkeypatch, detect_every=10)
    assert not any(named for _, named in play(pipeline, world, np.arange(0, 4, 1 / 30)))
    assert len(world.searches) < 30, 'and is searched for no more often than an empty scene'


def test_who_comes_in_where_another_left_is_somebody_else(monkeypatch):
    leaves = walking('a', [0.6, 0, 1.5], [0.8, 0, 0])
    comes = walking('b', [2.76, 0, 1.5], [-0.8, 0, 0])
    world = World([leaves, comes])
    pipeline = make_pipeline(world, monkeypatch, detect_every=1)
    ids = {'a': set(), 'b': set()}
    for _, named in play(pipeline, world, np.arange(0, 4, 1 / 15)):
        for name, head in named.items():
            ids[name].add(head.id)
    assert [len(of_one) for of_one in ids.values()] == [1, 1]
    assert ids['a'] != ids['b']


@pytest.mark.parametrize('seconds', [0.2, 0.5, 1.0, 1.8])
def test_who_is_hidden_for_a_while_keeps_the_id(monkeypatch, seconds):
    def there(t):
        return not 1.0 <= t < 1.0 + seconds

    world = World([walking('a', [0.2, 0, 1.2], [0, 0, 0], there=there)], ray_noise=0.03)
    world.people.append(walking('b', [-0.8, 0, 2], [0, 0, 0]))
    ids, seen = set(), {}
    for t, named in play(make_pipeline(world, monkeypatch), world, np.arange(0, 4, 1 / 15)):
        seen[t] = 'a' in named
        ids |= {named['a'].id} if 'a' in named else set()
    assert len(ids) == 1
    back = min(t for t, now in seen.items() if now and t >= 1.0 + seconds)
    assert back - (1.0 + seconds) <= 0.4
    assert not any(now for t, now in seen.items() if not there(t))


def test_a_detection_far_beside_the_prediction_is_used(monkeypatch):
    """Somebody darts aside by 1.5 radii from one image to the next: found in that very image."""
    head = Person('a', lambda t: np.array([0.0 if t < 0.99 else 0.19, 0, 1.2]))
    world = World([head])
    pipeline = make_pipeline(world, monkeypatch, detect_every=1000)
    seen = {round(t * 10): 'a' in named for t, named in play(pipeline, world, np.arange(20) / 10)}
    assert all(now for image, now in seen.items() if image >= 2)
    assert world.result.followed_ids == {'f0001'}


class TurningRobot:
    """A camera that pans by `reach` rad to and fro, `hz` times a second."""

    def __init__(self, reach, hz):
        self.reach, self.hz = reach, hz

    def rotation(self, t):
        """Return rotation_fixed_from_camera; the fixed frame has x ahead, z up."""
        pan = self.reach * np.sin(2 * np.pi * self.hz * t)
        level = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])
        return matrix_from_vector([0, 0, -pan]) @ level

    def person(self, name, place):
        """Return somebody who stands still, facing the robot."""
        held = self.rotation(0.0) @ FRONTAL
        return Person(
            name,
            lambda t: self.rotation(t).T @ np.array(place),
            lambda t: self.rotation(t).T @ held,
        )


@pytest.mark.parametrize('told', [True, False])
def test_the_robots_own_turning_is_not_the_peoples(monkeypatch, told):
    """Two stand side by side while the camera turns by their distance from image to image."""
    robot = TurningRobot(0.35, 0.8)
    places = {'a': [2.0, 0.15, 0.0], 'b': [2.0, -0.25, 0.0]}
    world = World([robot.person(name, place) for name, place in places.items()])
    pipeline = make_pipeline(world, monkeypatch, detect_every=1)
    ids, places_of = {}, {}
    for t in np.arange(0, 6, 0.1):
        world.now = float(t)
        known = {'rotation_fixed_from_camera': robot.rotation(t)} if told else {}
        for head in pipeline.process(IMAGE, CAMERA, stamp=float(t), **known):
            fixed = robot.rotation(t) @ head.position
            name = min(places, key=lambda n: np.linalg.norm(fixed - places[n]))
            ids.setdefault(name, set()).add(head.id)
            places_of.setdefault(head.id, set()).add(name)
    kept = all(len(of) == 1 for of in (*ids.values(), *places_of.values()))
    assert kept or not told


def test_smoothing_in_a_fixed_frame_does_not_lag_behind_a_turning_robot(monkeypatch):
    robot, place = TurningRobot(0.3, 0.5), np.array([1.5, 0.1, 0.0])

    def error(told):
        world = World([robot.person('a', place)])
        pipeline = make_pipeline(world, monkeypatch, smoothing=True)
        errors = []
        for t in np.arange(0, 4, 1 / 30):
            world.now = float(t)
            known = {'rotation_fixed_from_camera': robot.rotation(t)} if told else {}
            for head in pipeline.process(IMAGE, CAMERA, stamp=float(t), **known):
                errors.append(np.linalg.norm(robot.rotation(t) @ head.position - place))
        return np.mean(errors)

    assert error(told=True) < 1e-6
    assert error(told=False) > 1e-3


@pytest.mark.parametrize('missing', [range(20, 21), range(20, 26), range(20, 45), range(0, 90, 7)])
def test_rotations_that_are_missing_at_times_do_not_mix_frames(monkeypatch, missing):
    """A robot turns while TF fails; what it turned meanwhile is not applied afterwards."""
    robot, place = TurningRobot(0.5, 0.1), np.array([1.5, 0.1, 0.0])
    world = World([robot.person('a', place)])
    pipeline = make_pipeline(world, monkeypatch, smoothing=True)
    ids, seen = set(), 0
    for k in range(90):
        t = world.now = k / 30
        known = {} if k in missing else {'rotation_fixed_from_camera': robot.rotation(t)}
        for head in pipeline.process(IMAGE, CAMERA, stamp=t, **known):
            ids.add(head.id)
            seen += 1
            assert np.linalg.norm(robot.rotation(t) @ head.position - place) < 0.06
    assert len(ids) == 1
    assert seen >= 86


@pytest.mark.parametrize('told', [True, False])
def test_a_robot_that_turns_fast_is_no_film_that_is_cut(monkeypatch, told):
    random = np.random.default_rng(3)
    world = World([walking('a', (0.0, 0.0, 1.5), (0, 0, 0))])
    pipeline = make_pipeline(world, monkeypatch)
    coarse = random.integers(0, 256, (2, 24, 32, 3), np.uint8)
    scenes = coarse.repeat(20, axis=1).repeat(20, axis=2)
    known = {'rotation_fixed_from_camera': TurningRobot(0, 0).rotation(0)} if told else {}
    ids = set()
    for k in range(20):
        result = pipeline.process(scenes[k // 10], CAMERA, stamp=k / 30, **known)
        ids |= {head.id for head in result}
    assert len(ids) == (1 if told else 2)


@pytest.mark.parametrize(('gap', 'held'), [(1.0, True), (3.0, False)])
def test_upwards_is_kept_for_a_while_without_a_rotation(monkeypatch, gap, held):
    """A camera on its side: that TF fails for an image does not mean that it is upright."""
    pipeline = make_pipeline(World([]), monkeypatch)
    ahead = np.array([[0.0, 0, 1], [0, -1, 0], [1, 0, 0]])  # x of the image points up
    pipeline.process(IMAGE, CAMERA, stamp=0.0, rotation_fixed_from_camera=ahead)
    np.testing.assert_allclose(pipeline._stream.up_if_turned, [1.0, 0.0, 0.0])
    for t in np.arange(0.1, gap, 0.1):
        pipeline.process(IMAGE, CAMERA, stamp=float(t))
    assert (pipeline._stream.up_if_turned is not None) == held
    pipeline.process(IMAGE, CAMERA, stamp=gap - 20.0)  # another recording
    assert pipeline._stream.up_if_turned is None


def test_what_limits_following_is_told_by_subject(monkeypatch):
    world = World(
        [walking(name, (x, 0.0, 1.5), (0, 0, 0)) for name, x in (('a', -0.3), ('b', 0.3))]
    )
    pipeline = make_pipeline(world, monkeypatch, max_heads=1)
    for k in range(6):
        pipeline.process(IMAGE, CAMERA, stamp=float(k) / 2)
    assert set(pipeline.warnings) == {'max_heads', 'rate'}
    assert pipeline.warning == '; '.join(pipeline.warnings.values())


@pytest.mark.parametrize('wrong', [np.eye(4), 2 * np.eye(3), np.diag([1, 1, -1]), 'x'])
def test_a_rotation_that_is_none_is_refused(monkeypatch, wrong):
    pipeline = make_pipeline(World([]), monkeypatch)
    with pytest.raises((TypeError, ValueError), match='rotation_fixed_from_camera'):
        pipeline.process(IMAGE, CAMERA, rotation_fixed_from_camera=wrong)


def test_limits_are_told(monkeypatch):
    world = World([walking(str(i), [0.5 * i - 1, 0, 2.5], [0, 0, 0]) for i in range(5)])
    pipeline = make_pipeline(world, monkeypatch, max_heads=3)
    for _ in play(pipeline, world, np.arange(4) / 30):
        pass
    assert pipeline.warning == '2 more faces than max_heads 3 are left out; raise max_heads'
    pipeline = make_pipeline(World([]), monkeypatch)
    assert pipeline.warning is None
    for _ in play(pipeline, World([]), np.arange(4) * 0.5):
        pass
    assert pipeline.warning.startswith('images come at 2.0 Hz, too slowly')
    assert PipelineConfig().max_heads == 32
