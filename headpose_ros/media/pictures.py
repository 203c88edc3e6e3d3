# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Picture files: which they are, in what order, and what is in them."""

from __future__ import annotations

import glob
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2

from headpose_ros.media.decoding import ImageError, decode
from headpose_ros.media.file_names import plain_name
from headpose_ros.media.frames import Frame, FrameSource, SourceError
from headpose_ros.media.levels import Levels
from headpose_ros.typing import Image

_LOG = logging.getLogger(__name__)

IMAGE_SUFFIXES = frozenset(
    {'.bmp', '.jpeg', '.jpg', '.png', '.pgm', '.ppm', '.tif', '.tiff', '.webp'}
)
COLOUR_SUFFIXES = IMAGE_SUFFIXES - {'.pgm'}
"""Formats that a picture in colour can be written in."""

_OTHER_PICTURES = frozenset(
    {
        '.arw', '.avif', '.cr2', '.cr3', '.dng', '.exr', '.gif', '.hdr', '.heic', '.heif', '.hif',
        '.ico', '.jfif', '.jp2', '.jpe', '.jxl', '.nef', '.orf', '.pbm', '.pfm', '.pnm', '.psd',
        '.raf', '.rw2', '.svg', '.tga',
    }
)  # fmt: skip
"""Endings of pictures that are named where a folder has such, and OpenCV cannot read them."""

_PHONES_PICTURES = tuple(b'ftyp' + kind for kind in (b'heic', b'heix', b'mif1', b'avif'))
"""How HEIC and AVIF go on after four bytes. Not every OpenCV reads them."""

_MOTION_JPEG = frozenset({'.mjpeg', '.mjpg'})
"""Endings of videos that begin like a picture."""

IMAGE_RATE_HZ = 10.0
"""Rate of folders of images, and of videos that do not say theirs."""

_ANIMATED = (b'GIF8',)
"""First bytes of formats that are read as videos, although some OpenCV decode one picture."""


class ImageSource(FrameSource):
    """Image files of one size, shown one after the other; one that is damaged is left out."""

    _size_hint = 'headpose image takes pictures of several sizes'

    def __init__(
        self, paths: list[Path], name: str, loop: bool = False, rate: float | None = None
    ) -> None:
        self.name = name
        self.rate_hz = rate or IMAGE_RATE_HZ
        self.frame_count = None if loop else len(paths)
        self._paths = paths
        self._loop = loop
        self._damaged: set[Path] = set()
        first = next(self._images(), None)
        if first is None:
            raise SourceError(f'{name}: none of its {len(paths)} pictures can be read')
        self.height, self.width = first[1].shape[:2]

    def __iter__(self) -> Iterator[Frame]:
        start, given = 0, -1
        while True:
            for number, image in self._images():
                given = start + number
                yield self._frame(image, given / self.rate_hz, given, self._paths[number].name)
            if given < start:
                raise SourceError(f'{self.name}: its pictures can be read no longer')
            if not self._loop:
                return
            start += len(self._paths)

    def _images(self) -> Iterator[tuple[int, Image]]:
        """Yield the pictures that can be read, each with its number, once."""
        levels = Levels()
        for number, path in enumerate(self._paths):
            self._require_open()
            try:
                image = read_picture(path, levels)
            except SourceError as error:
                if len(self._paths) == 1:
                    raise
                if path not in self._damaged:
                    _LOG.warning('%s; it is left out', error)
                self._damaged.add(path)
                self.unreadable = len(self._damaged)
            else:
                yield number, image


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

    Pictures that OpenCV cannot read are named in the log. Raises SourceError where it holds none.
    """
    files = [path for path in folder.iterdir() if not path.name.startswith('.') and path.is_file()]
    paths, others = [], []
    for path in files:
        suffix = path.suffix.lower()
        if suffix in IMAGE_SUFFIXES or is_picture(path):
            paths.append(path)
        elif suffix in _OTHER_PICTURES:
            others.append(path)
    if not paths:
        known = ', '.join(sorted(IMAGE_SUFFIXES))
        others_too = f'; OpenCV cannot read {_some(others)}' if others else ''
        raise SourceError(f'{folder}: holds no images ({known}){others_too}')
    if others:
        _LOG.warning('%s: left out, since OpenCV cannot read them: %s', folder, _some(others))
    return sorted(paths, key=natural_order)


def _some(paths: list[Path]) -> str:
    names = [path.name for path in sorted(paths, key=natural_order)]
    return ', '.join(names[:10]) + (f' and {len(names) - 10} more' if len(names) > 10 else '')


def is_picture(path: Path) -> bool:
    """Return whether a file's first bytes are those of a picture, whatever its name.

    Not of a raw Motion JPEG: it begins like a picture, and only its name tells.
    """
    if not path.is_file():  # what is read of a pipe is gone
        return False
    try:
        with path.open('rb') as file:
            start = file.read(4)
        if not start or start in _ANIMATED or path.suffix.lower() in _MOTION_JPEG:
            return False
        with plain_name(path) as name:
            return bool(cv2.haveImageReader(name))
    except OSError:
        return False


def natural_order(path: Path) -> list[tuple[int, int | str]]:
    """Return a key that sorts numbers in names by their value."""
    parts = re.split(r'(\d+)', str(path).lower())
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


def read_picture(path: Path, levels: Levels | None = None) -> Image:
    """Return a picture (H,W,3) in BGR, upright as its camera says it was held.

    `levels`: of the stream that it is part of; None: a picture of more than 8 bits is scaled by
    what it holds itself. Raises SourceError where it cannot be read or decoded.
    """
    return decode_picture(read_bytes(path), path, levels)


def read_bytes(path: Path) -> bytes:
    """Return the content of a file. Raises SourceError where it cannot be read, or is empty."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f'{path}: cannot be read: {error.strerror}') from None
    if not data:
        raise SourceError(f'{path}: the file is empty')
    return data


def decode_picture(data: bytes, path: Path, levels: Levels | None = None) -> Image:
    """Return the picture (H,W,3) in BGR that the bytes of the file `path` stand for."""
    try:
        image = decode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except ImageError as error:
        hint = '; convert it to JPEG' if data[4:12] in _PHONES_PICTURES else ''
        raise SourceError(f'{path}: {error}{hint}') from None
    return (levels or Levels()).eight_bit(image)
