# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Faces that are not upright in the image: read in crops that are turned, the surest of four."""

from dataclasses import fields

import numpy as np
import pytest
from head_world import CAMERA, FRONTAL, IMAGE, World, make_pipeline, walking

from headpose_ros.geometry.rotations import matrix_from_vector
from headpose_ros.geometry.upright_views import up_of_roll
from headpose_ros.tracking.posing import Readings
from headpose_ros.tracking.track import Track
from headpose_ros.upright import SURE, read_upright


def tracks(count):
    rays = np.array([[0.1 * i, 0.05, 1.0] for i in range(count)])
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    return [Track.start(ray, 0.2, 0.9, 0.0) for ray in rays]


def reader(confidence):
    """Return a function that reads tracks, as sure as `confidence(track)`, and notes how many."""
    calls = []

    def read(some):
        calls.append(len(some))
        none = Readings.none()
        columns = {f.name: np.repeat(getattr(none, f.name), 0, axis=0) for f in fields(Readings)}
        n = len(some)
        columns = {name: np.zeros((n, *value.shape[1:])) for name, value in columns.items()}
        columns['confidences'] = np.array([confidence(track) for track in some])
        columns['rays'] = np.array([track.up for track in some]).reshape(n, 3)
        return Readings(**columns)

    return read, calls


def test_sure_readings_are_taken_as_they_are():
    read, calls = reader(lambda track: SURE + 0.01)
    assert len(read_upright(read, tracks(3)).confidences) == 3
    assert calls == [3]


def test_estimators_that_cannot_tell_are_not_asked_again():
    read, calls = reader(lambda track: np.nan)
    assert np.isnan(read_upright(read, tracks(2)).confidences).all()
    assert calls == [2]


def test_of_doubtful_ones_the_surest_of_four_is_taken():
    """The second of three faces is upside down; the others are known at once."""
    some = tracks(3)

    def confidence(track):
        if track.number != some[1].number:
            return 0.99
        return 0.98 if track.up[1] > 0.9 else 0.4

    read, calls = reader(confidence)
    found = read_upright(read, some)
    assert calls == [3, 3]
    np.testing.assert_allclose(found.confidences, [0.99, 0.98, 0.99])
    assert found.rays[1][1] > 0.9
    assert not some[1].up.any(), 'the track itself is as it was'


def test_a_turned_crop_that_is_not_sure_either_is_not_taken():
    """As of small dark faces, of which the surest of three wrong crops would win."""
    read, calls = reader(lambda track: 0.85 if track.up.any() else 0.3)
    found = read_upright(read, tracks(1))
    assert calls == [1, 3]
    assert found.confidences.tolist() == [0.3]


@pytest.mark.parametrize('degrees', [0, 90, 180, -90])
def test_a_wrong_way_up_face_is_read_right(monkeypatch, degrees):
    """By an estimator that reads upright crops right, and others wrong and with doubt."""
    rolled = matrix_from_vector([0.0, 0.0, np.radians(degrees)]) @ FRONTAL
    world = World([walking('a', [0.1, 0.1, 1.0], [0, 0, 0])])
    world.people[0].rotation = lambda t: rolled
    pipeline = make_pipeline(world, monkeypatch)
    estimator = pipeline._stages.estimator
    estimate = estimator.estimate

    def upright_only(crops, angles):
        found = estimate(crops, angles)
        up = np.einsum(
            'nij,nj->ni', found.rotations_virtual_from_face, np.tile([0, 0, 1.0], (len(angles), 1))
        )
        estimator.is_upright = -up[:, 1] > np.cos(np.radians(50))
        flipped = np.diag([-1.0, -1.0, 1.0]) @ found.rotations_virtual_from_face
        right = estimator.is_upright[:, None, None]
        return type(found)(
            np.where(right, found.rotations_virtual_from_face, flipped),
            found.rotation_sigma, found.rays_virtual, found.angular_sizes, found.head_scale,
            found.face_probability,
        )  # fmt: skip

    estimator.estimate = upright_only
    estimator.confidences = lambda estimates: np.where(estimator.is_upright, 0.98, 0.8)
    for image in range(6):
        heads = pipeline.process(IMAGE, CAMERA, image / 30)
    (head,) = heads
    np.testing.assert_allclose(head.rotation_camera_from_face, rolled, atol=1e-6)


@pytest.mark.parametrize('roll', [90.0, 180.0, 45.0])
def test_crops_of_a_turned_camera_are_held_up(monkeypatch, roll):
    world = World([walking('a', [0.1, 0.1, 1.0], [0, 0, 0])])
    held = matrix_from_vector([0.0, 0.0, -np.radians(roll)]) @ FRONTAL
    world.people[0].rotation = lambda t: held
    pipeline = make_pipeline(world, monkeypatch, camera_roll=roll)
    asked = []
    find = pipeline._stages.search.find
    pipeline._stages.search.find = lambda *words, up: asked.append(up) or find(*words)
    first = []
    reader = pipeline._stages.reader
    requests = reader._requests
    monkeypatch.setattr(
        type(reader), '_requests',
        lambda self, some, config: first.append(some[0].up.copy()) or requests(some, config),
    )  # fmt: skip
    for image in range(4):
        heads = pipeline.process(IMAGE, CAMERA, image / 30)
    assert len(heads) == 1
    np.testing.assert_allclose(asked[0], up_of_roll(np.radians(roll)), atol=1e-12)
    np.testing.assert_allclose(first[0], up_of_roll(np.radians(roll)), atol=1e-12)
