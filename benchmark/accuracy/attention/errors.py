# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline's errors: measured on the packaged clip, and made again for simulated people.

    python -m benchmark.accuracy.attention.errors    # measures anew and writes errors.json

Each error is taken as the sum of what is new in every image, and of what lasts. The first is
measured by the second differences of the error over three images, which lasting errors hardly
have; the second is what remains of the variance, and the time in which it falls to 1/e is read
from its correlation over `LAG`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from headpose_ros.geometry import CameraModel
from headpose_ros.geometry.face_frame import (
    FACE_CENTRE_IN_FACE,
    FACE_SPHERE_RADIUS,
    face_centre_from_sellion,
)
from headpose_ros.geometry.rotations import vector_from_matrix
from headpose_ros.heads import Head
from headpose_ros.typing import Array

MEASURED = Path(__file__).with_name('errors.json')
SIGMA = float(np.radians(1.1))
"""Rad: what the estimator says of the error of a rotation, in the median."""

CLIP, RATE = Path(__file__).parents[3] / 'headpose_ros' / 'demo', 30.0
LAG = 0.3
NAMES = ('roll', 'pitch', 'yaw', 'log_distance', 'across')


@dataclass(frozen=True)
class Error:
    """One error: standard deviations of what each image has anew and of what lasts.

    `memory`: s, for how long it does. rad; logarithm; radii of the face.
    """

    fresh: float
    lasting: float
    memory: float


def measure(series: Sequence[Array], period: float) -> dict[str, Error]:
    """Return the errors, by name, of heads' `series` (N,5), images in a row."""
    found = {}
    for k, name in enumerate(NAMES):
        parts = [one[:, k] for one in series if len(one) > 4]
        second = np.concatenate([p[2:] - 2 * p[1:-1] + p[:-2] for p in parts])
        fresh = float(np.sqrt(np.mean(second**2) / 6.0))
        everything = np.concatenate(parts)
        lasting = float(max(0.0, np.mean(everything**2) - fresh**2)) ** 0.5
        lag = round(LAG / period)
        together = np.mean(np.concatenate([p[lag:] * p[:-lag] for p in parts if len(p) > lag]))
        share = float(np.clip(together / max(lasting**2, 1e-12), 0.05, 0.98))
        found[name] = Error(fresh, lasting, float(-LAG / np.log(share)))
    return found


def errors_of(truth: Array, centre: Array, head_size: float, head: Head) -> Array:
    """Return the errors (5,), ordered as NAMES, of a head whose rotation should be `truth` (3,3).

    `centre` (3,): where its face centre is; `head_size`: of it over an average adult's.
    """
    rotation = head.measured_rotation_camera_from_face
    seen = head.measured_position + rotation @ FACE_CENTRE_IN_FACE
    wrong = vector_from_matrix(truth.T @ rotation)
    distance, found = float(np.linalg.norm(centre)), float(np.linalg.norm(seen))
    aside = float(np.linalg.norm(np.cross(centre / distance, seen / found)))
    radii = aside * distance / (FACE_SPHERE_RADIUS * head_size)
    return np.array([*wrong, np.log(found * head_size / distance), radii])


def load() -> dict[str, Error]:
    """Return the errors that were measured."""
    return {name: Error(**error) for name, error in json.loads(MEASURED.read_text()).items()}


def of_clip() -> dict[str, Error]:
    """Return the errors on the packaged clip: three rendered people, 0.85 to 1.25 m away."""
    from headpose_ros.pipeline import HeadPosePipeline

    people: dict[int, dict[str, tuple[Array, Array, float]]] = {}
    with (CLIP / 'clip_truth.csv').open(newline='') as file:
        for row in csv.DictReader(file):
            rotation = np.array([[float(row[f'r{i}{j}']) for j in range(3)] for i in range(3)])
            sellion = np.array([float(row[name]) for name in ('tx', 'ty', 'tz')])
            centre = face_centre_from_sellion(rotation, sellion)
            at = people.setdefault(int(row['file']), {})
            at[row['person']] = rotation, centre, float(row['head_scale'])
    camera = CameraModel.from_yaml(CLIP / 'clip_camera.yaml')
    capture = cv2.VideoCapture(str(CLIP / 'clip.mp4'))
    series: dict[str, list[Array]] = {}
    with HeadPosePipeline() as pipeline:
        for number, at in people.items():
            image = np.asarray(capture.read()[1], np.uint8)
            for head in pipeline.process(image, camera, number / RATE):
                near = {
                    name: float(head.position @ c / np.linalg.norm(c))
                    for name, (_, c, _) in at.items()
                }
                who = max(near, key=near.__getitem__)
                series.setdefault(who, []).append(errors_of(*at[who], head))
    return measure([np.array(one) for one in series.values()], 1.0 / RATE)


if __name__ == '__main__':
    found = {name: asdict(error) for name, error in of_clip().items()}
    MEASURED.write_text(json.dumps(found, indent=1) + '\n')
