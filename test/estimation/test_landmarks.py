# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
import os
from pathlib import Path

import numpy as np
import pytest

from headpose_ros.config import PipelineConfig
from headpose_ros.estimation import create_estimator
from headpose_ros.estimation.landmark_onnx import OnnxLandmarks
from headpose_ros.estimation.landmark_points import MEAN_HEAD
from headpose_ros.estimation.landmarks import FITTED, SIGMA_KEY, LandmarkEstimator
from headpose_ros.estimation.linear_pose import AUTHORS, LinearPose
from headpose_ros.estimation.pfld import Pfld
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.face_frame import FACE_CENTRE_IN_FACE, FACE_SPHERE_RADIUS
from headpose_ros.geometry.rotations import geodesic_distance
from headpose_ros.inference import onnx_file
from headpose_ros.inference.networks.export import write
from headpose_ros.inference.networks.landmark_net import LandmarkNet
from headpose_ros.inference.opencv_runtime import OpenCvRuntime
from headpose_ros.inference.runtime import cpu_runtime, create_runtime
from headpose_ros.inference.weights import WeightsError, from_bytes, read

DATA = Path(os.environ.get('HEADPOSE_DATA', Path(__file__).parents[3] / 'shared' / 'data'))
ONNX = DATA / 'models' / 'PFLD_GhostOne_112_98pt.onnx'
FACES = DATA / 'faces_youtube'
ANGLE = 0.6


class KnownLandmarks:
    """Sees the mean head in a known pose, whatever the crop shows."""

    crop_px, crop_scale, landmark_box_scale = 8, 0.9, 1.5
    linear, refines = None, True
    sigma_deg = {'pnp': (1.0, 2.0, 3.0)}  # noqa: RUF012

    def __init__(self, rotation, sellion, logit=2.0):
        points = MEAN_HEAD @ rotation.T + sellion
        self._points = points[:, :2] / points[:, 2:] / np.tan(ANGLE / 2)
        self._logit = logit

    def __call__(self, crops):
        points = np.repeat(self._points[None], len(crops), axis=0)
        return points, None if self._logit is None else np.full(len(crops), self._logit)


ROTATION, SELLION = matrix_from_euler(0.4, -0.2, 0.1), np.array([0.03, -0.02, 0.9])
CROPS = np.zeros((2, 8, 8, 3), np.uint8)


def test_pnp_gives_pose_place_and_the_measured_sigma():
    out = LandmarkEstimator(KnownLandmarks(ROTATION, SELLION), 'pnp').estimate(CROPS, [ANGLE] * 2)
    assert len(out) == 2
    assert geodesic_distance(out.rotations_virtual_from_face[1], ROTATION) < 1e-3
    centre = SELLION + ROTATION @ FACE_CENTRE_IN_FACE
    distance = np.linalg.norm(centre)
    assert out.rays_virtual[0] == pytest.approx(centre / distance, abs=1e-4)
    expected = 2 * np.arcsin(FACE_SPHERE_RADIUS / distance)
    assert out.angular_sizes == pytest.approx(expected, rel=1e-3)
    assert out.face_probability == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert np.rad2deg(out.rotation_sigma[0]) == pytest.approx([1, 2, 3])


def test_linear_model_is_roughly_right_and_places_the_face():
    model = KnownLandmarks(ROTATION, SELLION)
    out = LandmarkEstimator(model, 'linear').estimate(CROPS, [ANGLE] * 2)
    assert np.rad2deg(geodesic_distance(out.rotations_virtual_from_face[0], ROTATION)) < 12
    centre = SELLION + ROTATION @ FACE_CENTRE_IN_FACE
    assert out.rays_virtual[0] == pytest.approx(centre / np.linalg.norm(centre), abs=0.02)


def test_authors_coefficients_are_an_option():
    model = KnownLandmarks(ROTATION, SELLION)
    estimator = LandmarkEstimator(model, 'linear_authors')
    theirs = estimator.from_landmarks(model(CROPS)[0], [ANGLE] * 2)
    assert theirs[0] == pytest.approx(AUTHORS.rotations(model(CROPS)[0]))


def test_networks_that_cannot_tell_a_face_give_the_crops_ray_and_size():
    model = KnownLandmarks(ROTATION, SELLION, logit=None)
    out = LandmarkEstimator(model, 'pnp').estimate(CROPS, [ANGLE] * 2)
    assert np.isnan(out.face_probability).all()
    assert out.rays_virtual[0].tolist() == [0, 0, 1]
    assert np.tan(out.angular_sizes / 2) * 0.9 == pytest.approx(np.tan(ANGLE / 2))


