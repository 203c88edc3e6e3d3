# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import ctypes
import subprocess
import sys

import numpy as np
import pytest
import torch
from made_networks import NETWORK, crops, pose_weights

from headpose_ros.geometry.rotations import geodesic_distance
from headpose_ros.inference import runtime as runtimes
from headpose_ros.inference.openvino_runtime import (
    MOST_AT_ONCE,
    MOST_SIZES,
    OpenVinoRuntime,
    rounded_batch,
)
from headpose_ros.inference.runtime import DeviceError, create_runtime
from headpose_ros.inference.torch_runtime import TorchRuntime

RNG = np.random.default_rng(5)
WEIGHTS = {
    'conv.weight': RNG.standard_normal((8, 3, 3, 3)),
    'conv.bias': RNG.standard_normal(8),
    'plain.weight': RNG.standard_normal((8, 8, 2, 2)),
    'grouped.weight': RNG.standard_normal((12, 2, 1, 1)),
    'grouped.bias': RNG.standard_normal(12),
    'deep.weight': RNG.standard_normal((8, 1, 5, 5)),
    'slopes.weight': RNG.uniform(-1, 1, 8),
    'dense.weight': RNG.standard_normal((5, 8)),
    'dense.bias': RNG.standard_normal(5),
}
IMAGES = crops(2, 17)
NO_MEAN, NO_SCALE = (127.5,) * 3, (100.0,) * 3


def feature_map(g, x):
    return g.conv(g.image(x, NO_MEAN, NO_SCALE), 'conv', stride=2, padding=1)


