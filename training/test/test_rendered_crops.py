# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.face_frame import FACE_CENTRE_IN_FACE, FACE_SPHERE_RADIUS
from headpose_ros.geometry.rotations import rotation_to_axis
from headpose_training.data_files import load_crops
from headpose_training.rendered_crops import MAX_SPREAD, crops_of_shard

SIZE, ANGLE = 64, 0.6


def shard():
    """Two heads at known places, and one crop of nothing, as the renderer writes them."""
    rotation = matrix_from_euler(np.array([0.3, -0.8, 0.0]), 0.1, 0.2)
    centres = np.array([[0.03, -0.05, 0.9], [-0.1, 0.02, 0.6], [np.nan] * 3])
    rotation[2] = np.nan
    focal = SIZE / 2 / np.tan(ANGLE / 2)
    distances = np.linalg.norm(centres, axis=1)
    landmarks = np.random.default_rng(0).uniform(0, SIZE - 1, (3, 68, 2))
    landmarks[2] = np.nan
    visible = np.zeros((3, 68), bool)
    visible[0, 17:] = True
    return (
        {
            'images': np.zeros((3, SIZE, SIZE, 3), np.uint8),
            'face': np.array([True, True, False]),
            'rotation': rotation.astype(np.float32),
            'sellion': (centres - rotation @ FACE_CENTRE_IN_FACE).astype(np.float32),
            'angular_size': 2 * np.arcsin(FACE_SPHERE_RADIUS / distances),
            'crop_angle': np.full(3, ANGLE),
            'face_centre_px': focal * centres[:, :2] / centres[:, 2:] + (SIZE - 1) / 2,
            'head_scale': np.array([1.0, 1.1, np.nan]),
            'landmarks68': landmarks.astype(np.float32),
            'landmark_visible': visible,
        },
        rotation,
        centres,
    )


def test_truth_is_that_of_the_camera_that_looks_at_the_face():
    arrays, rotation, centres = shard()
    crops = crops_of_shard(arrays)
    expected = rotation_to_axis(centres[:2]) @ rotation[:2]
    np.testing.assert_allclose(crops.rotations[:2], expected, atol=1e-6)
    half = np.tan(ANGLE / 2)
    np.testing.assert_allclose(
        crops.centres[:2], centres[:2, :2] / centres[:2, 2:] / half, atol=1e-6
    )
    distances = np.linalg.norm(centres[:2], axis=1)
    own = np.arcsin(FACE_SPHERE_RADIUS * np.array([1.0, 1.1]) / distances)
    np.testing.assert_allclose(crops.sizes[:2], np.tan(own) / half, rtol=1e-6)
    np.testing.assert_allclose(
        crops.landmarks * SIZE / 2 + (SIZE - 1) / 2, arrays['landmarks68'], atol=1e-5
    )
    assert np.isnan(crops.landmarks[2]).all()
    assert crops.is_synthetic.all()


def test_hidden_faces_are_trusted_less_and_nothing_is_nan():
    crops = crops_of_shard(shard()[0])
    assert crops.spreads.tolist() == [0.0, pytest.approx(MAX_SPREAD), 0.0]
    for name in ('rotations', 'centres', 'sizes', 'half_tangents', 'head_scales'):
        assert np.isfinite(getattr(crops, name)).all(), name


def test_shards_and_our_own_files_load_alike(tmp_path):
    arrays = shard()[0]
    np.savez(tmp_path / 'shard_00000.npz', **arrays)
    crops_of_shard(arrays).save(tmp_path / 'shard_00001.npz')
    assert len(load_crops(tmp_path, 'shard_*.npz')) == 6
    del arrays['rotation']
    np.savez(tmp_path / 'wrong.npz', **arrays)
    whole = (tmp_path / 'wrong.npz').read_bytes()
    (tmp_path / 'half.npz').write_bytes(whole[: len(whole) // 2])
    np.save(tmp_path / 'one.npy', np.zeros(3))
    for name in ('wrong.npz', 'half.npz', 'one.npy'):
        with pytest.raises(ValueError, match=rf'{name}: not a file of crops'):
            load_crops(tmp_path, name)
