# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Held-out heads at fixed angles off the optical axis of two lenses, as `posed` sets.

Each head, in one pose and light, is photographed once by a camera that looks straight at it. That
picture is then laid into the lens at every ring, so that rings differ in the view angle alone: a
method that handles it gets the same error in all of them. Head k depends on the seed and k only.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry import CameraModel, rotation_to_axis
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.face_frame import sellion_from_face_centre
from headpose_ros.heads import Array
from headpose_ros.training.rendering import photo
from headpose_ros.training.rendering.camera import SquareCamera
from headpose_ros.training.rendering.crops import random_torso
from headpose_ros.training.rendering.lighting import random_lighting
from headpose_ros.training.rendering.person import HELD_OUT_IDENTITIES, Person, Pose
from headpose_ros.training.rendering.posed_files import pose_row, write_rows
from headpose_ros.training.rendering.scene import SceneCamera
from headpose_ros.training.rendering.view import Picture, photograph
from headpose_ros.training.synthesis import (
    VERSION,
    claim_folder,
    in_processes,
    shared_backgrounds,
    shared_parts,
    show_progress,
)

RINGS = {'pinhole': (0, 10, 20, 30, 38), 'fisheye': (0, 20, 40, 55, 70)}
"""Lens -> angles off its axis, degrees."""

SIZE = 720
EXTRA_COLUMNS = ('ring_deg', 'identity', 'head_scale', 'skin_tone', 'yaw_deg')
NEAREST, FARTHEST = 0.6, 1.1
_FIRST_IDENTITY = HELD_OUT_IDENTITIES + 700_000  # apart from those of held-out crops and scenes
_PATCH_HALF = np.deg2rad(40.0)
_STREAM = 4021
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))  # any number of heads is spread evenly about the axis


@dataclass(frozen=True)
class RingSet:
    """`heads` people in every ring of both lenses."""

    heads: int
    seed: int = 0
    version: int = VERSION


def lens(name: str) -> CameraModel:
    """Return the wide pinhole (100 degrees across), or the equidistant fisheye (172 degrees)."""
    if name == 'pinhole':
        return CameraModel.from_fov(SIZE, SIZE, np.deg2rad(100.0))
    middle = (SIZE - 1) / 2
    return CameraModel(
        SIZE, SIZE, 240.0, 240.0, middle, middle,
        distortion_model='equidistant', distortion=(0.0,) * 4,
    )  # fmt: skip


