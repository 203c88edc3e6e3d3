# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The folder of the results: where what is, and what in it is finished.

    heads/recording=<name>/topic=<topic>/part-0.parquet    the heads
    images/recording=<name>/topic=<topic>/part-0.parquet   the images, those without heads too
    csv/, events/, previews/, bags/                        where asked for
    done/recording=<name>/topic=<topic>.json               the marker of a camera
    done/recording=<name>/recording.json                   that of a recording
    work/recording=<name>/topic=<topic>/<key>/             what is being made
    journal.jsonl                                          what was finished when, a line for each

Files are written aside under names that no reader takes for theirs, then renamed; the marker comes
last. So whatever has a marker is whole, and what has none is made anew, whenever the program was
killed. Names in paths are percent-encoded, as Hive has it.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from headpose_ros.media.files import SinkError, make_folder, require_room

_MAX_NAME = 200
"""Characters of a folder's name; file systems take 255 bytes."""

FILES_TOPIC = 'image'
"""What stands for the topic where a recording is a video or a folder of pictures."""


@dataclass(frozen=True)
class Unit:
    """A camera of a recording: what has a marker. `key`: hash of its input and options."""

    recording: str
    topic: str
    key: str


class Store:
    """The folder of the results. Raises SinkError where it cannot be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder where it is not there."""
        make_folder(self.folder)

    def path(self, what: str, recording: str, topic: str, file: str) -> Path:
        """Return the place of a result of a camera; `what`: `heads`, `images` or the like."""
        return self._partition(what, recording) / f'topic={encoded(topic)}' / file

    def bag_folder(self, recording: str) -> Path:
        """Return the folder that holds the bag that is written of a recording."""
        return self._partition('bags', recording)

    def work(self, unit: Unit) -> Path:
        """Return the folder in which a camera's results are made."""
        return self.path('work', unit.recording, unit.topic, unit.key)

    def clear_work(self, unit: Unit, all_of_it: bool = False) -> None:
        """Remove what is being made of a camera with other options, or `all_of_it`."""
        place = self.work(unit)
        for other in place.parent.glob('*'):
            if all_of_it or other != place:
                shutil.rmtree(other, ignore_errors=True)
        if all_of_it:
            for folder in (place.parent, place.parent.parent, self.folder / 'work'):
                with suppress(OSError):  # others are at work in it
                    folder.rmdir()

    def clear_recording(self, recording: str) -> None:
        """Remove what is being made of all cameras of a recording."""
        place = self._partition('work', recording)
        if place.exists():
            shutil.rmtree(place, ignore_errors=True)
            with suppress(OSError):  # others are at work in it
                place.parent.rmdir()

    def camera_marker(self, unit: Unit) -> Path:
        """Return the place of a camera's marker."""
        return self._partition('done', unit.recording) / f'topic={encoded(unit.topic)}.json'

    def recording_marker(self, recording: str) -> Path:
        """Return the place of a recording's marker."""
        return self._partition('done', recording) / 'recording.json'

    def read_marker(self, path: Path) -> dict[str, Any] | None:
        """Return what a marker says; None where there is none, or it or a file of it is gone."""
        try:
            content = json.loads(path.read_text(encoding='utf-8'))
        except (OSError, ValueError):
            return None
        if not isinstance(content, dict):
            return None
        files = content.get('files', [])
        return content if all((self.folder / file).exists() for file in files) else None

    def write_marker(self, path: Path, content: Mapping[str, Any], durable: bool = True) -> None:
        """Write a marker, as the last thing of all."""
        text = json.dumps(content, indent=1, sort_keys=True) + '\n'
        with self.replacing(path, durable) as aside:
            aside.write_text(text, encoding='utf-8')

    def forget(self, path: Path) -> None:
        """Remove a marker and the files that it names: first the marker."""
        try:
            content = json.loads(path.read_text(encoding='utf-8'))
        except (OSError, ValueError):
            content = {}
        path.unlink(missing_ok=True)
        for file in content.get('files', []) if isinstance(content, dict) else []:
            _remove(self.folder / file)

    def remove(self, files: Iterable[Path]) -> None:
        """Remove results that are not to be taken for finished."""
        for file in files:
            _remove(file)

    def relative(self, path: Path) -> str:
        """Return a path as markers have it."""
        return path.relative_to(self.folder).as_posix()

    def markers(self) -> Iterator[Path]:
        """Yield the markers of all recordings."""
        yield from sorted((self.folder / 'done').glob('recording=*/recording.json'))

    def note(self, **line: Any) -> None:
        """Append a line to the journal."""
        text = json.dumps(line) + '\n'
        with (self.folder / 'journal.jsonl').open('a', encoding='utf-8') as journal:
            journal.write(text)

    @contextmanager
    def replacing(self, path: Path, durable: bool = True) -> Iterator[Path]:
        """Give a name to write a file or folder aside, and put it in place when all went well.

        `durable`: it is on the disk before it is there under its name, whatever befalls the power.
        """
        make_folder(path.parent)
        for left in path.parent.glob(
            f'.{glob.escape(path.name)}.*.part'
        ):  # by one that was killed
            _remove(left)
        aside = path.with_name(f'.{path.name}.{uuid.uuid4().hex[:12]}.part')
        try:
            yield aside
            require_room(path)
            if durable:
                _to_disk(aside)
            if aside.is_dir() and path.exists():
                shutil.rmtree(path)
            aside.replace(path)
        except OSError as error:
            if isinstance(error, SinkError):
                raise
            raise SinkError(f'{path}: cannot be written: {error.strerror or error}') from None
        finally:
            _remove(aside)

    def _partition(self, what: str, recording: str) -> Path:
        return self.folder / what / f'recording={encoded(recording)}'


def encoded(name: str) -> str:
    """Return a name as a part of a path, percent-encoded; very long ones end in a hash."""
    text = quote(name, safe='')
    if len(text) <= _MAX_NAME:
        return text
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f'{re.sub("%.?$", "", text[: _MAX_NAME - 20])}~{digest}'


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    """Have the system write what it holds of a file, or of the files in a folder."""
    for file in path.rglob('*') if path.is_dir() else [path]:
        if file.is_file():
            with file.open('rb') as opened:
                os.fsync(opened.fileno())