def test_no_crops_no_heads():
    estimator = LandmarkEstimator(KnownLandmarks(ROTATION, SELLION), 'linear')
    assert len(estimator.estimate(CROPS[:0], np.empty(0))) == 0


def made_tensors(fill):
    """Tensors of a network: `fill` gives the weights of a shape, biases are zero."""
    tensors = {n: t.numpy() for n, t in LandmarkNet().state_dict().items()}
    for name, tensor in tensors.items():
        if name != 'grid.weight':
            tensors[name] = np.float32(0 * tensor if name.endswith('bias') else fill(tensor.shape))
    return tensors


def made_weights(path, **metadata):
    """A network of random weights that is otherwise whole."""
    rng = np.random.default_rng(0)
    tensors = made_tensors(lambda shape: rng.normal(0, 0.1, shape))
    write(path, tensors, Pfld().metadata() | metadata)
    return str(path)


def make(weights, runtime=None, **changes):
    config = PipelineConfig(estimator='landmarks', weights=weights, **changes)
    return create_estimator(config, runtime or create_runtime('cpu', 1))


def test_runtimes_agree(tmp_path):
    weights = made_weights(tmp_path / 'made.onnx')
    backend = pytest.importorskip('headpose_ros.inference.torch_runtime')
    crops = np.random.default_rng(1).integers(0, 256, (3, 112, 112, 3), np.uint8)
    one, other = (
        make(weights, runtime, landmark_pose='linear').estimate(crops, np.full(3, ANGLE))
        for runtime in (create_runtime('cpu', 1), backend.TorchRuntime('cpu', 1))
    )
    assert one.rotations_virtual_from_face == pytest.approx(
        other.rotations_virtual_from_face, abs=1e-3)  # fmt: skip
    assert one.face_probability == pytest.approx(other.face_probability, abs=1e-5)


def test_one_bright_map_cell_is_where_the_landmark_is(tmp_path):
    """Maps that look at brightness alone: every landmark is at the bright spot."""
    tensors = made_tensors(np.zeros)
    for name in ('stem', 'stages.0.0.shortcut', 'lateral.1', 'merge.0'):
        middle = tensors[f'{name}.weight'].shape[-1] // 2
        tensors[f'{name}.weight'][0, 0, middle, middle] = 1.0
    tensors['maps.weight'][:, 0] = 30.0
    write(tmp_path / 'spot.onnx', tensors, Pfld().metadata())
    estimator = make(str(tmp_path / 'spot.onnx'))
    crops = np.zeros((1, 112, 112, 3), np.uint8)
    crops[0, 84:88, 28:32] = 255  # cell (7, 21) of 28
    points, _ = estimator._model(crops)
    assert points[0] == pytest.approx(
        np.tile([(7.5 / 14) - 1, (21.5 / 14) - 1], (68, 1)), abs=1e-3
    )


def test_metadata_carry_the_linear_model_and_the_sigma(tmp_path):
    own = LinearPose((10.0, 1.0), (20.0, 2.0), (30.0, 3.0))
    measured = {SIGMA_KEY: json.dumps({'linear': [4.0, 5.0, 6.0]})}
    weights = made_weights(tmp_path / 'own.onnx', **own.metadata(), **measured)
    estimator = make(weights)
    assert estimator._linear == own
    out = estimator.estimate(np.zeros((1, 112, 112, 3), np.uint8), np.array([ANGLE]))
    assert np.rad2deg(out.rotation_sigma[0]) == pytest.approx([4, 5, 6])
    assert make(made_weights(tmp_path / 'plain.onnx'))._linear == FITTED


def test_wrong_weights_get_one_clear_error(tmp_path):
    with pytest.raises(WeightsError, match='linear_pose: not a linear model'):
        make(made_weights(tmp_path / 'a.onnx', linear_pose='?'))
    (tmp_path / 'x.onnx').write_bytes(b'no network')
    with pytest.raises(WeightsError, match=r'x\.onnx: not a whole ONNX file'):
        make(str(tmp_path / 'x.onnx'))
    with pytest.raises(WeightsError, match=r'y\.onnx: neither a file'):
        make(str(tmp_path / 'y.onnx'))


