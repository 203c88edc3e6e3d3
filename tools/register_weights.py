#!/usr/bin/env python3
# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Enter a weights file of headpose_ros/models into the registry, from what its metadata say.

python tools/register_weights.py headpose_ros/models/pose_clean.onnx --default-for cnn
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from headpose_ros.inference.weights import MODELS, WeightsError, describe


def register(path: Path, default_for: str = '') -> None:
    """Enter or update the file, under its name without suffix; ValueError where it cannot be."""
    if path.resolve().parent != MODELS:
        raise WeightsError(f'weights {path}: shipped weights belong into {MODELS}')
    about = describe(path)
    entry = {
        'file': path.name,
        'architecture': about.architecture,
        'what': about.what,
        'licence': about.licence,
        'origin': about.origin,
        'sha256': about.sha256,
        'parameters': about.parameters,
    }
    if empty := [key for key, value in entry.items() if not value]:
        raise WeightsError(f'weights {path}: the metadata lack {", ".join(empty)}')
    registry_path = MODELS / 'weights.json'
    registry = json.loads(registry_path.read_text())
    registry['weights'][path.stem] = entry
    if default_for:
        registry['defaults'][default_for] = path.stem
    registry_path.write_text(json.dumps(registry, indent=2, ensure_ascii=False) + '\n')
    print(f'{path.name}: {about.parameters} parameters, sha256 {about.sha256}')


def main() -> int:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('file', type=Path)
    parser.add_argument('--default-for', default='', metavar='KIND', help='e.g. cnn, mtcnn')
    args = parser.parse_args()
    try:
        register(args.file, args.default_for)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
