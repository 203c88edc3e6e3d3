# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which faces of real photographs are found, and what is taken for one.

    python -m benchmark.accuracy.photos [FOLDER] [--detectors NAME ...] [--set OPTION=VALUE ...]
    python -m benchmark.accuracy.photos --stream 1 --detectors auto --set min_face_px=0

FOLDER holds pictures, `faces.csv` (file, box, kind, roll, and whether a face counts) and
`pictures.csv` (lens); by default `photos` of the shared data. Each picture goes through
`HeadPosePipeline(mode='image')`, with a camera of 60 degrees where its own is not known. `--list`
prints each miss and each false head. `--stream`: each picture is shown to a still camera with
grain for so many seconds, and the heads of the last image count.

A head can match a face where the centre of one lies in the other's box, the centres are less than
0.6 face sides apart, and the head's square is 0.5 to 2.6 times as large as the face's box (sides:
root of the area). Nearest first, one to one; faces that do not count come last, and heads on them
count neither way. A second head on a face is a double. Size classes are pixels of the picture.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmark.measure import DATA, NotMeasuredError, machine, write_json
from headpose_ros import CameraModel, FrameResult, Head, HeadPosePipeline, PipelineConfig
from headpose_ros.typing import Array, Image

FOLDER = DATA / 'photos'
DETECTORS = ('retinaface', 'one_pass', 'mtcnn', 'cascade')
OPTIONS: Mapping[str, Any] = {'min_face_px': 12.0, 'max_heads': 64}
"""Of the table in the docs; `cascade` cannot be asked for less than 24 px."""

HFOV = np.radians(60.0)
_SIZES = (12, 24, 48, 96, math.inf)
_ROLLS = (0, 30, 60, 120, 180.1)
_NEAR, _RATIOS = 0.6, (0.5, 2.6)
_UPRIGHT_DEG = 30.0
_TURNED_WRONG_DEG = 45.0
_STREAM_HZ, _GRAIN = 10.0, 3.0


@dataclass(frozen=True)
class Face:
    """An annotated face: `box` x0, y0, x1, y1; `roll` in degrees, clockwise in the image."""

    box: tuple[float, float, float, float]
    kind: str
    roll: float
    counts: bool


@dataclass(frozen=True)
class Photo:
    """A picture, its kind of lens, and all faces in it that were annotated."""

    path: Path
    lens: str
    faces: tuple[Face, ...]

    @property
    def is_empty(self) -> bool:
        """Whether no face in it counts."""
        return not any(face.counts for face in self.faces)

    def camera(self, width: int, height: int) -> CameraModel:
        """Return its camera; a fisheye's circle of 180 degrees is as high as the picture."""
        if self.lens == 'equirectangular':
            return CameraModel.from_fov(width, height, 2 * math.pi, model='equirectangular')
        if self.lens == 'fisheye':
            focal = min(width, height) / math.pi
            matrix = [[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]]
            return CameraModel.from_matrix(matrix, width, height, 'equidistant', [0.0] * 4)
        return CameraModel.from_fov(width, height, HFOV)


def read_photos(folder: Path) -> list[Photo]:
    """Read the tables of a folder; NotMeasuredError where they are not there."""
    if not (folder / 'faces.csv').is_file():
        raise NotMeasuredError(f'{folder}: no faces.csv there')
    faces: dict[str, list[Face]] = {}
    with (folder / 'faces.csv').open(encoding='utf-8') as file:
        for row in csv.DictReader(file):
            x0, y0, x1, y1 = (float(row[name]) for name in ('x0', 'y0', 'x1', 'y1'))
            face = Face(
                (x0, y0, x1, y1), row['kind'], float(row['roll_deg'] or 0), row['ignore'] != '1'
            )
            faces.setdefault(row['file'], []).append(face)
    with (folder / 'pictures.csv').open(encoding='utf-8') as file:
        return [
            Photo(folder / row['file'], row['lens'], tuple(faces.get(row['file'], ())))
            for row in csv.DictReader(file)
        ]


