# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose synthesize`: rendered people with exact truth."""

from __future__ import annotations

import argparse
import importlib.util

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
    crops.add_argument(
        '--posed',
        metavar='FOLDER',
        help='write the crops with a face there as well, in the posed format',
    )
    _common(crops)
    scenes = kinds.add_parser('scenes', help='whole pictures of several people, posed format')
    scenes.add_argument('--out', required=True, help='folder for the pictures and poses.csv')
    scenes.add_argument(
        '--camera',
        default='pinhole',
        help='pinhole, fisheye, or a camera_calibration file (default pinhole)',
    )
    scenes.add_argument('--people', type=int, default=3, help='at most this many in a picture')
    scenes.add_argument('--count', type=int, default=100, help='pictures (default %(default)s)')
    scenes.add_argument(
        '--held-out',
        action='store_true',
        help='identities that are kept for tests, never for training',
    )
    _common(scenes)
    clip = kinds.add_parser('clip', help="the demo's clip with its truth and its camera")
    clip.add_argument('--out', required=True, help='folder for clip.mp4, clip_truth.csv, ...')
    clip.add_argument('--head-model', help='packed head model (default: $HEADPOSE_DATA/heads)')
    model = kinds.add_parser('head-model', help='pack a checkout of ICT-FaceKit')
    model.add_argument('checkout', help='the checkout, or its FaceXModel folder')
    model.add_argument('--out', required=True, help='file to write, .npz')


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--seed', type=int, default=0, help='0 to 999; the same seed, same pixels')
    parser.add_argument('--workers', type=int, default=1, help='processes (default %(default)s)')
    parser.add_argument('--head-model', help='packed head model (default: $HEADPOSE_DATA/heads)')
    parser.add_argument('--backgrounds', help='folder of pictures without faces to put behind')


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    jobs = {'crops': _crops, 'scenes': _scenes, 'clip': _clip, 'head-model': _head_model}
    if args.kind != 'head-model':
        _need('numba')
    return jobs[args.kind](args)


def _need(package: str) -> None:
    """Raise ValueError where a package that only training needs is not installed."""
    if importlib.util.find_spec(package) is None:
        raise ValueError(f'rendering needs {package}: pip install {package}')


def _crops(args: argparse.Namespace) -> int:
    from headpose_training.synthesis import CropSet, synthesize_crops

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
    if args.posed:
        from headpose_training.posed_crops import export_posed

        print(f'{args.posed}: {export_posed(args.out, args.posed)} pictures and poses.csv')
    return 0


def _scenes(args: argparse.Namespace) -> int:
    from headpose_training.scenes import SceneSet, synthesize_scenes

    what = SceneSet(
        args.count,
        args.people,
        args.camera,
        args.seed,
        args.held_out,
        args.head_model,
        args.backgrounds,
    )
    written = synthesize_scenes(args.out, what, args.workers)
    print(f'{args.out}: {what.count} pictures and poses.csv, {written} of them new')
    return 0


def _clip(args: argparse.Namespace) -> int:
    from headpose_training.rendering.clip import write_clip

    print(write_clip(args.out, args.head_model))
    return 0


def _head_model(args: argparse.Namespace) -> int:
    from headpose_training.head_model import convert

    print(convert(args.checkout, args.out))
    return 0
