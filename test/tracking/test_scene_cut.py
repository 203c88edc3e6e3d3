# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cuts in films are seen; light, noise, people and a camera that turns are none."""

import cv2
import numpy as np
import pytest
from head_world import CAMERA, World, make_pipeline, walking

from headpose_ros.tracking.scene_cut import SceneCuts


def scene(seed, width=640, height=480):
    """Return a room of large and small patches."""
    random = np.random.default_rng(seed)
    image = np.zeros((height, width), np.float32)
    for cells in (3, 6, 12, 40):
        patches = random.uniform(0, 255, (cells, cells)).astype(np.float32)
        image += cv2.resize(patches, (width, height)) / 4
    return np.repeat(image[..., None], 3, axis=2)


def photo(light, seed=0):
    noise = np.random.default_rng(seed).normal(0, 4, light.shape)
    return np.clip(light + noise, 0, 255).astype(np.uint8)


def cuts(*images):
    watch = SceneCuts()
    return [watch.is_cut(image) for image in images]


@pytest.mark.parametrize('seed', range(8))
def test_another_scene_is_a_cut(seed):
    assert cuts(photo(scene(2 * seed)), photo(scene(2 * seed + 1))) == [False, True]


@pytest.mark.parametrize('size', [(320, 240), (1920, 1080), (64, 48), (20, 10)])
def test_images_of_any_size(size):
    assert cuts(photo(scene(0, *size)), photo(scene(0, *size), 1)) == [False, False]


@pytest.mark.parametrize('gain', [0.3, 0.6, 1.5])
def test_a_change_of_exposure_is_none(gain):
    assert cuts(photo(scene(3)), photo(gain * scene(3))) == [False, False]


def test_strobed_light_is_none_and_hides_none():
    room, dark, other = photo(scene(4)), photo(0.01 * scene(4)), photo(scene(5))
    assert cuts(room, dark, room, dark, room) == [False] * 5
    assert cuts(room, dark, other) == [False, False, True]


@pytest.mark.parametrize('share', [0.1, 0.3, 0.5])
@pytest.mark.parametrize('seed', range(3))
def test_a_camera_that_pans_makes_none(seed, share):
    wide = scene(seed, 1280, 480)
    shift = int(share * 640)
    assert cuts(photo(wide[:, :640]), photo(wide[:, shift : shift + 640])) == [False, False]
    assert cuts(photo(wide[:, shift : shift + 640]), photo(wide[:, :640])) == [False, False]


def test_somebody_who_passes_close_by_makes_none():
    room = scene(6)
    passing = room.copy()
    passing[60:, 150:420] = 40
    assert cuts(photo(room), photo(passing), photo(room)) == [False] * 3


@pytest.mark.parametrize('watched', [True, False])
def test_a_cut_ends_all_ids(monkeypatch, watched):
    world = World([walking('a', [0, 0, 1], [0, 0, 0])])
    pipeline = make_pipeline(world, monkeypatch, scene_cuts=watched)
    first, second = photo(scene(0)), photo(scene(1))
    ids = [
        {head.id for head in pipeline.process(image, CAMERA)}
        for image in [first] * 6 + [second] * 6
    ]
    assert ids[5] == {'f0001'}
    assert ids[6] == (set() if watched else {'f0001'})
    assert ids[-1] == ({'f0002'} if watched else {'f0001'})
