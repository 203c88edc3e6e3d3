# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Picture files: which they are, in what order, and what is in them."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from headpose_ros.media.frames import Frame, FrameSource, SourceError
from headpose_ros.typing import Image

IMAGE_SUFFIXES = frozenset(
    {'.bmp', '.jpeg', '.jpg', '.png', '.pgm', '.ppm', '.tif', '.tiff', '.webp'}
)
COLOUR_SUFFIXES = IMAGE_SUFFIXES - {'.pgm'}
"""Formats that a picture in colour can be written in."""

IMAGE_RATE_HZ = 10.0
"""Rate of folders of images, and of videos that do not say theirs."""

_ANIMATED = (b'GIF8',)
"""First bytes of formats that are read as videos, although some OpenCV decode one picture."""


class ImageSource(FrameSource):
    """Image files of one size, shown one after the other."""

    _size_hint = 'headpose image takes pictures of several sizes'

    def __init__(
        self, paths: list[Path], name: str, loop: bool = False, rate: float | None = None
    ) -> None:
        first = read_picture(paths[0])
        self.name = name
        self.height, self.width = first.shape[:2]
        self.rate_hz = rate or IMAGE_RATE_HZ
        self.frame_count = None if loop else len(paths)
        self._paths = paths
        self._loop = loop

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while True:
            for path in self._paths:
                self._require_open()
                image = read_picture(path)
                yield self._frame(image, index / self.rate_hz, index, path.name)
                index += 1
            if not self._loop:
                return


def find_pictures(inputs: Sequence[str | Path]) -> list[Path]:
    """Return the picture files that `inputs` name: files, folders and glob patterns.

    Files are taken as they are named, whatever their ending; folders give what they hold, without
    the folders in them; `**` in a pattern stands for folders of any depth. Each file once. Raises
    SourceError for an input that names nothing.
    """
    found: dict[Path, None] = {}
    for item in inputs:
        for path in _matches(str(item)):
            found.update(dict.fromkeys(pictures_in(path) if path.is_dir() else [path]))
    unique: dict[Path, Path] = {}
    for path in found:
        unique.setdefault(path.resolve(), path)
    return list(unique.values())


def _matches(text: str) -> list[Path]:
    path = Path(text)
    if path.exists():
        return [path]
    if not glob.has_magic(text):
        raise SourceError(f'{text}: no such file or folder')
    matches = [Path(name) for name in glob.glob(text, recursive=True)]
    files = sorted((match for match in matches if not match.is_dir()), key=natural_order)
    if not files:
        raise SourceError(f'{text}: no file fits this pattern')
    return files


def pictures_in(folder: Path) -> list[Path]:
    """Return the picture files of a folder in natural order (2 before 10).

    Raises SourceError where it holds none.
    """
    paths = [
        path
        for path in folder.iterdir()
        if not path.name.startswith('.')
        and path.is_file()
        and (path.suffix.lower() in IMAGE_SUFFIXES or is_picture(path))
    ]
    if not paths:
        known = ', '.join(sorted(IMAGE_SUFFIXES))
        raise SourceError(f'{folder}: holds no images ({known})')
    return sorted(paths, key=natural_order)


def is_picture(path: Path) -> bool:
    """Return whether a file's first bytes are those of a picture, whatever its name."""
    try:
        with path.open('rb') as file:
            start = file.read(4)
    except OSError:
        return False
    return bool(start) and start not in _ANIMATED and bool(cv2.haveImageReader(str(path)))


def natural_order(path: Path) -> list[tuple[int, int | str]]:
    """Return a key that sorts numbers in names by their value."""
    parts = re.split(r'(\d+)', str(path).lower())
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


def read_picture(path: Path) -> Image:
    """Return a picture (H,W,3) in BGR, upright as its camera says it was held.

    Raises SourceError where it cannot be read or decoded.
    """
    return decode_picture(read_bytes(path), path)


def read_bytes(path: Path) -> bytes:
    """Return the content of a file. Raises SourceError where it cannot be read, or is empty."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f'{path}: cannot be read: {error.strerror}') from None
    if not data:
        raise SourceError(f'{path}: the file is empty')
    return data


def decode_picture(data: bytes, path: Path) -> Image:
    """Return the picture (H,W,3) in BGR that the bytes of the file `path` stand for."""
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # for example more pixels than OpenCV takes
        image = None
    if image is None:
        raise SourceError(f'{path}: is not an image that OpenCV can read, or is damaged')
    return np.asarray(image, np.uint8)