def make_rings(folder: Path, what: RingSet, workers: int) -> dict[str, Path]:
    """Render what is not there yet; return the `posed` folder of each lens."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'heads').mkdir(exist_ok=True)
    claim_folder(folder, {k: v for k, v in asdict(what).items() if k != 'heads'})
    for name in RINGS:
        (folder / name).mkdir(exist_ok=True)
    todo = [k for k in range(what.heads) if not (folder / 'heads' / f'{k:04d}.json').exists()]
    jobs = [(str(folder), what, k) for k in todo]
    for _ in show_progress(in_processes(_write_head, jobs, workers), len(todo), True, 'head'):
        pass
    rows = [
        json.loads((folder / 'heads' / f'{k:04d}.json').read_text()) for k in range(what.heads)
    ]
    for name in RINGS:
        write_rows(
            folder / name / 'poses.csv', [r for of in rows for r in of[name]], EXTRA_COLUMNS
        )
    return {name: folder / name for name in RINGS}


def ring_column(folder: Path, column: str = 'ring_deg') -> Array:
    """Return a column of poses.csv, a number for each face, in the order of its rows."""
    with (folder / 'poses.csv').open(newline='', encoding='utf-8') as file:
        return np.array([float(row[column]) for row in csv.DictReader(file)])


def _write_head(job: tuple[str, RingSet, int]) -> int:
    folder, what, number = Path(job[0]), job[1], job[2]
    rng = np.random.default_rng([what.version, what.seed, number, _STREAM])
    identity = _FIRST_IDENTITY + 1000 * what.seed + number
    person = Person(shared_parts(None), identity, plain=True)
    angles = _angles(rng)
    rotation = matrix_from_euler(*angles)
    distance = float(np.exp(rng.uniform(np.log(NEAREST), np.log(FARTHEST))))
    sellion = sellion_from_face_centre(rotation, np.array([0.0, 0.0, distance]))
    gaze = (float(rng.normal(0, 0.2)), float(rng.normal(0, 0.1)))
    expression = person.random_expression(rng)
    pose = Pose(rotation, sellion, random_torso(rng, *angles), expression, gaze)
    light, azimuth = random_lighting(rng), number * _GOLDEN_ANGLE
    patch = SquareCamera(480.0, int(2 * np.tan(_PATCH_HALF) * 480))
    picture, after = photograph(person, pose, patch, light), int(rng.integers(2**32))
    labels = {name: getattr(person.appearance, name) for name in EXTRA_COLUMNS[1:4]}
    labels['yaw_deg'] = float(np.rad2deg(angles[0]))
    rows: dict[str, list[dict[str, Any]]] = {}
    for name, ray, ring in _places(azimuth):
        file = f'{number:04d}_{ring:02d}.png'
        camera_from_patch = rotation_to_axis(ray[None])[0].T
        image = _lay_in(np.random.default_rng(after), picture, patch, camera_from_patch, name)
        if not cv2.imwrite(str(folder / name / file), image):
            raise OSError(f'cannot write {folder / name / file}')
        row = pose_row(file, lens(name), camera_from_patch @ rotation, camera_from_patch @ sellion)
        rows.setdefault(name, []).append(row | labels | {'ring_deg': ring})
    path = folder / 'heads' / f'{number:04d}.json'
    partial = path.with_suffix('.partial')
    partial.write_text(json.dumps(rows))
    partial.replace(path)
    return number


def _angles(rng: np.random.Generator) -> tuple[float, float, float]:
    """Draw yaw, pitch and roll, rad, of people who look about in front of them."""
    draws = np.deg2rad([rng.normal(0, 28), rng.normal(-2, 14), rng.normal(0, 10)])
    yaw, pitch, roll = np.clip(draws, *np.deg2rad([[-60, -35, -30], [60, 35, 30]]))
    return float(yaw), float(pitch), float(roll)


def _places(azimuth: float) -> Iterator[tuple[str, Array, int]]:
    for name, rings in RINGS.items():
        for ring in rings:
            off = np.deg2rad(ring)
            across = np.sin(off) * np.array([np.cos(azimuth), np.sin(azimuth)])
            yield name, np.array([*across, np.cos(off)]), ring


@lru_cache(maxsize=2)
def _rays(name: str) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    camera = SceneCamera(lens(name))
    return camera.rays, camera.valid


def _lay_in(
    rng: np.random.Generator,
    picture: Picture,
    patch: SquareCamera,
    camera_from_patch: Array,
    name: str,
) -> NDArray[np.uint8]:
    """Return the lens's image of the head and a background, with what a camera adds."""
    rays, valid = _rays(name)
    turned = rays @ camera_from_patch.astype(np.float32)
    front = turned[..., 2] > 0.2
    z = np.where(front, turned[..., 2], np.float32(1))[..., None]
    at = turned[..., :2] / z * np.float32(patch.focal) + np.float32(patch.centre)
    at[~front] = -1e4
    drawn = cv2.merge([*cv2.split(picture.light), picture.coverage])
    step = patch.focal / lens(name).fx
    drawn = cv2.GaussianBlur(drawn, (0, 0), 0.4 * step)  # the patch is the finer of the two
    got = cv2.remap(drawn, at.astype(np.float32), None, cv2.INTER_LINEAR)
    light = photo.expose(got[..., :3], got[..., 3] > 0.5, float(np.exp(rng.normal(-1.5, 0.3))))
    behind = photo.to_linear(shared_backgrounds(None).draw(rng, SIZE, SIZE))
    both = (light + behind * (1 - got[..., 3:])) * valid[..., None]
    return photo.compress(rng, photo.develop(rng, both.astype(np.float32)))


def by_ring(rings: Array, errors: Array) -> list[Mapping[str, float]]:
    """Return the mean of `errors` (N,), rad, in each ring, as degrees."""
    return [
        {
            'off_axis_deg': float(ring),
            'count': int(np.sum(rings == ring)),
            'geodesic_aligned_deg': round(float(np.rad2deg(errors[rings == ring].mean())), 3),
        }
        for ring in sorted(set(rings.tolist()))
    ]
