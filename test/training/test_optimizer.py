# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import pytest
import torch
from torch import nn

from headpose_ros.training.optimizer import PoseOptimizer
from headpose_ros.training.recipe import DataSource, Recipe

RECIPE = Recipe(
    name='tiny',
    what='test',
    licence='none',
    training=(DataSource('none.npz', 1.0),),
    validation=(),
    learning_rate=0.02,
    other_rate=0.01,
    zero_rate=0.001,
    weight_decay=0.0,
)


@pytest.fixture
def network():
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(4, 12, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))
    return layers.to(memory_format=torch.channels_last)


def step(network, recipe=RECIPE, share=1.0):
    """Return by how much each parameter moves in one step, by name; the zero offset too."""
    zero = nn.Parameter(torch.zeros(3))
    images = torch.randn(5, 4, 3, 3, generator=torch.Generator().manual_seed(1))
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    optimizer = PoseOptimizer(network, zero, recipe)
    loss = network(images).square().sum() + (zero - 1).square().sum()
    loss.backward()
    optimizer.step(share)
    moved = {name: p.detach() - before[name] for name, p in network.named_parameters()}
    return moved | {'zero': zero.detach()}


def test_updates_of_kernels_are_nearly_orthogonal(network):
    """Five Newton-Schulz iterations bring singular values into 0.6 to 1.3, whatever they were."""
    moved = step(network)['0.weight']
    values = torch.linalg.svdvals(moved.permute(0, 2, 3, 1).flatten(1))
    scale = RECIPE.learning_rate * 0.2 * 36**0.5  # the larger side of 12 x 36
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
        expected = -0.5 * RECIPE.other_rate * gradient.sign() * (gradient != 0)
        torch.testing.assert_close(moved[name], expected, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(moved['zero'], torch.full((3,), 0.5 * RECIPE.zero_rate))


def test_matrices_decay_and_vectors_do_not(network):
    still = step(network, replace(RECIPE, weight_decay=0.0))
    torch.manual_seed(0)
    again = nn.Sequential(nn.Conv2d(4, 12, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))
    before = {name: p.detach().clone() for name, p in again.named_parameters()}
    decayed = step(again.to(memory_format=torch.channels_last), replace(RECIPE, weight_decay=0.5))
    for name, rate in (('0.weight', RECIPE.learning_rate), ('3.weight', RECIPE.other_rate)):
        torch.testing.assert_close(decayed[name], still[name] - 0.5 * rate * before[name])
    for name in ('0.bias', '3.bias', 'zero'):
        torch.testing.assert_close(decayed[name], still[name])


def test_kernels_must_lie_as_matrices():
    network = nn.Sequential(nn.Conv2d(4, 12, 3))
    with pytest.raises(ValueError, match='channels_last'):
        PoseOptimizer(network, nn.Parameter(torch.zeros(3)), RECIPE)


def test_a_checkpoint_of_another_optimiser_is_refused(network):
    optimizer = PoseOptimizer(network, nn.Parameter(torch.zeros(3)), RECIPE)
    optimizer.load_state_dict(optimizer.state_dict())
    with pytest.raises(ValueError, match='another optimiser; start anew'):
        optimizer.load_state_dict(torch.optim.AdamW(network.parameters()).state_dict())
