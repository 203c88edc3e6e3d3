# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recipe: all that decides what a training gives, in one YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import yaml

from headpose_training.losses import LossWeights
from headpose_training.network import NetworkShape
from headpose_training.warping import WarpLimits

RECIPES = Path(__file__).parent / 'recipes'


@dataclass(frozen=True)
class DataSource:
    """Files of face crops (patterns below the data folder) and their share of each batch."""

    files: str
    share: float


@dataclass(frozen=True)
class Recipe:
    """Options of a training. Sizes and rates are of one process.

    `learning_rate`, `other_rate`, `zero_rate`: peaks of the learning rate of the convolutions (by
    Muon), of the rest of the network and of the zero offset (by AdamW); see `optimizer.py`.
    """

    name: str
    what: str
    licence: str
    training: tuple[DataSource, ...]
    validation: tuple[str, ...]
    crop_scale: float = 0.9
    landmark_box_scale: float = 1.5
    network: NetworkShape = field(default_factory=NetworkShape)
    warp: WarpLimits = field(default_factory=WarpLimits)
    loss: LossWeights = field(default_factory=LossWeights)
    steps: int = 20000
    batch_size: int = 256
    learning_rate: float = 0.02
    other_rate: float = 0.008
    zero_rate: float = 1e-3
    weight_decay: float = 0.02
    warmup_steps: int = 300
    ema_decay: float = 0.9985
    yaw_balance: float = 0.5
    beside_share: float = 0.04
    seed: int = 0
    bfloat16: bool = True
    log_every: int = 100
    validate_every: int = 1000

    def __post_init__(self) -> None:
        for name in ('steps', 'batch_size', 'log_every', 'validate_every'):
            if getattr(self, name) < 1:
                raise ValueError(f'recipe: expected {name} >= 1, got {getattr(self, name)}')
        if not self.training:
            raise ValueError('recipe: expected at least one source of training data')

    @staticmethod
    def load(name_or_file: str) -> Recipe:
        """Read a recipe by its name or its file. Raises ValueError that names the wrong entry."""
        path = Path(name_or_file)
        if path.suffix not in ('.yaml', '.yml'):
            path = RECIPES / f'{name_or_file}.yaml'
        if not path.is_file():
            known = ', '.join(sorted(p.stem for p in RECIPES.glob('*.yaml')))
            raise ValueError(f'recipe {name_or_file!r}: expected a YAML file or one of {known}')
        try:
            values = yaml.safe_load(path.read_text())
        except yaml.YAMLError as error:
            raise ValueError(f'{path}: not YAML ({error})') from None
        return _build(Recipe, values, str(path))


def _build(kind: Any, value: Any, where: str) -> Any:
    """Make a `kind` from what YAML gave, checking names and types on the way."""
    if is_dataclass(kind):
        return _build_dataclass(kind, value, where)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise ValueError(f'{where}: expected a list, got {value!r}')
        return tuple(_build(get_args(kind)[0], v, f'{where}[{i}]') for i, v in enumerate(value))
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f'{where}: expected {kind.__name__}, got {value!r}')
    return value


def _build_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f'{where}: expected entries, got {value!r}')
    hints = get_type_hints(kind)
    known = {f.name for f in fields(kind)}
    for name in value:
        if name not in known:
            raise ValueError(
                f'{where}: unknown entry {name!r}; expected one of {", ".join(sorted(known))}'
            )
    try:
        return kind(**{k: _build(hints[k], v, f'{where}: {k}') for k, v in value.items()})
    except TypeError as error:
        raise ValueError(f'{where}: {error}') from None
