# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Landmarks that an estimator reads in its crops come out as pixels of the image."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from head_world import CAMERA, FakeEstimator, World, make_pipeline, play, turning, walking

from headpose_ros.estimation.landmark_points import MEAN_HEAD
from headpose_ros.heads import Head, Roi


def points_of(person, t):
    """The 68 points of a person, (68,3), in the camera frame."""
    return person.sellion(t) + MEAN_HEAD @ person.rotation(t).T


@pytest.fixture
def landmarks(monkeypatch):
    """The estimator of the made-up world tells the landmarks of whom it looks at."""
    without = FakeEstimator.estimate

    def estimate(self, crops, crop_angles):
        found = without(self, crops, crop_angles)
        seen = []
        for turn, angle in zip(
            self.cameras.rotation_virtual_from_camera, crop_angles, strict=True
        ):
            person = max(self.world.people, key=lambda p: turn[2] @ p.centre(self.world.now))
            x, y, z = turn @ points_of(person, self.world.now).T
            seen.append(np.stack([x / z, y / z], axis=1) / np.tan(angle / 2))
        return replace(found, landmarks=np.array(seen))

    monkeypatch.setattr(FakeEstimator, 'estimate', estimate)


@pytest.mark.usefixtures('landmarks')
def test_landmarks_are_where_the_image_shows_them(monkeypatch):
    turned = turning([0.3, 0.2, 1.0], 0.4)
    people = [
        walking('a', [-0.6, 0.1, 1.5], [0.1, 0, 0], rotation=turned),
        walking('b', [0.5, 0, 1.2], [0, 0, 0]),
    ]
    world = World(people)
    pipeline = make_pipeline(world, monkeypatch)
    compared = 0
    for t, named in play(pipeline, world, np.arange(0, 1.5, 1 / 30)):
        for person in people:
            if person.name in named:
                expected, _ = CAMERA.pixels(points_of(person, t))
                np.testing.assert_allclose(named[person.name].landmarks, expected, atol=1e-6)
                compared += 1
    assert compared > 60


def test_heads_of_other_estimators_have_none(monkeypatch):
    world = World([walking('a', [0, 0, 1], [0, 0, 0])])
    found = [
        named['a']
        for _, named in play(make_pipeline(world, monkeypatch), world, (0, 0.1, 0.2))
        if named
    ]
    assert found
    assert all(head.landmarks is None for head in found)


def test_heads_with_landmarks_compare_and_travel():
    points = np.full((68, 2), np.nan)
    points[:40] = 7.0
    one = Head(
        'f0001', np.eye(3), np.ones(3), np.eye(6), 0.5, Roi(0, 0, 1, 1), 0.0, 0.0, landmarks=points
    )
    assert pickle.loads(pickle.dumps(one)) == one
    assert one != replace(one, landmarks=None) != replace(one, landmarks=np.zeros((68, 2)))
    assert not one.landmarks.flags.writeable
    with pytest.raises(ValueError, match=r'landmarks: expected shape \(68, 2\), got \(5, 2\)'):
        replace(one, landmarks=np.zeros((5, 2)))
