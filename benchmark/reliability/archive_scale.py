# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where an archive of 100,000 recordings on 100 machines breaks first.

    python -m benchmark.reliability.archive_scale

Measured here: what the program that leads a cluster does for each recording (looks for it, notes
what is finished, writes the marker), with recordings that cost nothing, on the disk of this
machine. Reckoned: what the machines would ask of it and of the storage they share. Simulated: when
the last machine is done, with long recordings in parts and without.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from headpose_ros.config import PipelineConfig
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.recordings.conductor import Conductor, Progress
from headpose_ros.recordings.finding import Recording, find_recordings
from headpose_ros.recordings.jobs import Job, Outcome
from headpose_ros.recordings.parts import Part
from headpose_ros.recordings.planning import Plan
from headpose_ros.recordings.settings import Settings
from headpose_ros.recordings.store import Store, Unit

MEGABYTES = {
    'raw 640x480': 0.92,
    'raw 1920x1080': 6.2,
    'JPEG 640x480': 0.06,
    'JPEG 1920x1080': 0.4,
}
"""Of an image, as robots record them."""


class _Lens:
    source = 'assumed'
    camera = CameraModel.from_fov(64, 48, 1.0)


class _Lenses:
    def of(self, width: int, height: int) -> _Lens:
        return _Lens()


class FreeEngine:
    """Finishes every job at once, writing no more than a camera's marker."""

    def __init__(self, settings: Settings, capacity: int) -> None:
        self.capacity = capacity
        self._settings, self._store = settings, Store(settings.out)
        self._jobs: list[Job] = []
        self.most = 0

    def submit(self, job: Job) -> None:
        """Take a job."""
        self._jobs.append(job)
        self.most = max(self.most, len(self._jobs))

    def finished(self) -> Iterator[tuple[Job, Outcome]]:
        """Yield all that were taken."""
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            yield job, self._outcome(job)

    def images(self) -> int:
        """Return that there are none."""
        return 0

    def close(self) -> None:
        """Do nothing."""

    def _outcome(self, job: Job) -> Outcome:
        if job.step == 'plan':
            key = self._settings.key(job.recording.fingerprint())
            unit = Unit(job.recording.name, 'image', key)
            return Outcome(plan=Plan(job.recording, key, ((Part(job.recording, None, unit),),)))
        unit = job.parts[0].unit
        counts = {'images': 9000, 'heads': 9000, 'people': 3, 'problems': 0}
        marker = {'key': unit.key, 'topic': unit.topic, 'notes': [], 'files': [], **counts}
        # In earnest other machines do this, and wait for their disks.
        self._store.write_marker(self._store.camera_marker(unit), marker, durable=False)
        return Outcome(marker=marker)


class Driver(NamedTuple):
    """Seconds that the leading program takes for each recording."""

    finding: float
    leading: float
    finding_done: float
    waiting: int


def measure_driver(count: int) -> Driver:
    """Lead through `count` empty recordings, and once more when all are done."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(count):
            place = folder / 'archive' / f'{number // 1000:04d}' / f'{number:06d}.mcap'
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        began = time.perf_counter()
        recordings = find_recordings([folder / 'archive'])
        found = time.perf_counter() - began
        settings = Settings(folder / 'out', PipelineConfig(), _Lenses(), False)
        Store(settings.out).prepare()
        engine = FreeEngine(settings, capacity=6400)
        led = _lead(settings, engine, recordings)
        again = _lead(settings, engine, recordings)
    return Driver(found / count, led / count, again / count, engine.most)


def _lead(settings: Settings, engine: FreeEngine, recordings: list[Recording]) -> float:
    began = time.perf_counter()
    results = Conductor(settings, engine, Progress()).run(recordings)
    assert len(results) == len(recordings)
    return time.perf_counter() - began


def simulate(lengths: list[float], cores: int, ms: float, rate: float, split: float) -> float:
    """Return hours until all is done: each free core takes the next part. `lengths`: seconds."""
    parts = []
    for length in lengths:
        count = max(1, round(length / split)) if split else 1
        parts += [length / count * rate * ms / 1e3] * count
    free = [0.0] * cores
    for part in parts:
        heapq.heapreplace(free, free[0] + part)
    return max(free) / 3600


def _print_driver(driver: Driver, recordings: int, finished: float) -> None:
    print('\nthe leading program')
    for what, seconds in (
        ('finds', driver.finding),
        ('leads through', driver.leading),
        ('passes by what is done,', driver.finding_done),
    ):
        print(f'  {what} {1 / seconds:,.0f} recordings a second: {seconds * recordings:.0f} s')
    print(f'  the cores finish {finished:.1f} a second')


def _print_storage(speed: float, cores: int, storage: float) -> None:
    print(f'\nthe shared storage, {storage:g} GB/s')
    for kind, megabytes in MEGABYTES.items():
        needed = speed * megabytes / 1e3
        busy = min(1.0, storage / needed) * cores
        print(f'  {kind:<15} {needed:8.1f} GB/s needed: {busy:6.0f} of {cores} cores have work')


def main() -> int:
    """Print what was measured, reckoned and simulated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--recordings', type=int, default=100_000)
    parser.add_argument('--measured', type=int, default=3000, help='recordings to measure with')
    parser.add_argument('--machines', type=int, default=100)
    parser.add_argument('--cores', type=int, default=32)
    parser.add_argument('--minutes', type=float, default=10.0, help='mean length of a recording')
    parser.add_argument('--rate', type=float, default=15.0, help='images a second')
    parser.add_argument('--ms', type=float, default=10.0, help='of a core for an image')
    parser.add_argument('--storage', type=float, default=10.0, help='GB/s of the shared storage')
    args = parser.parse_args()
    cores = args.machines * args.cores
    driver = measure_driver(args.measured)
    images = args.recordings * args.minutes * 60 * args.rate
    speed = cores / (args.ms / 1e3)
    hours = images / speed / 3600
    print(f'{images:.2e} images; {cores} cores do {speed:,.0f} a second: {hours:.1f} h')
    _print_driver(driver, args.recordings, speed / (images / args.recordings))
    _print_storage(speed, cores, args.storage)
    chance = random.Random(1)
    lengths = [chance.lognormvariate(0.0, 1.2) for _ in range(args.recordings)]
    mean = sum(lengths) / len(lengths)
    lengths = [args.minutes * 60 * length / mean for length in lengths]
    lengths[-1] = 24 * 3600.0  # and somebody left a recorder running for a day
    print(f'\nthe end, lengths of {min(lengths):.0f} s to {max(lengths) / 3600:.0f} h')
    ideal = sum(lengths) * args.rate * args.ms / 1e3 / cores / 3600
    for split in (0.0, 600.0):
        hours = simulate(lengths, cores, args.ms, args.rate, split)
        print(
            f'  --split {split:<4g} {hours:6.2f} h, {ideal / hours:.0%} of what the cores could do'
        )
    return 0


if __name__ == '__main__':
    sys.exit(main())
