# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from made_networks import METADATA, NETWORK, crops, pose_model, pose_weights
from torch.nn import functional

from headpose_ros.config import PipelineConfig
from headpose_ros.estimation import create_estimator
from headpose_ros.estimation.cnn import CnnEstimator
from headpose_ros.estimation.pose_network import OUTPUTS, PoseNetwork
from headpose_ros.geometry.face_frame import FACE_SPHERE_RADIUS
from headpose_ros.geometry.rotations import (
    geodesic_distance,
    matrix_from_vector,
    rotation_to_axis,
    sixd_from_matrix,
)
from headpose_ros.inference.networks.export import write
from headpose_ros.inference.onnx_file import with_metadata
from headpose_ros.inference.openvino_runtime import OpenVinoRuntime
from headpose_ros.inference.torch_runtime import TorchRuntime
from headpose_ros.inference.weights import WeightsError, save


def by_hand(tensors, images):
    """The format's description, in PyTorch, for two blocks a stage and strides 2, 1, 2, 2."""
    w = {name: torch.from_numpy(t).double() for name, t in tensors.items()}

    def conv(x, name, stride=1):
        weight = w[f'{name}.weight']
        return functional.conv2d(x, weight, w[f'{name}.bias'], stride, weight.shape[-1] // 2)

    x = (torch.from_numpy(images).double().permute(0, 3, 1, 2) - 127.5) / 64
    x = conv(x, 'stem', 2).relu()
    for i, stride in enumerate((1, 2, 2)):
        for j in range(2):
            s, name = (stride, f'stages.{i}.{j}') if j == 0 else (1, f'stages.{i}.{j}')
            skip = conv(x, f'{name}.shortcut', s) if j == 0 else x
            x = (conv(conv(x, f'{name}.conv1', s).relu(), f'{name}.conv2') + skip).relu()
    return (x.mean((2, 3)) @ w['head.weight'].T + w['head.bias']).numpy()


@pytest.mark.parametrize('shortcut', [1, 3])
def test_computes_what_the_format_says(shortcut):
    tensors = pose_weights(shortcut=shortcut)
    (output,) = OpenVinoRuntime().compile(pose_model(shortcut=shortcut))(crops(5, 48))
    np.testing.assert_allclose(output, by_hand(tensors, crops(5, 48)), atol=1e-4)


def an_output(count=4, seed=0):
    """Truth of `count` crops, and the output that says so."""
    rng = np.random.default_rng(seed)
    looking = matrix_from_vector(rng.uniform(-1, 1, (count, 3)))
    angles = rng.uniform(0.2, 1.0, count)
    centre = rng.uniform(-0.3, 0.3, (count, 2))
    output = np.zeros((count, OUTPUTS))
    stretched = sixd_from_matrix(looking)
    stretched[:, :3] *= 1.7
    stretched[:, 3:] += 0.4 * stretched[:, :3]
    output[:, :6] = stretched
    output[:, 6:9] = np.log([0.1, 0.05, 0.02])
    output[:, 9:11] = centre
    output[:, 11], output[:, 12], output[:, 13] = np.log(1.1), np.log(0.9), [0, 2, -2, 100]
    return looking, angles, centre, output


def test_decodes_rays_sizes_and_rotations():
    looking, angles, centre, output = an_output()
    found = NETWORK.decode(output, angles)
    tangent = np.tan(angles / 2)
    rays = np.column_stack([centre * tangent[:, None], np.ones(4)])
    unit = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    np.testing.assert_allclose(found.rays_virtual, unit, atol=1e-12)
    # The network sees the face as a camera that looks straight at it would.
    turned = rotation_to_axis(rays) @ found.rotations_virtual_from_face
    assert geodesic_distance(turned, looking).max() < 1e-7
    np.testing.assert_allclose(found.rotation_sigma, np.tile([0.1, 0.05, 0.02], (4, 1)))
    np.testing.assert_allclose(np.tan(found.angular_sizes / 2), 1.1 * tangent / NETWORK.crop_scale)
    np.testing.assert_allclose(found.head_scale, 0.9)
    np.testing.assert_allclose(found.face_probability, [0.5, 0.880797, 0.119203, 1], atol=1e-6)


def test_a_crop_cut_for_the_sphere_gives_its_size_back():
    size = 2 * np.arcsin(FACE_SPHERE_RADIUS / 0.8)
    angle = 2 * np.arctan(NETWORK.crop_scale * np.tan(size / 2))
    output = np.zeros((1, OUTPUTS))
    output[0, :6] = [1, 0, 0, 0, 1, 0]
    assert NETWORK.decode(output, [angle]).angular_sizes[0] == pytest.approx(size)


def test_wild_outputs_stay_finite():
    output = np.full((2, OUTPUTS), 1e4)
    output[:, :6] = [1e4, 2, 3, -4, 1e4, 6]
    output[1, 6:] *= -1
    found = NETWORK.decode(output, np.array([0.3, 0.5]))
    assert found.landmarks is None
    for values in (v for v in vars(found).values() if v is not None):
        assert np.isfinite(values).all()
    assert (found.rotation_sigma <= np.pi).all()
    assert (found.angular_sizes < np.pi).all()


def estimators(network):
    """Return one that looks once, and one that looks at crops mirrored as well."""
    return CnnEstimator(NETWORK, network), CnnEstimator(NETWORK, network, mirror=True)


@pytest.mark.parametrize('runtime', [OpenVinoRuntime(), TorchRuntime()])
def test_a_mirrored_crop_gives_the_mirrored_pose(runtime):
    """Exactly, whatever the network: it is asked about both, once, and the mean is taken."""
    compiled = runtime.compile(pose_model())
    batches = []

    def network(images):
        batches.append(len(images))
        return compiled(images)

    one, both = estimators(network)
    images, angles = crops(3, 48), np.array([0.3, 0.4, 0.5])
    mirrored = np.ascontiguousarray(images[:, :, ::-1])
    found, swapped = both.estimate(images, angles), both.estimate(mirrored, angles)
    assert batches == [6, 6]
    camera, face = np.diag([-1.0, 1, 1]), np.diag([1.0, -1, 1])
    expected = camera @ swapped.rotations_virtual_from_face @ face
    assert geodesic_distance(found.rotations_virtual_from_face, expected).max() < 1e-4
    np.testing.assert_allclose(found.rays_virtual, swapped.rays_virtual * [-1, 1, 1], atol=1e-5)
    for name in ('rotation_sigma', 'angular_sizes', 'head_scale', 'face_probability'):
        np.testing.assert_allclose(getattr(found, name), getattr(swapped, name), rtol=1e-4)
    alone = one.estimate(images, angles).rotations_virtual_from_face
    assert geodesic_distance(found.rotations_virtual_from_face, alone).min() > 1e-3


def test_both_looks_are_averaged():
    """Where both say the same, the mean is that, and surer than one of them."""
    *_, output = an_output()
    signs = np.array([-1, 1, 1, 1, -1, -1, 1, 1, 1, -1, 1, 1, 1, 1])
    mean = NETWORK.mean_with_mirrored(output, output * signs)
    np.testing.assert_allclose(np.delete(mean, [6, 7, 8], 1), np.delete(output, [6, 7, 8], 1))
    gain = np.exp(mean - output)[:, 6:9]
    assert ((gain > 0.5) & (gain < 1)).all()
    # Equal errors of opposite sign cancel out: seen mirrored, the face is as far to the left.
    apart = np.zeros(OUTPUTS)
    apart[9] = 0.1
    mean = NETWORK.mean_with_mirrored(output + apart, output * signs + apart)
    np.testing.assert_allclose(mean[:, 9], output[:, 9])


def test_crops_on_a_device_are_mirrored_there():
    network = TorchRuntime().compile(pose_model())
    images, angles = crops(2, 48), np.array([0.3, 0.4])
    _, both = estimators(network)
    a, b = both.estimate(images, angles), both.estimate(torch.from_numpy(images), angles)
    np.testing.assert_allclose(a.rotations_virtual_from_face, b.rotations_virtual_from_face)


def test_metadata_go_round():
    assert PoseNetwork.from_metadata(NETWORK.metadata()) == NETWORK


def refused(path, metadata=METADATA, **options):
    """Write a model file with these metadata; return what `create_estimator` says to it."""
    save(path, with_metadata(pose_model(**options).data, metadata))
    with pytest.raises(WeightsError, match=r'made\.onnx') as refusal:
        create_estimator(PipelineConfig(weights=str(path)), OpenVinoRuntime())
    assert '\n' not in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize('change', [
    {'crop_px': '4'}, {'crop_px': 'wide'}, {'crop_px': '64'}, {'strides': '2'},
    {'strides': '2,0,1'}, {'crop_scale': '-1'}, {'crop_scale': 'nan'}, {'crop_scale': 'inf'},
    {'landmark_box_scale': 'nan'}, {'crop_scale': '1e-300'},
])  # fmt: skip
def test_senseless_metadata_are_refused(change, tmp_path):
    refused(tmp_path / 'made.onnx', {**METADATA, **change})


def test_missing_metadata_are_named(tmp_path):
    rest = {name: value for name, value in METADATA.items() if name != 'strides'}
    assert "metadata has no 'strides'" in refused(tmp_path / 'made.onnx', rest)


@pytest.mark.parametrize('outputs', [1, 13, 20])
def test_another_number_of_outputs_is_refused(outputs, tmp_path):
    said = refused(tmp_path / 'made.onnx', outputs=outputs)
    assert f'expected one output (N,14), got (None, {outputs})' in said


def test_a_head_of_zeros_is_refused(tmp_path):
    """It gives no rotation, whatever the crop shows."""
    assert '6D rotations' in refused(tmp_path / 'made.onnx', head=0.0)


@pytest.mark.parametrize('options', [
    {'widths': (8, 12, 16, 24)}, {'widths': (12, 8, 32, 8), 'depth': 1}, {'depth': 3, 'grid': 6},
])  # fmt: skip
def test_networks_of_any_width_and_depth_need_no_code(options, tmp_path):
    path = tmp_path / 'made.onnx'
    write(path, pose_weights(**options), METADATA)
    estimator = create_estimator(PipelineConfig(weights=str(path)), OpenVinoRuntime())
    assert isinstance(estimator, CnnEstimator)
    assert (estimator.crop_px, estimator.crop_scale, estimator.refines) == (48, 1.3, True)
    found = estimator.estimate(crops(3, 48), np.array([0.2, 0.3, 0.4]))
    assert found.rotations_virtual_from_face.shape == (3, 3, 3)
    np.testing.assert_allclose(np.linalg.det(found.rotations_virtual_from_face), 1)
    assert len(estimator.estimate(crops(3, 48)[:0], np.empty(0))) == 0


def test_tensors_that_do_not_fit_together_are_refused(tmp_path):
    tensors = pose_weights()
    tensors['stages.1.0.conv2.weight'] = tensors['stages.1.0.conv2.weight'][:, 1:]
    with pytest.raises(WeightsError, match=r'stages\.1\.0\.conv2\.weight is \(16, 15, 3, 3\)'):
        write(tmp_path / 'made.onnx', tensors, METADATA)


@pytest.mark.parametrize(
    ('name', 'change', 'words'),
    [
        ('head.weight', np.ndarray.ravel, 'head.weight'),
        ('stages.1.0.conv2.bias', None, "no tensor 'stages.1.0.conv2.bias'"),
        ('stages.0.0.conv1.weight', None, "'stages.0.0.conv1.weight'"),
    ],
)
def test_missing_tensors_and_odd_ones_are_named(name, change, words, tmp_path):
    tensors = pose_weights()
    old = tensors.pop(name)
    if change:
        tensors[name] = change(old)
    with pytest.raises(WeightsError, match=words):
        write(tmp_path / 'made.onnx', tensors, METADATA)
    assert not (tmp_path / 'made.onnx').exists()
