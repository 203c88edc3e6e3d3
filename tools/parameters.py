#!/usr/bin/env python3
# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write config/headpose.yaml and docs/reference/parameters.md from the option definitions.

`--check` changes nothing and fails where one of them is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
YAML, PAGE = ROOT / 'config' / 'headpose.yaml', ROOT / 'docs' / 'reference' / 'parameters.md'
BEGIN, END = '<!-- parameters: made by tools/parameters.py -->', '<!-- end of parameters -->'
YAML_HEADER = """\
# All parameters of the node with their defaults. Made by tools/parameters.py. To change values,
# copy this file and start with the copy:
#   ros2 launch headpose_ros headpose.launch.py params_file:=...
# Parameters marked "live" can change at any time, the others only while the node is unconfigured.
/**:
  ros__parameters:
"""


def options() -> Iterator[Field[Any]]:
    """Yield the options of the pipeline, then those of the node."""
    from headpose_ros.config import PipelineConfig
    from headpose_ros.node.parameters import NodeConfig

    for config in (PipelineConfig, NodeConfig):
        yield from fields(config)


def literal(value: object) -> str:
    """Write a default as YAML does."""
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, tuple):
        return repr(list(value) or [''])  # ROS cannot read an empty list
    return yaml.safe_dump(value, default_flow_style=True).splitlines()[0]


def limits(option: Field[Any]) -> str:
    """Return the values allowed, or ''."""
    about = option.metadata
    if about['choices']:
        return ', '.join(about['choices'])
    return '' if about['low'] is None else f'{about["low"]:g} to {about["high"]:g}'


def yaml_text() -> str:
    """Return the whole parameters file."""
    lines = []
    for option in options():
        about = option.metadata
        notes = [limits(option), 'live' if about['live'] else '']
        said = '; '.join(note for note in notes if note)
        lines.append(f'    # {about["text"]}' + (f' ({said})' if said else ''))
        lines.append(f'    {option.name}: {literal(option.default)}')
    return YAML_HEADER + '\n'.join(lines) + '\n'


def table() -> str:
    """Return the page's table."""
    lines = ['| parameter | default | values | live | meaning |', '|---|---|---|---|---|']
    for option in options():
        live = 'yes' if option.metadata['live'] else ''
        text = option.metadata['text'].replace('|', '\\|').replace('<', '&lt;')
        lines.append(
            f'| `{option.name}` | `{literal(option.default)}` | {limits(option)} | {live} '
            f'| {text} |'
        )
    return '\n'.join(lines)


def page_text(present: str) -> str:
    """Return the page with a new table; unchanged where it has no markers for one."""
    before, begin, rest = present.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f'{before}{begin}\n{table()}\n{end}{after}' if end else present


def main() -> int:
    """Write or check; return the exit status."""
    wanted = {YAML: yaml_text(), PAGE: page_text(PAGE.read_text())}
    stale = [p for p, text in wanted.items() if not p.is_file() or p.read_text() != text]
    if '--check' in sys.argv[1:]:
        for path in stale:
            print(f'{path.name} is out of date: run tools/parameters.py', file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path])
        print(f'wrote {path.relative_to(ROOT)}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
