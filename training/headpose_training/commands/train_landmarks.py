# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose train landmarks`: the network of estimator `landmarks`."""

from __future__ import annotations

import argparse
import glob
from pathlib import Path

SUMMARY = 'train the landmark network of estimator "landmarks"'


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add('--out', type=Path, required=True, metavar='DIR', help='checkpoints and the weights')
    add('--faces', type=Path, metavar='DIR', help='folder with landmarks68.csv (real pictures)')
    add('--part', default='images/training', help='only files that begin so are trained on')
    add('--test-part', default='images/test', help='files to state the error on')
    add(
        '--renders',
        metavar='PATTERN',
        help='shards of headpose synthesize, e.g. out/*/shard_*.npz',
    )
    add('--real-share', type=float, default=0.6, help='share of real pictures in a batch')
    add('--steps', type=int, default=3000)
    add('--batch-size', type=int, default=64)
    add('--learning-rate', type=float, default=2e-3)
    add('--seed', type=int, default=0)
    add('--threads', type=int, default=0, help='CPU threads; 0 lets PyTorch choose')
    add('--resume', action='store_true', help='go on from the checkpoint in --out')
    add('--licence', default='', help='noted in the weights (default: what the sources allow)')


def run(args: argparse.Namespace) -> int:
    """Train, write DIR/landmarks.onnx, print the error on real pictures not trained on."""
    import torch

    from headpose_training import landmark_training as training
    from headpose_training.landmark_training_data import read_annotated
    from headpose_training.network_training import NetworkRun

    _check(args)
    if args.threads:
        torch.set_num_threads(args.threads)
    options = NetworkRun(args.out, args.steps, args.batch_size, args.seed, args.resume)
    test = read_annotated(args.faces, args.test_part) if args.faces else []
    network = training.train(_sources(args), options, args.learning_rate)
    error = None
    if test:
        error = training.normalised_mean_error(network, test)
        print(
            f'{len(test)} real faces not trained on: mean error {100 * error:.2f} % of the '
            'distance between the outer eye corners'
        )
    print(training.write_weights(network, args.out, _licence(args), error).path)
    return 0


def _check(args: argparse.Namespace) -> None:
    if not args.faces and not args.renders:
        raise ValueError('train landmarks: give --faces, --renders, or both')
    if not 0 < args.real_share < 1:
        raise ValueError(f'--real-share: expected between 0 and 1, got {args.real_share}')
    for name in ('steps', 'batch_size'):
        if getattr(args, name) < 1:
            raise ValueError(
                f'--{name.replace("_", "-")}: expected 1 or more, got {getattr(args, name)}'
            )


def _sources(args: argparse.Namespace) -> list:  # type: ignore[type-arg]
    from headpose_training.landmark_training_data import read_annotated, read_shards

    sources = []
    if args.faces:
        sources.append((read_annotated(args.faces, args.part), args.real_share))
    if args.renders:
        shards = [Path(path) for path in sorted(glob.glob(args.renders))]
        sources.append((read_shards(shards), 1 - args.real_share))
    return sources


def _licence(args: argparse.Namespace) -> str:
    if args.licence:
        return str(args.licence)
    return 'research use only (its real training pictures)' if args.faces else 'Apache-2.0'
