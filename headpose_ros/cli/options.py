# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline's options on the command line, made from `PipelineConfig`."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import Field, fields
from typing import Any

from headpose_ros.config import PipelineConfig

_OTHER_NAMES = {'detect_every': ('--every',)}


def add_pipeline_options(
    parser: argparse.ArgumentParser, names: Iterable[str] | None = None, title: str = 'pipeline'
) -> None:
    """Add options for the fields `names` of `PipelineConfig`, or all, with default and text."""
    group = parser.add_argument_group(title)
    options = {item.name: item for item in fields(PipelineConfig)}
    for name in options if names is None else names:
        _add(group, options[name])


def _add(group: argparse._ArgumentGroup, item: Field[Any]) -> None:
    about = item.metadata
    names = [*_OTHER_NAMES.get(item.name, ()), '--' + item.name.replace('_', '-')]
    text = f'{about["text"]} [{item.default}]'.replace('%', '%%')
    if isinstance(item.default, bool):
        action = argparse.BooleanOptionalAction
        group.add_argument(*names, action=action, default=item.default, help=text)
    elif about['choices']:
        choices = about['choices']
        group.add_argument(*names, choices=choices, default=item.default, help=text)
    else:
        kind = type(item.default)
        metavar = {int: 'N', float: 'X', str: 'NAME'}[kind]
        group.add_argument(
            *names, dest=item.name, type=kind, default=item.default, metavar=metavar, help=text
        )


def pipeline_config(
    args: argparse.Namespace, names: Iterable[str] | None = None
) -> PipelineConfig:
    """Return the fields `names`, or all, as parsed; ValueError where one is out of its range."""
    if names is None:
        names = [item.name for item in fields(PipelineConfig)]
    return PipelineConfig(**{name: getattr(args, name) for name in names})
