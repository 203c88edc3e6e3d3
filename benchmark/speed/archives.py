# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `headpose batch` costs beside `headpose video`, what a second process gives, and memory.

    python -m benchmark.speed.archives --images 300

Costs are processor seconds an image, the difference between a long and a short recording, so that
starting up is no part of it; calls are made in turns. What a second process gives is the ratio of
the times by the clock, which means something on a quiet machine only, and how many processor
seconds more two processes take than one. Memory is the largest of a process, for recordings of one
length and of three times that.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from benchmark.measure import ROOT, machine

SIZE = (640, 480)


class Cost(NamedTuple):
    """Processor seconds, seconds by the clock, and the largest process in MB."""

    processor: float
    clock: float
    megabytes: float


def measured(*words: str, cores: set[int]) -> Cost:
    """Run a command of `headpose` on some cores and return what it costs."""
    command = [sys.executable, '-m', 'headpose_ros.cli.main', *words]
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
        start_new_session=True,
    )
    largest = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, largest))
    watcher.start()
    # Not subprocess's wait: only this tells what the process and its children took.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    watcher.join()
    if process.returncode:
        raise RuntimeError(f'{" ".join(words)}: ended with {process.returncode}')
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - began, largest[0])


def _watch(process: subprocess.Popen[bytes], largest: list[float]) -> None:
    """Note the largest resident memory of a process of the group while it runs."""
    while process.returncode is None:
        listed = subprocess.run(
            ['ps', '-o', 'rss=', '-g', str(process.pid)], capture_output=True, text=True
        ).stdout.split()
        largest[0] = max([largest[0], *(int(size) / 1024 for size in listed)])
        time.sleep(0.2)


def make(folder: Path, images: int, recordings: int) -> Path:
    """Make an archive of bags with JPEG, as robots record them."""
    sys.path.insert(0, str(ROOT / 'test' / 'support'))
    from made_archive import camera_bag, frames

    shown = frames(min(images, 90), size=SIZE)
    for number in range(recordings):
        camera_bag(
            folder / f'run{number}',
            [shown[i % len(shown)] for i in range(images)],
            compressed=True,
        )
    return folder


def main() -> int:
    """Measure and print the figures; write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--images', type=int, default=300)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--json', type=Path)
    args = parser.parse_args()
    one, two = {0}, {0, 1}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short = make(folder / 'short', args.images // 3, 2)
        long = make(folder / 'long', args.images, 2)
        costs: dict[str, list[Cost]] = {}
        for turn in range(args.rounds):
            for kind, archive in (('short', short), ('long', long)):
                out = folder / f'out_{kind}_{turn}'
                calls = {
                    'video': (
                        ['video', str(archive / 'run0'), '--threads', '1', '--csv', f'{out}.csv'],
                        one,
                    ),
                    'batch': (['batch', str(archive / 'run0'), '--out', f'{out}_b'], one),
                    'both, one process': (
                        ['batch', str(archive), '--out', f'{out}_1', '--jobs', '1'],
                        two,
                    ),
                    'both, two processes': (
                        ['batch', str(archive), '--out', f'{out}_2', '--jobs', '2'],
                        two,
                    ),
                }
                for what, (words, cores) in calls.items():
                    costs.setdefault(f'{what} {kind}', []).append(measured(*words, cores=cores))
    figures = summary(costs, args.images)
    for label, value in figures.items():
        print(f'{label:<46} {value:8.2f}')
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps({**figures, 'machine': machine()}, indent=1))
    return 0


def summary(costs: dict[str, list[Cost]], images: int) -> dict[str, float]:
    """Return the figures by what they are."""

    def least(name: str, field: str) -> float:
        # What else runs on the machine only adds.
        return min(getattr(cost, field) for cost in costs[name])

    def per_image(what: str, recordings: int) -> float:
        long, short = (least(f'{what} {kind}', 'processor') for kind in ('long', 'short'))
        return 1e3 * (long - short) / (recordings * (images - images // 3))

    def seconds(what: str) -> float:
        return least(f'{what} long', 'clock') - least(f'{what} short', 'clock')

    video, batch = per_image('video', 1), per_image('batch', 1)
    single, double = per_image('both, one process', 2), per_image('both, two processes', 2)
    memory = {
        kind: statistics.median(cost.megabytes for cost in costs[f'batch {kind}'])
        for kind in ('short', 'long')
    }
    return {
        'headpose video, processor ms an image': video,
        'headpose batch, processor ms an image': batch,
        'batch over video': batch / video,
        'two processes over one, processor time': double / single,
        'two processes over one, images a second': seconds('both, one process')
        / seconds('both, two processes'),
        'largest process, short recording, MB': memory['short'],
        'largest process, long recording, MB': memory['long'],
    }


if __name__ == '__main__':
    sys.exit(main())