def matched(heads: Array, faces: Sequence[Face]) -> tuple[list[int | None], list[str]]:
    """Return for each of the squares `heads` (N,4) its face, and what it is.

    That is 'hit', 'double' or 'false', or 'ignored' where it counts neither way.
    """
    boxes = np.array([face.box for face in faces]).reshape(-1, 4)
    apart = _distances(heads, boxes)
    counts = np.array([face.counts for face in faces], bool)
    of_head: list[int | None] = [None] * len(heads)
    for those in (counts, ~counts):
        near = np.where(those, apart, np.inf)
        for i, j in zip(*np.unravel_index(np.argsort(near, axis=None), near.shape), strict=True):
            if np.isfinite(near[i, j]) and of_head[i] is None and j not in of_head:
                of_head[i] = int(j)
    return of_head, [_what(heads[i], j, faces, apart[i]) for i, j in enumerate(of_head)]


def _what(head: Array, match: int | None, faces: Sequence[Face], apart: Array) -> str:
    if match is not None:
        return 'hit' if faces[match].counts else 'ignored'
    centre = (head[:2] + head[2:]) / 2
    near = [face for face, distance in zip(faces, apart, strict=True) if np.isfinite(distance)]
    inside = [face for face in faces if not face.counts and _holds(face.box, centre)]
    if inside or any(not face.counts for face in near):
        return 'ignored'
    return 'double' if near else 'false'


def _distances(heads: Array, boxes: Array) -> Array:
    """Return how far heads are from faces (N,M), in face sides; infinite where none can match."""
    found = np.full((len(heads), len(boxes)), np.inf)
    for i, head in enumerate(heads):
        for j, box in enumerate(boxes):
            a, b = (head[:2] + head[2:]) / 2, (box[:2] + box[2:]) / 2
            ratio = _side(head) / _side(box)
            distance = float(np.hypot(*(a - b))) / _side(box)
            touching = _holds(head, b) or _holds(box, a)
            if touching and _RATIOS[0] <= ratio <= _RATIOS[1] and distance < _NEAR:
                found[i, j] = distance
    return found


def _holds(box: Any, point: Array) -> bool:
    return bool(box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3])


def _side(box: Any) -> float:
    return math.sqrt(max(1.0, (box[2] - box[0]) * (box[3] - box[1])))


@dataclass
class Score:
    """What was found in some pictures: `found` by group of faces, [found, all]."""

    found: dict[str, list[int]] = field(default_factory=dict)
    pictures: int = 0
    false: int = 0
    doubles: int = 0
    false_on_empty: int = 0
    roll_errors: list[float] = field(default_factory=list)

    def add(self, photo: Photo, heads: Sequence[Head], listing: bool) -> None:
        """Count one picture."""
        squares = np.array([square(head) for head in heads]).reshape(-1, 4)
        faces_of, whats = matched(squares, photo.faces)
        self.pictures += 1
        wrong = [i for i, what in enumerate(whats) if what in ('false', 'double')]
        self.false += whats.count('false')
        self.doubles += whats.count('double')
        self.false_on_empty += len(wrong) * photo.is_empty
        for j, face in enumerate(photo.faces):
            if face.counts:
                for group in groups_of(face):
                    counts = self.found.setdefault(group, [0, 0])
                    counts[0] += j in faces_of
                    counts[1] += 1
                if listing and j not in faces_of:
                    print(f'missed {photo.path.name} {face.kind} {[round(v) for v in face.box]}')
        for head, j, what in zip(heads, faces_of, whats, strict=True):
            if what == 'hit' and j is not None and photo.faces[j].kind != 'profile':
                self.roll_errors.append(roll_error(head, photo.faces[j].roll))
        for i in wrong if listing else ():
            print(f'{whats[i]} {photo.path.name} {squares[i].round().tolist()}')

    def result(self) -> dict[str, Any]:
        """Return the figures."""
        errors = np.array(self.roll_errors)
        return {
            'pictures': self.pictures,
            'found': self.found,
            'false': self.false,
            'doubles': self.doubles,
            'false_on_empty': self.false_on_empty,
            'roll_median_deg': float(np.median(errors)) if len(errors) else None,
            'roll_wrong': [int((errors > _TURNED_WRONG_DEG).sum()), len(errors)],
        }


