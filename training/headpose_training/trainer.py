# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The training loop: resumable, on one process or many (torchrun), on CPU or GPU."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from headpose_ros.estimation.pose_network import ARCHITECTURE
from headpose_ros.inference.weights import file_sha256, load
from headpose_training.batches import Batch, Batches, BatchPlan
from headpose_training.data_files import load_sources, load_validation
from headpose_training.losses import LossWeights, ZeroOffset, pose_loss
from headpose_training.network import TrainablePoseNetwork
from headpose_training.optimizer import MuonAndAdamW, Rates
from headpose_training.recipe import Recipe
from headpose_training.training_log import TrainingLog
from headpose_training.validation import Looker, accuracy, network_predictor

CHECKPOINT = 'checkpoint.pt'


@dataclass(frozen=True)
class RunOptions:
    """Where and how to run, which changes nothing of the recipe."""

    out: Path
    data: Path
    resume: bool = False
    start: str = ''
    """Weights of the same network to begin with, instead of random ones: a name or a file."""
    workers: int = 1
    compile: bool = False
    stop_after: int | None = None
    """Stop (with a checkpoint) after this step, as an interruption would."""


class PoseTask(nn.Module):
    """Network and zero offset together: what is optimised, averaged and saved."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.network = TrainablePoseNetwork(recipe.network)
        self.zero = ZeroOffset()
        self._weights: LossWeights = recipe.loss
        self._bfloat16 = recipe.bfloat16

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch and its terms."""
        device = batch['crops'].device.type
        with torch.autocast(device, torch.bfloat16, enabled=self._bfloat16):
            outputs, landmarks = self.network.with_landmarks(batch['crops'])
        return pose_loss(outputs, landmarks, batch, self.zero, self._weights)


def train(recipe: Recipe, options: RunOptions) -> Path:
    """Train to the end of the recipe; return the checkpoint. Files appear in `options.out`.

    Raises ValueError where data are missing or a checkpoint is of another recipe.
    """
    world = _World.join()
    try:
        return _Training(recipe, options, world).run()
    finally:
        world.leave()


@dataclass(frozen=True)
class _World:
    """Which process of torchrun's this is; the only one without it."""

    rank: int
    size: int
    device: torch.device

    @staticmethod
    def join() -> _World:
        rank, size = int(os.environ.get('RANK', 0)), int(os.environ.get('WORLD_SIZE', 1))
        device = torch.device('cpu')
        if torch.cuda.is_available():
            device = torch.device('cuda', int(os.environ.get('LOCAL_RANK', 0)))
            torch.cuda.set_device(device)
        if size > 1:
            dist.init_process_group('nccl' if device.type == 'cuda' else 'gloo')
        return _World(rank, size, device)

    def leave(self) -> None:
        if self.size > 1:
            dist.destroy_process_group()


