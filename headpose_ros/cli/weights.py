# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose weights`: what is shipped, whether it is whole; import and export of models."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headpose_ros.inference.weights import WeightsFile

SUMMARY = 'list, check, import and export network weights'


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `headpose weights`."""
    actions = parser.add_subparsers(
        dest='action', required=True, metavar='{list,check,import,export}'
    )
    actions.add_parser('list', help='shipped weights: what, licence, origin, sha256')
    check = actions.add_parser('check', help='verify checksums and contents')
    check.add_argument('weights', nargs='*', help='shipped names or files; all shipped by default')
    convert = actions.add_parser('import', help='convert published weights to ONNX')
    convert.add_argument('file', type=Path, help='the published file; never unpickled')
    convert.add_argument('--output', type=Path, required=True, metavar='OUT.onnx')
    convert.add_argument('--half', action='store_true', help='store float16: half the size')
    export = actions.add_parser('export', help='copy a model for other tools, its sizes fixed')
    export.add_argument('weights', help='a shipped name or a file')
    export.add_argument('--onnx', type=Path, required=True, metavar='OUT.onnx')
    export.add_argument('--batch', type=int, metavar='N', help='fix the batch; open by default')
    export.add_argument(
        '--size', metavar='WIDTHxHEIGHT', help='fix the size of the images, where it is open'
    )


def run(args: argparse.Namespace) -> int:
    """List, check, import or export; 1 where a check finds something wrong."""
    if args.action == 'list':
        return _list()
    if args.action == 'check':
        return _check(args.weights)
    if args.action == 'export':
        return _export(args)
    from headpose_ros.inference.importing import import_file

    written = import_file(args.file, args.output, args.half)
    print(f'{written.path}: {_summary(written)}')
    return 0


def _list() -> int:
    from headpose_ros.inference.weights import shipped

    for weights in shipped():
        print(f'{weights.name}: {_summary(weights)}')
    return 0


def _check(names: list[str]) -> int:
    from headpose_ros.inference.weights import WeightsError, check, shipped

    bad = 0
    for name in names or [weights.name for weights in shipped()]:
        try:
            found = check(name)
        except WeightsError as error:
            print(f'BAD  {error}')
            bad += 1
        else:
            print(
                f'ok   {name}: {found.architecture}, {found.parameters} parameters, '
                f'sha256 {found.sha256}'
            )
    return 1 if bad else 0


def _export(args: argparse.Namespace) -> int:
    from headpose_ros.inference.exporting import export_file, size_of

    size = size_of(args.size) if args.size else None
    written = export_file(args.weights, args.onnx, args.batch, size)
    print(f'{written.path}: {_summary(written)}')
    return 0


def _summary(weights: WeightsFile) -> str:
    lines = [f'{weights.what} ({weights.architecture}, {weights.parameters} parameters)']
    lines += [f'licence  {weights.licence}', f'origin   {weights.origin}']
    lines += [f'sha256   {weights.sha256}']
    return '\n    '.join(lines)
