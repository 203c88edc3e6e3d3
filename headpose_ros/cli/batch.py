# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose batch`: archives of bags, videos and pictures in, tables of poses out."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headpose_ros.cli.lens import DEFAULT_HFOV_DEG, Lenses, add_lens_options
from headpose_ros.cli.options import add_pipeline_options, pipeline_config

if TYPE_CHECKING:
    from headpose_ros.recordings.conductor import Conductor, Result
    from headpose_ros.recordings.finding import Recording
    from headpose_ros.recordings.settings import Settings
    from headpose_ros.recordings.workers import Engine

SUMMARY = 'write the poses of all recordings of an archive: bags, videos, folders of pictures'

STATUS_SOME_FAILED = 1


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        f'{SUMMARY}. Begun again, it goes on where it ended; what changed is done anew. The '
        'options of bags, and how to read the results: docs/archives.md.'
    )
    parser.fromfile_prefix_chars = '@'
    add = parser.add_argument
    add(
        'inputs', nargs='+', metavar='PATH',
        help='recording, folder of recordings, or pattern; @FILE reads arguments from a file, one '
        'a line',
    )  # fmt: skip
    add('--out', type=Path, required=True, metavar='DIR', help='folder of the results')
    add(
        '--root', type=Path, metavar='DIR',
        help='call recordings by their path within this folder [the PATH that they are in]',
    )  # fmt: skip
    add(
        '--topics', nargs='+', default=['*'], metavar='GLOB',
        help='image topics of bags, such as "/camera/*"; quote it [all]',
    )  # fmt: skip
    add(
        '--depth', default='', metavar='GLOB',
        help='take distances from the depth topics that fit, where they are aligned [none]',
    )  # fmt: skip
    add(
        '--pictures', choices=('sequence', 'single'), default='sequence',
        help='what the pictures of a folder are: a sequence at 10 Hz, or each by itself, of any '
        'size [%(default)s]',
    )  # fmt: skip
    add_lens_options(parser, f'CameraInfo of the bag, else {DEFAULT_HFOV_DEG:.0f}')
    _add_outputs(parser)
    _add_work(parser)
    add_pipeline_options(parser)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group('results beside the Parquet tables').add_argument
    add('--csv', action='store_true', help='the tables of heads as CSV, too')
    add(
        '--bags', nargs='?', choices=('beside', 'merged'), const='beside', default='',
        help='the heads as MCAP bags: only them [beside], or merged with the original messages',
    )  # fmt: skip
    add(
        '--events', action='store_true',
        help='who came, looked at the camera, came nearer, nodded: a table of events',
    )  # fmt: skip
    add('--preview', action='store_true', help='a sheet of pictures with the heads drawn')


