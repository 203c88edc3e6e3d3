# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The truth of the scenes in which people are followed, and their images."""

from dataclasses import replace

import numpy as np
import pytest

from benchmark.accuracy.people import compose, turning
from benchmark.accuracy.people.catalogue import QUICK, scenes
from benchmark.accuracy.people.compose import HIDDEN, UNSURE, VISIBLE
from benchmark.accuracy.people.patches import Patch, Place, paste
from benchmark.accuracy.people.paths import Stand, Walk
from benchmark.accuracy.people.scene import Person, Scene, capture_times, delivery
from headpose_ros.config import PipelineConfig
from headpose_ros.geometry import boxes_of_spheres
from headpose_ros.geometry.face_frame import face_centre_from_sellion
from headpose_ros.geometry.rotations import geodesic_distance
from headpose_ros.pipeline import HeadPosePipeline

STILL = Scene('still', 'still', (Person(0, Stand(0.0, 2.0)),), rate=30.0, seconds=4.0)
FACE_LIKE = 0.05
"""How far the network may be off, of the distance: it reads a size from the face."""


def disc(radius_px=40.0, size=200):
    """A patch of a white disc that fills the face sphere seen from 1 m."""
    v, u = np.mgrid[:size, :size] - (size - 1) / 2
    inside = (np.hypot(u, v) <= radius_px)[..., None]
    tangent = np.tan(np.arcsin(0.125))
    bgra = np.repeat(np.where(inside, 255, 0), 4, axis=2).astype(np.uint8)
    return Patch(bgra, radius_px / tangent, 1.0, np.eye(3))


@pytest.mark.parametrize('centre', [(0, 0, 1.0), (0.4, -0.2, 1.2), (-0.9, 0.5, 2.0), (1, 0.2, 4)])
def test_a_patch_is_drawn_where_the_face_sphere_is(centre):
    lens, place = compose.camera(), Place(np.array(centre, float))
    image = np.zeros((480, 640, 3), np.uint8)
    paste(image, lens, disc(), place)
    ray = place.centre / np.linalg.norm(place.centre)
    box = boxes_of_spheres(lens, ray[None], place.angular_size)[0][0]
    v, u = np.nonzero(image[..., 0] > 127)
    drawn = np.array([u.min(), v.min(), u.max(), v.max()])
    assert drawn == pytest.approx(box, abs=1.5)


def test_a_patch_partly_outside_and_one_behind_the_camera():
    lens, image = compose.camera(), np.zeros((480, 640, 3), np.uint8)
    paste(image, lens, disc(), Place(np.array([0.0, 0.0, -1.0])))
    paste(image, lens, disc(), Place(np.array([5.0, 0.0, 1.0])))
    assert not image.any()
    paste(image, lens, disc(), Place(np.array([-0.58, 0.0, 1.0])))
    assert image[240, 0].all()
    assert not image[240, 320].any()


def states(scene, times):
    lens = compose.camera()
    return [
        [
            truth.state
            for truth in compose._truth(scene, lens, compose._present(scene, t, 0.0), t, gain)
        ]
        for t, gain in times
    ]


@pytest.fixture
def disc_faces(monkeypatch):
    monkeypatch.setattr(compose, 'real_faces', lambda: [disc()])


@pytest.mark.usefixtures('disc_faces')
def test_who_is_plain_to_see_and_who_is_not():
    covered = replace(STILL, people=(Person(0, Stand(0.0, 2.0, 1.0, 3.0), hidden=((2.0, 2.5),)),))
    bright = [(t, 1.0) for t in (0.5, 1.5, 1.95, 2.2, 2.7, 3.5)]
    assert states(covered, bright) == [[], [VISIBLE], [UNSURE], [HIDDEN], [VISIBLE], []]
    assert states(STILL, [(1.0, 0.01), (1.0, 0.5)]) == [[HIDDEN], [VISIBLE]]


@pytest.mark.usefixtures('disc_faces')
def test_at_the_edge_and_behind_another_a_person_is_not_plain_to_see():
    walk = Walk(1.0, 2.0)
    edge = 2.0 * np.tan(np.radians(30.0))
    inside, cut, outside = (walk.end / 2 + x for x in (edge - 0.2, edge - 0.05, edge + 0.2))
    walking = replace(STILL, people=(Person(0, walk),))
    assert states(walking, [(t, 1.0) for t in (inside, cut, outside)]) == [
        [VISIBLE], [UNSURE], [HIDDEN],
    ]  # fmt: skip
    pair = (Person(0, Stand(0.0, 3.0)), Person(1, Stand(0.02, 1.5)))
    assert states(replace(STILL, people=pair), [(1.0, 1.0)]) == [[HIDDEN, VISIBLE]]
    apart = (Person(0, Stand(0.0, 3.0)), Person(1, Stand(0.5, 1.5)))
    assert states(replace(STILL, people=apart), [(1.0, 1.0)]) == [[VISIBLE, VISIBLE]]


