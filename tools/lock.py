#!/usr/bin/env python3
# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Resolve requirements/*.txt for every supported Python and write requirements/constraints.txt.

For maintainers: run it when a requirement changes, then the tests, then commit the result.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / 'requirements'
NAMES = ('run', 'ros', 'build', 'dev', 'colcon', 'torch')
PYTHONS = ('3.10', '3.11', '3.12', '3.13')
OF_A_GPU = ('nvidia-', 'cuda-', 'triton')  # PyTorch names their exact versions itself
SOURCE_ONLY = ('empy',)  # pip resolves for another Python from wheels alone: made here
PIP = [sys.executable, '-m', 'pip', '--disable-pip-version-check']
HEADER = """\
# The exact versions that were tested. Written by tools/lock.py: do not edit.
"""


def resolve(python: str, wheels: str) -> dict[str, str]:
    """Ask pip which version of each package it would install for one Python."""
    report = Path(wheels, f'report-{python}.json')
    command = [*PIP, 'install', '-qq', '--dry-run', '--ignore-installed', '--report', str(report)]
    command += ['--python-version', python, '--only-binary', ':all:', '--find-links', wheels]
    command += ['--target', f'{wheels}/none']
    for name in NAMES:
        command += ['-r', str(FOLDER / f'{name}.txt')]
    subprocess.run(command, check=True)
    packages = [entry['metadata'] for entry in json.loads(report.read_text())['install']]
    return {
        package['name'].lower().replace('_', '-'): package['version'].split('+')[0]
        for package in packages
        if not package['name'].startswith(OF_A_GPU)
    }


def merge(resolved: dict[str, dict[str, str]]) -> list[str]:
    """One line a version, marked with its Pythons where they differ."""
    pythons_of: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for python, versions in resolved.items():
        for name, version in versions.items():
            pythons_of[name][version].append(python)
    lines = []
    for name in sorted(pythons_of):
        for version, pythons in pythons_of[name].items():
            marks = ' or '.join(f'python_version == "{python}"' for python in pythons)
            whole = len(pythons) == len(resolved)
            lines.append(f'{name}=={version}' + ('' if whole else f'; {marks}'))
    return lines


def main() -> int:
    """Resolve, merge, write."""
    resolved = {}
    with tempfile.TemporaryDirectory() as wheels:
        subprocess.run([*PIP, 'wheel', '-qq', '--no-deps', '-w', wheels, *SOURCE_ONLY], check=True)
        for python in PYTHONS:
            print(f'resolving for Python {python} ...', flush=True)
            resolved[python] = resolve(python, wheels)
    target = FOLDER / 'constraints.txt'
    target.write_text(HEADER + '\n'.join(merge(resolved)) + '\n')
    print(f'{target}: {len(merge(resolved))} lines')
    return 0


if __name__ == '__main__':
    sys.exit(main())
