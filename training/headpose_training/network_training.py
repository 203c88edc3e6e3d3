# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trains a `Network` on one process: resumable, deterministic by seed.

For the landmark and the proposal network, whose trainings are short; the pose network's, with
recipes and several processes, is `trainer.py`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from headpose_ros.inference.networks.layers import Network

Batch = TypeVar('Batch')
BatchOut = TypeVar('BatchOut', covariant=True)


class Batches(Protocol[BatchOut]):
    """Batch k depends on k alone."""

    def __getitem__(self, index: int) -> BatchOut: ...


class Optimizer(Protocol):
    """Moves a network's parameters by their gradients."""

    def step(self, share: float) -> None:
        """Move them, at `share` of the peak learning rate."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes."""
        ...

    def load_state_dict(self, state: Any) -> None:
        """Go on from a checkpoint."""
        ...


@dataclass(frozen=True)
class NetworkRun:
    """Options of a training."""

    out: Path
    steps: int = 3000
    batch_size: int = 64
    seed: int = 0
    resume: bool = False
    bfloat16: bool = True
    log_every: int = 100


def train_network(
    network: Network,
    loss_of: Callable[[Network, Batch], Tensor],
    batches: Batches[Batch],
    optimizer_of: Callable[[Network], Optimizer],
    run: NetworkRun,
    say: Callable[[str], None] = print,
) -> Network:
    """Train to the end of the run and return the averaged network.

    `run.out`/checkpoint.pt is written on the way. Raises ValueError where the folder holds a
    training and `run.resume` is not set, or the other way round.
    """
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    decay = get_ema_multi_avg_fn(0.995)  # type: ignore[no-untyped-call]
    average = AveragedModel(network, multi_avg_fn=decay, use_buffers=True)
    optimizer = optimizer_of(network)
    parts = {'network': network, 'average': average, 'optimizer': optimizer}
    mean_loss = np.nan
    for step, batch in _ahead(batches, _start(run, parts), run.steps):
        network.train()
        with torch.autocast('cpu', torch.bfloat16, enabled=run.bfloat16):
            loss = loss_of(network, batch)
        network.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step(_rate(step, run.steps))
        average.update_parameters(network)
        value = float(loss.detach())
        mean_loss = value if np.isnan(mean_loss) else 0.98 * mean_loss + 0.02 * value
        if (step + 1) % run.log_every == 0 or step + 1 == run.steps:
            say(f'step {step + 1} of {run.steps}: loss {mean_loss:.5f}')
            _save(run, parts, step + 1)
    trained = average.module
    assert isinstance(trained, Network)
    return trained.eval()


def _ahead(batches: Batches[Batch], first: int, end: int) -> Iterator[tuple[int, Batch]]:
    """Yield steps and batches, the next batch being drawn meanwhile."""
    if first >= end:
        return
    with ThreadPoolExecutor(1) as drawing:
        coming = drawing.submit(batches.__getitem__, first)
        for step in range(first, end):
            batch = coming.result()
            if step + 1 < end:
                coming = drawing.submit(batches.__getitem__, step + 1)
            yield step, batch


def _rate(step: int, steps: int) -> float:
    """Share of the peak learning rate: a rise over the first twentieth, then half a cosine."""
    warm = max(steps // 20, 1)
    if step < warm:
        return (step + 1) / warm
    return 0.01 + 0.99 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1))) / 2


def _start(run: NetworkRun, parts: Mapping[str, Any]) -> int:
    """Load the checkpoint where the run goes on; return the first step."""
    path = run.out / 'checkpoint.pt'
    if not run.resume:
        if path.exists():
            raise ValueError(f'{run.out}: holds a training already; resume it or go elsewhere')
        return 0
    if not path.is_file():
        raise ValueError(f'{path}: no checkpoint there to go on from')
    state = torch.load(path, map_location='cpu', weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return int(state['step'])


def _save(run: NetworkRun, parts: Mapping[str, Any], step: int) -> None:
    run.out.mkdir(parents=True, exist_ok=True)
    state = {name: part.state_dict() for name, part in parts.items()} | {'step': step}
    partial = run.out / 'checkpoint.pt.partial'
    torch.save(state, partial)
    os.replace(partial, run.out / 'checkpoint.pt')
