# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ids of people who come, go, blink, cross and crowd, in a world with known truth."""

import numpy as np
import pytest
from head_world import CAMERA, IMAGE, Person, World, make_pipeline, play, walking

from headpose_ros.config import PipelineConfig
from headpose_ros.heads import Faces
from headpose_ros.tracking.names import NameCycle

TIMES = np.arange(0, 4, 1 / 30)


def ids_over_time(pipeline, world, times):
    """Return {person: {id, ...}} and {person: images seen}."""
    ids, seen = {}, {}
    for _, named in play(pipeline, world, times):
        for name, head in named.items():
            ids.setdefault(name, set()).add(head.id)
            seen[name] = seen.get(name, 0) + 1
    return ids, seen


def crossing(distance_a=1.5, distance_b=2.2, speed=0.6):
    return [
        walking('a', [-speed * 2, 0, distance_a], [speed, 0, 0]),
        walking('b', [speed * 2, 0, distance_b], [-speed, 0, 0]),
    ]


@pytest.mark.parametrize('refines', [True, False])
@pytest.mark.parametrize('seed', range(4))
def test_people_who_cross_keep_their_ids(monkeypatch, refines, seed):
    world = World(crossing(), ray_noise=0.05, size_noise=0.03, seed=seed)
    pipeline = make_pipeline(world, monkeypatch, refines, detect_every=5)
    ids, seen = ids_over_time(pipeline, world, TIMES)
    assert ids.keys() == {'a', 'b'}
    assert all(len(of_one) == 1 for of_one in ids.values()), ids
    assert ids['a'] != ids['b']
    assert min(seen.values()) > 0.7 * len(TIMES)


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('speed', [0.25, 0.5, 1.0])
def test_crossing_at_nearly_the_same_distance(monkeypatch, speed, seed):
    world = World(crossing(1.8, 2.0, speed), ray_noise=0.03, size_noise=0.02, seed=seed)
    ids, _ = ids_over_time(make_pipeline(world, monkeypatch), world, TIMES)
    assert all(len(of_one) == 1 for of_one in ids.values()), ids
    assert ids['a'] != ids['b']


def test_crossing_at_ten_images_a_second(monkeypatch):
    world = World(crossing(), ray_noise=0.03, size_noise=0.02)
    pipeline = make_pipeline(world, monkeypatch, detect_every=2)
    ids, _ = ids_over_time(pipeline, world, np.arange(0, 4, 0.1))
    assert all(len(of_one) == 1 for of_one in ids.values()), ids
    assert ids['a'] != ids['b']


@pytest.mark.parametrize('refines', [True, False])
def test_ids_do_not_move_along_a_row(monkeypatch, refines):
    """One end of it leaves and the other grows, at a rate at which each could have moved on."""
    step, change = 0.235, 1.1  # 1.9 radii of a face
    world = World(
        [
            walking('a', [0, 0, 2], [0, 0, 0]),
            walking('left', [step, 0, 2], [0, 0, 0], there=lambda t: t < change),
            walking('came', [-step, 0, 2], [0, 0, 0], there=lambda t: t >= change),
        ]
    )
    pipeline = make_pipeline(world, monkeypatch, refines, detect_every=1)
    places = {}
    for t in np.arange(0, 3, 0.2):
        world.now = float(t)
        for head in pipeline.process(IMAGE, CAMERA, stamp=float(t)):
            places.setdefault(head.id, set()).add(round(head.position[0] / step))
    assert sorted(places.values(), key=min) == [{-1}, {0}, {1}]


