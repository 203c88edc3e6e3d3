# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest
import torch
from torch import nn

from headpose_training.optimizer import AdamW, MuonAndAdamW, Rates

RATES = Rates(kernels=0.02, others=0.01, apart=0.001)


@pytest.fixture
def network():
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(4, 12, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))
    return layers.to(memory_format=torch.channels_last)


def step(network, rates=RATES, share=1.0):
    """Return by how much each parameter moves in one step, by name; the zero offset too."""
    zero = nn.Parameter(torch.zeros(3))
    images = torch.randn(5, 4, 3, 3, generator=torch.Generator().manual_seed(1))
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    optimizer = MuonAndAdamW(network, rates, zero)
    loss = network(images).square().sum() + (zero - 1).square().sum()
    loss.backward()
    optimizer.step(share)
    moved = {name: p.detach() - before[name] for name, p in network.named_parameters()}
    return moved | {'zero': zero.detach()}


def test_updates_of_kernels_are_nearly_orthogonal(network):
    """Five Newton-Schulz iterations bring singular values into 0.6 to 1.3, whatever they were."""
    moved = step(network)['0.weight']
    values = torch.linalg.svdvals(moved.permute(0, 2, 3, 1).flatten(1))
    scale = RATES.kernels * 0.2 * 36**0.5  # the larger side of 12 x 36
    gradient = network[0].weight.grad.permute(0, 2, 3, 1).flatten(1)
    rank = int(torch.linalg.matrix_rank(gradient, rtol=1e-3))
    spread = torch.linalg.svdvals(gradient)[:rank]
    assert rank >= 4
    assert spread[0] / spread[-1] > 3
    assert float(values[rank - 1] / scale) > 0.6
    assert float(values[0] / scale) < 1.3
    assert float((moved * network[0].weight.grad).sum()) < 0


def test_the_rest_moves_at_its_own_rates(network):
    """The first step of Adam is the rate itself, against the sign of the gradient."""
    moved = step(network, share=0.5)
    for name in ('0.bias', '3.weight', '3.bias'):
        gradient = network.get_parameter(name).grad
        expected = -0.5 * RATES.others * gradient.sign() * (gradient != 0)
        torch.testing.assert_close(moved[name], expected, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(moved['zero'], torch.full((3,), 0.5 * RATES.apart))


def test_matrices_decay_and_vectors_do_not(network):
    still = step(network, replace(RATES, weight_decay=0.0))
    torch.manual_seed(0)
    again = nn.Sequential(nn.Conv2d(4, 12, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))
    before = {name: p.detach().clone() for name, p in again.named_parameters()}
    decayed = step(again.to(memory_format=torch.channels_last), replace(RATES, weight_decay=0.5))
    for name, rate in (('0.weight', RATES.kernels), ('3.weight', RATES.others)):
        torch.testing.assert_close(decayed[name], still[name] - 0.5 * rate * before[name])
    for name in ('0.bias', '3.bias', 'zero'):
        torch.testing.assert_close(decayed[name], still[name])


def test_kernels_must_lie_as_matrices():
    network = nn.Sequential(nn.Conv2d(4, 12, 3))
    with pytest.raises(ValueError, match='channels_last'):
        MuonAndAdamW(network, RATES)


def test_a_checkpoint_of_another_optimiser_is_refused(network):
    optimizer = MuonAndAdamW(network, RATES)
    optimizer.load_state_dict(optimizer.state_dict())
    with pytest.raises(ValueError, match='another optimiser; start anew'):
        optimizer.load_state_dict(torch.optim.AdamW(network.parameters()).state_dict())


def test_adamw_alone_moves_everything_at_a_share_of_its_rate(network):
    before = [p.detach().clone() for p in network.parameters()]
    optimizer = AdamW(network, 0.01, weight_decay=0.0)
    network(torch.randn(5, 4, 3, 3)).square().sum().backward()
    optimizer.step(0.5)
    for old, new in zip(before, network.parameters(), strict=True):
        expected = -0.005 * new.grad.sign() * (new.grad != 0)
        torch.testing.assert_close(new.detach() - old, expected, rtol=1e-3, atol=1e-6)
