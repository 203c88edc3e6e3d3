# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from headpose_ros.estimation.pose_network import PoseNetwork
from headpose_ros.inference.networks.export import made
from headpose_ros.inference.runtime import create_runtime
from headpose_training.network import MAX_PARAMETERS, NetworkShape, TrainablePoseNetwork

SMALL = NetworkShape(crop_px=48, stem=8, widths=(8, 16), depths=(1, 2), strides=(2, 2, 2))


def stirred(shape, seed=0):
    """A network whose normalisations are far from neutral."""
    torch.manual_seed(seed)
    network = TrainablePoseNetwork(shape)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.5)
            module.running_var.uniform_(0.3, 2.0)
            torch.nn.init.normal_(module.weight, 1.0, 0.2)
            torch.nn.init.normal_(module.bias, 0.0, 0.3)
    torch.nn.init.normal_(network.head.weight, 0, 0.05)
    return network.eval()


@pytest.mark.parametrize('shape', [SMALL, NetworkShape()])
def test_folded_weights_compute_the_same_in_the_package(shape):
    network = stirred(shape)
    crops = np.random.default_rng(1).integers(
        0, 256, (3, shape.crop_px, shape.crop_px, 3), np.uint8
    )
    with torch.inference_mode():
        expected = network(torch.from_numpy(crops))[0].numpy()
    twin = PoseNetwork(shape.crop_px, 0.9, 1.5, shape.strides)
    model = made(network.folded_weights(), twin.metadata())
    compiled = create_runtime('cpu', 1).compile(model)
    (found,) = compiled(crops)
    assert np.abs(expected).max() > 1e-2
    np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())


def test_landmarks_are_told_beside_the_outputs_and_are_in_no_weights_file():
    network = stirred(SMALL)
    crops = torch.randint(0, 256, (2, 48, 48, 3), dtype=torch.uint8)
    with torch.inference_mode():
        outputs, landmarks = network.with_landmarks(crops)
        torch.testing.assert_close(outputs, network(crops)[0])
    assert landmarks.shape == (2, 68, 2)
    assert not any('landmarks' in name for name in network.folded_weights())


def test_folded_weights_load_again():
    network = stirred(SMALL)
    other = TrainablePoseNetwork(SMALL).eval()
    other.load_folded(network.folded_weights())
    crops = torch.randint(0, 256, (2, 48, 48, 3), dtype=torch.uint8)
    with torch.inference_mode():
        torch.testing.assert_close(other(crops)[0], network(crops)[0], rtol=1e-4, atol=1e-4)


def test_the_default_network_is_within_its_size():
    count = sum(t.size for t in TrainablePoseNetwork(NetworkShape()).folded_weights().values())
    assert 150_000 < count <= MAX_PARAMETERS


def test_too_large_a_network_is_refused():
    with pytest.raises(ValueError, match='at most 220000 parameters'):
        TrainablePoseNetwork(NetworkShape(widths=(32, 64, 128)))


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match='strides for the stem'):
        NetworkShape(widths=(8,), depths=(1, 1), strides=(2, 2))


def test_renormalising_changes_the_statistics_and_not_the_outputs():
    network = stirred(SMALL)
    crops = torch.randint(0, 256, (64, 48, 48, 3), dtype=torch.uint8)
    with torch.inference_mode():
        before = network(crops)[0]
        network.renormalise(crops)
        torch.testing.assert_close(network(crops)[0], before, rtol=1e-4, atol=1e-4)
        # what it means: in training mode, batches normalised by themselves, it is the same too
        torch.testing.assert_close(network.train()(crops)[0], before, rtol=1e-2, atol=1e-2)
        assert not torch.allclose(stirred(SMALL).train()(crops)[0], before, rtol=0.1, atol=0.1)
