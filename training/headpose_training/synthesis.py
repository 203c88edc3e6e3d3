# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sets of training crops, written in shards: deterministic, parallel, resumable.

Shard k of a set depends on the set's seed and k alone: a stopped run goes on where it was, and
any number of workers makes the same files. A shard is written under another name and renamed, so
that one which is there is whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from headpose_training.arrays import arrays_of
from headpose_training.head_model import HeadModel
from headpose_training.rendering.background import Backgrounds
from headpose_training.rendering.crops import Crop, draw_crop, draw_negative
from headpose_training.rendering.head_parts import HeadParts
from headpose_training.rendering.person import HELD_OUT_IDENTITIES, Person

Job = TypeVar('Job')
VERSION = 3
"""Raised when the renderer changes what a seed gives."""


@dataclass(frozen=True)
class CropSet:
    """What a set of crops is made of.

    `count` crops of `size` px; `views` of each identity; a share `negatives` shows no face.
    `held_out`: identities that training never sees. `head_model`, `backgrounds`: paths or None.
    """

    count: int
    size: int = 112
    seed: int = 0
    views: int = 8
    negatives: float = 0.06
    held_out: bool = False
    head_model: str | None = None
    backgrounds: str | None = None
    shard_crops: int = 500
    version: int = VERSION

    def __post_init__(self) -> None:
        if min(self.count, self.views, self.shard_crops) < 1:
            raise ValueError(
                'count, views and shard_crops must be at least 1, got '
                f'{self.count}, {self.views}, {self.shard_crops}'
            )
        if not 16 <= self.size <= 1024:
            raise ValueError(f'size must be 16 to 1024 px, got {self.size}')
        if not 0 <= self.negatives < 1:
            raise ValueError(f'negatives must be a share below 1, got {self.negatives}')
        check_seed(self.seed)

    @property
    def shards(self) -> int:
        """How many files it makes."""
        return -(-self.count // self.shard_crops)

    def crops_of(self, shard: int) -> int:
        """Return how many crops a shard holds; the last one may hold fewer."""
        return min(self.shard_crops, self.count - shard * self.shard_crops)


def check_seed(seed: int) -> None:
    """Raise ValueError where a seed is out of its range."""
    if not 0 <= seed < 1000:
        raise ValueError(f'seed must be 0 to 999, got {seed}')


def shard_path(folder: Path, index: int) -> Path:
    """Return where a shard lies."""
    return folder / f'shard_{index:05d}.npz'


def synthesize_crops(
    folder: str | Path, what: CropSet, workers: int = 1, progress: bool = True
) -> int:
    """Write the shards that are not there yet, or hold too few; return how many were written.

    Raises ValueError where the folder holds another set.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    claim_folder(
        folder, {k: v for k, v in asdict(what).items() if k not in ('count', 'head_model')}
    )
    todo = [
        i for i in range(what.shards) if not _is_there(shard_path(folder, i), what.crops_of(i))
    ]
    jobs = [(str(folder), what, i) for i in todo]
    for _ in show_progress(
        in_processes(_write_shard, jobs, workers), len(todo), progress, 'shard'
    ):
        pass
    return len(todo)


def claim_folder(folder: Path, wanted: dict[str, Any]) -> None:
    """Note what the folder holds, or raise ValueError where it holds something else."""
    recipe = folder / 'set.json'
    if recipe.exists():
        found = json.loads(recipe.read_text())
        if found != wanted:
            differs = [k for k in wanted if found.get(k) != wanted[k]]
            raise ValueError(
                f'{folder} holds another set (differs in {", ".join(differs)}): '
                'choose another folder, or the same options'
            )
    partial = recipe.with_suffix('.partial')
    partial.write_text(json.dumps(wanted, indent=1))
    partial.replace(recipe)


def in_processes(work: Callable[[Job], int], jobs: Sequence[Job], workers: int) -> Iterator[int]:
    """Do the jobs, in this process or in several; yield what `work` returns as it comes."""
    if workers <= 1 or len(jobs) < 2:
        yield from map(work, jobs)
        return
    # one thread each: the workers are what runs in parallel
    for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'):
        os.environ.setdefault(name, '1')
    with get_context('spawn').Pool(min(workers, len(jobs))) as pool:
        yield from pool.imap_unordered(work, jobs)


def show_progress(done: Iterator[int], total: int, show: bool, unit: str) -> Iterator[int]:
    """Pass what is done on, with a progress bar."""
    from tqdm import tqdm

    return iter(tqdm(done, total=total, unit=unit, disable=not show))


@lru_cache(maxsize=2)
def shared_parts(head_model: str | None) -> HeadParts:
    """Return what all people of a head model share, made once a process."""
    import cv2

    cv2.setNumThreads(1)
    return HeadParts(HeadModel.load(head_model))


@lru_cache(maxsize=2)
def shared_backgrounds(folder: str | None) -> Backgrounds:
    """Return the backgrounds of a folder, read once a process."""
    return Backgrounds.from_folder(folder)


def _is_there(path: Path, crops: int) -> bool:
    """Return whether a shard holds that many crops; that of a smaller set may hold fewer."""
    if not path.exists():
        return False
    with arrays_of(path, 'a shard of crops') as arrays:
        return len(arrays['face']) >= crops


def _write_shard(job: tuple[str, CropSet, int]) -> int:
    folder, what, index = job
    crops = list(_draw(what, index, what.crops_of(index)))
    path = shard_path(Path(folder), index)
    partial = path.with_suffix('.partial')
    with partial.open('wb') as file:
        np.savez(file, **stack(crops))  # type: ignore[arg-type]
    partial.replace(path)
    return index


def _draw(what: CropSet, index: int, count: int) -> Iterator[Crop]:
    """Draw the crops of a shard; it has identities of its own."""
    parts, backgrounds = shared_parts(what.head_model), shared_backgrounds(what.backgrounds)
    rng = np.random.default_rng([what.version, what.seed, index, int(what.held_out)])
    identities = -(-what.shard_crops // what.views)
    # shards of a set share no identity; other seeds begin elsewhere
    base = HELD_OUT_IDENTITIES if what.held_out else 0
    step = (what.seed * 7919 + index) * identities
    person = None
    for i in range(count):
        if i % what.views == 0:
            number = (step + i // what.views) % HELD_OUT_IDENTITIES
            person = Person(parts, base + number)
        assert person is not None
        draw = draw_negative if rng.random() < what.negatives else draw_crop
        yield draw(rng, person, what.size, backgrounds)


def stack(crops: list[Crop]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a shard, N crops; truth is in each crop's own camera.

    `images` (N,S,S,3) uint8 BGR; `face` (N,) bool; `rotation` (N,3,3)
    rotation_virtual_from_face; `sellion` (N,3) m; `angular_size`, `crop_angle` (N,) rad;
    `face_centre_px` (N,2); `landmarks68` (N,68,2) px, `landmark_visible` (N,68); `head_scale`
    (N,), `identity` (N,); and the labels `skin_tone` (0 light to 7 dark), `light`, `occlusion`,
    `glasses`, `mask`, `hair`, `cover`, `beard`. Truth is NaN where `face` is false; `identity` is
    -1 where nobody is seen.
    """

    def of_all(name: str, kind: type) -> NDArray[Any]:
        return np.array([getattr(c, name) for c in crops]).astype(kind)

    def label(name: str, nobody: Any, kind: Any = None) -> NDArray[Any]:
        return np.array(
            [getattr(c.appearance, name) if c.appearance else nobody for c in crops], dtype=kind
        )

    return {
        'images': np.stack([c.image for c in crops]),
        'face': of_all('face', bool),
        'rotation': of_all('rotation_virtual_from_face', np.float32),
        'sellion': of_all('sellion', np.float32),
        'angular_size': of_all('angular_size', np.float32),
        'crop_angle': of_all('crop_angle', np.float32),
        'face_centre_px': of_all('face_centre_px', np.float32),
        'landmarks68': of_all('landmarks', np.float32),
        'landmark_visible': of_all('visible', bool),
        'head_scale': label('head_scale', np.nan, np.float32),
        'identity': label('identity', -1, np.int64),
        'skin_tone': label('skin_tone', np.nan, np.float32),
        'mask': label('mask', False, bool),
        'beard': label('beard', False, bool),
        'light': np.array([c.light for c in crops]),
        **{name: label(name, '') for name in ('occlusion', 'glasses', 'hair', 'cover')},
    }
