#!/usr/bin/env python3
# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Resolve requirements/*.txt and the extras for every supported Python into constraints.txt.

For maintainers: run it when a requirement changes, then the tests, then commit the result. The
versions that stand there are kept; `--upgrade` takes the newest of all. Needs Python 3.11.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / 'requirements'
TARGET = FOLDER / 'constraints.txt'
NAMES = ('run', 'ros', 'build', 'dev', 'archives', 'docs', 'training', 'colcon', 'torch')
PYTHONS = ('3.10', '3.11', '3.12', '3.13')
OF_A_GPU = ('nvidia-', 'cuda-', 'triton')  # PyTorch names their exact versions itself
SOURCE_ONLY = ('empy',)  # pip resolves for another Python from wheels alone: made here
PIP = [sys.executable, '-m', 'pip', '--disable-pip-version-check']
HEADER = """\
# The exact versions that were tested. Written by tools/lock.py: do not edit.
"""


def extras() -> list[str]:
    """Return what the run-time's extras require."""
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']
    return [line for lines in project['optional-dependencies'].values() for line in lines]


def kept(python: str) -> list[str]:
    """Return the versions locked so far for one Python.

    pip would take the markers for those of the Python that it runs in.
    """
    lines = [line.split('; ') for line in TARGET.read_text().splitlines() if '==' in line]
    return [line[0] for line in lines if len(line) == 1 or f'"{python}"' in line[1]]


def resolve(python: str, folder: str, upgrade: bool) -> dict[str, str]:
    """Ask pip which version of each package it would install for one Python."""
    report = Path(folder, f'report-{python}.json')
    limits = Path(folder, f'kept-{python}.txt')
    limits.write_text('' if upgrade else '\n'.join(kept(python)))
    command = [*PIP, 'install', '-qq', '--dry-run', '--ignore-installed', '--report', str(report)]
    command += ['--python-version', python, '--only-binary', ':all:', '--find-links', folder]
    command += ['--target', f'{folder}/none', '-c', str(limits), *extras()]
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--upgrade', action='store_true', help='keep no version')
    upgrade = parser.parse_args().upgrade
    resolved = {}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*PIP, 'wheel', '-qq', '--no-deps', '-w', folder, *SOURCE_ONLY], check=True)
        for python in PYTHONS:
            print(f'resolving for Python {python} ...', flush=True)
            resolved[python] = resolve(python, folder, upgrade)
    lines = merge(resolved)
    TARGET.write_text(HEADER + '\n'.join(lines) + '\n')
    print(f'{TARGET}: {len(lines)} lines')
    return 0


if __name__ == '__main__':
    sys.exit(main())
