# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose train linear`: fits the linear model of estimator `landmarks`."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = 'fit the linear model of estimator "landmarks" to crops of known pose'


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add(
        '--weights',
        required=True,
        metavar='FILE',
        help='landmark network: a shipped name or an .onnx file',
    )
    add('--data', type=Path, default=Path('out'), metavar='DIR')
    add(
        '--files',
        nargs='+',
        required=True,
        metavar='PATTERN',
        help='crops below DIR to fit on: shards of headpose synthesize, or labelled real ones',
    )
    add('--test-files', nargs='+', default=(), metavar='PATTERN', help='crops to state errors on')
    add(
        '--output',
        type=Path,
        metavar='OUT.onnx',
        help='the same weights with the linear model and the measured errors in them',
    )


def run(args: argparse.Namespace) -> int:
    """Fit, print the coefficients and the errors, write the weights."""
    import numpy as np

    from headpose_ros.estimation.landmarks import load_model
    from headpose_ros.inference.runtime import create_runtime
    from headpose_training import linear_fit
    from headpose_training.data_files import load_crops

    model = load_model(args.weights, create_runtime('cpu'))

    def seen(patterns: list[str]) -> linear_fit.SeenCrops:
        parts = [linear_fit.see(model, load_crops(args.data, p)) for p in patterns]
        return linear_fit.SeenCrops(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ('points', 'angles', 'rotations')
            )
        )

    fitted_on = seen(args.files)
    model.linear = linear_fit.fit(fitted_on)
    print(model.linear)
    tested = seen(args.test_files) if args.test_files else fitted_on
    sigma = {}
    for pose in ('linear', 'linear_authors', 'pnp'):
        geodesic, vectors = linear_fit.errors(model, pose, tested)
        sigma[pose] = linear_fit.sigma_deg(vectors)
        mean, median = np.rad2deg([np.mean(geodesic), np.median(geodesic)])
        print(
            f'{pose}: geodesic error {mean:.2f} deg in the mean, {median:.2f} in the median '
            f'of {len(geodesic)} faces'
        )
    if args.output:
        _write(args, model.linear.metadata() | _sigma_metadata(sigma))
    return 0


def _sigma_metadata(sigma: dict) -> dict[str, str]:  # type: ignore[type-arg]
    import json

    from headpose_ros.estimation.landmarks import SIGMA_KEY

    return {SIGMA_KEY: json.dumps({p: [round(float(v), 3) for v in s] for p, s in sigma.items()})}


def _write(args: argparse.Namespace, found: dict[str, str]) -> None:
    from headpose_ros.inference.onnx_file import with_metadata
    from headpose_ros.inference.weights import load_any, save

    loaded = load_any(args.weights, 'landmarks')
    print(save(args.output, with_metadata(loaded.data, loaded.metadata | found)).path)
