# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detectors and estimators side by side: what they find, how they agree, what they cost.

Part `backends` of `make benchmark`; alone:

    python -m benchmark.accuracy.backends --json out/benchmark/backends.json [--yunet FILE]

Frames come from the real clips and pictures of ../shared/data (or $HEADPOSE_DATA), their cameras
taken for pinholes of 60 degrees. *Found*: frames with a face of score 0.7, and faces a frame.
*Agreement*: mean geodesic distance from what the network of Lightweight Head Pose Estimation says
of the same faces, after one constant rotation. *Error*: of the rendered held-out heads of
`accuracy.py` whose face is seen, within 60 degrees of yaw, boxes from the truth; geodesic, after
one constant rotation. Times are medians on one thread.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmark.accuracy import rendered as accuracy_rendered
from benchmark.measure import AUTHORS_WEIGHTS, DATA, ROOT, NotMeasuredError, machine, write_json
from headpose_ros.config import PipelineConfig
from headpose_ros.detection import FaceSearch, create_detector
from headpose_ros.estimation import Estimator, create_estimator
from headpose_ros.evaluation.face_crops import TrueBoxes
from headpose_ros.evaluation.metrics import aligned_geodesic
from headpose_ros.evaluation.run import Options, evaluate, report
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.geometry.sampling import sample_crops
from headpose_ros.geometry.virtual_camera import crop_angles
from headpose_ros.heads import Faces
from headpose_ros.inference.importing import import_file
from headpose_ros.inference.protocols import Runtime
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.inference.weights import WeightsError
from headpose_ros.typing import Array

HFOV = np.deg2rad(60.0)
REFERENCE = 'cnn, authors'
CLIP_STEP, PICTURE_STEP = 60, 6
"""Every so many frames of the clips, and pictures of the folders, are looked at."""

HELD_OUT_CROPS = 400


@dataclass(frozen=True)
class Frame:
    """A picture and the camera it is taken to be from."""

    image: np.ndarray
    camera: CameraModel


def main() -> None:
    """Measure, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--json', type=Path, metavar='FILE')
    parser.add_argument('--yunet', metavar='FILE', help='model for cv2.FaceDetectorYN')
    args = parser.parse_args()
    cv2.setNumThreads(1)
    try:
        result = {'machine': machine(), **measure(args.yunet)}
    except NotMeasuredError as error:
        raise SystemExit(f'not measured: {error}') from None
    write_json(args.json, result)


def measure(yunet: str | None = None) -> dict[str, Any]:
    """Return the rows of the detectors, the estimators' among them, and the errors."""
    runtime = create_runtime('cpu', 1)
    frames = list(_frames(DATA, CLIP_STEP, PICTURE_STEP))
    if not frames or not AUTHORS_WEIGHTS.is_file():
        raise NotMeasuredError(f"{DATA}: no clips, pictures or authors' weights there")
    with tempfile.TemporaryDirectory() as folder:
        estimators = dict(_estimators(DATA, runtime, Path(folder)))
    detectors, left_out = _detectors(DATA, runtime, yunet)
    rows = []
    for name, search in detectors.items():
        row, seen = _detector_row(name, search, frames)
        row['estimators'] = _estimator_cells(estimators, frames, seen)
        rows.append(row)
    errors = _errors(estimators)
    return {'frames': len(frames), 'detectors': rows, 'left_out': left_out, 'errors': errors}


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
    data: Path, runtime: Runtime, yunet: str | None
) -> tuple[dict[str, FaceSearch], dict[str, str]]:
    """Return the detectors that can be made here, and of the others why they cannot."""
    caffe = data / 'models' / 'Widerface-RetinaFace.caffemodel'
    wanted = [
        ('one_pass', 'one_pass', ''),
        ('mtcnn', 'mtcnn', ''),
        ('retinaface', 'retinaface', ''),
        ('retinaface, Caffe', 'retinaface', str(caffe)),
        ('cascade', 'cascade', ''),
        ('yunet', 'yunet', yunet or ''),
    ]
    made, left_out = {}, {}
    for name, kind, weights in wanted:
        config = PipelineConfig(detector=kind, detector_weights=weights)
        try:
            made[name] = FaceSearch(create_detector(config, runtime), config)
        except WeightsError as error:
            left_out[name] = str(error)
    return made, left_out


def _estimators(data: Path, runtime: Runtime, folder: Path) -> Iterator[tuple[str, Estimator]]:
    """Yield the authors' network first; others where their weights are there."""
    authors = folder / 'authors.onnx'
    import_file(AUTHORS_WEIGHTS, authors)
    wanted = [
        (REFERENCE, 'cnn', str(authors), 'linear'),
        ('cnn, ours', 'cnn', '', 'linear'),
        ('cnn, ours, pose_best', 'cnn', 'pose_best', 'linear'),
    ]
    for name, weights in (
        ('landmarks, ours', 'pfld'),
        ('landmarks, PFLD_GhostOne', data / 'models' / 'PFLD_GhostOne_112_98pt.onnx'),
    ):
        for pose in ('linear', 'linear_authors', 'pnp'):
            wanted.append((f'{name}, {pose}', 'landmarks', str(weights), pose))
    for name, kind, weights, pose in wanted:
        config = PipelineConfig(estimator=kind, weights=weights, landmark_pose=pose)
        yield name, create_estimator(config, runtime)


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


def _errors(estimators: dict[str, Estimator]) -> dict[str, Any]:
    """Return the errors on rendered heads, which are made where they are not there yet."""
    heads = accuracy_rendered.held_out(ROOT / 'out/benchmark/held_out', HELD_OUT_CROPS, 1)
    pictures = heads.clear_pictures
    result: dict[str, Any] = {'faces': len(pictures)}
    for name, estimator in estimators.items():
        found = report(evaluate(pictures, estimator, TrueBoxes(), Options()))
        result[name] = found['geodesic_aligned_deg']
    return result


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return 1e3 * (time.perf_counter() - start), result


if __name__ == '__main__':
    main()
