# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of poses as CSV and as JSON lines, to a file or to standard output."""

from __future__ import annotations

import csv
import json
import sys
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from headpose_ros.heads import Head
from headpose_ros.media.closing import Closing
from headpose_ros.media.files import SinkError, require_writable
from headpose_ros.media.tables import as_json, as_text, column_names, pose_rows

STDOUT = '-'
"""The name that stands for standard output."""


class TableSink(Closing):
    """Writes the heads of images, one image after the other; use it with `with`.

    `path`: a file, or `-` for standard output. `place`: the names of `tables.PLACE` that every
    image has. The file is begun with the first image: what was there stays until then. It is
    UTF-8; of names that are not, the bytes become a backslash and a number. Each image is handed
    to the operating system at once. Raises SinkError where it cannot write.
    """

    def __init__(self, path: str | Path, place: Iterable[str]) -> None:
        self.path = Path(path)
        self.columns = column_names(place)
        self._place = [name for name in self.columns if name in set(place)]
        self._to_stdout = str(path) == STDOUT
        self._file: TextIO | None = None
        self._closed = False
        if not self._to_stdout:
            require_writable(self.path)

    def write(self, heads: Sequence[Head], principal_id: str | None, **place: Any) -> None:
        """Append one image. Of `place` a table takes what it has columns for."""
        if self._closed:
            raise SinkError(f'{self.path}: is closed and finished; nothing can be appended')
        with self._errors():
            first = self._file is None
            if self._file is None:
                self._file = sys.stdout if self._to_stdout else self._open()
            self._write(self._file, first, heads, principal_id, place)
            self._file.flush()

    def close(self) -> None:
        """Finish the file. Harmless when done twice."""
        self._closed = True
        with self._errors():
            if self._file is not None and not self._to_stdout:
                self._file.close()

    @abstractmethod
    def _write(
        self,
        file: TextIO,
        first: bool,
        heads: Sequence[Head],
        principal_id: str | None,
        place: dict[str, Any],
    ) -> None: ...

    def _open(self) -> TextIO:
        return self.path.open('w', newline='', encoding='utf-8', errors='backslashreplace')

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Say which file it is that could not be written."""
        try:
            yield
        except BrokenPipeError:  # who read our output has enough
            raise
        except OSError as error:
            raise SinkError(f'{self.path}: cannot be written: {error.strerror}') from None


class CsvSink(TableSink):
    """A row for each head; an image without heads has none."""

    def _write(
        self,
        file: TextIO,
        first: bool,
        heads: Sequence[Head],
        principal_id: str | None,
        place: dict[str, Any],
    ) -> None:
        writer = csv.DictWriter(file, self.columns, lineterminator='\n')
        if first:
            writer.writeheader()
        known = {name: place[name] for name in self._place}
        writer.writerows(as_text(row) for row in pose_rows(heads, principal_id, **known))


class JsonSink(TableSink):
    """A line for each image: a JSON object with its place, and `heads`, a list of rows.

    All of `place` is written, whether the CSV file has a column for it or not.
    """

    def _write(
        self,
        file: TextIO,
        first: bool,
        heads: Sequence[Head],
        principal_id: str | None,
        place: dict[str, Any],
    ) -> None:
        rows = [as_json(row) for row in pose_rows(heads, principal_id)]
        # A name that is not UTF-8 then becomes what JSON has for it as well: \udce9.
        ascii_only = not str(file.encoding or 'utf-8').lower().startswith('utf')
        file.write(json.dumps({**place, 'heads': rows}, ensure_ascii=ascii_only) + '\n')