class _Training:
    def __init__(self, recipe: Recipe, options: RunOptions, world: _World) -> None:
        self._recipe, self._options, self._world = recipe, options, world
        torch.manual_seed(recipe.seed)
        self._sources = load_sources(recipe, options.data)
        self._validation = load_validation(recipe, options.data)
        self._task = PoseTask(recipe).to(world.device)
        self._start = ''
        if options.start and not options.resume:
            self._start = self._start_from(options.start)
        self._task.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._average = AveragedModel(
            self._task, multi_avg_fn=_ema(recipe.ema_decay), use_buffers=True
        )
        rates = Rates(
            recipe.learning_rate, recipe.other_rate, recipe.zero_rate, recipe.weight_decay
        )
        self._optimizer = MuonAndAdamW(self._task.network, rates, self._task.zero.vector)
        self._step = 0
        if options.resume:
            self._restore()
        elif (options.out / CHECKPOINT).exists():
            raise ValueError(f'{options.out}: holds a training already; resume it or go elsewhere')
        self._log = TrainingLog(options.out, recipe, self._step) if world.rank == 0 else None

    def run(self) -> Path:
        recipe, options = self._recipe, self._options
        task: nn.Module = self._task
        if self._world.size > 1:
            task = DistributedDataParallel(task)
        if options.compile:
            task = torch.compile(task)  # type: ignore[assignment]
        task.train()
        last = min(recipe.steps, options.stop_after or recipe.steps)
        since, images = time.monotonic(), 0
        for batch in self._batches(self._step, last, options.workers):
            loss, terms = self._advance(task, batch)
            images += len(batch['crops']) * self._world.size
            if self._log and self._step % recipe.log_every == 0:
                rate = images / (time.monotonic() - since)
                self._log.losses(self._step, float(loss.detach()), terms, self._rate(), rate)
                since, images = time.monotonic(), 0
            if self._step % recipe.validate_every == 0 or self._step == last:
                self._validate_and_save()
                since, images = time.monotonic(), 0
        return options.out / CHECKPOINT

    @property
    def _averaged(self) -> PoseTask:
        task = self._average.module
        assert isinstance(task, PoseTask)
        return task

    def _start_from(self, weights: str) -> str:
        """Take the network of a weights file; return which one it was."""
        network = self._task.network
        start = load(weights, 'cnn', {ARCHITECTURE: ()})
        expected = {name: t.shape for name, t in network.folded_weights().items()}
        if {name: t.shape for name, t in start.tensors.items()} != expected:
            raise ValueError(f'weights {start.path}: not of the network of this recipe')
        network.load_folded(start.tensors)
        network.renormalise(next(self._batches(0, 1, workers=0))['crops'])
        return f'{weights} (sha256 {file_sha256(start.path)[:12]})'

    def _advance(self, task: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        loss, terms = task(batch)
        if not torch.isfinite(loss.detach()):
            raise ValueError(f'training: the loss is {float(loss)} at step {self._step}')
        self._task.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._task.parameters(), 5.0)
        self._optimizer.step(self._rate())
        self._average.update_parameters(self._task)
        self._step += 1
        return loss, terms

    def _rate(self) -> float:
        """Share of the peak learning rate: linear warm-up, then half a cosine to 1 %."""
        warm = self._recipe.warmup_steps
        if self._step < warm:
            return (self._step + 1) / warm
        done = (self._step - warm) / max(self._recipe.steps - warm, 1)
        return 0.01 + 0.99 * (1 + math.cos(math.pi * min(done, 1.0))) / 2

    def _batches(self, first: int, last: int, workers: int) -> Iterator[Batch]:
        recipe = self._recipe
        plan = BatchPlan(
            recipe.batch_size,
            recipe.network.crop_px,
            recipe.crop_scale,
            recipe.seed,
            recipe.beside_share,
            recipe.yaw_balance,
        )
        # Before workers are forked: OpenCV's own threads would not live on in them.
        cv2.setNumThreads(1)
        batches = Batches(self._sources, plan, recipe.warp, self._world.rank)
        loader: DataLoader[Batch] = DataLoader(
            batches,
            batch_size=None,
            sampler=range(first, last),
            num_workers=workers,
            prefetch_factor=8 if workers else None,
            pin_memory=self._world.device.type == 'cuda',
        )
        for batch in loader:
            yield {k: v.to(self._world.device, non_blocking=True) for k, v in batch.items()}

    def _validate_and_save(self) -> None:
        if self._log is None:
            return
        averaged = self._averaged
        looker = Looker(
            network_predictor(averaged.network),
            self._recipe.network.crop_px,
            self._recipe.crop_scale,
        )
        for name, crops in self._validation.items():
            self._log.validation(self._step, name, accuracy(looker, crops))
        self._log.zero(self._step, averaged.zero.vector.detach())
        state = {
            'recipe': self._recipe.name,
            'step': self._step,
            'start': self._start,
            'task': self._task.state_dict(),
            'average': self._average.state_dict(),
            'optimizer': self._optimizer.state_dict(),
        }
        partial = self._options.out / f'{CHECKPOINT}.partial'
        torch.save(state, partial)
        os.replace(partial, self._options.out / CHECKPOINT)

    def _restore(self) -> None:
        state = load_checkpoint(self._options.out)
        if state['recipe'] != self._recipe.name:
            raise ValueError(
                f'{self._options.out}: a training of recipe {state["recipe"]!r}, '
                f'not {self._recipe.name!r}'
            )
        self._task.load_state_dict(state['task'])
        self._average.load_state_dict(state['average'])
        self._optimizer.load_state_dict(state['optimizer'])
        self._step = int(state['step'])
        self._start = str(state['start'])


def load_checkpoint(out: Path) -> Mapping[str, Any]:
    """Read the checkpoint of a training. Raises ValueError where there is none."""
    path = out / CHECKPOINT
    if not path.is_file():
        raise ValueError(f'{path}: no checkpoint there to go on from')
    state: Mapping[str, Any] = torch.load(path, map_location='cpu', weights_only=True)
    return state


def averaged_task(recipe: Recipe, out: Path) -> PoseTask:
    """Return the averaged network and zero offset of a training."""
    average = AveragedModel(PoseTask(recipe), use_buffers=True)
    average.load_state_dict(load_checkpoint(out)['average'])
    task = average.module
    assert isinstance(task, PoseTask)
    return task.eval()


def _ema(decay: float) -> Any:
    """Exponential moving average that forgets its start: (1 + n) / (10 + n) at first."""

    @torch.no_grad()
    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], count: Tensor) -> None:
        n = float(count)
        keep = min(decay, (1 + n) / (10 + n))
        for old, new in zip(averaged, current, strict=True):
            if old.is_floating_point():
                old.lerp_(new, 1 - keep)
            else:
                old.copy_(new)

    return update
