# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heads of recordings: in hindsight, from the first image that they are in."""

import numpy as np
import pytest
from head_world import CAMERA, IMAGE, World, make_pipeline, walking

from headpose_ros.heads import Faces
from headpose_ros.hindsight import Hindsight


def results_of(pipeline, world, images, **options):
    """Return what is handed out for `images` numbers, and the most that were kept meanwhile."""
    hindsight = Hindsight(**options)
    results, most = [], 0
    for i in range(images):
        world.now = i / 30
        results += hindsight.add(i, pipeline.process(IMAGE, CAMERA, stamp=world.now))
        most = max(most, i + 1 - len(results))
    results += hindsight.rest()
    assert [image for image, _ in results] == list(range(images))
    return [result for _, result in results], most


def test_a_head_is_there_from_its_first_image(monkeypatch):
    world = World(
        [
            walking('a', [-0.3, 0, 1], [0.1, 0, 0]),
            walking('b', [0.3, 0, 1.2], [0, 0, 0], there=lambda t: t > 0.49),
        ]
    )
    pipeline = make_pipeline(world, monkeypatch, detect_every=1)
    results, most = results_of(pipeline, world, 40)
    assert [len(result) for result in results] == [1] * 15 + [2] * 25
    assert {result[0].id for result in results} == {'f0001'}
    assert {head.id for result in results for head in result} == {'f0001', 'f0002'}
    assert {result.principal_id for result in results} == {'f0001'}
    x = [result[0].position[0] for result in results]
    np.testing.assert_allclose(x, -0.3 + 0.1 * np.arange(40) / 30, atol=1e-3)
    assert most == 2, 'images are kept while somebody is to be confirmed, and no longer'


def test_what_turns_out_to_be_no_face_is_never_there(monkeypatch):
    world = World([walking('shirt', [0, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch)
    pipeline._stages.estimator.confidences = lambda estimates: np.full(len(estimates), 0.7)
    find = pipeline._stages.search.find
    pipeline._stages.search.find = lambda *words: (
        find(*words) if world.now < 0.05 else Faces.none()
    )
    results, most = results_of(pipeline, world, 20)
    assert [list(result) for result in results] == [[]] * 20
    assert {result.principal_id for result in results} == {None}
    assert most > 0


def test_no_more_images_are_kept_than_asked_for(monkeypatch):
    world = World([walking('a', [0, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch, confirm_probability=0.9994)
    results, most = results_of(pipeline, world, 12, max_held=2)
    assert [len(result) for result in results] == [0] + [1] * 11
    assert most == 2
    pipeline.reset()
    results, most = results_of(pipeline, world, 12, max_held=0)
    assert [len(result) for result in results] == [0] * 3 + [1] * 9
    assert most == 0


@pytest.mark.parametrize('images', [1, 2])
def test_a_recording_that_ends_before_a_face_is_confirmed(monkeypatch, images):
    people = [walking('a', [-0.3, 0, 1], [0, 0, 0]), walking('b', [0.3, 0, 1.5], [0, 0, 0])]
    world = World(people)
    results, _ = results_of(make_pipeline(world, monkeypatch), world, images)
    assert [[head.id for head in result] for result in results] == [['f0001', 'f0002']] * images
    assert {result.principal_id for result in results} == {'f0001'}, 'the nearer one'


def test_who_is_not_in_every_image_of_a_short_recording_is_no_head(monkeypatch):
    world = World([walking('a', [0, 0, 1], [0, 0, 0], there=lambda t: t < 0.01)])
    results, _ = results_of(make_pipeline(world, monkeypatch), world, 2)
    assert [list(result) for result in results] == [[], []]


def test_who_is_doubtful_in_a_short_recording_is_no_head(monkeypatch):
    world = World([walking('a', [0, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch)
    pipeline._stages.estimator.confidences = lambda estimates: np.full(len(estimates), 0.4)
    results, _ = results_of(pipeline, world, 2)
    assert [list(result) for result in results] == [[], []]


def test_an_image_that_comes_late_decides_nothing(monkeypatch):
    """It is handed out in its place, without heads; the ones before it wait on."""
    world = World([walking('a', [0, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch)
    hindsight, results = Hindsight(), []
    for i, stamp in enumerate([0.0, 0.033, -0.13, 0.066, 0.1]):
        results += hindsight.add(i, pipeline.process(IMAGE, CAMERA, stamp=stamp))
    assert [(i, len(result), result.dropped) for i, result in results] == [
        (0, 1, False), (1, 1, False), (2, 0, True), (3, 1, False), (4, 1, False),
    ]  # fmt: skip
    assert {head.id for _, result in results for head in result} == {'f0001'}


def test_results_say_all_that_it_needs(monkeypatch):
    """Also after the pipeline went on with something else."""
    world = World([walking('a', [0, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch)
    kept = [pipeline.process(IMAGE, CAMERA, stamp=i / 30) for i in range(5)]
    pipeline.reset()
    world.people = []
    pipeline.process(IMAGE, CAMERA, stamp=0.0)
    hindsight = Hindsight()
    results = [entry for i, result in enumerate(kept) for entry in hindsight.add(i, result)]
    assert [[head.id for head in result] for _, result in results] == [['f0001']] * 5
    assert all(result.candidates == () for _, result in results)
    assert all(len(result.tracks) == len(result) for _, result in results)
