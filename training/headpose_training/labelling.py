# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Turns photographs and videos of real people into `FaceCrops`, labelled by a teacher.

Faces come with 68 annotated landmarks, or are found by a detector that gives five. On demand one
piece without a face of every picture is kept too, where there is room; that asks for pictures
whose faces are all known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from headpose_ros.detection.detector import Detector
from headpose_ros.estimation.pfld import LANDMARKS
from headpose_ros.evaluation.samples import read_picture
from headpose_ros.typing import Array, Image
from headpose_training.face_crops import FaceCrops
from headpose_training.face_fit import FittedSphere, MeanFace
from headpose_training.landmark_table import INNER, annotated_files
from headpose_training.teacher import Opinion, Teacher, square_crop

CROP_PX = 224
MARGIN = 2.2
"""Side of a stored crop over the diameter of the face sphere in the image."""

_UNKNOWN = np.full((LANDMARKS, 2), np.nan)
_VIDEO_SUFFIXES = ('.mkv', '.mp4', '.avi', '.mov', '.webm')
_IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png')


@dataclass(frozen=True)
class LabelLimits:
    """Which faces are dropped: an unsure teacher, landmarks that do not fit, too few pixels."""

    max_spread_deg: float = 8.0
    max_residual: float = 0.015
    min_radius_px: float = 14.0


@dataclass(frozen=True)
class Annotated:
    """A picture (H,W,3) BGR and its faces.

    `landmarks`: (68,2) or (5,2) of each, pixels. `squares`: where the teacher looks first, centre
    (2,) and side, pixels.
    """

    image: Image
    landmarks: list[Array]
    squares: list[tuple[Array, float]]


@dataclass
class _Collected:
    images: list[Image] = field(default_factory=list)
    rotations: list[Array] = field(default_factory=list)
    spreads: list[float] = field(default_factory=list)
    landmarks: list[Array] = field(default_factory=list)
    is_face: list[bool] = field(default_factory=list)


def label(
    pictures: Iterable[Annotated],
    teacher: Teacher,
    face: MeanFace,
    crop_scale: float,
    limits: LabelLimits | None = None,
    pieces: bool = False,
    seed: int = 0,
) -> tuple[FaceCrops, int]:
    """Label every face; return the crops and how many faces were dropped.

    `crop_scale`: of the teacher's estimator. Raises ValueError where nothing is left.
    """
    limits, rng = limits or LabelLimits(), np.random.default_rng(seed)
    kept, dropped = _Collected(), 0
    for picture in pictures:
        spheres = []
        for landmarks, square in zip(picture.landmarks, picture.squares, strict=True):
            sphere, opinion = _consult(
                picture.image, landmarks, square, teacher, face, crop_scale, rng
            )
            spheres.append(sphere)
            if not _trusted(sphere, opinion, limits):
                dropped += 1
                continue
            kept.images.append(
                square_crop(picture.image, sphere.centre, 2 * sphere.radius * MARGIN, CROP_PX)
            )
            kept.rotations.append(opinion.rotation)
            kept.spreads.append(opinion.spread)
            kept.landmarks.append(_within_crop(landmarks, sphere))
            kept.is_face.append(True)
        piece = _piece_without_face(picture.image, spheres, rng) if pieces else None
        if piece is not None:
            kept.images.append(piece)
            kept.rotations.append(np.eye(3))
            kept.spreads.append(0.0)
            kept.landmarks.append(_UNKNOWN)
            kept.is_face.append(False)
    if not any(kept.is_face):
        raise ValueError('labelling: no face was found that the teacher is sure of')
    return _crops(kept), dropped


def annotated_photographs(root: Path, split: str) -> Iterator[Annotated]:
    """Yield the photographs of `root/landmarks68.csv` whose path contains `/split/`.

    Raises ValueError where the table or an image is missing or malformed.
    """
    files = annotated_files(root, lambda file: f'/{split}/' in file, f'is in /{split}/')
    for path, points in files:
        low, high = points.min(0), points.max(0)
        square = ((low + high) / 2, 1.4 * float((high - low).max()))
        yield Annotated(read_picture(path), [points], [square])


