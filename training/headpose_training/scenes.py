# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sets of whole pictures of several people, through any lens, in the `posed` format.

Picture k depends on the set's seed and k alone. Its rows are written before it, it is renamed when
whole, and poses.csv comes last: a run that was stopped goes on, and a set with poses.csv is whole.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from headpose_ros.evaluation.posed_files import pose_row, write_rows
from headpose_ros.geometry import CameraModel
from headpose_training.rendering.person import HELD_OUT_IDENTITIES, Person
from headpose_training.rendering.scene import SceneCamera, random_people, take_picture
from headpose_training.synthesis import (
    VERSION,
    check_seed,
    claim_folder,
    in_processes,
    shared_backgrounds,
    shared_parts,
    show_progress,
)

EXTRA_COLUMNS = ('identity', 'head_scale', 'skin_tone', 'occlusion')
_STREAM = 77  # keeps identities and draws apart from those of the crops


@dataclass(frozen=True)
class SceneSet:
    """What a set of pictures is made of.

    `count` pictures of 1 to `people` people; `camera`: pinhole, fisheye, or the path of a
    camera_calibration file; the rest as in `CropSet`.
    """

    count: int
    people: int = 3
    camera: str = 'pinhole'
    seed: int = 0
    held_out: bool = False
    head_model: str | None = None
    backgrounds: str | None = None
    version: int = VERSION

    def __post_init__(self) -> None:
        if self.count < 1 or self.people < 1:
            raise ValueError(f'count and people must be positive, got {self.count}, {self.people}')
        check_seed(self.seed)


def scene_camera(name: str) -> CameraModel:
    """Return a camera by name, or from a file; OSError or ValueError where there is none."""
    if name == 'pinhole':
        return CameraModel.from_fov(640, 480, np.deg2rad(80.0))
    if name == 'fisheye':
        return CameraModel(
            800, 600, 265.0, 265.0, 399.5, 299.5,
            distortion_model='equidistant', distortion=(-0.012, 0.004, -0.002, 0.0002),
        )  # fmt: skip
    return CameraModel.from_yaml(name)


def synthesize_scenes(
    folder: str | Path, what: SceneSet, workers: int = 1, progress: bool = True
) -> int:
    """Write the pictures that are not there yet, then poses.csv; return how many were written.

    Raises ValueError where the folder holds another set, or poses.csv cannot hold the lens.
    """
    folder = Path(folder)
    pose_row('', scene_camera(what.camera), np.eye(3), np.ones(3))  # refuse the lens now
    (folder / 'rows').mkdir(parents=True, exist_ok=True)
    recipe = {k: v for k, v in asdict(what).items() if k not in ('count', 'head_model')}
    claim_folder(folder, recipe)
    todo = [i for i in range(what.count) if not (folder / _name(i)).exists()]
    jobs = [(str(folder), what, i) for i in todo]
    for _ in show_progress(
        in_processes(_write_scene, jobs, workers), len(todo), progress, 'image'
    ):
        pass
    rows: list[dict[str, Any]] = []
    for i in range(what.count):
        rows += json.loads((folder / 'rows' / f'{i:06d}.json').read_text())
    write_rows(folder / 'poses.csv', rows, EXTRA_COLUMNS)
    return len(todo)


def _name(index: int) -> str:
    return f'{index:06d}.png'


@lru_cache(maxsize=2)
def _camera(name: str) -> SceneCamera:
    return SceneCamera(scene_camera(name))


def _write_scene(job: tuple[str, SceneSet, int]) -> int:
    folder, what, index = Path(job[0]), job[1], job[2]
    parts, camera = shared_parts(what.head_model), _camera(what.camera)
    rng = np.random.default_rng([what.version, what.seed, index, int(what.held_out), _STREAM])
    base = HELD_OUT_IDENTITIES if what.held_out else 0
    seeds = base + rng.integers(0, HELD_OUT_IDENTITIES, int(rng.integers(1, what.people + 1)))
    people = random_people(rng, camera.model, [Person(parts, int(s)) for s in seeds])
    image = take_picture(rng, camera, people, shared_backgrounds(what.backgrounds))
    rows = []
    for placed in people:
        pose, about = placed.pose, placed.person.appearance
        row = pose_row(_name(index), camera.model, pose.rotation_camera_from_face, pose.sellion)
        rows.append(row | {name: getattr(about, name) for name in EXTRA_COLUMNS})
    (folder / 'rows' / f'{index:06d}.json').write_text(json.dumps(rows))
    partial = folder / f'{index:06d}.partial.png'
    if not cv2.imwrite(str(partial), image):
        raise OSError(f'cannot write {partial}')
    partial.replace(folder / _name(index))
    return index
