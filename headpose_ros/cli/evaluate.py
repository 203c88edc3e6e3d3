# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose evaluate`: the accuracy of an estimator on a benchmark, as JSON and a plot."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headpose_ros.cli.options import add_pipeline_options, pipeline_config
from headpose_ros.evaluation.datasets import LAYOUTS, load_pictures

if TYPE_CHECKING:
    from headpose_ros.config import PipelineConfig
    from headpose_ros.estimation.estimator import Estimator
    from headpose_ros.evaluation.face_crops import FaceFinder
    from headpose_ros.evaluation.run import Options, Results
    from headpose_ros.evaluation.samples import Picture

SUMMARY = 'measure the accuracy on a benchmark'

_STDOUT = Path('-')
_SYSTEM = (
    'detector',
    'detector_weights',
    'min_face_px',
    'estimator',
    'weights',
    'landmark_pose',
    'rectify',
    'mirror',
    'device',
    'threads',
)
"""Options of the pipeline that an evaluation takes; its boxes are what `_add_crops` says."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument('dataset', choices=LAYOUTS, help='layout of the data set')
    parser.add_argument('root', type=Path, metavar='ROOT', help='its folder')
    parser.add_argument('--limit', type=int, metavar='N', help='only the first N pictures')
    _add_output(parser.add_argument_group('result').add_argument)
    add_pipeline_options(parser, _SYSTEM, 'what is measured')
    _add_crops(parser.add_argument_group('crops of the faces').add_argument)


def _add_output(add: Callable[..., Any]) -> None:
    add(
        '--json',
        type=Path,
        nargs='?',
        const=_STDOUT,
        metavar='FILE',
        help='where the result goes; without FILE, or with -, it is printed',
    )
    add(
        '--plot',
        type=Path,
        metavar='FILE',
        help='where the plot goes (default: beside the JSON, where matplotlib is installed)',
    )


def _add_crops(add: Callable[..., Any]) -> None:
    add(
        '--boxes',
        choices=('detector', 'truth'),
        default='truth',
        help='crops from a face detector, or from the truth as the papers do (default)',
    )
    add(
        '--hfov',
        type=float,
        metavar='DEG',
        help='horizontal field of view, for sets without intrinsics (default: none, no '
        'rectification)',
    )
    add('--box-scale', type=float, default=1.0, help='make every crop larger by this factor')
    add(
        '--box-shift',
        type=float,
        nargs=2,
        default=(0.0, 0.0),
        metavar=('X', 'Y'),
        help='move every crop right and down by this share of its side',
    )
    add(
        '--passes',
        type=int,
        default=2,
        metavar='N',
        help='estimates of each face, 1 to 10, where the estimator can refine: each crops around '
        'the face centre that the one before found, as the pipeline does [%(default)s]',
    )


def run(args: argparse.Namespace) -> int:
    """Evaluate, write the JSON and the plot, print the main figures."""
    from headpose_ros.evaluation.run import report

    _prepare_outputs(args)
    pictures = _pictures(args)
    config = pipeline_config(args, _SYSTEM)
    estimator, finder = _build(config, args.boxes)
    options = _options(args)
    results = _evaluate(pictures, estimator, finder, options, 'evaluating')
    content: dict[str, Any] = {
        'dataset': args.dataset,
        **report(results),
        'weights': _weights(config),
        'protocol': _protocol(args, config, pictures, estimator),
    }
    rectified = options.rectify and _known(args, pictures)
    curves = {_name(rectified): content['by_off_axis'] or content['by_yaw']}
    if content['by_off_axis']:
        other = replace(options, rectify=not options.rectify)
        compared = report(
            _evaluate(pictures, estimator, finder, other, f'{_name(other.rectify)}, to compare')
        )
        curves[_name(other.rectify)] = compared['by_off_axis']
        content[_name(other.rectify).replace(' ', '_')] = {
            key: compared[key] for key in ('geodesic_deg', 'geodesic_aligned_deg', 'by_off_axis')
        }
    _write(args, content, curves)
    print(_line(content), file=sys.stderr if args.json == _STDOUT else sys.stdout)
    return 0


def _pictures(args: argparse.Namespace) -> Sequence[Picture]:
    if args.limit is not None and args.limit < 1:
        raise ValueError(f'--limit: expected 1 or more, got {args.limit}')
    return load_pictures(args.dataset, args.root)[: args.limit]


def _options(args: argparse.Namespace) -> Options:
    from headpose_ros.evaluation.run import Options

    if args.hfov is not None and not 0 < args.hfov < 180:
        raise ValueError(f'--hfov: expected degrees between 0 and 180, got {args.hfov}')
    if not 0.1 <= args.box_scale <= 10:
        raise ValueError(f'--box-scale: expected 0.1 to 10, got {args.box_scale}')
    if not 1 <= args.passes <= 10:
        raise ValueError(f'--passes: expected 1 to 10, got {args.passes}')
    hfov = None if args.hfov is None else math.radians(args.hfov)
    return Options(args.rectify, hfov, args.box_scale, tuple(args.box_shift), args.passes)


def _build(config: PipelineConfig, boxes: str) -> tuple[Estimator, FaceFinder]:
    from headpose_ros.estimation import create_estimator
    from headpose_ros.evaluation.face_crops import DetectedBoxes, TrueBoxes
    from headpose_ros.inference.runtime import create_runtime

    runtime = create_runtime(config.device, config.threads)
    estimator = create_estimator(config, runtime)
    if boxes == 'truth':
        return estimator, TrueBoxes()
    from headpose_ros.detection import create_detector

    detector = create_detector(config, runtime, single=True)
    return estimator, DetectedBoxes(detector, config)


def _evaluate(
    pictures: Sequence[Picture],
    estimator: Estimator,
    finder: FaceFinder,
    options: Options,
    what: str,
) -> Results:
    from headpose_ros.evaluation.run import evaluate

    return evaluate(_progress(pictures, what), estimator, finder, options)


def _progress(pictures: Sequence[Picture], what: str) -> Iterable[Picture]:
    from tqdm import tqdm

    shown: Iterable[Picture] = tqdm(
        pictures, what, unit='image', disable=not sys.stderr.isatty(), leave=False
    )
    return shown


def _name(rectified: bool) -> str:
    return 'rectified' if rectified else 'not rectified'


def _known(args: argparse.Namespace, pictures: Sequence[Picture]) -> bool:
    """Return whether there are intrinsics: without, nothing can be rectified."""
    return args.hfov is not None or pictures[0].lens is not None


def _weights(config: PipelineConfig) -> dict[str, str]:
    from headpose_ros.inference.weights import file_sha256, resolve

    path, sha256 = resolve(config.weights, config.estimator)
    return {'file': path.name, 'sha256': sha256 or file_sha256(path)}


def _protocol(
    args: argparse.Namespace,
    config: PipelineConfig,
    pictures: Sequence[Picture],
    estimator: Estimator,
) -> dict[str, Any]:
    known = _known(args, pictures)
    protocol: dict[str, Any] = {
        'boxes': args.boxes,
        'estimator': config.estimator,
        'rectified': config.rectify and known,
        'intrinsics': 'of the set' if pictures[0].lens else 'hfov' if known else 'none',
        'hfov_deg': args.hfov,
        'box_scale': args.box_scale,
        'passes': args.passes if estimator.refines else 1,
        'mirror': config.mirror,
        'box_shift': list(args.box_shift),
    }
    if args.boxes == 'detector':
        protocol |= {
            'detector': config.detector,
            'detector_weights': config.detector_weights,
            'min_face_px': config.min_face_px,
        }
    if config.estimator == 'landmarks':
        protocol['landmark_pose'] = config.landmark_pose
    return protocol


def _prepare_outputs(args: argparse.Namespace) -> None:
    """Make the folders, and refuse now what could not be written after hours."""
    from headpose_ros.evaluation.plots import can_plot, require_plot

    files = [] if args.json in (None, _STDOUT) else [args.json]
    if files and not args.plot:
        if can_plot():
            args.plot = args.json.with_suffix('.png')
        else:
            print('no plot: matplotlib is not installed', file=sys.stderr)
    if args.plot:
        require_plot(args.plot)
        files.append(args.plot)
    for path in files:
        if path.is_dir():
            raise ValueError(f'{path}: expected a file to write, found a folder')
        path.parent.mkdir(parents=True, exist_ok=True)


def _write(args: argparse.Namespace, content: dict[str, Any], curves: dict[str, Any]) -> None:
    from headpose_ros.evaluation.plots import write_plot

    text = json.dumps(content, indent=2)
    if args.json == _STDOUT:
        print(text)
    elif args.json:
        partial = args.json.with_name(args.json.name + '.part')
        partial.write_text(text + '\n', encoding='utf-8')
        os.replace(partial, args.json)
    if args.plot:
        angle = 'view angle off the optical axis' if content['by_off_axis'] else 'absolute yaw'
        write_plot(args.plot, curves, angle, f'{args.dataset}, {content["weights"]["file"]}')


def _line(content: dict[str, Any]) -> str:
    mae, aligned = content['mae_deg'], content['geodesic_aligned_deg']
    outside = content['outside_image']
    return (
        f'{content["dataset"]}: {content["detected"]} of {content["count"]} faces'
        + (f', {outside} more outside their pictures' if outside else '')
        + '; MAE '
        f'{mae["mean"]:.2f} deg (yaw {mae["yaw"]:.2f}, pitch {mae["pitch"]:.2f}, roll '
        f'{mae["roll"]:.2f}); geodesic {content["geodesic_deg"]["mean"]:.2f} deg, aligned '
        f'{aligned["mean"]:.2f} deg'
    )
