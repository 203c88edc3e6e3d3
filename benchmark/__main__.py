# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure everything: `make benchmark`. Each part runs in a process of its own.

    python -m benchmark                       # all parts, about 12 minutes
    python -m benchmark --only networks node  # some; the others' last results stay

Writes out/benchmark/<part>.json, plots, and summary.json (from all results that are there), prints
the tables that `report.py` puts into the documents, and fails where something was not measured.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmark.measure import ROOT, machine, write_json
from benchmark.report import tables

OUT = ROOT / 'out' / 'benchmark'
PARTS: dict[str, tuple[str, ...]] = {
    'networks': ('speed.networks',),
    'detectors': ('speed.detectors',),
    'backends': ('accuracy.backends',),
    'pipeline': ('speed.pipeline', '--threads', '2'),
    'pipeline_one_thread': ('speed.pipeline', '--threads', '1'),
    'decoding': ('speed.decoding',),
    'unchanged': ('accuracy.unchanged',),
    'sampling': ('speed.sampling', '--rounds', '25'),
    'resources': ('speed.resources',),
    'node': ('speed.node',),
    'smoothing': ('accuracy.smoothing',),
    'people': ('accuracy.people',),
    'photos': ('accuracy.photos',),
}
_LIMIT = 900.0
_BUSY = 0.5


def main() -> int:
    """Run the parts; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--only', nargs='+', choices=PARTS, default=list(PARTS), metavar='PART')
    parser.add_argument('--out', type=Path, default=OUT, metavar='FOLDER')
    args = parser.parse_args()
    load = os.getloadavg()[0]
    if load > _BUSY * machine()['cores']:
        print(f'benchmark: the machine is busy (load {load:.1f}): only the ratios mean something')
    failures = [failure for part in args.only if (failure := _run(part, args.out))]
    results = load_results(args.out)
    summary, missing = summarise(results)
    write_json(args.out / 'summary.json', summary)
    for title, text in tables(results).items():
        print(f'\n{title}\n\n{text}')
    if failure := _plot(results, args.out):
        failures.append(failure)
    if set(args.only) == set(PARTS):
        failures += [f'summary.json lacks {name}' for name in missing]
    for failure in failures:
        print(f'benchmark: {failure}', file=sys.stderr)
    return 1 if failures else 0


def _run(part: str, out: Path) -> str:
    """Run one part; return what went wrong, or ''."""
    module, *arguments = PARTS[part]
    target = out / f'{part}.json'
    target.unlink(missing_ok=True)
    command = [sys.executable, '-m', f'benchmark.{module}', *arguments]
    print(f'benchmark: {part} ...', end=' ', flush=True)
    began = time.monotonic()
    try:
        done = subprocess.run(
            [*command, '--json', str(target)],
            capture_output=True,
            text=True,
            timeout=_LIMIT,
            env={**os.environ, 'PYTHONPATH': str(ROOT)},
            check=False,
        )
    except subprocess.TimeoutExpired:
        print('too slow', flush=True)
        return f'{part}: not done in {_LIMIT:g} s'
    print(f'{time.monotonic() - began:.0f} s', flush=True)
    if done.returncode == 0 and target.is_file():
        return ''
    words = (done.stderr.strip() or done.stdout.strip() or 'wrote no result').splitlines()
    return f'{part}: {words[-1]}'


def load_results(out: Path) -> dict[str, Any]:
    """Return the results of all parts that are there."""
    paths = {part: out / f'{part}.json' for part in PARTS}
    return {part: json.loads(path.read_text()) for part, path in paths.items() if path.is_file()}


def summarise(results: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the summary, and the names of what is missing in it."""
    where: dict[str, tuple[str | int, ...]] = {
        'pose_network_ms': ('networks', 'one_thread', 'ours 1', 'p50'),
        'authors_network_eager_ms': ('networks', 'one_thread', 'authors 1', 'p50'),
        'pose_network_batch8_ms': ('networks', 'one_thread', 'ours 8', 'p50'),
        'pose_network_mirrored_ms': ('networks', 'one_thread', 'mirrored 1', 'p50'),
        'pipeline_ms': ('pipeline', 'pipeline_ms'),
        'demo_loop_ratio': ('pipeline', 'demo_loop_ratio'),
        'node_latency_ms': ('node', '640x480', 'headpose', 'latency_ms'),
        'node_cpu_percent': ('node', '640x480', 'headpose', 'cpu_percent'),
        'node_drops': ('node', '640x480', 'headpose', 'drops'),
        'node_rss_mb': ('node', '640x480', 'headpose', 'rss_mb'),
        'node_start_s': ('node', 'starts_s', 1),
        'people16_fps': ('pipeline', 'people16_fps'),
        'people_idf1': ('people', 'ordinary', 'all', 'idf1'),
        'false_heads_per_minute': ('people', 'recorded', 'nobody', 'false_heads_per_minute'),
    }
    summary: dict[str, Any] = {}
    missing = []
    for name, path in where.items():
        value: Any = results
        try:
            for key in path:
                value = value[key]
            summary[name] = value
        except (KeyError, IndexError):
            missing.append(name)
    return {**summary, 'machine': machine()}, missing


def _plot(results: dict[str, Any], out: Path) -> str:
    """Draw the latency over the number of faces and the size of the image; return what hinders."""
    pipelines = {
        f'{n} threads' if n > 1 else 'one thread': results[part]
        for n, part in ((2, 'pipeline'), (1, 'pipeline_one_thread'))
        if part in results
    }
    if not pipelines:
        return ''
    try:
        import matplotlib

        matplotlib.use('Agg')
        import matplotlib.pyplot as plt
    except ImportError:
        return 'no plots: matplotlib is not installed (pip install matplotlib)'
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout='constrained')
    for ax, key, label in zip(axes, ('people', 'sizes'), ('people', 'image'), strict=True):
        for name, result in pipelines.items():
            rows = result[key]
            for quantile, style in (('p50', '-o'), ('p95', ':o')):
                values = [row['pipeline_ms'][quantile] for row in rows.values()]
                ax.plot(list(rows), values, style, label=f'{name}, {quantile}')
        ax.set(xlabel=label, ylabel='ms an image', ylim=(0, None))
        ax.grid(alpha=0.3)
    axes[0].legend(frameon=False)
    figure.savefig(out / 'latency.png', dpi=90)
    plt.close(figure)
    return ''


if __name__ == '__main__':
    sys.exit(main())
