# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags with bytes changed at random, cut off or with parts twice: read, or told why not.

    python -m benchmark.reliability.mutated_bags --times 10000

Each changed bag is planned and read to its end as `headpose batch` does it, without the networks.
A crash would end this program; an exception that is not one of those promised is printed, as is a
bag that takes longer than 10 s. Exit status 1 where there was one.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headpose_ros.config import PipelineConfig
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.media.frames import SourceError
from headpose_ros.recordings.finding import find_recordings
from headpose_ros.recordings.parts import open_shots
from headpose_ros.recordings.planning import plan_recording
from headpose_ros.recordings.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 10
MAX_BYTES = 40


class _Lens:
    source = 'assumed'

    def __init__(self, width: int, height: int) -> None:
        self.camera = CameraModel.from_fov(width, height, 1.0)


class Lenses:
    """An ideal lens for any image."""

    def of(self, width: int, height: int) -> _Lens:
        """Return the lens."""
        return _Lens(width, height)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return `data` with some bytes changed, cut off, left out or doubled."""
    changed = bytearray(data)
    # Indices and headers lie at both ends; the middle is mostly pixels.
    places: list[Callable[[], int]] = [
        lambda: chance.randrange(len(changed)),
        lambda: min(len(changed) - 1, int(chance.expovariate(1 / 600))),
        lambda: max(0, len(changed) - 1 - int(chance.expovariate(1 / 600))),
    ]
    place = chance.choice(places)
    for _ in range(chance.randint(1, MAX_BYTES)):
        changed[place()] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    kind = chance.random()
    if kind < 0.1:
        del changed[chance.randrange(len(changed)) :]
    elif kind < 0.2:
        start = place()
        del changed[start : start + chance.randrange(1, 200)]
    elif kind < 0.3:
        start = place()
        changed[start:start] = changed[start : start + chance.randrange(1, 200)]
    return bytes(changed)


def read_all(path: Path, out: Path) -> tuple[int, set[str]]:
    """Read a bag as `headpose batch` does; return the number of images, and what was told."""
    settings = Settings(out, PipelineConfig(), Lenses(), lens_is_given=False, depth='*depth*')
    images = 0
    told: set[str] = set()
    for recording in find_recordings([path]):
        plan = plan_recording(recording, settings)
        told.update(plan.notes)
        for parts in plan.cameras:
            for part in parts:
                shots = open_shots(part, settings)
                try:
                    for shot in shots:
                        images += shot.image is not None
                        told.update([shot.problem] if shot.problem else [])
                finally:
                    shots.close()
                told.update(shots.damage)
    return images, told


def run(sources: list[Path], times: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Read `times` changed bags; return how they ended, and what must not happen."""
    chance = random.Random(seed)
    ends: Counter[str] = Counter()
    wrong: list[str] = []
    sound = {source: read_all(source, source.parent) for source in sources}
    signal.signal(signal.SIGALRM, _too_long)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(times):
            source = sources[number % len(sources)]
            bag = Path(folder) / source.name
            copy_mutated(source, bag, chance)
            signal.alarm(SECONDS)
            try:
                images, told = read_all(bag, Path(folder) / 'out')
                expected, routine = sound[source]
                is_told = bool(told - routine)
                if images < expected and not is_told:
                    wrong.append(f'{source.name}, number {number}: images are lost in silence')
                ends['read, damage told' if is_told else 'read whole, nothing to tell'] += 1
                ends['images'] += images
            except SourceError:
                ends['told why it cannot be read'] += 1
            except Exception:
                wrong.append(f'{source.name}, number {number}: {traceback.format_exc()}')
            finally:
                signal.alarm(0)
            shutil.rmtree(bag, ignore_errors=True)
            bag.unlink(missing_ok=True)
    return ends, wrong


def copy_mutated(source: Path, target: Path, chance: random.Random) -> None:
    """Copy a bag, one of its files changed."""
    if source.is_file():
        target.write_bytes(mutated(source.read_bytes(), chance))
        return
    shutil.copytree(source, target)
    victim = chance.choice(sorted(target.iterdir()))
    victim.write_bytes(mutated(victim.read_bytes(), chance))


def _too_long(*_: Any) -> None:
    raise TimeoutError(f'takes longer than {SECONDS} s')


def make_sources(folder: Path) -> list[Path]:
    """Make a small bag of each kind."""
    sys.path.insert(0, str(ROOT / 'test' / 'support'))
    from made_archive import small_bags

    made: list[Path] = small_bags(folder)
    return made


def main() -> int:
    """Read changed bags and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--times', type=int, default=10_000)
    parser.add_argument('--seed', type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ends, wrong = run(make_sources(Path(folder)), args.times, args.seed)
    for end, count in sorted(ends.items()):
        print(f'{count:>8}  {end}')
    print(f'{len(wrong):>8}  must not be')
    for text in wrong[:5]:
        print(text)
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