# What a layer does to the feature map, and the same in PyTorch's own words.
LAYERS = {
    'image': (lambda g, x: g.image(x, (1, 2, 3), (4, 5, 6)), None),
    'image_rgb': (lambda g, x: g.image(x, (1, 2, 3), (4, 5, 6), swap=True), None),
    'conv_plain': (lambda g, y: g.conv(y, 'plain'), lambda y, w: torch.conv2d(y, w['plain'])),
    'conv_grouped': (
        lambda g, y: g.conv(y, 'grouped', groups=4),
        lambda y, w: torch.conv2d(y, w['grouped'], w['grouped_bias'], groups=4)),
    'conv_depthwise': (
        lambda g, y: g.conv(y, 'deep', stride=2, padding=2, groups=8),
        lambda y, w: torch.conv2d(y, w['deep'], None, 2, 2, 1, 8)),
    'relu': (lambda g, y: g.relu(y), lambda y, w: y.clamp(min=0)),
    'leaky_relu': (lambda g, y: g.leaky_relu(y, 0.1), lambda y, w: torch.where(y < 0, 0.1 * y, y)),
    'prelu': (
        lambda g, y: g.prelu(y, 'slopes'),
        lambda y, w: torch.where(y < 0, y * w['slopes'].view(-1, 1, 1), y)),
    'sigmoid': (lambda g, y: g.sigmoid(y), lambda y, w: 1 / (1 + torch.exp(-y))),
    'hard_swish': (lambda g, y: g.hard_swish(y), lambda y, w: y * (y + 3).clamp(0, 6) / 6),
    'softmax': (lambda g, y: g.softmax(y, 1), lambda y, w: y.exp() / y.exp().sum(1, keepdim=True)),
    'add': (lambda g, y: g.add(y, g.relu(y)), lambda y, w: y + y.clamp(min=0)),
    'max_pool': (lambda g, y: g.max_pool(y, 3, 2), lambda y, w: torch.max_pool2d(y, 3, 2)),
    'max_pool_ceil': (
        lambda g, y: g.max_pool(y, 2, 2, ceil=True),
        lambda y, w: torch.max_pool2d(torch.nn.functional.pad(y, (0, 1, 0, 1), value=-1e9), 2, 2)),
    'max_pool_padded': (lambda g, y: g.max_pool(y, 3, 2, padding=1),
                        lambda y, w: torch.max_pool2d(y, 3, 2, 1)),
    'linear': (lambda g, y: g.linear(g.flatten(g.global_average(y)), 'dense'),
               lambda y, w: y.mean((2, 3)) @ w['dense'].T + w['dense_bias']),
    'reshape': (lambda g, y: g.reshape(g.transpose(y, (0, 2, 3, 1)), (0, -1, 2)),
                lambda y, w: y.permute(0, 2, 3, 1).reshape(len(y), -1, 2)),
    'concat': (lambda g, y: g.concat([y, g.relu(y)], 1),
               lambda y, w: torch.cat([y, y.clamp(min=0)], 1)),
    'resize_like': (lambda g, y: g.resize_like(g.max_pool(y, 2, 2), y),
                    lambda y, w: torch.max_pool2d(y, 2, 2)[:, :, (torch.arange(9) * 4) // 9][
                        ..., (torch.arange(9) * 4) // 9]),
}  # fmt: skip


def expected(name, reference):
    bgr = torch.from_numpy(IMAGES).double().permute(0, 3, 1, 2)
    if name.startswith('image'):
        bgr = bgr.flip(1) if name.endswith('rgb') else bgr
        mean, scale = (torch.tensor(v).double().view(1, 3, 1, 1) for v in ((1, 2, 3), (4, 5, 6)))
        return (bgr - mean) / scale
    w = {k.removesuffix('.weight').replace('.', '_'): torch.from_numpy(np.float32(v)).double()
         for k, v in WEIGHTS.items()}  # fmt: skip
    return reference(torch.conv2d((bgr - 127.5) / 100, w['conv'], w['conv_bias'], 2, 1), w)


@pytest.mark.parametrize('name', LAYERS)
@pytest.mark.parametrize('batch', [None, len(IMAGES)])
@pytest.mark.parametrize('runtime', [OpenVinoRuntime, TorchRuntime])
def test_layers_compute_what_they_say(runtime, batch, name):
    layer, reference = LAYERS[name]

    def network(g, x):
        return (layer(g, x if name.startswith('image') else feature_map(g, x)),)

    compiled = runtime().compile(network, WEIGHTS, (batch, 17, 17, 3))
    (result,) = compiled(IMAGES)
    np.testing.assert_allclose(result, expected(name, reference).numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('batch', [None, len(IMAGES)])
@pytest.mark.parametrize('runtime', [OpenVinoRuntime, TorchRuntime])
def test_images_whose_channels_are_alike_are_swapped_too(runtime, batch):
    """OpenVINO turns them over last where the shape is fixed."""

    def network(g, x):
        return (g.image(x, NO_MEAN, NO_SCALE, swap=True),)

    (result,) = runtime().compile(network, WEIGHTS, (batch, 17, 17, 3))(IMAGES)
    expected = (IMAGES[..., ::-1].transpose(0, 3, 1, 2) - 127.5) / 100
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('options', [{}, {'shortcut': 3}, {'depth': 1, 'grid': 6}])
def test_runtimes_agree_to_a_thousandth_of_a_degree(options):
    angles = np.full(7, 0.4)
    rotations = []
    for runtime in (OpenVinoRuntime(), TorchRuntime()):
        compiled = runtime.compile(NETWORK, pose_weights(**options), (None, 48, 48, 3))
        (output,) = compiled(crops(7, 48))
        rotations.append(NETWORK.decode(output, angles).rotations_virtual_from_face)
    assert np.degrees(geodesic_distance(*rotations)).max() < 1e-3


def test_half_precision_is_near_and_exact_is_without():
    weights = pose_weights()
    (exact,) = TorchRuntime().compile(NETWORK, weights, (None, 48, 48, 3))(crops(3, 48))
    (half,) = TorchRuntime(half=True).compile(NETWORK, weights, (None, 48, 48, 3))(crops(3, 48))
    assert half.dtype == np.float32
    assert 0 < np.abs(half - exact).max() < 0.01
    compiled = TorchRuntime(half=True).compile(NETWORK, weights, (None, 48, 48, 3), exact=True)
    np.testing.assert_array_equal(compiled(crops(3, 48))[0], exact)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU that PyTorch can use')
@pytest.mark.parametrize('count', [1, 3, 8, 33])
def test_gpu_is_within_a_twentieth_of_a_degree_of_the_cpu(count):
    rotations = []
    for runtime in (create_runtime('cuda'), create_runtime('cpu')):
        compiled = runtime.compile(NETWORK, pose_weights(), (None, 48, 48, 3))
        (output,) = compiled(crops(count, 48))
        rotations.append(NETWORK.decode(output, np.full(count, 0.4)).rotations_virtual_from_face)
    assert np.degrees(geodesic_distance(*rotations)).max() < 0.05


@pytest.mark.parametrize('runtime', [OpenVinoRuntime, TorchRuntime])
def test_any_batch_gives_what_single_crops_give(runtime):
    compiled = runtime().compile(NETWORK, pose_weights(), (None, 48, 48, 3))
    images = crops(37, 48)
    singles = np.concatenate([compiled(image[None])[0] for image in images])
    for count in (37, 5, 2, 13, 5, 0, 1):
        (batch,) = compiled(images[:count])
        assert batch.shape == (count, 14)
        np.testing.assert_allclose(batch, singles[:count], atol=1e-5)


@pytest.mark.parametrize('runtime', [OpenVinoRuntime, TorchRuntime])
def test_outputs_are_the_callers_own(runtime):
    compiled = runtime().compile(NETWORK, pose_weights(), (None, 48, 48, 3))
    (first,) = compiled(crops(2, 48, seed=1))
    kept = first.copy()
    compiled(crops(2, 48, seed=2))
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize('runtime', [OpenVinoRuntime, TorchRuntime])
def test_images_may_lie_in_memory_as_they_like(runtime):
    compiled = runtime().compile(NETWORK, pose_weights(), (None, 48, 48, 3))
    images = crops(2, 48, seed=1)
    (expected,) = compiled(images)
    locked, flipped = images.copy(), np.ascontiguousarray(images[..., ::-1])[..., ::-1]
    locked.setflags(write=False)
    for other in (locked, flipped, np.asfortranarray(images)):
        np.testing.assert_array_equal(compiled(other)[0], expected)


@pytest.mark.parametrize('runtime', [OpenVinoRuntime, TorchRuntime])
def test_wrong_images_are_refused(runtime):
    compiled = runtime().compile(NETWORK, pose_weights(), (None, 48, 48, 3))
    for images in (
        np.zeros((1, 48, 47, 3), np.uint8), np.zeros((48, 48, 3), np.uint8),
        np.zeros((1, 48, 48, 3), np.float32),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r'expected uint8 \(any, 48, 48, 3\), got'):
            compiled(images)


@pytest.mark.parametrize('runtime', [OpenVinoRuntime, TorchRuntime])
def test_a_missing_tensor_is_named(runtime):
    weights = pose_weights()
    del weights['stages.1.0.conv2.weight']
    with pytest.raises(ValueError, match=r"no tensor 'stages\.1\.0\.conv2\.weight'"):
        runtime().compile(NETWORK, weights, (None, 48, 48, 3))


def test_batches_are_rounded_up_to_few_sizes():
    rounded = [rounded_batch(n) for n in range(1, 257)]
    assert all(n <= r <= 1.5 * n for n, r in enumerate(rounded, 1))
    assert len(set(rounded)) == 16
    assert rounded[:8] == [1, 2, 3, 4, 6, 6, 8, 8]


def test_large_batches_are_computed_in_parts():
    """Every larger batch would take memory for ever."""
    compiled = OpenVinoRuntime().compile(NETWORK, pose_weights(), (None, 48, 48, 3))
    images = np.random.default_rng(5).integers(0, 255, (2 * MOST_AT_ONCE + 5, 48, 48, 3), np.uint8)
    sizes = []
    infer = compiled._infer
    compiled._infer = lambda part: sizes.append(len(part)) or infer(part)
    for whole, single in zip(compiled(images), infer(images[-1:]), strict=True):
        assert len(whole) == len(images)
        np.testing.assert_allclose(whole[-1:], single, atol=1e-5)
    assert sizes == [MOST_AT_ONCE, MOST_AT_ONCE, 5]


@pytest.mark.parametrize('usual', [1, 2, 8])
def test_the_usual_batch_has_a_graph_of_its_own_and_gives_the_same(usual):
    shape = (None, 48, 48, 3)
    plain, quick = (
        OpenVinoRuntime().compile(NETWORK, pose_weights(), shape, usual=n) for n in (0, usual)
    )
    assert set(quick._fixed) == {(usual, 48, 48, 3)}
    images = np.random.default_rng(6).integers(0, 255, (9, 48, 48, 3), np.uint8)
    for count in (1, 2, 3, 5, 8, 9, 2, 0):
        (one,), (other,) = plain(images[:count]), quick(images[:count])
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert [quick._batch(n) for n in range(usual // 2 + 1, usual + 1)] == [usual] * -(-usual // 2)


def test_the_first_sizes_have_graphs_of_their_own_and_all_give_the_same():
    """A detector's network, as images are large and come in one size."""

    def network(g, x):
        return (feature_map(g, x),)

    compiled = OpenVinoRuntime().compile(network, WEIGHTS, (1, None, None, 3))
    for height in range(11, 13 + MOST_SIZES):
        image = np.random.default_rng(height).integers(0, 255, (1, height, 16, 3), np.uint8)
        fixed = OpenVinoRuntime().compile(network, WEIGHTS, image.shape)
        for _ in range(2):
            np.testing.assert_allclose(compiled(image)[0], fixed(image)[0], atol=1e-5)
    assert len(compiled._fixed) == MOST_SIZES


def test_a_missing_tensor_is_named_before_the_first_image():
    with pytest.raises(ValueError, match=r"no tensor 'absent\.weight'"):
        OpenVinoRuntime().compile(
            lambda g, x: (g.conv(g.image(x, NO_MEAN, NO_SCALE), 'absent'),), WEIGHTS,
            (1, None, None, 3),
        )  # fmt: skip


class SignalStack(ctypes.Structure):
    _fields_ = (('place', ctypes.c_void_p), ('flags', ctypes.c_int), ('size', ctypes.c_size_t))

    @staticmethod
    def of_this_thread():
        stack = SignalStack()
        assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack)) == 0
        return stack.place, stack.flags


def test_runtimes_that_end_leave_the_stack_for_signals_alone():
    """With a core each, those that end in the order they were made leave a freed one behind."""
    runtimes, stacks = [], set()
    for _ in range(3):
        runtimes.append(OpenVinoRuntime())
        runtimes[-1].compile(NETWORK, pose_weights(), (None, 48, 48, 3))
        stacks.add(SignalStack.of_this_thread())
    while runtimes:
        runtimes.pop(0)
        stacks.add(SignalStack.of_this_thread())
    assert len(stacks) == 1


def test_cpu_means_openvino_and_without_it_pytorch(monkeypatch):
    assert create_runtime('cpu').name == 'openvino'
    monkeypatch.setattr(runtimes, '_has_module', lambda name: name == 'torch')
    assert create_runtime('cpu').name == 'torch'
    monkeypatch.setattr(runtimes, '_has_module', lambda name: False)
    with pytest.raises(DeviceError, match='neither OpenVINO nor PyTorch is installed'):
        create_runtime('cpu')


def test_absent_gpus_are_told(monkeypatch):
    monkeypatch.setattr(runtimes, 'gpu_count', lambda: 0)
    assert create_runtime('auto').device == 'cpu'
    with pytest.raises(DeviceError, match='device cuda: PyTorch sees no GPU here; use device'):
        create_runtime('cuda')
    monkeypatch.setattr(runtimes, 'gpu_count', lambda: 2)
    with pytest.raises(DeviceError, match='cuda:7: PyTorch sees cuda:0 to cuda:1'):
        create_runtime('cuda:7')
    monkeypatch.setattr(runtimes, '_has_module', lambda name: name == 'openvino')
    with pytest.raises(DeviceError, match='need PyTorch, which is not installed'):
        create_runtime('cuda:0')


@pytest.mark.parametrize('device', ['gpu', 'cuda:', 'cuda:-1', 'CPU', ''])
def test_unknown_devices_are_refused(device):
    with pytest.raises(ValueError, match='expected auto, cpu, cuda or cuda:N'):
        create_runtime(device)


def test_a_hidden_gpu_is_no_gpu(monkeypatch):
    monkeypatch.setattr(runtimes, '_GPU_NODES', ('/dev/null',))
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    assert runtimes.gpu_count() == 0


def test_the_cpu_path_imports_no_pytorch():
    code = (
        'import sys\n'
        'from headpose_ros.config import PipelineConfig\n'
        'from headpose_ros.detection import FaceSearch, create_detector\n'
        'from headpose_ros.estimation import create_estimator\n'
        'from headpose_ros.inference.runtime import create_runtime\n'
        "create_detector(PipelineConfig(), create_runtime('cpu', 1))\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, '-c', code], timeout=120).returncode == 0