@pytest.mark.parametrize(
    ('stamps', 'expected'),
    [
        ('exact', [0, 1, 2, 3, 4, 5]),
        ('repeat 3', [0, 0, 0, 3, 3, 3]),
        ('whole', [0, 0, 0, 0, 0, 0]),
    ],
)
def test_stamps_are_as_they_are_described(stamps, expected):
    got = [stamp - 100.0 for _, _, stamp in delivery(replace(STILL, stamps=stamps))]
    assert np.round(np.array(got[:6]) * 30, 6).tolist() == expected
    assert len(got) == 120


def test_late_images_come_after_a_newer_one_and_none_is_lost():
    order = [k for k, _, _ in delivery(replace(STILL, stamps='late'))]
    assert order[59:64] == [59, 62, 60, 61, 63]
    assert sorted(order) == list(range(120))


def test_one_image_in_two_seconds_has_an_early_stamp():
    stamps = np.array([s for _, _, s in delivery(replace(STILL, stamps='single'))])
    assert np.flatnonzero(np.diff(stamps) < 0).tolist() == [60]


def test_jitter_is_of_the_stamps_or_of_the_images():
    jittered = replace(STILL, stamps='jitter')
    off = np.array([stamp - 100.0 - time for _, time, stamp in delivery(jittered)])
    assert 0.05 < np.abs(off).max() <= 0.06
    times = np.array(capture_times(replace(STILL, uneven=0.4)))
    assert np.all(np.diff(times) > 0)
    assert 0.35 < np.abs(times * 30 - np.arange(120)).max() <= 0.4


def test_heads_turn_there_and_back_or_all_around():
    back = Person(0, Stand(0, 1), turn=(4.0, 180.0))
    around = Person(1, Stand(0, 1), turn=(4.0, 360.0))
    assert [back.yaw(t) for t in (0, 2.5, 3.5, 4.5, 9)] == [0, 90, 180, 90, 0]
    assert [around.yaw(t) for t in (0, 2.5, 3.5, 4.5, 9)] == [0, 270, 180, 90, 0]


def test_scenes_have_names_of_their_own_and_ordinary_ones_both_rates():
    every = scenes()
    names = [scene.name for scene in every]
    assert len(set(names)) == len(names)
    assert set(names) >= QUICK
    assert {scene.name for scene in scenes(quick=True)} == QUICK
    ordinary = {rate: {s.name.replace(f'{rate:g} Hz', '') for s in every
                       if s.ordinary and s.rate == rate} for rate in (10.0, 30.0)}  # fmt: skip
    assert ordinary[10.0] == ordinary[30.0] != set()
    assert not {s.rate for s in every if s.ordinary} - {10.0, 30.0}


@pytest.fixture(scope='module')
def pipeline():
    return HeadPosePipeline(PipelineConfig(device='cpu', threads=1))


def assert_found_where_truth_says(pipeline, scene, rotation_deg):
    pipeline.reset()
    for frame in compose.frames(scene):
        heads = pipeline.process(frame.image, compose.camera(), frame.stamp)
    (truth,), (found,) = frame.truth, heads
    centre = face_centre_from_sellion(found.rotation_camera_from_face, found.position)
    distance = np.linalg.norm(truth.centre)
    across = np.linalg.norm(np.cross(centre, truth.centre)) / distance**2
    assert across < 0.1 * truth.angular_size
    assert np.linalg.norm(centre) == pytest.approx(distance, rel=FACE_LIKE)
    error = geodesic_distance(found.rotation_camera_from_face, truth.rotation_camera_from_face)
    assert np.degrees(error) < rotation_deg


@pytest.mark.parametrize(('x', 'distance'), [(0.0, 1.5), (-0.6, 1.5), (0.8, 3.0)])
@pytest.mark.parametrize('face', [0, 9])
def test_the_network_finds_a_real_face_where_truth_says(pipeline, face, x, distance):
    from benchmark.accuracy.people.faces import PHOTOGRAPHS

    if not PHOTOGRAPHS.is_dir():
        pytest.skip('no photographs here')
    person = Person(face, Stand(x, distance))
    scene = replace(STILL, people=(person,), rate=10.0, seconds=1.5, background=1)
    assert_found_where_truth_says(pipeline, scene, rotation_deg=8.0)


@pytest.mark.parametrize('yaw', [-40, 0, 30])
def test_the_network_finds_a_rendered_head_turned_as_truth_says(pipeline, monkeypatch, yaw):
    pytest.importorskip('numba')
    made = turning.as_patch(next(iter(turning.pictures(2, [yaw]))), yaw)
    monkeypatch.setattr(turning, 'patch', lambda head, angle: made)
    person = Person(2, Stand(0.3, 1.3))
    scene = replace(STILL, rendered=True, rate=10.0, seconds=1.5, people=(person,))
    assert_found_where_truth_says(pipeline, scene, rotation_deg=12.0)
