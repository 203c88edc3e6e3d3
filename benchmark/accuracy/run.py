# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The accuracy figures of README and model card, for every shipped head pose network.

    python -m benchmark.accuracy --write-docs

Renders held-out heads into out/accuracy (once; needs the head model, see docs/model_card.md),
measures, writes one JSON a network and the plots there, and, with `--write-docs`, the tables and
plots of the docs. Where the data are there, the authors' network is measured beside ours, and
real faces too. The first run takes some minutes on two cores, most of it rendering.
"""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmark.accuracy import docs as accuracy_docs
from benchmark.accuracy import plots as accuracy_plots
from benchmark.accuracy import real as accuracy_real
from benchmark.accuracy import rendered as accuracy_rendered
from benchmark.accuracy import rings as accuracy_rings
from headpose_ros.config import PipelineConfig
from headpose_ros.estimation import create_estimator
from headpose_ros.inference.importing import import_file
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.inference.weights import file_sha256, read, resolve, shipped
from headpose_training.head_model import HeadModel, HeadModelError
from headpose_training.synthesis import VERSION

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get('HEADPOSE_DATA', ROOT.parent / 'shared' / 'data'))
AUTHORS = 'authors'


@dataclass(frozen=True)
class Job:
    """One network to measure. `real_faces`: most of `real`; `failures`: draw its worst cases."""

    name: str
    weights: str
    rings: dict[str, Path]
    held_out: accuracy_rendered.HeldOut
    real: Path
    out: Path
    real_faces: int
    failures: bool


def main() -> None:
    """Render, measure, write; see the module's text."""
    args = _arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    default = resolve('', 'cnn')[0].stem
    weights = _networks(args.out)
    results = _read(args.out, weights) if args.again else _measure_all(args, weights, default)
    accuracy_plots.draw_all(results, default, args.out)
    tables = accuracy_docs.tables(results, default)
    for name, table in tables.items():
        print(f'\n[{name}]\n{table}')
    if args.write_docs:
        accuracy_docs.write(tables, args.out, ROOT)


def _measure_all(
    args: argparse.Namespace, weights: dict[str, str], default: str
) -> dict[str, dict[str, Any]]:
    """Render what is missing, then measure the networks side by side."""
    cv2.setNumThreads(1)
    try:
        HeadModel.load()
    except HeadModelError as error:
        raise SystemExit(f'the figures need rendered heads: {error}') from None
    renders = args.out / f'renders_v{VERSION}'  # of another renderer, none is taken
    rings = accuracy_rings.make_rings(
        renders / 'rings', accuracy_rings.RingSet(args.heads), args.workers
    )
    held_out = accuracy_rendered.held_out(renders / 'held_out', args.crops, args.workers)
    accuracy_real.test_faces(args.real, DATA, args.out / 'authors.onnx')
    jobs = [
        Job(name, file, rings, held_out, args.real, args.out, args.faces, name == default)
        for name, file in weights.items()
    ]
    with ProcessPoolExecutor(args.workers, get_context('spawn')) as pool:
        return dict(zip(weights, pool.map(_measure, jobs), strict=True))


