# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose synthesize`: rendered people with exact truth."""

from __future__ import annotations

import argparse

SUMMARY = 'Render people with exact head poses: training crops, whole scenes, the demo clip.'


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    kinds = parser.add_subparsers(dest='kind', required=True, metavar='KIND')
    crops = kinds.add_parser('crops', help='square crops for training, in shards')
    crops.add_argument('--out', required=True, help='folder; a run that was stopped goes on there')
    crops.add_argument('--count', type=int, default=40_000, help='crops (default %(default)s)')
    crops.add_argument('--size', type=int, default=112, help='pixels across (default %(default)s)')
    crops.add_argument(
        '--views', type=int, default=8, help='crops of each identity (default %(default)s)'
    )
    crops.add_argument(
        '--negatives', type=float, default=0.06, help='share without a face (default %(default)s)'
    )
    crops.add_argument(
        '--held-out',
        action='store_true',
        help='identities that are kept for tests, never for training',
    )
    _common(crops)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--seed', type=int, default=0, help='0 to 999; the same seed, same pixels')
    parser.add_argument('--workers', type=int, default=1, help='processes (default %(default)s)')
    parser.add_argument('--head-model', help='packed head model (default: $HEADPOSE_DATA/heads)')
    parser.add_argument('--backgrounds', help='folder of pictures without faces to put behind')


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    return {'crops': _crops}[args.kind](args)


def _crops(args: argparse.Namespace) -> int:
    from headpose_ros.training.synthesis import CropSet, synthesize_crops

    what = CropSet(
        args.count,
        args.size,
        args.seed,
        args.views,
        args.negatives,
        args.held_out,
        args.head_model,
        args.backgrounds,
    )
    written = synthesize_crops(args.out, what, args.workers)
    print(f'{args.out}: {what.count} crops in {what.shards} shards, {written} of them new')
    return 0
