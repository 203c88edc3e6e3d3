# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
from dataclasses import replace

import made_head
import numpy as np
import pytest

from headpose_ros.geometry.rotations import matrix_from_vector
from headpose_training import head_model
from headpose_training.head_model import (
    DRAWN_PARTS,
    ROTATION_FACE_FROM_MODEL,
    SELLION_LANDMARK,
    HeadModel,
    HeadModelError,
    convert,
)


def test_model_is_metric_and_starts_at_the_sellion(made_model):
    assert np.allclose(made_model.neutral[made_model.landmarks68[SELLION_LANDMARK]], 0)
    assert 0.2 < np.ptp(made_model.neutral[:, 1]) < 0.35
    assert tuple(made_model.part_last) == DRAWN_PARTS
    assert made_model.triangles.max() < len(made_model.neutral)


def test_axes_of_the_face_frame():
    assert np.allclose(ROTATION_FACE_FROM_MODEL @ ROTATION_FACE_FROM_MODEL.T, np.eye(3))
    assert np.linalg.det(ROTATION_FACE_FROM_MODEL) == pytest.approx(1)
    # within the few degrees of the zero's correction: out of the face is x, left is y, up is z
    for axis, name in ((2, 0), (0, 1), (1, 2)):
        assert ROTATION_FACE_FROM_MODEL[name, axis] > np.cos(np.deg2rad(4))


def test_triangles_face_outwards(made_model):
    skin = made_model.triangle_parts < 1
    a, b, c = (made_model.neutral[made_model.triangles[skin, i]] for i in range(3))
    outward = (a + b + c) / 3 - np.array([0, 0, -0.107])
    assert np.mean(np.sum(np.cross(b - a, c - a) * outward, -1) > 0) > 0.99


def test_identity_keeps_its_sellion_at_the_origin_and_tells_its_scale(made_model):
    head = made_model.identity(np.array([1.5, -1.0, 0.5]))
    assert np.allclose(head.points[made_model.landmarks68[SELLION_LANDMARK]], 0, atol=1e-7)
    assert made_model.identity(np.zeros(3)).scale == pytest.approx(1)
    twice = made_model.resized(head, 1.2)
    assert twice.scale == 1.2
    ratio = np.linalg.norm(twice.points[5]) / np.linalg.norm(head.points[5])
    assert ratio == pytest.approx(1.2 / head.scale, rel=1e-5)


def test_identities_are_turned_as_the_mean_head_is(made_model):
    nod = matrix_from_vector(np.radians([3.0, 1.0, -2.0]))
    shape = made_model.identity_modes[0].astype(np.float64)
    turned = (made_model.neutral + shape) @ nod.T - made_model.neutral
    modes = np.stack([shape, turned]).astype(np.float32)
    model = replace(made_model, identity_modes=modes)
    plain, nodding = model.identity(np.array([1.0, 0.0])), model.identity(np.array([0.0, 1.0]))
    np.testing.assert_allclose(nodding.points, plain.points, atol=1e-6)
    a, b = plain.points[model.landmarks68], model.neutral[model.landmarks68]
    a, b = (p - p.mean(axis=0) for p in (a, b))
    assert np.abs(np.cross(a, b).sum(axis=0)).max() < 1e-6  # no small turn brings them nearer


def test_wrong_number_of_coefficients(made_model):
    with pytest.raises(ValueError, match=r'expected \(3,\), got \(4,\)'):
        made_model.identity(np.zeros(4))


def test_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(HeadModelError, match='headpose synthesize head-model'):
        HeadModel.load(tmp_path / 'none.npz')


def test_file_without_an_array(tmp_path):
    arrays = made_head.packed_arrays()
    del arrays['uv']
    np.savez(tmp_path / 'half.npz', **arrays)
    with pytest.raises(HeadModelError, match='not a packed head model'):
        HeadModel.load(tmp_path / 'half.npz')


def test_pickles_are_refused(tmp_path):
    arrays = made_head.packed_arrays() | {'neutral': np.array([{}], dtype=object)}
    np.savez(tmp_path / 'bad.npz', **arrays)
    with pytest.raises(HeadModelError):
        HeadModel.load(tmp_path / 'bad.npz')


def write_obj(path, points, uv=(), faces=()):
    lines = [f'v {x:.6f} {y:.6f} {z:.6f}' for x, y, z in points]
    lines += [f'vt {u:.6f} {v:.6f}' for u, v in uv]
    lines += ['f ' + ' '.join(f'{i + 1}/{i + 1}' for i in face) for face in faces]
    path.write_text('\n'.join(lines) + '\n')


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout in the layout of ICT-FaceKit, of the made head."""
    raw = made_head.packed_arrays()
    last = dict(zip(raw['part_names'].tolist(), raw['part_last_vertex'].tolist(), strict=True))
    monkeypatch.setattr(head_model, '_ICT_LAST_VERTEX', last)
    folder = tmp_path / 'ICT-FaceKit' / 'FaceXModel'
    folder.mkdir(parents=True)
    quads = [tuple(t) for t in raw['triangles'].tolist()]
    write_obj(folder / 'generic_neutral_mesh.obj', raw['neutral'], raw['uv'], quads)
    for i, mode in enumerate(raw['identity_modes'].astype(float)):
        write_obj(folder / f'identity{i:03d}.obj', raw['neutral'] + mode)
    shapes = raw['expression_shapes'].astype(float)
    for name, shape in zip(raw['expression_names'], shapes, strict=True):
        write_obj(folder / f'{name}.obj', raw['neutral'] + shape)
    (folder / 'vertex_indices.json').write_text(
        json.dumps({'idx_to_landmark_verts': raw['landmarks68'].tolist()})
    )
    return folder.parent


def test_converter_packs_a_checkout(checkout, tmp_path):
    converted = HeadModel.load(convert(checkout, tmp_path / 'out.npz'))
    made = made_head.load(tmp_path)
    assert np.allclose(converted.neutral, made.neutral, atol=1e-7)
    assert np.array_equal(converted.triangles, made.triangles)
    assert np.allclose(converted.identity_modes, made.identity_modes, atol=2e-6)
    order = [converted.expression_names.index(n) for n in made.expression_names]
    assert np.allclose(converted.expression_shapes[order], made.expression_shapes, atol=1e-5)
    assert np.array_equal(converted.landmarks68, made.landmarks68)


def test_converter_says_what_a_checkout_lacks(checkout, tmp_path):
    (checkout / 'FaceXModel' / 'vertex_indices.json').unlink()
    with pytest.raises(HeadModelError, match=r'vertex_indices\.json not found'):
        convert(checkout, tmp_path / 'out.npz')
    assert not (tmp_path / 'out.npz').exists()
