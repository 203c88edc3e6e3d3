# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Targets: how they are told, and how a face sees them, against points sampled densely."""

import numpy as np
import pytest
from made_heads import facing, turned

from headpose_ros.attention import CAMERA, Place, PlacedTarget, Target
from headpose_ros.attention.plain import Axes, Measured
from headpose_ros.attention.seen import View
from headpose_ros.geometry.rotations import matrix_from_vector

FACING_PEOPLE = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    ('text', 'target'),
    [
        ('cup', Target('cup')),
        (' cup:0.05', Target('cup', radius=0.05)),
        ('screen:0.4x0.3', Target('screen', size=(0.4, 0.3))),
        ('robot:head:0.2', Target('robot:head', radius=0.2)),
    ],
)
def test_a_target_is_read_from_text(text, target):
    assert Target.from_text(text) == target


@pytest.mark.parametrize(
    ('text', 'told'),
    [
        ('', 'expected a name'),
        (':0.2', 'expected a name'),
        ('cup:', 'expected name, name:RADIUS or name:WIDTHxHEIGHT'),
        ('cup:wide', 'expected name, name:RADIUS'),
        ('cup:1x2x3', 'expected name, name:RADIUS'),
        ('cup:0', r'cup: radius: expected metres above 0, got 0\.0'),
        ('cup:-1', 'cup: radius'),
        ('cup:nan', 'cup: radius'),
        ('cup:0.3x0', 'cup: size'),
    ],
)
def test_what_is_no_target_is_told(text, told):
    with pytest.raises(ValueError, match=told):
        Target.from_text(text)


def test_radius_and_size_exclude_each_other():
    with pytest.raises(ValueError, match='a radius or a size, got both'):
        Target('cup', 0.1, (0.1, 0.1))


@pytest.mark.parametrize('place', [(1, 2), (1, 2, np.nan), [[1, 2, 3]]])
def test_a_place_that_is_none_is_told_with_its_target(place):
    with pytest.raises(ValueError, match=r'place of target cup: position: expected \(3,\)'):
        PlacedTarget.at(Target('cup'), place)


def test_a_rectangle_needs_its_rotation():
    with pytest.raises(ValueError, match='place of target screen: a rectangle needs its rotation'):
        PlacedTarget.at(Target('screen', size=(1, 1)), (0, 0, 1))


def seen(target, place, rotation, sellion):
    sellion = tuple(np.asarray(sellion, float).tolist())
    head = Measured(Axes(*map(tuple, rotation.T.tolist())), sellion, (0, 0, 1), 1, 0, 0, 0, 0, 0)
    return View.of(PlacedTarget.at(target, place), head)


def sampled_angle(points, rotation, sellion):
    ways = points - sellion
    ways /= np.linalg.norm(ways, axis=1)[:, None]
    return float(np.arccos(np.clip((ways @ rotation[:, 0]).max(), -1, 1)))


def test_the_angle_to_a_rectangle_is_that_to_its_nearest_point():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(300):
        size = rng.uniform(0.05, 1.5, 2)
        centre, sellion = rng.uniform(-1, 1, 3), np.array([0.3, 0.1, 2.0])
        aside, above = rng.uniform(-50, 50, 2)
        rotation = turned(facing(centre, sellion), aside, above)
        target_rotation = matrix_from_vector(rng.normal(size=3))
        view = seen(
            Target('t', size=tuple(size)), Place(centre, target_rotation), rotation, sellion
        )
        y, z = np.meshgrid(np.linspace(-0.5, 0.5, 161), np.linspace(-0.5, 0.5, 161))
        flat = np.stack([0 * y, size[0] * y, size[1] * z], -1).reshape(-1, 3)
        truth = sampled_angle(centre + flat @ target_rotation.T, rotation, sellion)
        assert view.angle == pytest.approx(truth, abs=0.008)
        inside += view.angle == 0.0
    assert inside > 5


def test_the_angle_to_a_sphere_is_that_to_its_rim():
    rotation = turned(facing((0, 0, 0), (0, 0, 2)), left=20.0)
    view = seen(Target('t', radius=0.2), (0, 0, 0), rotation, (0, 0, 2))
    assert np.degrees(view.angle) == pytest.approx(20 - np.degrees(np.arcsin(0.1)))
    assert view.distance == pytest.approx(2.0)
    assert seen(Target('t', radius=1.0), (0, 0, 0), rotation, (0, 0, 2)).angle == 0.0
    assert seen(Target('t', radius=3.0), (0, 0, 0), rotation, (0, 0, 2)).angle == 0.0


def test_left_and_up_are_the_persons():
    # The head points to its own left and up, so the camera lies to its right and below.
    rotation = turned(facing((0, 0, 0), (0, 0, 2)), left=20.0, up=0.0)
    view = seen(CAMERA, (0, 0, 0), rotation, (0, 0, 2))
    assert np.degrees([view.left, view.up]) == pytest.approx([-20, 0], abs=1e-6)
    rotation = turned(facing((0, 0, 0), (0, 0, 2)), up=10.0)
    view = seen(CAMERA, (0, 0, 0), rotation, (0, 0, 2))
    assert np.degrees([view.left, view.up]) == pytest.approx([0, -10], abs=1e-6)


def test_a_rectangle_is_seen_from_its_front_only():
    screen, rotation = Target('t', size=(0.4, 0.2)), facing((0, 0, 0), (0, 0, 2))
    front = seen(screen, Place((0, 0, 0), FACING_PEOPLE), rotation, (0, 0, 2))
    assert front.front
    assert [front.half_left, front.half_up] == pytest.approx([0.1, 0.05], abs=1e-3)
    behind = seen(
        screen, Place((0, 0, 0), FACING_PEOPLE), facing((0, 0, 0), (0, 0, -2)), (0, 0, -2)
    )
    assert not behind.front


def test_a_target_in_the_face_has_no_direction():
    assert seen(CAMERA, (0, 0, 0), np.eye(3), (0, 0, 0.005)) is None
