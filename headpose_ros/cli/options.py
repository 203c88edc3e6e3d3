# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline's options on the command line, made from `PipelineConfig`."""

from __future__ import annotations

import argparse
from dataclasses import fields

from headpose_ros.config import PipelineConfig

_OTHER_NAMES = {'detect_every': ('--every',)}


def add_pipeline_options(parser: argparse.ArgumentParser) -> None:
    """Add one option for each field of `PipelineConfig`, with its default and text."""
    group = parser.add_argument_group('pipeline')
    for item in fields(PipelineConfig):
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


def pipeline_config(args: argparse.Namespace) -> PipelineConfig:
    """Return the options as parsed; ValueError where one is out of its range."""
    return PipelineConfig(
        **{item.name: getattr(args, item.name) for item in fields(PipelineConfig)}
    )
