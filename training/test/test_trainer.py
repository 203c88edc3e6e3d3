# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import made_faces
import pytest
import torch

from headpose_ros.estimation.cnn import model_of
from headpose_ros.inference.weights import file_sha256, load
from headpose_training.batches import Batches, BatchPlan
from headpose_training.data_files import load_sources
from headpose_training.export import export
from headpose_training.network import NetworkShape
from headpose_training.recipe import DataSource, Recipe
from headpose_training.trainer import (
    CHECKPOINT,
    PoseTask,
    RunOptions,
    averaged_task,
    train,
)
from headpose_training.training_log import LOG, plot_log, read_log
from headpose_training.warping import WarpLimits

SHAPE = NetworkShape(crop_px=48, stem=8, widths=(16, 24), depths=(1, 1), strides=(2, 2, 2))
CALM = WarpLimits(
    roll_sigma_deg=5,
    roll_max_deg=10,
    shift_sigma=0.05,
    shift_max=0.1,
    scale_sigma=0.05,
    scale_max=1.1,
    wide_fraction=0.25,
)


def recipe(**changes):
    options = {
        'name': 'tiny',
        'what': 'test',
        'licence': 'none',
        'training': (DataSource('real.npz', 0.5), DataSource('made.npz', 0.5)),
        'validation': ('test.npz',),
        'network': SHAPE,
        'warp': CALM,
        'steps': 50,
        'batch_size': 32,
        'warmup_steps': 5,
        'ema_decay': 0.9,
        'log_every': 10,
        'validate_every': 25,
        'bfloat16': False,
    }
    return Recipe(**{**options, **changes})


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp('data')
    made_faces.made_crops(200, seed=1, negatives=10).save(folder / 'real.npz')
    made_faces.made_crops(200, seed=2, synthetic=True).save(folder / 'made.npz')
    made_faces.made_crops(60, seed=3, negatives=12).save(folder / 'test.npz')
    return folder


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def options(out, data, **changes):
    return RunOptions(**{'out': out, 'data': data, 'workers': 0, **changes})


def state_of(out):
    return torch.load(out / CHECKPOINT, weights_only=True)


@pytest.fixture(scope='module')
def trained(data, tmp_path_factory):
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp('run')
    train(recipe(), options(out, data))
    return out


def test_fifty_steps_learn(trained):
    losses = [r for r in read_log(trained) if r['kind'] == 'loss']
    assert [r['step'] for r in losses] == [10, 20, 30, 40, 50]
    assert losses[-1]['loss'] < 0.6 * losses[0]['loss']
    for name in ('rotation', 'landmarks'):
        assert losses[-1][name] < losses[0][name]
    checks = [r for r in read_log(trained) if r['kind'] == 'validation']
    assert [r['step'] for r in checks] == [25, 50]
    # poses are drawn from +-35 degrees: a constant answer is wrong by 32 degrees on average
    assert checks[-1]['geodesic'] < 20
    assert checks[-1]['found'] > 0.9
    assert plot_log(trained).stat().st_size > 5000


def test_a_resumed_training_gives_the_same_weights(trained, data, tmp_path):
    train(recipe(), options(tmp_path, data, stop_after=20))
    assert state_of(tmp_path)['step'] == 20
    train(recipe(), options(tmp_path, data, resume=True))
    expected, found = state_of(trained), state_of(tmp_path)
    for part in ('task', 'average'):
        for name, tensor in expected[part].items():
            torch.testing.assert_close(found[part][name], tensor, rtol=0, atol=0, msg=name)
    steps = [r['step'] for r in read_log(tmp_path) if r['kind'] == 'loss']
    assert steps == [10, 20, 30, 40, 50]


def test_workers_change_nothing(trained, data, tmp_path):
    train(recipe(), options(tmp_path, data, stop_after=10, workers=2))
    train(recipe(), options(tmp_path / 'alone', data, stop_after=10))
    a, b = state_of(tmp_path)['task'], state_of(tmp_path / 'alone')['task']
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_an_exported_training_runs_in_the_package(trained, data, tmp_path):
    output = tmp_path / 'tiny.onnx'
    written = export(recipe(), trained, data, output)
    assert written.parameters == sum(
        t.size for t in averaged_task(recipe(), trained).network.folded_weights().values()
    )
    model = model_of(load(output, 'cnn', ('headpose-pose-network',)))
    assert (model.crop_px, model.crop_scale, model.landmark_box_scale) == (48, 0.9, 1.5)
    assert 'step 50 of 50' in written.origin
    other = tmp_path / 'other.onnx'
    with pytest.raises(ValueError, match="a training of recipe 'tiny', not 'free'"):
        export(recipe(name='free', licence='another'), trained, data, other)
    assert not other.exists()


