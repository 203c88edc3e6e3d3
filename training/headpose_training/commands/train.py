# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose train`: label real faces, train the pose network, write and check its weights."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headpose_training.labelling import Annotated

SUMMARY = 'Train the networks: label real faces, train, export weights, check them.'

_DATA = Path('out')


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the kinds of work and their options."""
    kinds = parser.add_subparsers(dest='kind', required=True, metavar='KIND')
    _configure_label(
        kinds.add_parser(
            'label', help='real faces, labelled by the mean of many looks of a teacher network'
        )
    )
    _configure_pose(kinds.add_parser('pose', help='train the pose network by a recipe'))
    _configure_export(kinds.add_parser('export', help='write the weights file of a training'))
    _configure_check(
        kinds.add_parser(
            'check', help='accuracy, robustness and equivariance of weights on labelled crops'
        )
    )
    from headpose_training.commands import fit_linear as linear
    from headpose_training.commands import train_landmarks as landmarks
    from headpose_training.commands import train_proposals as proposals

    for kind, module in (('landmarks', landmarks), ('linear', linear), ('proposals', proposals)):
        parser_of_kind = kinds.add_parser(kind, help=module.SUMMARY)
        module.configure(parser_of_kind)
        parser_of_kind.set_defaults(work=module.run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    return int(args.work(args))


def _configure_label(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(work=_label)
    add = parser.add_argument
    add(
        'roots',
        type=Path,
        nargs='+',
        help='a folder with landmarks68.csv, or folders of videos and frames',
    )
    add('--out', type=Path, required=True, help='file of crops to write (.npz)')
    add('--teacher', required=True, help='weights of the teacher: a shipped name or a file')
    add(
        '--split',
        default='training',
        help='with landmarks68.csv: the folder of images to take (default %(default)s)',
    )
    add('--every', type=int, default=2, help='take every n-th frame (default %(default)s)')
    add('--detector', default='mtcnn', help='finds faces in videos (default %(default)s)')
    add(
        '--pieces',
        action='store_true',
        help='keep pieces without a face too: for pictures whose faces are all known',
    )
    add('--head-model', type=Path, help='packed head model (default: $HEADPOSE_DATA/heads)')
    add('--threads', type=int, default=0, help='CPU threads; 0 lets the runtime choose')


def _label(args: argparse.Namespace) -> int:
    from itertools import chain

    import cv2

    from headpose_ros.config import PipelineConfig
    from headpose_ros.detection import create_detector
    from headpose_ros.estimation import create_estimator
    from headpose_ros.inference.runtime import create_runtime
    from headpose_training import labelling
    from headpose_training.face_fit import MeanFace
    from headpose_training.landmark_table import TABLE
    from headpose_training.teacher import Teacher

    if args.every < 1:
        raise ValueError(f'--every: expected at least 1, got {args.every}')
    cv2.setNumThreads(1)
    runtime = create_runtime('auto', args.threads)
    config = PipelineConfig(weights=args.teacher, detector=args.detector)
    estimator = create_estimator(config, runtime)
    tables = [root / TABLE for root in args.roots if (root / TABLE).is_file()]
    if tables and len(args.roots) > 1:
        raise ValueError(
            f'{tables[0]}: expected a folder with landmarks alone, got {len(args.roots)} folders'
        )
    if tables:
        pictures = labelling.annotated_photographs(args.roots[0], args.split)
    else:
        detector = create_detector(config, runtime)
        frames = chain.from_iterable(labelling.video_frames(r, args.every) for r in args.roots)
        pictures = labelling.detected_faces(frames, detector, estimator.crop_scale)
    crops, dropped = labelling.label(
        _counted(pictures),
        Teacher(estimator),
        MeanFace.load(args.head_model),
        estimator.crop_scale,
        pieces=args.pieces,
    )
    crops.save(args.out)
    print(
        f'{args.out}: {crops.is_face.sum()} faces ({dropped} dropped), '
        f'{(~crops.is_face).sum()} pieces without a face'
    )
    return 0


def _counted(pictures: Iterator[Annotated]) -> Iterator[Annotated]:
    from tqdm import tqdm

    return iter(tqdm(pictures, unit='picture'))


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--recipe', required=True, help='best, clean, or a YAML file')
    parser.add_argument(
        '--data',
        type=Path,
        default=_DATA,
        help="folder that the recipe's file patterns start from (default %(default)s)",
    )


def _configure_pose(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(work=_pose)
    _add_recipe(parser)
    add = parser.add_argument
    add('--out', type=Path, required=True, help='checkpoint, log and plot go there')
    add('--resume', action='store_true', help='go on from the checkpoint in --out')
    add(
        '--start',
        default='',
        metavar='WEIGHTS',
        help='begin with these weights (a name or a file) instead of random ones',
    )
    add('--steps', type=int, help="instead of the recipe's")
    add('--workers', type=int, default=1, help='processes that make batches (default %(default)s)')
    add('--threads', type=int, default=0, help='CPU threads; 0 lets PyTorch choose')
    add('--compile', action='store_true', help='torch.compile the training step')


def _pose(args: argparse.Namespace) -> int:
    from dataclasses import replace

    import torch

    from headpose_training.recipe import Recipe
    from headpose_training.trainer import RunOptions, train
    from headpose_training.training_log import plot_log

    if args.threads:
        torch.set_num_threads(args.threads)
    recipe = Recipe.load(args.recipe)
    if args.steps is not None:
        recipe = replace(recipe, steps=args.steps)
    options = RunOptions(args.out, args.data, args.resume, args.start, args.workers, args.compile)
    checkpoint = train(recipe, options)
    if os.environ.get('RANK', '0') == '0':  # of torchrun's processes the first one
        print(f'{checkpoint}\n{plot_log(args.out)}')
    return 0


def _configure_export(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(work=_export)
    _add_recipe(parser)
    parser.add_argument('--training', type=Path, required=True, help='folder of the training')
    parser.add_argument('--out', type=Path, required=True, help='model file (.onnx)')


def _export(args: argparse.Namespace) -> int:
    from headpose_training.export import export
    from headpose_training.recipe import Recipe

    written = export(Recipe.load(args.recipe), args.training, args.data, args.out)
    print(f'{written.path}: {written.parameters} parameters, sha256 {written.sha256}')
    return 0


def _configure_check(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(work=_check)
    parser.add_argument('weights', help='a shipped name or a file')
    parser.add_argument('crops', type=Path, nargs='+', help='files of crops (.npz)')
    parser.add_argument('--json', type=Path, help='write the figures there, too')
    parser.add_argument(
        '--mirror',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='look at crops mirrored as well, as the pipeline does (default)',
    )


def _check(args: argparse.Namespace) -> int:
    from headpose_training.report import check_weights, print_report

    report = check_weights(args.weights, args.crops, args.mirror)
    print_report(report)
    if args.json:
        import json

        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(report, indent=1) + '\n')
    return 0
