# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose batch` killed at random moments and begun again: the same files, nothing done twice.

    python -m benchmark.reliability.archive_kills --kills 20

Prints a line for each kill and each end, and a verdict; exit status 1 where, at an end, a file
differs from those of a call that was left alone, or where something finished was done again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path, PurePosixPath
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ('--csv', '--bags', '--preview', '--events')
VOLATILE = 'journal.jsonl'
"""What says when things were done."""
MARKERS = 'done/recording=*/topic=*.json'
"""Of cameras that are finished."""


def start(archive: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    """Begin a call in a process group of its own."""
    command = [sys.executable, '-m', 'headpose_ros.cli.main', 'batch', str(archive)]
    return subprocess.Popen(
        [*command, '--out', str(out), *OPTIONS, *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        start_new_session=True,
    )


def files_in(out: Path) -> dict[str, bytes]:
    """Return the content of all files but the journal."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob('*'))
        if path.is_file() and path.name != VOLATILE
    }


def finished(out: Path) -> dict[str, tuple[int, int]]:
    """Return inode and time of each file that a camera's marker names, and of the marker."""
    known = {}
    for marker in out.glob(MARKERS):
        try:
            content = json.loads(marker.read_text())
        except (OSError, ValueError):
            continue
        for path in [marker, *(out / name for name in content['files'])]:
            if path.exists():
                state = path.stat()
                known[path.relative_to(out).as_posix()] = state.st_ino, state.st_mtime_ns
    return known


def kill(process: subprocess.Popen[bytes], whole_group: bool) -> None:
    """End a call at once: the program alone, which its processes have to notice, or all of it."""
    if whole_group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


class Kills(NamedTuple):
    """What `try_kills` saw.

    `differ`, `again`: files that differ at an end, and that were written again. `midway`: kills
    when some of the cameras were finished. `ends`: calls that came to their end.
    """

    differ: list[str]
    again: list[str]
    midway: int
    ends: int


def try_kills(
    archive: Path, out: Path, expected: dict[str, bytes], kills: int, longest: float, seed: int
) -> Kills:
    """Kill the call `kills` times, and compare its files whenever it comes to its end.

    `longest`: seconds after which the last kill comes. A call that has ended is begun anew, with
    no results, so that there is something to be killed in.
    """
    chance = random.Random(seed)
    differ: list[str] = []
    again: list[str] = []
    whole: dict[str, tuple[int, int]] = {}
    done = ends = midway = 0
    cameras = sum(PurePosixPath(name).match(MARKERS) for name in expected)
    while done < kills or whole or out.exists():
        process = start(archive, out)
        wait = chance.uniform(0.5, longest) if done < kills else None
        try:
            process.wait(timeout=wait)
        except subprocess.TimeoutExpired:
            kill(process, chance.random() < 0.5)
            done += 1
            midway += 0 < len(list(out.glob(MARKERS))) < cameras
            print(f'killed after {wait:5.1f} s; {len(finished(out))} files were finished')
            time.sleep(1.0)  # for processes whose parent is gone
        now = finished(out)
        again += touched(whole, now)
        whole |= now
        if process.returncode >= 0:
            ends += 1
            found = files_in(out)
            differ += [
                name for name in {*expected, *found} if expected.get(name) != found.get(name)
            ]
            print(f'ended: {len(found)} files, {len(differ)} differ until now')
            shutil.rmtree(out)
            whole = {}
    return Kills(differ, again, midway, ends)


def touched(before: dict[str, tuple[int, int]], now: dict[str, tuple[int, int]]) -> list[str]:
    """Return the files that were finished before and were written again."""
    return [name for name, state in before.items() if now.get(name) != state]


def main() -> int:
    """Compare the files of a call that was killed with those of one that was not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kills', type=int, default=20)
    parser.add_argument('--images', type=int, default=60, help='images of each recording')
    parser.add_argument('--seed', type=int, default=1)
    args = parser.parse_args()
    sys.path.insert(0, str(ROOT / 'test' / 'support'))
    from made_archive import make_archive

    with tempfile.TemporaryDirectory() as folder:
        archive, alone, killed = (Path(folder, name) for name in ('archive', 'alone', 'killed'))
        make_archive(archive, args.images)
        began = time.monotonic()
        start(archive, alone).wait()
        longest = time.monotonic() - began
        expected = files_in(alone)
        print(f'left alone: {longest:.0f} s, {len(expected)} files')
        seen = try_kills(archive, killed, expected, args.kills, longest, args.seed)
    print(
        f'{args.kills} kills, {seen.midway} of them with some cameras finished, {seen.ends} ends: '
        f'{len(expected)} files, {len(seen.differ)} differ, {len(seen.again)} were written again'
    )
    for name in [*seen.differ, *seen.again][:20]:
        print(f'  {name}')
    return 1 if seen.differ or seen.again else 0


if __name__ == '__main__':
    sys.exit(main())
