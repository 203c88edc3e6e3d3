# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The minimal rotation to the axis, and the forms of rotations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from headpose_ros.geometry import rotation_to_axis
from headpose_ros.geometry import rotations as rot

Z = np.array([0.0, 0.0, 1.0])
TRICKY_ANGLES = np.array(
    [0.0, 1e-300, 1e-16, 1e-12, 1e-8, 1e-4, 0.5, np.pi / 2, 3.0, np.pi - 1e-4, np.pi - 1e-8, np.pi]
)


def random_rays(count, seed=0):
    rays = np.random.default_rng(seed).normal(size=(count, 3))
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def tricky_rotations():
    axes = np.vstack([np.eye(3), -np.eye(3), random_rays(20)])
    return Rotation.from_rotvec((TRICKY_ANGLES[:, None, None] * axes).reshape(-1, 3)).as_matrix()


def assert_rotations(matrices, tolerance=1e-12):
    identity = np.swapaxes(matrices, -1, -2) @ matrices
    assert np.abs(identity - np.eye(3)).max() < tolerance
    assert np.abs(np.linalg.det(matrices) - 1).max() < tolerance


def test_ten_thousand_rays_are_turned_onto_the_axis():
    beside = [[1e-12, 0, 1], [0, -1e-12, 1], [1e-300, 1e-300, 1]]
    behind = [[1e-3, 0, -1], [0, 1e-5, -1]]
    rays = np.vstack([random_rays(10_000), [Z], beside, behind])
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    rotations = rotation_to_axis(rays)
    assert_rotations(rotations)
    assert np.abs(np.einsum('nij,nj->ni', rotations, rays) - Z).max() < 1e-12


def test_identity_on_the_axis_is_exact():
    assert (rotation_to_axis(Z) == np.eye(3)).all()
    assert rotation_to_axis(Z).shape == (3, 3)
    assert rotation_to_axis(Z[None]).shape == (1, 3, 3)


def test_it_is_minimal_and_the_closed_form():
    rays = random_rays(1000)
    rotations = rotation_to_axis(rays)
    assert rot.geodesic_distance(rotations, np.eye(3)) == pytest.approx(
        np.arccos(rays[:, 2]), abs=1e-7
    )
    k = np.cross(rays, Z)
    kx = np.cross(np.eye(3)[None], k[:, None])  # rows e_i x k are the rows of [k]x
    closed = np.eye(3) + kx + kx @ kx / (1 + rays[:, 2])[:, None, None]
    far = rays[:, 2] > -0.99
    assert np.abs(rotations - closed)[far].max() < 1e-12


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 3.1), st.floats(-np.pi, np.pi), st.floats(-np.pi, np.pi))
def test_it_is_continuous(angle, azimuth, direction):
    step = 1e-7

    def ray(a, b):
        return np.array([np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)])

    v = ray(angle, azimuth)
    side = np.cross(v, ray(1.3, direction + 0.1))
    moved = v + step * side
    change = np.abs(rotation_to_axis(v) - rotation_to_axis(moved)).max()
    # The derivative grows as 1 / (1 + c) towards straight behind.
    assert change <= 4 * step / (1 + v[2]) + 1e-15


def test_rays_need_not_have_unit_length():
    assert rotation_to_axis([3.0, -1.0, 2.0]) == pytest.approx(rotation_to_axis([0.3, -0.1, 0.2]))


@pytest.mark.parametrize(
    ('bad', 'why'),
    [
        ([0.0, 0.0, 0.0], 'not zero'),
        ([0.0, 0.0, -1.0], 'backwards'),
        ([np.nan, 0.0, 1.0], 'finite'),
        ([0.0, 1.0], 'shape'),
    ],
)
def test_rays_without_a_rotation_are_refused(bad, why):
    with pytest.raises(ValueError, match=why):
        rotation_to_axis(bad)


def test_forms_come_back_at_0_90_and_180_degrees():
    m = tricky_rotations()
    for there, back in (
        (rot.quaternion_from_matrix, rot.matrix_from_quaternion),
        (rot.vector_from_matrix, rot.matrix_from_vector),
        (rot.sixd_from_matrix, rot.matrix_from_sixd),
    ):
        form = there(m)
        assert np.isfinite(form).all()
        assert np.abs(back(form) - m).max() < 1e-12
        lead = form.reshape(4, -1, form.shape[-1])
        assert back(lead).shape == (4, len(m) // 4, 3, 3)


def test_quaternions_are_x_y_z_w():
    quarter = rot.matrix_from_vector([0.0, 0.0, np.pi / 2])
    assert rot.quaternion_from_matrix(quarter) == pytest.approx([0, 0, np.sqrt(0.5), np.sqrt(0.5)])
    assert quarter @ [1, 0, 0] == pytest.approx([0, 1, 0])


def test_sixd_of_any_two_columns_is_a_rotation():
    sixd = np.random.default_rng(3).normal(size=(1000, 6))
    sixd[0] = [1, 0, 0, 1, 1e-9, 0]  # nearly parallel
    assert_rotations(rot.matrix_from_sixd(sixd))
    with pytest.raises(ValueError, match='parallel'):
        rot.matrix_from_sixd([1.0, 2.0, 3.0, 2.0, 4.0, 6.0])


def test_geodesic_distance_keeps_its_digits_everywhere():
    axes = random_rays(50)
    for angle in TRICKY_ANGLES:
        moved = Rotation.from_rotvec(angle * axes).as_matrix()
        base = Rotation.from_rotvec(2.0 * axes[::-1]).as_matrix()
        found = rot.geodesic_distance(base @ moved, base)
        tolerance = 1e-15 if angle < 1e-3 else 1e-14
        assert np.abs(found - angle).max() < 4 * max(tolerance, 1e-15) + 3e-8 * (angle > 3.1)


def test_mean_of_rotations():
    centre = Rotation.from_rotvec([0.3, -2.0, 0.5])
    offsets = Rotation.from_rotvec(0.2 * np.vstack([np.eye(3), -np.eye(3)]))
    mean = rot.mean_rotation((centre * offsets).as_matrix())
    assert rot.geodesic_distance(mean, centre.as_matrix()) < 1e-12
    heavy = rot.mean_rotation(np.stack([np.eye(3), centre.as_matrix()]), [1.0, 0.0])
    assert rot.geodesic_distance(heavy, np.eye(3)) < 1e-12
    with pytest.raises(ValueError, match='N > 0'):
        rot.mean_rotation(np.empty((0, 3, 3)))
    with pytest.raises(ValueError, match='weights'):
        rot.mean_rotation(np.eye(3)[None], [-1.0])


def test_nearest_rotation_is_never_a_reflection():
    noisy = np.random.default_rng(5).normal(size=(500, 3, 3))
    assert_rotations(rot.nearest_rotation(noisy))
    m = tricky_rotations()
    assert np.abs(rot.nearest_rotation(m) - m).max() < 1e-12


def test_what_is_read_only_is_read():
    matrix = np.eye(3)
    matrix.flags.writeable = False
    assert rot.quaternion_from_matrix(matrix) == pytest.approx([0, 0, 0, 1])
    assert rot.vector_from_matrix(matrix) == pytest.approx([0, 0, 0])
    assert not matrix.flags.writeable
