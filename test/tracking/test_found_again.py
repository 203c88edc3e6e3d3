# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who is lost or turned away comes back with the same id, whatever looks like a face meanwhile."""

import numpy as np
import pytest
from head_world import FRONTAL, Person, World, make_pipeline, play, walking

from headpose_ros.geometry.rotations import matrix_from_vector
from headpose_ros.tracking import sphere


@pytest.mark.parametrize('is_read', [True, False])
@pytest.mark.parametrize('aside', [0.45, 0.6])
def test_what_looks_like_a_face_for_a_moment_takes_no_id_along(monkeypatch, aside, is_read):
    """A texture is detected once, and perhaps read as a face, beside where somebody is hidden."""
    person = walking('a', [0, 0, 1.2], [0, 0, 0], there=lambda t: not 1.0 <= t < 3.0)
    texture = walking('texture', [aside, 0, 1.2], [0, 0, 0], score=0.72)
    texture.there = lambda t: abs(t - 2.3) < 0.01
    world = World([person, texture])
    pipeline = make_pipeline(world, monkeypatch)
    if not is_read:
        readable = pipeline._stages.estimator.confidences
        pipeline._stages.estimator.confidences = lambda estimates: np.where(
            1.0 <= world.now < 3.0, 0.2, readable(estimates)
        )
    ids = {}
    for _, named in play(pipeline, world, np.arange(0, 4, 1 / 10)):
        for name, head in named.items():
            ids.setdefault(name, set()).add(head.id)
    assert ids == {'a': {'f0001'}}


@pytest.mark.parametrize('gone', [0.1, 0.3, 0.45])
def test_what_looks_like_a_face_beside_a_turned_back_takes_no_id_along(monkeypatch, gone):
    """Turned away for a second, then not there for `gone` seconds: then a texture is detected."""
    back = matrix_from_vector([0, np.pi, 0]) @ FRONTAL
    person = Person(
        'a',
        lambda t: np.array([0, 0, 1.2]),
        lambda t: back if 1.0 <= t < 3.0 else FRONTAL,
        there=lambda t: not 2.0 <= t < 3.0,
    )
    texture = walking('texture', [0.5, 0, 1.2], [0, 0, 0], score=0.72)
    texture.there = lambda t: abs(t - 2.0 - gone) < 0.06
    world = World([person, texture])
    ids = set()
    for _, named in play(make_pipeline(world, monkeypatch), world, np.arange(0, 4, 1 / 10)):
        ids |= {head.id for head in named.values()}
    assert 'a' in named
    assert ids == {'f0001'}


def test_a_detection_that_is_not_read_gives_no_velocity(monkeypatch):
    """One beside a face just lost: who stood still is expected where they were."""
    person = walking('a', [0, 0, 1.2], [0, 0, 0], there=lambda t: t < 0.99)
    world = World([person])
    pipeline = make_pipeline(world, monkeypatch)
    for _ in play(pipeline, world, np.arange(0, 1.0, 0.1)):
        pass
    track = pipeline._stream._tracker.tracks[0]
    before = track.motion
    track.advance(1.0)
    aside = sphere.step(before.ray, np.array([0.5 * before.angular_size, 0, 0]))
    track.detect(aside, before.angular_size, 0.75)
    track.be_unread(present=True)
    assert np.linalg.norm(track.motion.ray - before.ray) > 0.02
    assert np.linalg.norm(track.motion.velocity) < 0.01


@pytest.mark.parametrize('aside', [0.15, 0.3, 0.5])
def test_who_moves_while_hidden_comes_back_with_the_same_id(monkeypatch, aside):
    person = Person(
        'a',
        lambda t: np.array([0.0 if t < 2.0 else aside, 0, 1.2]),
        there=lambda t: not 1.0 <= t < 2.2,
    )
    world = World([person])
    ids, since = set(), []
    for t, named in play(make_pipeline(world, monkeypatch), world, np.arange(0, 4, 1 / 10)):
        if 'a' in named:
            ids.add(named['a'].id)
            since += [t] if t >= 2.2 else []
    assert ids == {'f0001'}
    assert min(since) - 2.2 <= 0.31
