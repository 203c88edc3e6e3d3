# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detectors and estimators side by side: what they find, how they agree, what they cost.

    python benchmark/bench_backends.py --json out/benchmark/backends.json

Frames come from the real clips and pictures of ../shared/data (or $HEADPOSE_DATA), their cameras
taken for pinholes of 60 degrees. *Found*: frames with a face of score 0.7, and faces a frame.
*Agreement*: mean geodesic distance from what the network of Lightweight Head Pose Estimation says
of the same faces, after one constant rotation. *Error*: geodesic, on crops of known pose
(`--crops`), as it is. Times are medians on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.detection import FaceSearch, create_detector
from headpose_ros.estimation import Estimator, create_estimator
from headpose_ros.estimation.importing import import_file
from headpose_ros.estimation.runtime import Runtime, create_runtime
from headpose_ros.evaluation.metrics import aligned_geodesic
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.rotations import geodesic_distance
from headpose_ros.geometry.sampling import sample_crops
from headpose_ros.geometry.virtual_camera import crop_angles
from headpose_ros.heads import Array, Faces

HFOV = np.deg2rad(60.0)
REFERENCE = 'cnn, authors'


@dataclass(frozen=True)
class Frame:
    """A picture and the camera it is taken to be from."""

    image: np.ndarray
    camera: CameraModel


def main() -> None:
    """Measure, print the tables, write the JSON."""
    args = _arguments()
    cv2.setNumThreads(1)
    runtime = create_runtime('cpu', 1)
    frames = list(_frames(args.data, args.clip_step, args.picture_step))
    if not frames:
        raise SystemExit(f'{args.data}: no clips or pictures; set HEADPOSE_DATA')
    with tempfile.TemporaryDirectory() as folder:
        estimators = dict(_estimators(args.data, runtime, Path(folder)))
        detectors = dict(_detectors(args.data, runtime, args))
    rows = []
    for name, search in detectors.items():
        row, seen = _detector_row(name, search, frames)
        rows.append(row)
        row['estimators'] = _estimator_cells(estimators, frames, seen)
        print(_detector_text(row), flush=True)
    result = {
        'frames': len(frames),
        'hfov_deg': 60.0,
        'machine': _machine(),
        'detectors': rows,
        'errors': _errors(estimators, args.out, args.crops) if args.crops else {},
    }
    print(_table(rows, result['errors']))
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(result, indent=2) + '\n')


def _arguments() -> argparse.Namespace:
    root = Path(__file__).resolve().parents[1]
    data = os.environ.get('HEADPOSE_DATA', root.parent / 'shared' / 'data')
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--data', type=Path, default=Path(data))
    parser.add_argument('--out', type=Path, default=root / 'out')
    parser.add_argument('--json', type=Path, default=root / 'out/benchmark/backends.json')
    parser.add_argument(
        '--crops',
        nargs='*',
        default=[],
        metavar='PATTERN',
        help='labelled crops below --out, to state errors on',
    )
    parser.add_argument('--clip-step', type=int, default=60, help='every N-th frame of the clips')
    parser.add_argument('--picture-step', type=int, default=6, help='every N-th picture')
    parser.add_argument('--yunet', metavar='FILE', help='model for cv2.FaceDetectorYN')
    parser.add_argument('--cascade', metavar='FILE', help='cascade for cv2.CascadeClassifier')
    return parser.parse_args()


def _frames(data: Path, clip_step: int, picture_step: int) -> Iterator[Frame]:
    def frame(image: np.ndarray) -> Frame:
        return Frame(image, CameraModel.from_fov(image.shape[1], image.shape[0], HFOV))

    for clip in sorted((data / 'videos' / 'signers').glob('*.mkv')):
        capture = cv2.VideoCapture(str(clip))
        for number in range(1 << 30):
            if not capture.grab():
                break
            if number % clip_step == 0:
                yield frame(capture.retrieve()[1])
    folders = [p for p in sorted((data / 'videos').glob('*')) if p.name != 'signers']
    for folder in folders:
        for path in sorted(folder.glob('*.jpg'))[::picture_step]:
            yield frame(cv2.imread(str(path)))


def _detectors(
    data: Path, runtime: Runtime, args: argparse.Namespace
) -> Iterator[tuple[str, FaceSearch]]:
    caffe = data / 'models' / 'Widerface-RetinaFace.caffemodel'
    wanted = [
        ('mtcnn', 'mtcnn', ''),
        ('retinaface', 'retinaface', ''),
        ('retinaface, Caffe', 'retinaface', str(caffe) if caffe.is_file() else None),
        ('yunet', 'yunet', args.yunet),
        ('cascade', 'cascade', args.cascade),
    ]
    for name, kind, weights in wanted:
        if weights is not None:
            config = PipelineConfig(detector=kind, detector_weights=weights)
            yield name, FaceSearch(create_detector(config, runtime), config)


def _estimators(data: Path, runtime: Runtime, folder: Path) -> Iterator[tuple[str, Estimator]]:
    """Yield the authors' network first; others where their weights are there."""
    models = data / 'models'
    authors = folder / 'authors.safetensors'
    import_file(models / 'lightweight_hpe_model-b66.pkl', authors)
    wanted = [(REFERENCE, 'cnn', str(authors), 'linear'), ('cnn, ours', 'cnn', '', 'linear')]
    for name, weights in (
        ('landmarks, ours', ''),
        ('landmarks, PFLD_GhostOne', models / 'PFLD_GhostOne_112_98pt.onnx'),
    ):
        for pose in ('linear', 'linear_authors', 'pnp'):
            wanted.append((f'{name}, {pose}', 'landmarks', str(weights), pose))
    for name, kind, weights, pose in wanted:
        config = PipelineConfig(estimator=kind, weights=weights, landmark_pose=pose)
        try:
            yield name, create_estimator(config, runtime)
        except ValueError as error:
            print(f'{name}: left out, {error}')


