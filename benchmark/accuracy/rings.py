# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Held-out heads at fixed angles off the optical axis of two lenses, as `posed` sets.

Each head, in one pose and light, is photographed once by a camera that looks straight at it. That
picture is then laid into the lens at every ring, so that rings differ in the view angle alone: a
method that handles it gets the same error in all of them. Faces behind hair or things are left
out, so that it is the angle that is measured. Head k depends on the seed and k only.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.evaluation.posed_files import pose_row, write_rows
from headpose_ros.geometry import CameraModel, rotation_to_axis
from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.face_frame import sellion_from_face_centre
from headpose_ros.typing import Array, Image
from headpose_training.landmark_table import INNER
from headpose_training.rendering import photo
from headpose_training.rendering.camera import SquareCamera
from headpose_training.rendering.crops import random_torso
from headpose_training.rendering.lighting import random_lighting
from headpose_training.rendering.person import HELD_OUT_IDENTITIES, Person, Pose
from headpose_training.rendering.scene import SceneCamera
from headpose_training.rendering.view import Picture, photograph
from headpose_training.synthesis import (
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
EXTRA_COLUMNS = ('ring_deg', 'identity', 'head_scale', 'skin_tone')
NEAREST, FARTHEST = 0.6, 1.1
MIN_VISIBLE = 0.7
"""Share of them that is seen; at 60 degrees of yaw the head itself hides about a fifth."""

_FIRST_IDENTITY = HELD_OUT_IDENTITIES + 700_000  # apart from those of held-out crops and scenes
_PATCH = SquareCamera.spanning(np.deg2rad(80.0), 800)
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
    portrait = _portrait(what, number)
    rotation, sellion = portrait.pose.rotation_camera_from_face, portrait.pose.sellion
    rows: dict[str, list[dict[str, Any]]] = {}
    for name, ray, ring in _places(number * _GOLDEN_ANGLE):
        file = f'{number:04d}_{ring:02d}.png'
        camera_from_patch = rotation_to_axis(ray[None])[0].T
        image = _lay_in(portrait, camera_from_patch, name)
        if not cv2.imwrite(str(folder / name / file), image):
            raise OSError(f'cannot write {folder / name / file}')
        row = pose_row(file, lens(name), camera_from_patch @ rotation, camera_from_patch @ sellion)
        rows.setdefault(name, []).append(row | portrait.labels | {'ring_deg': ring})
    path = folder / 'heads' / f'{number:04d}.json'
    partial = path.with_suffix('.partial')
    partial.write_text(json.dumps(rows))
    partial.replace(path)
    return number


@dataclass(frozen=True, eq=False)
class _Portrait:
    """A head seen straight on. `seed`: of background and grain, the same in every ring."""

    pose: Pose
    picture: Picture
    labels: Mapping[str, Any]
    seed: int


def _portrait(what: RingSet, number: int) -> _Portrait:
    """Photograph the first person drawn whose face is not hidden by hair or things."""
    for attempt in range(50):
        rng = np.random.default_rng([what.version, what.seed, number, attempt, _STREAM])
        identity = _FIRST_IDENTITY + 100_000 * what.seed + 1000 * attempt + number
        person = Person(shared_parts(None), identity, plain=True)
        pose = _pose(rng, person)
        picture = photograph(person, pose, _PATCH, random_lighting(rng))
        if picture.visible[INNER].mean() >= MIN_VISIBLE:
            break
    labels = {name: getattr(person.appearance, name) for name in EXTRA_COLUMNS[1:]}
    return _Portrait(pose, _exposed(rng, picture, person), labels, int(rng.integers(2**32)))


def _pose(rng: np.random.Generator, person: Person) -> Pose:
    """Draw how people look about who stand straight ahead of the camera."""
    draws = np.deg2rad([rng.normal(0, 28), rng.normal(-2, 14), rng.normal(0, 10)])
    most = np.deg2rad([60, 35, 30])
    yaw, pitch, roll = map(float, np.clip(draws, -most, most))
    rotation = matrix_from_euler(yaw, pitch, roll)
    distance = float(np.exp(rng.uniform(np.log(NEAREST), np.log(FARTHEST))))
    return Pose(
        rotation,
        sellion_from_face_centre(rotation, np.array([0.0, 0.0, distance])),
        random_torso(rng, yaw, pitch, roll),
        person.random_expression(rng),
        (float(rng.normal(0, 0.2)), float(rng.normal(0, 0.1))),
    )


def _exposed(rng: np.random.Generator, picture: Picture, person: Person) -> Picture:
    """Expose for the skin; cameras meter the scene, so that dark skin stays darker."""
    brighter = float(person.complexion.albedo[1] / 0.3) ** 0.35
    target = min(0.75, 0.22 * float(np.exp(rng.normal(0, 0.3))) * brighter)
    metered = picture.skin if picture.skin.any() else picture.coverage > 0.5
    return replace(picture, light=photo.expose(picture.light, metered, target))


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
    portrait: _Portrait,
    camera_from_patch: Array,
    name: str,
) -> Image:
    """Return the lens's image of the head and a background, with what a camera adds."""
    rng, picture = np.random.default_rng(portrait.seed), portrait.picture
    rays, valid = _rays(name)
    turned = rays @ camera_from_patch.astype(np.float32)
    front = turned[..., 2] > 0.2
    z = np.where(front, turned[..., 2], np.float32(1))[..., None]
    at = turned[..., :2] / z * np.float32(_PATCH.focal) + np.float32(_PATCH.centre)
    at[~front] = -1e4
    drawn = cv2.merge([*cv2.split(picture.light), picture.coverage])
    step = _PATCH.focal / lens(name).fx
    drawn = cv2.GaussianBlur(drawn, (0, 0), 0.4 * step)  # the patch is the finer of the two
    got = cv2.remap(drawn, at.astype(np.float32), None, cv2.INTER_LINEAR)
    behind = photo.to_linear(shared_backgrounds(None).draw(rng, SIZE, SIZE))
    both = (got[..., :3] + behind * (1 - got[..., 3:])) * valid[..., None]
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
