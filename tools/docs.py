#!/usr/bin/env python3
# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Build the documentation's site strictly: any warning, such as a link that leads nowhere, fails.

    .venv/bin/python tools/docs.py          # into out/site

The pages are laid out as in the repository, with the files that they link to.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / 'out' / 'docs_source'
LAID_OUT = (
    '*.md', 'CHANGELOG.rst', 'LICENSE', 'docs', 'examples', 'config', 'launch', 'msg', 'docker',
    'headpose_ros/models/*.json', 'headpose_ros/estimation/pose_network.py', 'benchmark',
    'training', 'tools', 'test/node',
)  # fmt: skip


def lay_out() -> None:
    """Copy all that pages are made of or link to, where git knows it."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    words = ['git', 'ls-files', '--cached', '--others', '--exclude-standard', '--', *LAID_OUT]
    listed = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (SOURCE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, SOURCE / name)


def main() -> int:
    """Lay out and build; return the exit status."""
    lay_out()
    words = [sys.executable, '-m', 'mkdocs', 'build', '--strict']
    quiet = {**os.environ, 'NO_MKDOCS_2_WARNING': '1'}
    return subprocess.run(words, cwd=ROOT, check=False, env=quiet).returncode


if __name__ == '__main__':
    sys.exit(main())
