# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a command's results go: CSV, JSON, or a table for people."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headpose_ros.media.table_files import TableSink

STDOUT = '-'


def add_table_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Add --csv and --json. `what`: what an image is called, such as `picture`."""
    add = parser.add_argument
    add('--csv', metavar='FILE', help='table of poses, a row for each head; - is standard output')
    add(
        '--json', metavar='FILE',
        help=f'the same as JSON lines, one for each {what}; - is standard output',
    )  # fmt: skip


def stdout_is_taken(args: argparse.Namespace) -> bool:
    """Return whether a table for programs goes to standard output, and so nothing else may."""
    return STDOUT in (args.csv, args.json)


def require_apart(inputs: Iterable[Path], outputs: dict[str, str | Path | None]) -> None:
    """Refuse to write over an input, or two outputs into one. `outputs`: by option.

    Raises ValueError.
    """
    named = {
        option: Path(path)
        for option, path in outputs.items()
        if path is not None and str(path) != STDOUT
    }
    if sum(str(path) == STDOUT for path in outputs.values()) > 1:
        raise ValueError('standard output: --csv and --json cannot both go there')
    for source in inputs:
        for option, path in named.items():
            if _is_part(path, source):
                raise ValueError(f'{option} {path}: is part of the input, which would be lost')
    seen: dict[Path, str] = {}
    for option, path in named.items():
        other = seen.setdefault(path.resolve(), option)
        if other != option:
            raise ValueError(f'{other} and {option}: both name {path}')


def open_tables(
    args: argparse.Namespace, place: Sequence[str], stack: ExitStack
) -> list[TableSink]:
    """Open the files that --csv and --json name; `stack` closes them."""
    from headpose_ros.media.table_files import CsvSink, JsonSink

    sinks: list[TableSink] = []
    if args.csv:
        sinks.append(stack.enter_context(CsvSink(args.csv, place)))
    if args.json:
        sinks.append(stack.enter_context(JsonSink(args.json, place)))
    return sinks


def speak(args: argparse.Namespace, text: str) -> None:
    """Print a line for people: on standard output, unless a table for programs goes there."""
    print(text, file=sys.stderr if stdout_is_taken(args) else sys.stdout)


def _is_part(path: Path, source: Path) -> bool:
    if path.resolve() == source.resolve():
        return True
    if not path.exists() or not source.exists():
        return False
    return path.samefile(source) or (source.is_dir() and path.parent.resolve() == source.resolve())