def square(head: Head) -> tuple[int, int, int, int]:
    """Return the head's square in the picture: x0, y0, x1, y1."""
    roi = head.roi
    return roi.x, roi.y, roi.x + roi.width, roi.y + roi.height


def roll_error(head: Head, roll_deg: float) -> float:
    """Return by how much the head's up direction in the image is off, degrees."""
    x, y = head.rotation_camera_from_face[:2, 2]
    return float(abs((math.degrees(math.atan2(x, -y)) - roll_deg + 180) % 360 - 180))


def groups_of(face: Face) -> Iterator[str]:
    """Yield the groups that a face counts in: those by size and kind are of upright faces."""
    roll, side = abs((face.roll + 180) % 360 - 180), _side(face.box)
    yield 'all'
    for low, high in pairwise(_ROLLS):
        if low <= roll < high:
            yield f'roll {low} to {round(high)}'
    if roll >= _UPRIGHT_DEG:
        return
    for low, high in pairwise(_SIZES):
        if low <= side < high:
            yield f'px {low} to {high}' if math.isfinite(high) else f'px over {low}'
    if side >= _SIZES[1]:
        yield face.kind


def measure(
    photos: Sequence[Photo], config: PipelineConfig, listing: bool = False, seconds: float = 0.0
) -> dict[str, Any]:
    """Return what `config` finds in pictures of ordinary and of wide lenses, and the time.

    `seconds`: for which each is shown as a stream; 0: by itself.
    """
    scores = {'ordinary': Score(), 'wide': Score()}
    began = time.process_time()
    with HeadPosePipeline(config, mode='video' if seconds else 'image') as pipeline:
        for photo in photos:
            image = read(photo.path)
            camera = photo.camera(image.shape[1], image.shape[0])
            wide = photo.lens in ('fisheye', 'equirectangular')
            if seconds:
                result = _last_of_stream(pipeline, image, camera, seconds)
            else:
                result = pipeline.process(image, camera)
            scores['wide' if wide else 'ordinary'].add(photo, result, listing)
    return {
        'cpu_s': time.process_time() - began,
        **{lens: score.result() for lens, score in scores.items() if score.pictures},
    }


def _last_of_stream(
    pipeline: HeadPosePipeline, image: Image, camera: CameraModel, seconds: float
) -> FrameResult:
    pipeline.reset()
    random = np.random.default_rng(0)
    for number in range(round(seconds * _STREAM_HZ) + 1):
        noisy = image + random.normal(0.0, _GRAIN, image.shape).astype(np.float32)
        shown = np.clip(noisy, 0, 255).astype(np.uint8)
        result = pipeline.process(shown, camera, number / _STREAM_HZ)
    return result


def read(path: Path) -> Image:
    """Read a picture; NotMeasuredError where it cannot be."""
    image = cv2.imread(str(path))
    if image is None:
        raise NotMeasuredError(f'{path}: cannot be read')
    return np.asarray(image, np.uint8)


def main() -> None:
    """Measure the detectors, print the figures or write them to a file."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').split('\n')[0])
    add = parser.add_argument
    add('folder', type=Path, nargs='?', default=FOLDER, help=f'default: {FOLDER}')
    add('--detectors', nargs='+', default=list(DETECTORS), metavar='NAME')
    add('--set', nargs='*', default=[], metavar='OPTION=VALUE', help='of PipelineConfig')
    add('--list', action='store_true', help='print each miss and each false head')
    add('--stream', type=float, default=0.0, metavar='SECONDS')
    add('--json', type=Path, metavar='FILE')
    args = parser.parse_args()
    options = {**OPTIONS, **dict(map(_option, args.set))}
    try:
        photos = read_photos(args.folder)
        found = {}
        for name in args.detectors:
            own = {'min_face_px': 24.0} if name == 'cascade' else {}
            config = PipelineConfig(detector=name, **{**options, **own})
            found[name] = measure(photos, config, args.list, args.stream)
    except NotMeasuredError as error:
        raise SystemExit(f'not measured: {error}') from None
    write_json(args.json, {'machine': machine(), 'options': options, 'detectors': found})


def _option(text: str) -> tuple[str, Any]:
    name, _, value = text.partition('=')
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


if __name__ == '__main__':
    main()
