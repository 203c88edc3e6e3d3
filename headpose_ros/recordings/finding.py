# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which recordings there are: bags, videos and folders of pictures, and how each is called."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from headpose_ros.media.file_names import printable
from headpose_ros.media.frames import SourceError
from headpose_ros.media.pictures import IMAGE_SUFFIXES, natural_order

Kind = Literal['bag', 'video', 'pictures']

METADATA = 'metadata.yaml'
"""What makes a folder a rosbag2 recording."""

BAG_SUFFIXES = ('.mcap', '.db3', '.bag', '.active')
"""Loose bags; `.bag.active` is a ROS 1 bag whose recorder died."""

ZSTD_SUFFIX = '.zstd'
VIDEO_SUFFIXES = frozenset(
    {
        '.3gp', '.avi', '.flv', '.m2ts', '.m4v', '.mjpeg', '.mjpg', '.mkv', '.mov', '.mp4',
        '.mpeg', '.mpg', '.mts', '.ogv', '.ts', '.webm', '.wmv',
    }
)  # fmt: skip


@dataclass(frozen=True)
class Recording:
    """One recording. `name`: unique in the archive. `path`: its folder or file.

    `files`: what it consists of, in order; for a folder with `metadata.yaml` that file first.
    """

    name: str
    path: Path
    kind: Kind
    files: tuple[Path, ...]

    def fingerprint(self) -> str:
        """Return a hash of names, sizes and times of the files; another one means another input.

        Raises SourceError where one is gone.
        """
        known = hashlib.sha256()
        for file in self.files:
            try:
                state = file.stat()
            except OSError as error:
                raise SourceError(f'{file}: cannot be read: {error.strerror}') from None
            known.update(os.fsencode(file.name))
            known.update(f'\0{state.st_size}\0{state.st_mtime_ns}\n'.encode())
        return known.hexdigest()[:32]


def find_recordings(
    inputs: Sequence[str | Path], root: Path | None = None, without: Path | None = None
) -> list[Recording]:
    """Return the recordings that `inputs` name or hold, sorted by name.

    `inputs`: recordings, folders of any depth with recordings, and glob patterns. A recording is
    called by its path within the folder that was named, or within `root`. The folder `without`
    is not looked into. Raises SourceError for an input that names nothing, ValueError where two
    recordings would have one name.
    """
    found: dict[Path, Recording] = {}
    for item in inputs:
        for path in _matches(str(item)):
            for recording in _in(path.absolute(), root, without):
                found.setdefault(recording.path.resolve(), recording)
    by_name: dict[str, Recording] = {}
    for recording in found.values():
        other = by_name.setdefault(recording.name, recording)
        if other is not recording:
            raise ValueError(
                f'{other.path} and {recording.path}: both would be called {recording.name!r}; '
                '--root DIR calls recordings by their path within DIR'
            )
    return sorted(found.values(), key=lambda recording: natural_order(Path(recording.name)))


def is_bag(path: Path) -> bool:
    """Return whether `path` is a bag: a folder of rosbag2, or a file with a bag's ending."""
    if path.is_dir():
        return bool(_bag_files(path))
    return _storage_suffix(path) in BAG_SUFFIXES


def bag_recording(path: Path, name: str) -> Recording:
    """Return the recording of a bag."""
    return Recording(name, path, 'bag', _bag_files(path) if path.is_dir() else (path,))


def _matches(text: str) -> list[Path]:
    path = Path(text)
    if path.exists():
        return [path]
    if not glob.has_magic(text):
        raise SourceError(f'{text}: no such file or folder')
    found = [Path(name) for name in glob.glob(text, recursive=True)]
    if not found:
        raise SourceError(f'{text}: nothing fits this pattern')
    return sorted(found, key=natural_order)


def _in(path: Path, root: Path | None, without: Path | None) -> Iterator[Recording]:
    base = root.resolve() if root else path.resolve() if path.is_dir() else path.resolve().parent
    if path.is_file():
        yield _of_file(path, _name(path, base)) or Recording(
            _name(path, base), path, 'video', (path,)
        )
        return
    skipped = without.resolve() if without else None
    seen: set[Path] = set()
    for place in _folders(path, skipped, seen):
        yield from _of_folder(place, base)


def _folders(path: Path, skipped: Path | None, seen: set[Path]) -> Iterator[Path]:
    """Yield `path` and the folders in it, but those of bags are not entered, nor any twice."""
    real = path.resolve()
    if real == skipped or real in seen:
        return
    seen.add(real)
    yield path
    if _bag_files(path):
        return
    try:
        entries = sorted(os.scandir(path), key=lambda entry: natural_order(Path(entry.name)))
    except OSError as error:
        raise SourceError(f'{path}: cannot be read: {error.strerror}') from None
    for entry in entries:
        if entry.is_dir() and not entry.name.startswith('.'):
            yield from _folders(Path(entry.path), skipped, seen)


def _of_folder(folder: Path, base: Path) -> Iterator[Recording]:
    """Yield the recordings that lie in `folder` itself."""
    if files := _bag_files(folder):
        yield Recording(_name(folder, base), folder, 'bag', files)
        return
    files = _files(folder)
    for file in files:
        recording = _of_file(file, _name(file, base))
        if recording is not None and recording.kind != 'pictures':
            yield recording
    if pictures := tuple(file for file in files if file.suffix.lower() in IMAGE_SUFFIXES):
        yield Recording(_name(folder, base), folder, 'pictures', pictures)


def _of_file(path: Path, name: str) -> Recording | None:
    if _storage_suffix(path) in BAG_SUFFIXES:
        return Recording(name, path, 'bag', (path,))
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return Recording(name, path, 'video', (path,))
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return Recording(name, path, 'pictures', (path,))
    return None


def _bag_files(folder: Path) -> tuple[Path, ...]:
    """Return the files of a rosbag2 folder, and () where it is none.

    Its recorder writes `metadata.yaml` last: where that is missing, the files are those that
    rosbag2 names by their folder.
    """
    files = _files(folder)
    storages = tuple(file for file in files if _storage_suffix(file) in ('.mcap', '.db3'))
    metadata = tuple(file for file in files if file.name == METADATA)
    if metadata and (storages or _describes_bag(metadata[0])):
        return metadata + storages
    own = tuple(file for file in storages if file.name.startswith(f'{folder.resolve().name}_'))
    return own if own and len(own) == len(storages) else ()


def _describes_bag(metadata: Path) -> bool:
    try:
        return b'rosbag2_bagfile_information' in metadata.read_bytes()
    except OSError:
        return False


def _files(folder: Path) -> tuple[Path, ...]:
    try:
        entries = [entry for entry in os.scandir(folder) if entry.is_file()]
    except OSError as error:
        raise SourceError(f'{folder}: cannot be read: {error.strerror}') from None
    names = [Path(entry.path) for entry in entries if not entry.name.startswith('.')]
    return tuple(sorted(names, key=natural_order))


def _storage_suffix(path: Path) -> str:
    """Return the ending that says how a bag is stored, that of compression left out."""
    name = path.name.lower()
    return Path(name.removesuffix(ZSTD_SUFFIX)).suffix


def _name(path: Path, base: Path) -> str:
    real = path.resolve()
    if real == base:
        return printable(base.name)
    try:
        return printable(real.relative_to(base).as_posix())
    except ValueError:
        raise ValueError(f'--root {base}: {path} is not in it') from None
