# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose train proposals`: the proposal network of detector `one_pass`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headpose_training.batches import Source

SUMMARY = 'train the proposal network of detector "one_pass"'


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add('--out', type=Path, required=True, metavar='DIR', help='checkpoints and the weights')
    add(
        '--source',
        nargs=2,
        action='append',
        required=True,
        metavar=('PATTERN', 'SHARE'),
        help='files of labelled crops below --data, and how much of every image shows them; may '
        'be given again',
    )
    add('--test', metavar='PATTERN', help='crops not trained on, to state the rate of finding on')
    add('--data', type=Path, default=Path('out'), help='folder of the crops (default %(default)s)')
    add('--steps', type=int, default=4000)
    add('--batch-size', type=int, default=16, help='images of a batch (default %(default)s)')
    add('--learning-rate', type=float, default=0.014, help='of the convolutions, by Muon')
    add('--seed', type=int, default=0)
    add('--threads', type=int, default=0, help='CPU threads; 0 lets PyTorch choose')
    add('--resume', action='store_true', help='go on from the checkpoint in --out')
    add('--licence', required=True, help='noted in the weights: what the sources allow')


def run(args: argparse.Namespace) -> int:
    """Train, write DIR/proposals.onnx, print how many faces are found."""
    import cv2
    import torch

    from headpose_training import proposal_training as training
    from headpose_training.network_training import NetworkRun

    for name in ('steps', 'batch_size'):
        if getattr(args, name) < 1:
            raise ValueError(
                f'--{name.replace("_", "-")}: expected 1 or more, got {getattr(args, name)}'
            )
    if args.threads:
        torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    options = NetworkRun(args.out, args.steps, args.batch_size, args.seed, args.resume)
    test = _sources(args.data, [(args.test, '1')]) if args.test else []
    network = training.train(_sources(args.data, args.source), options, args.learning_rate)
    if test:
        print(training.quality(network, test).text())
    used = ', '.join(f'{pattern} {share}' for pattern, share in args.source)
    origin = f'headpose train proposals, {args.steps} steps of {args.batch_size} mosaics ({used})'
    print(training.write_weights(network, args.out, args.licence, origin).path)
    return 0


def _sources(data: Path, named: list[tuple[str, str]]) -> list[Source]:
    from headpose_training.batches import Source
    from headpose_training.data_files import load_crops

    sources = []
    for pattern, text in named:
        try:
            share = float(text)
        except ValueError:
            share = -1.0
        if not share > 0:
            raise ValueError(f'--source {pattern}: expected a share above 0, got {text!r}')
        sources.append(Source(load_crops(data, pattern), share))
    return sources
