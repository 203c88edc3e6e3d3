# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import argparse
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from headpose_ros.cli import weights as command
from headpose_ros.config import PipelineConfig
from headpose_ros.estimation import create_estimator
from headpose_ros.estimation.lightweight_hpe import LightweightHpe, angles_deg
from headpose_ros.geometry.euler import euler_from_matrix
from headpose_ros.inference.importing import import_file
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.inference.torch_runtime import TorchRuntime
from headpose_ros.inference.weights import WeightsError, read

DATA = Path(os.environ.get('HEADPOSE_DATA', Path(__file__).parents[3] / 'shared' / 'data'))
PUBLISHED = DATA / 'models' / 'lightweight_hpe_model-b66.pkl'
needs_published = pytest.mark.skipif(not PUBLISHED.is_file(), reason=f'no {PUBLISHED}')

# Yaw, pitch, roll in degrees of `fixed_crops`, by the authors' own network class (commit aed1802
# of Shaw-git/Lightweight-Head-Pose-Estimation) with their weights, run in double precision with
# torch 2.13 on RGB / 255, normalised with ImageNet's mean and deviation.
REFERENCE_DEG = [
    (-19.141162, 0.279903, 6.117989),
    (-19.033479, 2.079471, 8.673004),
    (-1.896521, 4.910210, 26.548572),
    (-11.671473, -10.807838, -0.713090),
]
RUNTIMES = [lambda: create_runtime('cpu'), TorchRuntime]