@pytest.mark.skipif(not ONNX.is_file(), reason=f'no {ONNX}')
def test_onnx_network_finds_the_landmarks_of_real_faces():
    pytest.importorskip('headpose_training')
    from headpose_training.landmark_training_data import (
        LandmarkViews,
        random_view,
        read_annotated,
    )

    model = OnnxLandmarks(read(ONNX), cpu_runtime(1))
    assert model.crop_px == 112
    views = LandmarkViews(
        box_scale=model.landmark_box_scale, scale_sigma=0.0, shift_sigma=0.0, roll_sigma_deg=0.0,
        wide=0.0, beside=0.0)  # fmt: skip
    rng = np.random.default_rng(0)
    drawn = [random_view(p, views, rng) for p in read_annotated(FACES, 'images/test/A')[:20]]
    found, logits = model(np.stack([crop for crop, _ in drawn]))
    truth = np.stack([points for _, points in drawn])
    assert logits is None
    eyes = np.linalg.norm(truth[:, 36] - truth[:, 45], axis=1)
    error = np.linalg.norm(found - truth, axis=2).mean(axis=1) / eyes
    assert error.mean() < 0.09


def published(matrix, offsets, features=False):
    """A file as others publish it: the mean of R, G, B times `matrix` (3,2P), plus `offsets`."""
    nodes = [
        onnx_file.node('GlobalAveragePool', ['rgb'], 'mean'),
        onnx_file.node('Flatten', ['mean'], 'features', axis=1),
        onnx_file.node('Gemm', ['features', 'matrix', 'offsets'], 'points'),
    ]
    tensors = {'matrix': np.float32(matrix), 'offsets': np.float32(offsets)}
    images = onnx_file.tensor_type('rgb', 'float32', (1, 3, 112, 112))
    outputs = [onnx_file.tensor_type('points', 'float32', (1, len(offsets)))]
    if features:
        outputs.insert(0, onnx_file.tensor_type('features', 'float32', (1, 3)))
    data = onnx_file.model(onnx_file.graph(nodes, tensors, [images], outputs), {})
    return from_bytes(data, Path('made.onnx'))


@pytest.mark.parametrize('runtime', [cpu_runtime(1), OpenCvRuntime()])
@pytest.mark.parametrize(('count', 'sellion'), [(68, 27), (98, 51)])
def test_a_made_network_of_either_layout(runtime, count, sellion):
    """Its points are fixed, but that the mean of red, in 0..1, moves them all to the right."""
    fixed = np.stack([np.arange(count) / count, np.full(count, 0.25)], axis=1)
    matrix = np.zeros((3, 2 * count))
    matrix[0, ::2] = 1
    model = OnnxLandmarks(published(matrix, fixed.ravel()), runtime)
    crops = np.zeros((2, 112, 112, 3), np.uint8)
    crops[1, ..., 2] = 51
    found, logits = model(crops)
    assert logits is None
    assert found.shape == (2, 68, 2)
    np.testing.assert_allclose(found[0, 27], [2 * sellion / count - 1, -0.5], atol=1e-5)
    np.testing.assert_allclose(found[1] - found[0], np.tile([0.4, 0], (68, 1)), atol=2e-4)


def test_networks_may_tell_features_before_the_landmarks():
    loaded = published(np.zeros((3, 136)), np.full(136, 0.75), features=True)
    model = OnnxLandmarks(loaded, cpu_runtime(1))
    found, _ = model(np.zeros((1, 112, 112, 3), np.uint8))
    np.testing.assert_allclose(found, np.full((1, 68, 2), 0.5), atol=1e-6)


def test_another_number_of_points_is_refused():
    with pytest.raises(ValueError, match='68 or 98 landmarks'):
        OnnxLandmarks(published(np.zeros((3, 10)), np.zeros(10)), cpu_runtime(1))


@pytest.mark.skipif(not FACES.is_dir(), reason=f'no {FACES}')
def test_shipped_network_finds_the_landmarks_of_faces_it_never_saw():
    pytest.importorskip('headpose_training')
    from headpose_training.landmark_training_data import (
        LandmarkViews,
        random_view,
        read_annotated,
    )

    estimator = make('pfld')
    views = LandmarkViews(
        box_scale=estimator.landmark_box_scale, scale_sigma=0.0, shift_sigma=0.0,
        roll_sigma_deg=0.0, wide=0.0, beside=0.0)  # fmt: skip
    rng = np.random.default_rng(0)
    drawn = [random_view(p, views, rng) for p in read_annotated(FACES, 'images/test/A')]
    crops = np.stack([crop for crop, _ in drawn])
    found, logits = estimator._model(crops)
    truth = np.stack([points for _, points in drawn])
    eyes = np.linalg.norm(truth[:, 36] - truth[:, 45], axis=1)
    error = np.linalg.norm(found - truth, axis=2).mean(axis=1) / eyes
    assert error.mean() < 0.08
    assert np.mean(logits > 0) > 0.97
    assert (estimator._model(np.full_like(crops[:1], 90))[1] < 0).all()