def _detector_row(name: str, search: FaceSearch, frames: list[Frame]) -> tuple[dict, list[Faces]]:
    search.find(frames[0].image, frames[0].camera)  # first use of a shape costs more
    times, seen = [], []
    for frame in frames:
        ms, faces = _timed(lambda frame=frame: search.find(frame.image, frame.camera))
        times.append(ms)
        seen.append(faces)
    counts = np.array([len(faces) for faces in seen])
    row = {
        'detector': name,
        'frames_with_a_face': round(float(np.mean(counts > 0)), 4),
        'faces': int(counts.sum()),
        'faces_per_frame': round(float(counts.mean()), 3),
        'ms_per_frame': round(float(np.median(times)), 2),
    }
    return row, seen


def _estimator_cells(
    estimators: dict[str, Estimator], frames: list[Frame], seen: list[Faces]
) -> dict[str, dict[str, float]]:
    found: dict[str, Array] = {}
    cells = {}
    for name, estimator in estimators.items():
        rotations, times = [], []
        for frame, faces in zip(frames, seen, strict=True):
            if not len(faces):
                continue
            angles = crop_angles(faces.angular_sizes, estimator.crop_scale)
            crops = sample_crops(frame.image, frame.camera, faces.rays, angles, estimator.crop_px)
            ms, estimates = _timed(
                lambda e=estimator, c=crops: e.estimate(c.images, c.cameras.angles)
            )
            times.append(ms / len(faces))
            rotations.append(
                crops.cameras.rotations_to_camera(estimates.rotations_virtual_from_face)
            )
        if not rotations:
            continue
        found[name] = np.concatenate(rotations)
        apart = np.rad2deg(aligned_geodesic(found[name], found[REFERENCE]))
        cells[name] = {
            'agreement_deg': round(float(apart.mean()), 2),
            'agreement_median_deg': round(float(np.median(apart)), 2),
            'ms_per_face': round(float(np.median(times)), 2),
        }
    return cells


def _errors(
    estimators: dict[str, Estimator], out: Path, patterns: list[str]
) -> dict[str, dict[str, dict[str, float]]]:
    """Return the geodesic errors on labelled crops, each face centred and at the right scale."""
    from headpose_ros.training.data_files import load_crops
    from headpose_ros.training.warping import Views, plan_warp, warp_image

    result: dict[str, dict[str, dict[str, float]]] = {}
    for pattern in patterns:
        crops = load_crops(out, pattern)
        index = np.flatnonzero(crops.is_face)
        result[pattern] = {}
        for name, estimator in estimators.items():
            warp = plan_warp(
                crops, index, Views.plain(len(index)), estimator.crop_px, estimator.crop_scale
            )
            errors = []
            for i, homography, truth in zip(index, warp.homographies, warp.rotations, strict=True):
                image = warp_image(crops.images[i], homography, estimator.crop_px)
                estimates = estimator.estimate(image[None], np.array([0.3]))
                errors.append(
                    float(geodesic_distance(estimates.rotations_virtual_from_face[0], truth))
                )
            mean, median = np.rad2deg([np.mean(errors), np.median(errors)])
            result[pattern][name] = {
                'faces': len(errors),
                'mean_deg': round(float(mean), 2),
                'median_deg': round(float(median), 2),
            }
    return result


def _timed(work: Callable):  # noqa: ANN202 - what `work` gives
    start = time.perf_counter()
    result = work()
    return 1e3 * (time.perf_counter() - start), result


def _machine() -> dict[str, str | int]:
    return {
        'cores': os.cpu_count() or 0,
        'cpu': platform.processor() or platform.machine(),
        'python': platform.python_version(),
        'opencv': cv2.__version__,
        'numpy': np.__version__,
    }


def _detector_text(row: dict) -> str:
    return (
        f'{row["detector"]}: a face in {100 * row["frames_with_a_face"]:.1f} % of the frames, '
        f'{row["faces_per_frame"]:.2f} faces a frame, {row["ms_per_frame"]:.1f} ms'
    )


def _table(rows: list[dict], errors: dict) -> str:
    """Return the Markdown table of estimators over detectors."""
    names = list(dict.fromkeys(name for row in rows for name in row['estimators']))
    head = ['estimator', *(f'agreement, {row["detector"]}' for row in rows), 'ms a face']
    head += [f'error, {pattern}' for pattern in errors]
    lines = ['| ' + ' | '.join(head) + ' |', '|' + '---|' * len(head)]
    for name in names:
        cells = [row['estimators'].get(name, {}) for row in rows]
        values = [f'{c.get("agreement_deg", float("nan")):.1f}' for c in cells]
        ms = [c['ms_per_face'] for c in cells if c]
        values.append(f'{np.median(ms):.2f}')
        values += [f'{errors[p][name]["mean_deg"]:.1f}' for p in errors]
        lines.append(f'| {name} | ' + ' | '.join(values) + ' |')
    return '\n'.join(lines)


if __name__ == '__main__':
    main()
