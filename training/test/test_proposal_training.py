# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from made_faces import discs

from headpose_ros.cli.main import main
from headpose_ros.detection.proposal_network import STRIDES, squares
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.inference.weights import read
from headpose_training import proposal_training as training
from headpose_training.batches import Source
from headpose_training.face_mosaics import Mosaic
from headpose_training.network_training import NetworkRun

SOURCES = [Source(discs(), 1.0)]


def mosaic(*faces, sure=True):
    image = np.zeros((96, 96, 3), np.uint8)
    return Mosaic(image, np.array(faces, float).reshape(-1, 3), np.full(len(faces), sure))


@pytest.mark.parametrize(('side', 'levels'), [(12, [0]), (24, [0, 1]), (45, [1, 2]), (90, [2])])
def test_each_size_is_asked_of_its_levels(side, levels):
    targets = [training.level_targets(mosaic((50, 40, side)), i)[0] for i in range(3)]
    assert [i for i, states in enumerate(targets) if (states == 1).any()] == levels


def test_targets_decode_to_the_face():
    """What the network should give, decoded as at inference, is the box that was drawn."""
    faces = [(20.0, 30.0, 14.0), (70.0, 60.0, 26.0)]
    outputs = []
    for i in range(len(STRIDES)):
        states, boxes = training.level_targets(mosaic(*faces), i)
        logits = np.where(states == 1, 5.0, -5.0)[None]
        outputs.append(np.concatenate([logits, boxes])[None].astype(np.float32))
    found, scores = squares(outputs, 0.5)
    assert len(found) >= 3
    assert scores == pytest.approx(1 / (1 + np.exp(-5.0)))
    drawn = np.array([[x - s / 2, y - s / 2, x + s / 2, y + s / 2] for x, y, s in faces])
    apart = np.abs(found[:, None] - drawn).max(axis=2)
    assert apart.min(axis=1).max() < 1e-3
    assert apart.min(axis=0).max() < 1e-3


def test_nothing_is_asked_near_unsure_faces_nor_around_sure_ones():
    unsure, _ = training.level_targets(mosaic((50, 40, 16), sure=False), 0)
    assert not (unsure == 1).any()
    assert unsure[5, 6] == -1
    assert unsure[0, 0] == 0
    sure, _ = training.level_targets(mosaic((50, 40, 16)), 0)
    assert set(np.unique(sure)) == {-1, 0, 1}
    nobody, _ = training.level_targets(mosaic(), 0)
    assert not nobody.any()


def test_loss_by_hand():
    """One cell of 48 logits is a face; all boxes are right, all probabilities one half."""
    states, boxes = (
        np.stack(parts) for parts in zip(*[training.level_targets(mosaic(), 0)], strict=True)
    )
    states[0, 3, 3] = 1
    batch = training.ProposalBatch(
        torch.zeros(1, 96, 96, 3, dtype=torch.uint8),
        (torch.from_numpy(states),),
        (torch.from_numpy(boxes),),
    )
    output = torch.zeros(1, 4, 12, 12)
    loss = training.proposal_loss(lambda _: (output,), batch)
    assert float(loss) == pytest.approx(144 * 0.5 * 0.25 * np.log(2), rel=1e-5)
    output[0, 1, 3, 3] = 0.1  # of b, and the target's side is b: 0.1 of a side, beyond beta
    more = training.proposal_loss(lambda _: (output,), batch)
    assert float(more - loss) == pytest.approx(2.0 * (0.1 - 0.05 / 2), rel=1e-4)


def test_training_learns_and_the_weights_file_computes_the_same(tmp_path):
    torch.set_num_threads(1)
    said = []
    run = NetworkRun(tmp_path / 'run', 60, batch_size=2, log_every=5)
    network = training.train(SOURCES, run, 0.01, said.append)
    losses = [float(line.split()[-1]) for line in said]
    assert losses[-1] < 0.85 * losses[0]  # running means
    path = training.write_weights(network, tmp_path, 'made', 'a test').path
    assert path.stat().st_size < 880_000
    compiled = create_runtime('cpu', 1).compile(read(path))
    image = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), np.uint8)
    with torch.no_grad():
        expected = network(torch.from_numpy(image))
    for ours, theirs, stride in zip(compiled(image), expected, STRIDES, strict=True):
        assert ours.shape == (1, 4, 64 // stride, 96 // stride)
        assert ours == pytest.approx(theirs.numpy(), abs=2e-3)


def test_quality_of_a_network_that_finds_nothing(monkeypatch):
    network = training._untrained().eval()
    monkeypatch.setattr(training, 'squares', lambda *_: (np.empty((0, 4)), np.empty(0)))
    nothing = training.quality(network, SOURCES, mosaics=3)
    assert nothing.proposals_per_face == 0
    assert sum(found for _, found in nothing.found.values()) == 0
    assert sum(faces for faces, _ in nothing.found.values()) > 5
    assert 'found: 8 to 12 px 0.0 % of' in nothing.text()


def test_the_command(tmp_path, capsys):
    discs().save(tmp_path / 'discs.npz')
    words = ['train', 'proposals', '--out', str(tmp_path / 'run'), '--data', str(tmp_path)]
    words += ['--licence', 'made', '--steps', '2', '--batch-size', '1', '--threads', '1']
    assert main([*words, '--source', 'discs.npz', '1', '--test', 'discs.npz']) == 0
    said = capsys.readouterr().out
    assert 'proposals a face' in said
    assert read(tmp_path / 'run/proposals.onnx').metadata['origin'].endswith('(discs.npz 1)')
    assert main([*words, '--source', 'discs.npz', 'half']) == 2
    assert "expected a share above 0, got 'half'" in capsys.readouterr().err
    assert main([*words, '--source', 'none.npz', '1']) == 2
    assert 'no such training data' in capsys.readouterr().err