def detected_faces(
    frames: Iterable[Image],
    detector: Detector,
    crop_scale: float,
    min_face_px: float = 20.0,
    min_score: float = 0.95,
) -> Iterator[Annotated]:
    """Find the faces of each frame with a detector that gives five landmarks."""
    place = detector.box_to_face
    for frame in frames:
        boxes = detector.detect(frame, min_face_px)
        if boxes.landmarks is None:
            raise ValueError(f'labelling: detector {detector.name} gives no landmarks')
        sure = boxes.scores >= min_score
        squares = []
        for x0, y0, x1, y1 in boxes.corners[sure]:
            size = np.sqrt((x1 - x0) * (y1 - y0))
            centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2]) + size * np.array(
                [place.dx, place.dy]
            )
            squares.append((centre, float(size * place.scale * crop_scale)))
        yield Annotated(frame, list(boxes.landmarks[sure]), squares)


def video_frames(root: Path, every: int = 1) -> Iterator[Image]:
    """Yield every n-th frame of all videos below `root`, and every image of its folders."""
    paths = sorted(p for p in root.rglob('*') if p.suffix.lower() in _VIDEO_SUFFIXES)
    images = sorted(p for p in root.rglob('*') if p.suffix.lower() in _IMAGE_SUFFIXES)
    if not paths and not images:
        raise ValueError(f'{root}: neither videos nor images there')
    for path in paths:
        video = cv2.VideoCapture(str(path))
        number = 0
        while video.grab():
            if number % every == 0:
                good, frame = video.retrieve()
                if good:
                    yield frame
            number += 1
        if number == 0:
            raise ValueError(f'{path}: cannot be read as a video')
    for path in images:
        yield read_picture(path)


def _consult(
    image: Image,
    landmarks: Array,
    square: tuple[Array, float],
    teacher: Teacher,
    face: MeanFace,
    crop_scale: float,
    rng: np.random.Generator,
) -> tuple[FittedSphere, Opinion]:
    sphere = face.fit(landmarks, teacher.first_look(image, *square))
    if not 0 < sphere.radius < 1e4:
        return sphere, Opinion(np.eye(3), np.inf)
    side = 2 * sphere.radius * crop_scale if len(landmarks) == 5 else square[1]
    centre = sphere.centre if len(landmarks) == 5 else square[0]
    opinion = teacher.ask(image, centre, side, rng)
    return face.fit(landmarks, opinion.rotation), opinion


def _trusted(sphere: FittedSphere, opinion: Opinion, limits: LabelLimits) -> bool:
    return (
        opinion.spread <= np.deg2rad(limits.max_spread_deg)
        and sphere.residual <= limits.max_residual
        and sphere.radius >= limits.min_radius_px
    )


def _within_crop(landmarks: Array, sphere: FittedSphere) -> Array:
    """Return landmarks (68,2) in half crops from the middle of the stored crop.

    NaN for all but brows, eyes, nose and mouth: annotators draw the cheeks along the visible edge
    of the face, which is no point of the head. NaN for a detector's five, too.
    """
    if len(landmarks) != LANDMARKS:
        return _UNKNOWN
    found = _UNKNOWN.copy()
    found[INNER] = (landmarks[INNER] - sphere.centre) / (sphere.radius * MARGIN)
    return found


def _piece_without_face(
    image: Image, spheres: list[FittedSphere], rng: np.random.Generator
) -> Image | None:
    """Return a square piece that shows at most the edge of a head; None where none was found."""
    height, width = image.shape[:2]
    for _ in range(12):
        side = float(rng.uniform(0.15, 0.6)) * min(height, width)
        centre = np.array(
            [rng.uniform(side / 2, width - side / 2), rng.uniform(side / 2, height - side / 2)]
        )
        apart = [np.abs(centre - s.centre).max() > side / 2 + 0.7 * s.radius for s in spheres]
        if spheres and all(apart):
            return square_crop(image, centre, side, CROP_PX)
    return None


def _crops(kept: _Collected) -> FaceCrops:
    count = len(kept.images)
    return FaceCrops(
        images=np.stack(kept.images),
        rotations=np.stack(kept.rotations),
        centres=np.zeros((count, 2)),
        sizes=np.full(count, 1 / MARGIN),
        half_tangents=np.full(count, np.nan),
        head_scales=np.full(count, np.nan),
        spreads=np.array(kept.spreads),
        landmarks=np.stack(kept.landmarks),
        is_face=np.array(kept.is_face),
        is_synthetic=np.zeros(count, bool),
    )
