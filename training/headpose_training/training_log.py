# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a training leaves for people: lines on the screen, one JSON a line, a plot."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from headpose_training.recipe import Recipe

LOG = 'log.jsonl'


class TrainingLog:
    """Writes `log.jsonl` into a folder; a resumed training goes on after what is there.

    Lines beyond the step resumed from are dropped: those steps are done again.
    """

    def __init__(self, out: Path, recipe: Recipe, first_step: int) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self._path = out / LOG
        self._steps = recipe.steps
        self._started, self._first = time.monotonic(), first_step
        kept = [r for r in read_log(out) if r['step'] <= first_step] if first_step else []
        self._path.write_text(''.join(json.dumps(r) + '\n' for r in kept))

    def losses(
        self, step: int, loss: float, terms: Mapping[str, Tensor], rate: float, images: float
    ) -> None:
        """Note a training step and print the progress line."""
        values = {k: float(v.detach()) for k, v in terms.items()}
        self._write({'step': step, 'kind': 'loss', 'loss': loss, 'rate': rate, **values})
        left = (time.monotonic() - self._started) / (step - self._first) * (self._steps - step)
        detail = ' '.join(f'{k} {v:.4f}' for k, v in values.items())
        print(
            f'{step:6d}/{self._steps}  {images:5.0f} img/s  {left / 60:4.0f} min left  '
            f'loss {loss:.4f}  {detail}',
            flush=True,
        )

    def validation(self, step: int, name: str, figures: Mapping[str, float]) -> None:
        """Note figures of one validation set."""
        self._write({'step': step, 'kind': 'validation', 'set': name, **figures})
        detail = '  '.join(f'{k} {v:.3f}' for k, v in figures.items())
        print(f'{step:6d}/{self._steps}  {name}: {detail}', flush=True)

    def zero(self, step: int, vector: Tensor) -> None:
        """Note the zero offset."""
        degrees = np.degrees(vector.cpu().numpy()).round(3).tolist()
        self._write({'step': step, 'kind': 'zero', 'vector_deg': degrees})
        print(
            f'{step:6d}/{self._steps}  zero offset about face x, y, z: {degrees} deg', flush=True
        )

    def _write(self, record: Mapping[str, Any]) -> None:
        with self._path.open('a') as file:
            file.write(json.dumps(record) + '\n')


def read_log(out: Path) -> list[dict[str, Any]]:
    """Return the records of a training's log; none where there is no log.

    A last line without its end, as of a process that was killed, is left out.
    """
    path = out / LOG
    lines = path.read_text().split('\n')[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


def plot_log(out: Path) -> Path:
    """Draw losses and validation errors over the steps into `log.png`."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    records = read_log(out)
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.5))
    losses = [r for r in records if r['kind'] == 'loss']
    for name in ('rotation', 'centre', 'size', 'head_scale', 'face', 'landmarks'):
        left.semilogy([r['step'] for r in losses], [r[name] for r in losses], label=name, lw=0.8)
    left.set(xlabel='step', title='loss terms (rad, half crops, logarithms)')
    checks = [r for r in records if r['kind'] == 'validation']
    for name in dict.fromkeys(r['set'] for r in checks):
        rows = [r for r in checks if r['set'] == name]
        for key in ('mae', 'geodesic'):
            right.plot([r['step'] for r in rows], [r[key] for r in rows], label=f'{name}: {key}')
    right.set(xlabel='step', ylabel='degrees', title='validation', ylim=(0, 12))
    for axes in (left, right):
        axes.legend(fontsize=7)
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(out / 'log.png', dpi=110)
    plt.close(figure)
    return out / 'log.png'