def fixed_crops():
    """Two of noise, one of waves, one of ramps."""
    noise = np.random.Generator(np.random.PCG64(20)).integers(
        0, 256, (2, 224, 224, 3), dtype=np.uint8
    )
    y, x = np.mgrid[0:224, 0:224]
    waves = [127.5 + 127 * np.sin(x / 17 + c) * np.cos(y / (11 + c)) for c in range(3)]
    ramps = np.stack([x, y, (x + y) // 2], -1).astype(np.uint8)
    return np.concatenate([noise, np.stack(waves, -1).astype(np.uint8)[None], ramps[None]])


def published_shapes():
    """Names and shapes of the tensors in the authors' file."""
    channels, kernels = (16, 32, 64, 96, 96, 128, 128, 128), (3, 3, 3, 5, 5, 5, 3)
    shapes = {}

    def conv(name, *shape):
        shapes[f'{name}.0.weight'] = shape
        for part in ('weight', 'bias', 'running_mean', 'running_var'):
            shapes[f'{name}.1.{part}'] = shape[:1]

    conv('features.0', channels[0], 3, 3, 3)
    for i, kernel in enumerate(kernels):
        width = 2 * channels[i]
        conv(f'features.{i + 1}.exp_conv', width, channels[i] // 4, 1, 1)
        conv(f'features.{i + 1}.dw_conv', width, 1, kernel, kernel)
        conv(f'features.{i + 1}.pw_conv', channels[i + 1], width, 1, 1)
    for angle in ('yaw', 'pitch', 'roll'):
        shapes[f'fc_{angle}.weight'] = (66, channels[-1])
        shapes[f'fc_{angle}.bias'] = (66,)
    return shapes


@pytest.fixture(scope='module')
def made_state():
    """A state dict of the published layout with weights that nobody trained."""
    generator = torch.Generator().manual_seed(4)
    state = {}
    for name, shape in published_shapes().items():
        values = torch.randn(shape, generator=generator)
        if name.endswith('running_var') or (len(shape) == 1 and name.endswith('.1.weight')):
            values = values.abs() + 0.5
        elif len(shape) == 4:
            values *= (2 / values[0].numel()) ** 0.5
        elif name.startswith('fc_') and len(shape) == 2:
            values *= 0.002  # else the softmax is at its corners
        state[name] = values
        if name.endswith('running_var'):
            state[name.replace('running_var', 'num_batches_tracked')] = torch.tensor(7)
    return state


def by_hand(state, images):
    """What the published layout means, unfolded, in double precision; angles (N,3) in degrees."""
    w = {name: value.double() for name, value in state.items()}

    def layer(x, name, act, **options):
        x = functional.conv2d(x, w[f'{name}.0.weight'], **options)
        norm = [w[f'{name}.1.{p}'] for p in ('running_mean', 'running_var', 'weight', 'bias')]
        return act(functional.batch_norm(x, *norm))

    def hard_swish(x):
        return x * functional.relu6(x + 3) / 6

    rgb = torch.from_numpy(images[..., ::-1].copy()).double().permute(0, 3, 1, 2) / 255
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).double()
    x = (rgb - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)
    x = layer(x, 'features.0', functional.relu, stride=2, padding=1)
    for i, stride in enumerate((2, 2, 1, 2, 1, 2, 1), 1):
        act = functional.relu if i <= 3 else hard_swish
        x = layer(x, f'features.{i}.exp_conv', act, groups=4)
        kernel = w[f'features.{i}.dw_conv.0.weight'].shape[-1]
        x = layer(x, f'features.{i}.dw_conv', act, stride=stride, padding=kernel // 2,
                  groups=x.shape[1])  # fmt: skip
        x = layer(x, f'features.{i}.pw_conv', act)
    x = functional.relu(x.mean((2, 3)))
    bins = torch.arange(66).double() * 3 - 97.5
    heads = [x @ w[f'fc_{a}.weight'].T + w[f'fc_{a}.bias'] for a in ('yaw', 'pitch', 'roll')]
    return torch.stack([(h.softmax(1) * bins).sum(1) for h in heads], 1).numpy()


def imported_estimator(source, folder, runtime):
    path = folder / 'imported.onnx'
    import_file(source, path)
    return create_estimator(PipelineConfig(weights=str(path)), runtime)


def angles_of(estimates):
    return np.degrees(np.stack(euler_from_matrix(estimates.rotations_virtual_from_face), 1))


@needs_published
@pytest.mark.parametrize('runtime', RUNTIMES)
def test_equals_the_reference_to_a_ten_thousandth_of_a_degree(runtime, tmp_path):
    estimator = imported_estimator(PUBLISHED, tmp_path, runtime())
    found = estimator.estimate(fixed_crops(), np.full(4, 0.3))
    np.testing.assert_allclose(angles_of(found), REFERENCE_DEG, atol=1e-4)


@pytest.mark.parametrize('runtime', RUNTIMES)
def test_equals_the_published_layout_computed_by_hand(runtime, made_state, tmp_path):
    torch.save(made_state, tmp_path / 'model.pkl')
    estimator = imported_estimator(tmp_path / 'model.pkl', tmp_path, runtime())
    expected = by_hand(made_state, fixed_crops())
    assert np.ptp(expected, axis=0).min() > 0.1  # else any network would pass
    found = estimator.estimate(fixed_crops(), np.full(4, 0.3))
    np.testing.assert_allclose(angles_of(found), expected, atol=1e-3)


def test_says_what_it_does_not_know(made_state, tmp_path):
    torch.save(made_state, tmp_path / 'model.pkl')
    estimator = imported_estimator(tmp_path / 'model.pkl', tmp_path, create_runtime('cpu'))
    assert (estimator.refines, estimator.landmark_box_scale) == (False, 1.4)
    sizes = np.array([0.2, 0.3, 0.4, 0.5])
    crop_angles = 2 * np.arctan(estimator.crop_scale * np.tan(sizes / 2))
    found = estimator.estimate(fixed_crops(), crop_angles)
    np.testing.assert_allclose(found.angular_sizes, sizes)
    np.testing.assert_allclose(found.rays_virtual, np.tile([0, 0, 1], (4, 1)))
    assert np.isnan(found.face_probability).all()
    np.testing.assert_allclose(found.rotation_sigma, np.radians(5))


def test_angles_are_the_expectation_over_three_degree_bins():
    logits = np.full((2, 3, 66), -1e9)
    logits[0, 0, 0] = logits[0, 1, 33] = logits[0, 2, 65] = 0
    logits[1, :, 33] = logits[1, :, 32] = 500.0  # the exponential of which overflows
    found = angles_deg(logits.reshape(2, 198))
    np.testing.assert_allclose(found, [[-97.5, 1.5, 97.5], [0, 0, 0]], atol=1e-12)


def test_the_import_command_notes_origin_licence_and_checksum(made_state, tmp_path, capsys):
    torch.save({'state_dict': {f'module.{k}': v for k, v in made_state.items()}},
               tmp_path / 'model.pth')  # fmt: skip
    parser = argparse.ArgumentParser()
    command.configure(parser)
    args = ['import', str(tmp_path / 'model.pth'), '--output', str(tmp_path / 'out.onnx')]
    assert command.run(parser.parse_args(args)) == 0
    out = capsys.readouterr().out
    assert 'lightweight-hpe, 203462 parameters' in out
    assert 'MIT' in out
    written = read(tmp_path / 'out.onnx')
    assert written.metadata['source'] == 'model.pth'
    assert len(written.metadata['source_sha256']) == 64
    assert written.tensors['angles.weight'].shape == (198, 128)


def damaged(state, change):
    state = dict(state)
    if change == 'missing':
        del state['features.3.pw_conv.0.weight']
    elif change == 'extra':
        state['features.9.weight'] = torch.zeros(1)
    elif change == 'shape':
        state['fc_roll.bias'] = torch.zeros(60)
    elif change == 'nan':
        state['fc_roll.bias'] = torch.full((66,), float('nan'))
    return state


@pytest.mark.parametrize(('change', 'reason'), [
    ('missing', r'1 tensors are missing: features\.3\.pw_conv\.0\.weight'),
    ('extra', r'1 tensors are unknown: features\.9\.weight'),
    ('shape', r'fc_roll\.bias is \(60,\), expected \(66,\)'),
    ('nan', r'fc_roll\.bias has values that are not finite'),
])  # fmt: skip
def test_damaged_state_dicts_are_refused(made_state, tmp_path, change, reason):
    torch.save(damaged(made_state, change), tmp_path / 'model.pkl')
    with pytest.raises(WeightsError, match=reason):
        import_file(tmp_path / 'model.pkl', tmp_path / 'out.onnx')
    assert not (tmp_path / 'out.onnx').exists()


class Harmful:
    def __reduce__(self):
        return os.mkdir, ('harm_was_done',)


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({'fc_yaw.weight': Harmful()}, tmp_path / 'model.pkl')
    with pytest.raises(
        WeightsError, match='holds more than tensors, which is not read'
    ) as refusal:
        import_file(tmp_path / 'model.pkl', tmp_path / 'out.onnx')
    assert '\n' not in str(refusal.value)
    assert 'weights_only' not in str(refusal.value), 'which PyTorch advises to turn off'
    assert not (tmp_path / 'harm_was_done').exists()


def test_files_of_no_known_kind_are_refused(tmp_path):
    with pytest.raises(WeightsError, match='no such file'):
        import_file(tmp_path / 'none.pkl', tmp_path / 'out.onnx')
    torch.save({'other': torch.zeros(2)}, tmp_path / 'other.pkl')
    torch.save(torch.zeros(2), tmp_path / 'tensor.pkl')
    (tmp_path / 'text.txt').write_text('hello')
    (tmp_path / 'text.pkl').write_text('hello')
    (tmp_path / 'short.pth').write_bytes((tmp_path / 'other.pkl').read_bytes()[:200])
    for name in ('net.onnx', 'net.caffemodel'):
        (tmp_path / name).touch()
    for name, reason in [
        ('other.pkl', 'of no kind that can be imported'), ('tensor.pkl', 'expected a state dict'),
        ('text.txt', 'of no kind that can be imported'), ('text.pkl', 'not a readable PyTorch'),
        ('short.pth', 'not a readable PyTorch state dict: .+'),
        ('net.onnx', 'needs no import; use'),
        ('net.caffemodel', 'needs no import; use it as it is: --detector retinaface'),
    ]:  # fmt: skip
        with pytest.raises(WeightsError, match=reason):
            import_file(tmp_path / name, tmp_path / 'out.onnx')
    with pytest.raises(WeightsError, match=r'expected a name that ends in \.onnx'):
        import_file(tmp_path / 'other.pkl', tmp_path / 'out.bin')


def test_the_network_needs_no_metadata():
    assert LightweightHpe.from_metadata({}) == LightweightHpe()
