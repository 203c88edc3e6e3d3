# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded clips, and pictures without a face that are shown as a shaking camera sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmark.measure import DATA
from headpose_ros.geometry import CameraModel
from headpose_ros.typing import Image

from .backgrounds import PHOTOS, background
from .compose import Frame, grains, grainy

SIGNERS, PREVIEWS = DATA / 'videos' / 'signers', DATA / 'videos'
_WITHOUT_FACE = ('d038_macaque', 'd041_crowd_above', 'd057_toys', 'd059_cat', 'd065_pano_mountain')
_BACKGROUNDS = (1, 3, 4, 6, 8, 9)
"""Those backgrounds of the scenes in which not even a hand of somebody is."""
_MADE_ROOMS, _TEXTURES = 6, 9
STILL_RATE, STILL_SECONDS = 10.0, 24.0
_CROWD_TURNS = 6


@dataclass(frozen=True)
class Clip:
    """A recording. `people`: how many heads every image has, None where nobody counted."""

    name: str
    group: str
    people: int | None
    rate: float
    source: str

    def frames(self) -> Iterator[tuple[Frame, CameraModel]]:
        """Yield the images and their camera, of 60 degrees across."""
        for k, image in enumerate(self._images()):
            height, width = image.shape[:2]
            lens = CameraModel.from_fov(width, height, np.radians(60.0))
            yield Frame(image, k / self.rate, 10.0 + k / self.rate, ()), lens

    def _images(self) -> Iterator[Image]:
        kind, _, what = self.source.partition(':')
        if kind == 'video':
            yield from _of_video(Path(what))
        elif kind == 'folder':
            yield from _of_folder(Path(what))
        elif kind == 'to and fro':
            images = list(_of_folder(Path(what)))
            for turn in range(_CROWD_TURNS):
                yield from images if turn % 2 == 0 else images[::-1]
        else:
            yield from _shaken(_still(what), round(self.rate * STILL_SECONDS), len(what))


def clips(quick: bool = False) -> list[Clip]:
    """Return the clips there are; `quick`: some of them."""
    found = [
        Clip(f'signer {path.stem}', 'signers', 1, 30.0, f'video:{path}')
        for path in sorted(SIGNERS.glob('*.mkv'))
    ]
    for path in sorted(PREVIEWS.glob('*')):
        if path.is_dir() and path.name != 'signers':
            found.append(Clip(path.name, 'previews', None, 12.5, f'folder:{path}'))
    crowd = PHOTOS / 'clips' / 'crowd_above'
    if crowd.is_dir():
        found.append(Clip('crowd from above', 'nobody', 0, 25.0, f'to and fro:{crowd}'))
    stills = [f'photo {name}' for name in _WITHOUT_FACE if (PHOTOS / f'{name}.jpg').is_file()]
    stills += [f'background {k}' for k in _BACKGROUNDS]
    stills += [f'room {k}' for k in range(_MADE_ROOMS)]
    stills += [f'texture {k}' for k in range(_TEXTURES)]
    found += [Clip(what, 'nobody', 0, STILL_RATE, f'still:{what}') for what in stills]
    return found[::6] if quick else found


def _of_video(path: Path) -> Iterator[Image]:
    capture = cv2.VideoCapture(str(path))
    while (read := capture.read())[0]:
        yield np.asarray(read[1], np.uint8)


def _of_folder(path: Path) -> Iterator[Image]:
    for file in sorted(path.glob('*.jpg')):
        yield np.asarray(cv2.imread(str(file)), np.uint8)


def _still(what: str) -> Image:
    kind, _, name = what.partition(' ')
    if kind == 'photo':
        image = np.asarray(cv2.imread(str(PHOTOS / f'{name}.jpg')), np.uint8)
        scale = 720 / max(image.shape[:2])
        return np.asarray(cv2.resize(image, None, fx=scale, fy=scale), np.uint8)
    if kind == 'background':
        return background(int(name))[:, 280:1000]
    from headpose_training.rendering.background import Backgrounds

    rng = np.random.default_rng([23, int(name)])
    return (Backgrounds().room if kind == 'room' else Backgrounds().draw)(rng, 720, 540)


def _shaken(image: Image, count: int, seed: int) -> Iterator[Image]:
    """Yield what a camera in a hand sees of a picture: it drifts, zooms a little, has grain."""
    rng, at = np.random.default_rng([29, seed]), np.zeros(3)
    height, width = image.shape[:2]
    grain = grains(rng, image.shape)
    for k in range(count):
        at = 0.95 * at + rng.normal(0, (2.0, 2.0, 0.01))
        zoom = 1.06 + np.clip(at[2], -0.05, 0.05)
        shift = [(1 - zoom) * width / 2 + at[0], (1 - zoom) * height / 2 + at[1]]
        matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
        moved = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
        yield grainy(np.asarray(moved, np.uint8), grain[k % len(grain)])
