# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose batch` killed at random moments and begun again: the same files, nothing done twice.

    python -m benchmark.reliability.archive_kills --kills 20

Prints a line for each kill and a verdict; exit status 1 where a file differs from those of a call
that was left alone, or where something finished was done again.
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
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ('--csv', '--bags', '--preview', '--events')
VOLATILE = 'journal.jsonl'
"""What says when things were done."""


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
    for marker in out.glob('done/recording=*/topic=*.json'):
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


def try_kills(archive: Path, out: Path, kills: int, longest: float, seed: int) -> list[str]:
    """Kill the call `kills` times, then let it end; return what went wrong."""
    chance = random.Random(seed)
    wrong: list[str] = []
    whole: dict[str, tuple[int, int]] = {}
    done = 0
    while done < kills:
        process = start(archive, out)
        wait = chance.uniform(0.5, longest)
        try:
            process.wait(timeout=wait)
        except subprocess.TimeoutExpired:
            kill(process, chance.random() < 0.5)
            done += 1
            print(f'killed after {wait:5.1f} s; {len(finished(out))} files were finished')
        else:
            # It had time to end: from here on there is nothing to be killed in.
            print(f'ended by itself in less than {wait:.1f} s: begun anew')
            wrong += touched(whole, finished(out))
            shutil.rmtree(out)
            whole = {}
            continue
        now = finished(out)
        wrong += touched(whole, now)
        whole |= now
    time.sleep(1.0)  # for processes whose parent is gone
    start(archive, out).wait()
    return wrong + touched(whole, finished(out))


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
        print(f'left alone: {longest:.0f} s, {len(files_in(alone))} files')
        again = try_kills(archive, killed, args.kills, longest, args.seed)
        expected, found = files_in(alone), files_in(killed)
        differ = [name for name in {*expected, *found} if expected.get(name) != found.get(name)]
    print(f'{len(expected)} files, {len(differ)} differ, {len(again)} were written again')
    for name in [*differ, *again][:20]:
        print(f'  {name}')
    return 1 if differ or again else 0


if __name__ == '__main__':
    sys.exit(main())