def test_a_training_starts_from_exported_weights(trained, data, tmp_path):
    weights = tmp_path / 'tiny.onnx'
    export(recipe(), trained, data, weights)
    barely = recipe(steps=5, learning_rate=1e-6, other_rate=1e-6, validate_every=5)
    train(barely, options(tmp_path / 'run', data, start=str(weights)))
    train(barely, options(tmp_path / 'scratch', data))
    errors = {
        run: next(r for r in read_log(run) if r['kind'] == 'validation')['geodesic']
        for run in (tmp_path / 'run', tmp_path / 'scratch')
    }
    reached = [r for r in read_log(trained) if r['kind'] == 'validation'][-1]['geodesic']
    assert errors[tmp_path / 'run'] < reached + 1
    assert errors[tmp_path / 'scratch'] > reached + 5
    origin = export(barely, tmp_path / 'run', data, tmp_path / 'next.onnx').origin
    assert f'--start {weights} (sha256 {file_sha256(weights)[:12]})' in origin


def test_weights_of_another_network_are_no_start(trained, data, tmp_path):
    weights = tmp_path / 'tiny.onnx'
    export(recipe(), trained, data, weights)
    wider = recipe(network=replace(SHAPE, widths=(16, 32)))
    with pytest.raises(ValueError, match='not of the network of this recipe'):
        train(wider, options(tmp_path / 'run', data, start=str(weights)))


def test_what_cannot_be_trained_is_said(trained, data, tmp_path):
    with pytest.raises(ValueError, match='holds a training already'):
        train(recipe(), options(trained, data))
    with pytest.raises(ValueError, match='of recipe'):
        train(recipe(name='other'), options(trained, data, resume=True))
    with pytest.raises(ValueError, match='no checkpoint'):
        train(recipe(), options(tmp_path, data, resume=True))
    missing = recipe(training=(DataSource('absent_*.npz', 1.0),))
    with pytest.raises(ValueError, match=r'absent_\*\.npz: no such training data'):
        train(missing, options(tmp_path, data))
    (data / 'broken.npz').write_bytes(b'PK not really')
    with pytest.raises(ValueError, match=r'broken\.npz'):
        train(recipe(training=(DataSource('broken.npz', 1.0),)), options(tmp_path, data))


def test_a_half_written_line_of_the_log_is_left_out(trained, tmp_path):
    text = (trained / LOG).read_text()
    (tmp_path / LOG).write_text(text + '{"step": 51, "ki')
    assert read_log(tmp_path) == read_log(trained)


WORKER = """
import sys
from pathlib import Path
sys.path[:0] = [{root!r}, {tests!r}]
import torch
import test_trainer as t
torch.set_num_threads(1)
t.train(t.ONE_STEP, t.options(Path({out!r}), Path({data!r})))
"""
ONE_STEP = recipe(steps=1, batch_size=16)


def mean_gradients(data, processes):
    """Return the mean gradient of the first batches of so many processes, clipped, by name."""
    torch.manual_seed(ONE_STEP.seed)
    task = PoseTask(ONE_STEP).to(memory_format=torch.channels_last).train()
    plan = BatchPlan(16, SHAPE.crop_px, ONE_STEP.crop_scale, ONE_STEP.seed)
    for rank in range(processes):
        loss, _ = task(Batches(load_sources(ONE_STEP, data), plan, CALM, rank)[0])
        (loss / processes).backward()
    torch.nn.utils.clip_grad_norm_(task.parameters(), 5.0)
    return {name: p.grad for name, p in task.named_parameters()}


def first_gradients(state):
    """Return the gradients of the only step, by name, from the means that are kept of them."""
    named = [(n, p.ndim) for n, p in PoseTask(ONE_STEP).named_parameters() if n != 'zero.vector']
    kernels = [n for n, ndim in named if ndim == 4]
    others = [n for n, ndim in named if ndim == 2] + [n for n, ndim in named if ndim < 2]
    muon, adamw = (state['optimizer'][name]['state'] for name in ('muon', 'adamw'))
    found = {name: muon[i]['momentum_buffer'] / 0.05 for i, name in enumerate(kernels)}
    names = enumerate([*others, 'zero.vector'])
    return found | {name: adamw[i]['exp_avg'] / 0.1 for i, name in names}


def test_two_processes_train_one_network(data, tmp_path):
    """What the optimisers keep after a step is a share of the gradient: of the mean of both."""
    here = Path(__file__).resolve().parent
    script, out = tmp_path / 'worker.py', tmp_path / 'out'
    script.write_text(
        WORKER.format(root=str(here.parents[1]), tests=str(here), out=str(out), data=str(data))
    )
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone',
               '--nproc-per-node', '2', str(script)]  # fmt: skip
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=240, check=False, env=environment
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert state_of(out)['step'] == 1
    both, alone = mean_gradients(data, 2), mean_gradients(data, 1)
    for name, gradient in first_gradients(state_of(out)).items():
        mean = both[name]
        if mean.ndim == 4:
            mean = mean.permute(0, 2, 3, 1).flatten(1)
        torch.testing.assert_close(gradient, mean, rtol=1e-4, atol=1e-6, msg=name)
    assert not torch.allclose(both['network.head.weight'], alone['network.head.weight'], rtol=0.1)