def test_who_stays_hidden_behind_another_is_given_up(monkeypatch):
    comes = 1.0
    front = Person('front', lambda t: np.array([min(0.0, 0.8 * (t - comes)), 0, 1.6]))
    world = World([front, walking('behind', [0.02, 0, 1.9], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch)
    ids, _ = ids_over_time(pipeline, world, np.arange(0, comes, 1 / 30))
    (hidden,) = ids['behind']
    at = {}
    for t, named in play(pipeline, world, np.arange(comes, comes + 4, 1 / 30)):
        at[t] = hidden in pipeline._stream._tracker.ids
        assert set(named) <= {'front', 'behind'}
    given_up = min(t for t, followed in at.items() if not followed) - comes
    assert 2.0 < given_up < PipelineConfig().keep_lost + 2.5
    assert {world.result.principal_id} == ids['front']


@pytest.mark.parametrize(
    ('rate', 'probability', 'images'),
    [(2, 0.98, 2), (5, 0.98, 2), (10, 0.98, 2), (30, 0.98, 3), (120, 0.98, 5), (30, 0.999, 4),
     (2, 0.9995, 3), (30, 0.01, 1)],
)  # fmt: skip
def test_a_head_is_reported_after_as_many_seconds_at_any_rate(
    monkeypatch, rate, probability, images
):
    world = World([walking('a', [0, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch, confirm_probability=probability)
    counts = [len(named) for _, named in play(pipeline, world, np.arange(8) / rate)]
    assert counts == [0] * (images - 1) + [1] * (9 - images)


@pytest.mark.parametrize(
    ('refines', 'score', 'first'),
    [(True, 0.97, 2), (True, 0.9, 2), (True, 0.75, 4), (False, 0.97, 2), (False, 0.9, 3),
     (False, 0.75, 10)],
)  # fmt: skip
def test_a_weak_face_must_be_seen_for_longer(monkeypatch, refines, score, first):
    """The less so, the more an estimator knows of faces."""
    world = World([walking('a', [0, 0, 1], [0, 0, 0], score=score)])
    pipeline = make_pipeline(world, monkeypatch, refines)
    published = [bool(named) for _, named in play(pipeline, world, np.arange(16) / 30)]
    assert published.index(True) == first
    assert all(published[first:])


@pytest.mark.parametrize('refines', [True, False])
@pytest.mark.parametrize(
    ('below', 'aside', 'doubted'),
    [(0.4, 0.0, True), (0.38, 0.15, True), (0.4, 0.3, False), (0.0, 0.4, False),
     (-0.4, 0.0, False), (0.6, 0.0, False)],
)  # fmt: skip
def test_a_face_on_a_chest_must_be_seen_for_longer(monkeypatch, refines, below, aside, doubted):
    """As prints on shirts; not one beside, above, or farther below a person's head."""
    wearer = walking('wearer', [0.2, -0.1, 1.2], [0, 0, 0], score=0.98)
    other = walking('other', [0.2 + aside, below - 0.1, 1.2], [0, 0, 0], score=0.965)
    world = World([wearer, other])
    pipeline = make_pipeline(world, monkeypatch, refines)
    pipeline._stages.estimator.confidences = lambda estimates: np.where(
        np.isnan(estimates.face_probability), np.nan, 0.88
    )
    published = [set(named) for _, named in play(pipeline, world, np.arange(20) / 30)]
    first = {
        name: next(i for i, now in enumerate(published) if name in now) for name in world.names
    }
    plain = 3 if refines else 2
    assert first['wearer'] == plain
    assert first['other'] >= 8 if doubted else first['other'] == plain


@pytest.mark.parametrize(('score', 'is_somebody'), [(0.98, True), (0.94, False)])
def test_who_is_sure_on_a_chest_is_somebody(monkeypatch, score, is_somebody):
    """As of children before their parents, and of rows of people; not a good print."""
    behind = walking('behind', [0.2, -0.1, 1.2], [0, 0, 0], score=0.99)
    before = walking('before', [0.2, 0.3, 1.2], [0, 0, 0], score=score)
    world = World([behind, before])
    pipeline = make_pipeline(world, monkeypatch)
    published = [set(named) for _, named in play(pipeline, world, np.arange(4) / 30)]
    assert published[2:] == [{'behind', 'before'} if is_somebody else {'behind'}] * 2


@pytest.mark.parametrize('refines', [True, False])
def test_what_the_detector_takes_for_a_face_for_a_moment_is_not_published(monkeypatch, refines):
    """As a print on a shirt, even where the estimator half takes it for a face as well."""
    world = World([walking('shirt', [0, 0, 1], [0, 0, 0], score=0.95)])
    pipeline = make_pipeline(world, monkeypatch, refines)
    pipeline._stages.estimator.confidences = lambda estimates: np.where(
        np.isnan(estimates.face_probability), np.nan, 0.7
    )
    find = pipeline._stages.search.find

    def find_rarely(*words):
        return find(*words) if round(world.now * 30) % 9 < 2 else Faces.none()

    pipeline._stages.search.find = find_rarely
    assert not any(named for _, named in play(pipeline, world, TIMES))


@pytest.mark.parametrize('refines', [True, False])
def test_a_short_absence_keeps_the_id_and_a_long_one_ends_it(monkeypatch, refines):
    def there(t):
        return not (1.0 < t < 1.4 or 2.0 < t < 3.0)

    other = walking('other', [-0.6, 0, 1.2], [0, 0, 0])  # whoever is alone keeps the id for longer
    world = World([walking('a', [0, 0, 1], [0.05, 0, 0], there=there), other])
    every = 5 if refines else 1
    pipeline = make_pipeline(world, monkeypatch, refines, keep_lost=0.6, detect_every=every)
    seen = {}
    for t, named in play(pipeline, world, TIMES):
        assert there(t) or 'a' not in named, 'a head where nobody is'
        if 'a' in named:
            seen.setdefault(named['a'].id, []).append(t)
    before, after = seen.values()
    assert before[-1] < 2.01
    assert before[-1] > 1.9
    assert after[0] < 3.25


def test_lost_heads_are_not_published_but_their_ids_are_kept(monkeypatch):
    world = World([walking('a', [0, 0, 1], [0, 0, 0], there=lambda t: t < 0.5)])
    pipeline = make_pipeline(world, monkeypatch, keep_lost=0.15)
    for t, named in play(pipeline, world, np.arange(0, 1.2, 1 / 30)):
        if t >= 0.5:  # kept for twice as long, since nobody else could be meant
            assert not named
            assert world.result.followed_ids == ({'f0001'} if t < 0.767 else set())
            assert world.result.principal_id == ('f0001' if t < 0.767 else None)


def test_noisy_detections_do_not_lose_a_person(monkeypatch):
    world = World(
        [walking('a', [-0.5, 0, 1.5], [0.3, 0, 0])],
        ray_noise=0.15, size_noise=0.1, miss_rate=0.3,
    )  # fmt: skip
    pipeline = make_pipeline(world, monkeypatch, refines=False, detect_every=3)
    ids, seen = ids_over_time(pipeline, world, TIMES)
    assert ids == {'a': {'f0001'}}
    assert seen['a'] > 0.6 * len(TIMES)


def test_a_crowd_is_told_apart(monkeypatch):
    people = [
        walking(f'{i}{j}', [(i - 3.5) * 0.45, (j - 0.5) * 0.6, 3.0], [0.02 * j, 0, -0.05])
        for i in range(8)
        for j in range(2)
    ]
    world = World(people, ray_noise=0.04, size_noise=0.03)
    ids, seen = ids_over_time(make_pipeline(world, monkeypatch), world, TIMES[:60])
    assert len(ids) == 16
    assert len(set.union(*ids.values())) == 16
    assert min(seen.values()) >= 57


def test_everybody_is_estimated_in_one_batch(monkeypatch):
    world = World([walking(str(i), [0.5 * i - 1, 0, 2.5], [0, 0, 0]) for i in range(5)])
    for _ in play(make_pipeline(world, monkeypatch), world, np.arange(4) / 30):
        pass
    # in the first image twice: once to place those just found
    assert world.batches == [5] * (1 + 4)


def test_max_heads(monkeypatch):
    world = World([walking(str(i), [0.5 * i - 1, 0, 2.5], [0, 0, 0]) for i in range(5)])
    pipeline = make_pipeline(world, monkeypatch, max_heads=3)
    assert [len(n) for _, n in play(pipeline, world, np.arange(4) / 30)][-1] == 3


def test_empty_scenes_are_searched_every_n_images_only(monkeypatch):
    world = World([])
    pipeline = make_pipeline(world, monkeypatch, detect_every=5)
    for _ in play(pipeline, world, np.arange(101) / 30):
        pass
    searched = np.round(np.array(world.searches) * 30).astype(int)
    assert searched[0] == 0
    assert len(searched) <= 42, 'twice as often as where somebody is followed'
    assert np.diff(searched).max() == 3


def test_a_followed_person_is_searched_for_every_n_images(monkeypatch):
    world = World([walking('a', [0, 0, 1], [0, 0, 0])])
    for _ in play(make_pipeline(world, monkeypatch, detect_every=10), world, np.arange(61) / 30):
        pass
    assert len(world.searches) in (6, 7, 8)


def test_a_lost_person_is_searched_for_at_once(monkeypatch):
    world = World([walking('a', [0, 0, 1], [0, 0, 0], there=lambda t: not 1.0 <= t < 1.02)])
    for _ in play(make_pipeline(world, monkeypatch, detect_every=200), world, np.arange(60) / 30):
        pass
    assert any(abs(t - 30 / 30) < 1e-6 for t in world.searches)


def test_one_face_is_never_followed_twice(monkeypatch):
    world = World([walking('a', [0, 0, 1], [0, 0, 0])], ray_noise=0.1)
    pipeline = make_pipeline(world, monkeypatch, detect_every=1)
    find = pipeline._stages.search.find

    def find_twice(*words):
        first, second = find(*words), find(*words)
        return Faces(
            np.concatenate([first.rays, second.rays]),
            np.concatenate([first.angular_sizes, second.angular_sizes]),
            np.concatenate([first.scores, second.scores]),
        )

    pipeline._stages.search.find = find_twice
    ids, _ = ids_over_time(pipeline, world, TIMES[:40])
    assert ids == {'a': {'f0001'}}


@pytest.mark.parametrize('jump', [-0.5, -100.0, 10.0])
def test_jumps_in_time_start_anew(monkeypatch, jump):
    world = World([walking('a', [0, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch)
    for _ in play(pipeline, world, 100 + np.arange(10) / 30):
        pass
    assert world.result.followed_ids == {'f0001'}
    result = pipeline.process(IMAGE, CAMERA, stamp=100.3 + jump)
    assert (list(result), result.followed_ids) == ([], frozenset())
    later = [n for _, n in play(pipeline, world, 100.3 + jump + np.arange(1, 5) / 30)]
    assert later[-1]['a'].id == 'f0002', 'names are not reused at once'


def test_images_may_come_slowly_all_the_time(monkeypatch):
    world = World([walking('a', [0, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch)
    found = [set(named) for _, named in play(pipeline, world, 100 + 5.0 * np.arange(6))]
    assert found == [set()] * 2 + [{'a'}] * 4  # the first gap is one
    assert pipeline.process(IMAGE, CAMERA, stamp=125.0 + 15.5) == []


def test_equal_stamps_are_no_jump(monkeypatch):
    world = World([walking('a', [0, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch)
    for _ in play(pipeline, world, [0, 0.1, 0.2, 0.2, 0.2, 0.3]):
        pass
    assert world.result.followed_ids == {'f0001'}


def test_a_prefix_is_part_of_every_id(monkeypatch):
    world = World([walking('a', [0, 0, 1], [0, 0, 0]), walking('b', [0.6, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch, id_prefix='left/')
    for _ in play(pipeline, world, np.arange(0, 0.5, 1 / 30)):
        pass
    names = {'left_f0001', 'left_f0002'}
    assert {head.id for head in world.result} == world.result.followed_ids == names
    assert world.result.principal_id in names


def test_names_are_bounded_and_reused_as_late_as_possible():
    names = NameCycle(5)
    assert [names.next(()) for _ in range(5)] == [f'f{i:04d}' for i in range(1, 6)]
    assert names.next({'f0001', 'f0002'}) == 'f0003'
    assert names.next(()) == 'f0004'
    with pytest.raises(ValueError, match='in use'):
        names.next({f'f{i:04d}' for i in range(1, 6)})