def _read(out: Path, weights: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the results of an earlier run; SystemExit where they are of other weights."""
    results = {}
    for name, file in weights.items():
        path = out / f'{name}.json'
        if not path.exists():
            raise SystemExit(f'{path}: not there; run once without --again')
        results[name] = json.loads(path.read_text())
        if results[name]['weights']['sha256'] != _sha256(resolve(file, 'cnn')[0]):
            raise SystemExit(f'{path}: is of other weights; run without --again')
    return results


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or '').split('\n')[0])
    add = parser.add_argument
    add('--out', type=Path, default=ROOT / 'out' / 'accuracy', help='default: out/accuracy')
    add('--heads', type=int, default=80, help='in every ring (default %(default)s)')
    add('--crops', type=int, default=1000, help='of held-out identities (default %(default)s)')
    add('--faces', type=int, default=10_000, help='real ones, at most (default: all)')
    add(
        '--real',
        type=Path,
        default=ROOT / 'out' / 'real' / 'faces_youtube_test.npz',
        help='labelled test split, made where it is not there (default: %(default)s)',
    )
    add('--workers', type=int, default=2, help='processes (default %(default)s)')
    add('--again', action='store_true', help='measure nothing: take the JSON of an earlier run')
    add('--write-docs', action='store_true', help='fill the tables of README and model card')
    return parser.parse_args()


def _networks(out: Path) -> dict[str, str]:
    """Return name -> weights of the head pose networks that are shipped, and the authors'."""
    found = {
        file.name: file.name
        for file in shipped()
        if file.architecture == 'headpose-pose-network' and file.path.is_file()
    }
    source = DATA / 'models' / 'lightweight_hpe_model-b66.pkl'
    if source.is_file():
        import_file(source, out / 'authors.onnx')
        found[AUTHORS] = str(out / 'authors.onnx')
    return found


def _measure(job: Job) -> dict[str, Any]:
    cv2.setNumThreads(1)
    weights, _ = resolve(job.weights, 'cnn')
    estimator = create_estimator(PipelineConfig(weights=job.weights), create_runtime('cpu', 1))
    metadata = read(weights).metadata
    held_out, raw = accuracy_rendered.difficulties(job.held_out, estimator)
    result: dict[str, Any] = {
        'weights': {
            'name': job.name,
            'file': weights.name,
            'sha256': _sha256(weights),
            'origin': metadata.get('origin', ''),
        },
        'off_axis': accuracy_rendered.off_axis(job.rings, estimator),
        'held_out': held_out,
        'resolution': accuracy_rendered.resolutions(job.held_out, estimator),
        'boxes': accuracy_rendered.boxes(job.held_out, estimator, looks=1),
        'tilts': accuracy_rendered.tilts(job.held_out, estimator, looks=1),
    }
    if estimator.refines:
        result['boxes_second_look'] = accuracy_rendered.boxes(job.held_out, estimator, looks=2)
        result['tilts_second_look'] = accuracy_rendered.tilts(job.held_out, estimator, looks=2)
    if job.name != AUTHORS:  # whose network states no uncertainty
        result['calibration'] = accuracy_rendered.calibration(raw)
    if job.real.exists():
        faces = accuracy_real.test_faces(job.real, DATA, Path(job.weights))
        assert faces is not None
        some = np.arange(min(len(faces), job.real_faces))
        result['real'] = accuracy_real.figures(estimator, faces.subset(some))
    if job.name != AUTHORS:
        result['without_mirror'] = _without_mirror(job)
    if job.failures:
        accuracy_plots.draw_failures(job.held_out, raw, job.out / 'card_failures.png')
    path = job.out / f'{job.name}.json'
    partial = path.with_suffix('.partial')
    partial.write_text(json.dumps(result, indent=1) + '\n')
    partial.replace(path)
    return result


def _without_mirror(job: Job) -> dict[str, Any]:
    """Return the main figures of one look, to compare."""
    config = PipelineConfig(weights=job.weights, mirror=False)
    estimator = create_estimator(config, create_runtime('cpu', 1))
    figures, _ = accuracy_rendered.difficulties(job.held_out, estimator)
    found: dict[str, Any] = {'held_out': figures['groups']['range']}
    if job.real.exists():
        faces = accuracy_real.test_faces(job.real, DATA, Path(job.weights))
        assert faces is not None
        some = np.arange(min(len(faces), job.real_faces))
        found['real'] = accuracy_real.in_crops(estimator, faces.subset(some))
    return found


def _sha256(path: Path) -> str:
    """Return the checksum; an imported file's differs each time it is written: its source's."""
    return read(path).metadata.get('source_sha256') or file_sha256(path)
