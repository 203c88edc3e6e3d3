# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure how people are followed, and how often somebody is seen who is not there.

    python -m benchmark.accuracy.people --json out/benchmark/people.json
    python -m benchmark.accuracy.people --quick --only walk swing
    python -m benchmark.accuracy.people --code ../other    # the headpose_ros of another checkout

Two processes, one thread each. Rendered heads are kept under out/people_cache.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    """Measure, print the tables, and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').split('\n')[0])
    add = parser.add_argument
    add('--json', type=Path, metavar='FILE')
    add('--markdown', type=Path, metavar='FILE')
    add('--only', nargs='+', default=[], metavar='TEXT', help='scenes and clips named with one')
    add('--quick', action='store_true', help='about a fifth of the scenes and clips')
    add('--processes', type=int, default=min(2, os.cpu_count() or 1), metavar='N')
    add('--code', type=Path, metavar='FOLDER', help='measure the headpose_ros in this folder')
    args = parser.parse_args()
    if args.code is not None:
        _use_code(args.code)
    from benchmark.measure import NotMeasuredError, write_json

    from .run import run
    from .text import markdown

    began = time.monotonic()
    try:
        result = run(args.only, args.quick, args.processes)
    except NotMeasuredError as error:
        raise SystemExit(f'not measured: {error}') from None
    tables = [f'### {title}\n\n{text}\n' for title, text in markdown(result).items()]
    print('\n'.join(tables))
    print(f'{time.monotonic() - began:.0f} s', file=sys.stderr)
    if args.markdown is not None:
        args.markdown.write_text('\n'.join(tables))
    if args.json is not None:
        write_json(args.json, result)
    return 0


def _use_code(folder: Path) -> None:
    """Let the product's packages, but not the benchmark, come from another checkout."""
    package = folder.resolve() / 'headpose_ros'
    if not package.is_dir():
        raise SystemExit(f'--code: {package} is not there')
    alone = Path(tempfile.mkdtemp(prefix='headpose_code_'))
    for path in (package, folder.resolve() / 'training' / 'headpose_training'):
        if path.is_dir():
            (alone / path.name).symlink_to(path)
    sys.path.insert(0, str(alone))


if __name__ == '__main__':
    sys.exit(main())
