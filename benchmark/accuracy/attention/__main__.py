# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure how well looking, walking and gestures are told.

    python -m benchmark.accuracy.attention --json out/benchmark/attention_events.json
    python -m benchmark.accuracy.attention --no-images    # simulated people and real clips alone

Simulated people have the errors of errors.json; rendered ones go through the whole pipeline, which
takes five minutes of two quiet cores.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path


def main() -> int:
    """Measure, print the tables, and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').split('\n')[0])
    add = parser.add_argument
    add('--json', type=Path, metavar='FILE')
    add('--minutes', type=float, default=12, metavar='N', help='of each simulated scene')
    add('--no-images', action='store_true', help='leave the rendered scenes out')
    add('--processes', type=int, default=min(2, os.cpu_count() or 1), metavar='N')
    args = parser.parse_args()
    from benchmark.measure import write_json

    from .run import run
    from .text import TABLES

    began = time.monotonic()
    result = run(args.minutes, not args.no_images, args.processes)
    for title, table in TABLES.items():
        print(f'### {title}\n\n{table(result)}\n')
    print(f'{time.monotonic() - began:.0f} s', file=sys.stderr)
    if args.json is not None:
        write_json(args.json, result)
    return 0


if __name__ == '__main__':
    sys.exit(main())