def _add_work(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('work')
    where = group.add_mutually_exclusive_group()
    where.add_argument('--jobs', type=int, metavar='N', help='processes [the usable cores]')
    where.add_argument(
        '--ray', nargs='?', const='', metavar='ADDRESS',
        help='use a Ray cluster: the one at ADDRESS or of RAY_ADDRESS, or else one made here',
    )  # fmt: skip
    add = group.add_argument
    add(
        '--shard', metavar='I/N',
        help='do only every N-th recording, from the I-th on (1 to N): one call for each machine',
    )  # fmt: skip
    add(
        '--split', type=float, default=600.0, metavar='SECONDS',
        help='process long recordings in parts of about this length; 0: never [%(default)g]',
    )  # fmt: skip
    add(
        '--timeout', type=float, default=600.0, metavar='SECONDS',
        help='give up a recording that gives no image for this long [%(default)g]',
    )  # fmt: skip
    add('--dry-run', action='store_true', help='say what would be done, and do nothing')


def run(args: argparse.Namespace) -> int:
    """Process all recordings; return 1 where some failed while the others went on."""
    from headpose_ros.recordings.extras import require
    from headpose_ros.recordings.finding import find_recordings

    require('batch', 'pyarrow')
    settings = _settings(args)
    shard = _shard(args.shard)
    recordings = find_recordings(args.inputs, args.root, without=args.out)
    if not recordings:
        raise ValueError(f'{", ".join(args.inputs)}: no bag, video or picture in there')
    chosen = recordings[shard[0] - 1 :: shard[1]]
    if args.dry_run:
        from headpose_ros.cli.batch_text import print_plan

        return STATUS_SOME_FAILED if print_plan(chosen, settings) else 0
    return _process(args, chosen, settings)


def _process(args: argparse.Namespace, recordings: list[Recording], settings: Settings) -> int:
    from headpose_ros.cli.batch_text import Bar, print_results
    from headpose_ros.recordings.conductor import Conductor
    from headpose_ros.recordings.store import Store

    Store(settings.out).prepare()
    engine = _engine(args, settings)
    with Bar(len(recordings)) as bar:
        conductor = Conductor(settings, engine, bar)
        try:
            conductor.run(recordings)
        finally:
            engine.close()
            bar.close()
            print_results(_sorted(conductor), len(recordings))
    failed = any(result.state == 'failed' for result in conductor.results)
    return STATUS_SOME_FAILED if failed else 0


def _sorted(conductor: Conductor) -> list[Result]:
    return sorted(conductor.results, key=lambda result: result.recording.name)


def _engine(args: argparse.Namespace, settings: Settings) -> Engine:
    if args.ray is not None:
        from headpose_ros.recordings.ray_engine import RayEngine

        return RayEngine(settings, args.ray, args.timeout)
    from headpose_ros.recordings.workers import LocalEngine

    return LocalEngine(settings, _jobs(args), args.timeout)


def _jobs(args: argparse.Namespace) -> int:
    if args.jobs is None:
        usable = getattr(os, 'sched_getaffinity', None)
        return len(usable(0)) if usable else os.cpu_count() or 1
    if args.jobs < 1:
        raise ValueError(f'--jobs: expected at least 1, got {args.jobs}')
    return int(args.jobs)


def _settings(args: argparse.Namespace) -> Settings:
    from dataclasses import replace

    from headpose_ros.recordings.settings import Settings

    if args.split < 0 or 0 < args.split < 60:
        raise ValueError(f'--split: expected 0, or at least 60 seconds, got {args.split:g}')
    if args.events and args.pictures == 'single':
        raise ValueError('--events: need images in order of time, and --pictures single has none')
    if not args.timeout > 0:
        raise ValueError(f'--timeout: expected a positive number of seconds, got {args.timeout:g}')
    config, lenses = pipeline_config(args), Lenses(args)
    # Recordings are processed side by side: a thread for each is the best use of the cores.
    config = replace(
        config,
        threads=config.threads or 1,
        weights=_absolute(config.weights),
        detector_weights=_absolute(config.detector_weights),
    )
    return Settings(
        out=args.out.absolute(),
        config=config,
        lenses=lenses,
        lens_is_given=lenses.is_given,
        lens=_lens(args),
        topics=tuple(args.topics),
        depth=args.depth,
        pictures=args.pictures,
        split_s=args.split,
        csv=args.csv,
        bags=args.bags,
        preview=args.preview,
        events=args.events,
    )


def _absolute(weights: str) -> str:
    """Return weights as every process finds them, wherever it runs."""
    return str(Path(weights).absolute()) if Path(weights).is_file() else weights


def _lens(args: argparse.Namespace) -> dict[str, Any]:
    """Return what the options say of the lens; a calibration by its content."""
    calibration = args.camera_info.read_text() if args.camera_info else None
    return {'hfov': args.hfov, 'lens': args.lens, 'camera_info': calibration}


def _shard(text: str | None) -> tuple[int, int]:
    if text is None:
        return 1, 1
    number, _, count = text.partition('/')
    if not (number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise ValueError(f'--shard: expected I/N with I from 1 to N, such as 3/10, got {text!r}')
    return int(number), int(count)
