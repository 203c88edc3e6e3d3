# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of events, as CSV or JSON lines: what `headpose video` and `headpose batch` write."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from headpose_ros.attention.events import HeadEvent
from headpose_ros.media.closing import Closing
from headpose_ros.media.files import SinkError, require_writable

COLUMNS = ('recording', 'stamp_ns', 'id', 'event', 'target')
"""Columns, in order; `recording` only where a table holds several."""

JSON_SUFFIXES = ('.json', '.jsonl', '.ndjson')


def event_row(event: HeadEvent, recording: str | None = None) -> dict[str, Any]:
    """Return an event's values by column: the stamp in ns, the type by its name.

    `recording`: its name, for tables of several; None leaves the column out.
    """
    row = {
        'stamp_ns': round(1e9 * event.stamp),
        'id': event.id,
        'event': event.type.name,
        'target': event.target,
    }
    return row if recording is None else {'recording': recording, **row}


class EventSink(Closing):
    """Writes events, a row for each; use it with `with`.

    `path`: a file; `.csv` is a table with a header, `.json`, `.jsonl` and `.ndjson` hold an object
    a line. `several`: whether it holds several recordings, which then have to be named. The file
    is begun by the first `write`, though that has no events: what was there stays until then.
    Raises ValueError for another ending, SinkError where it cannot write.
    """

    def __init__(self, path: str | Path, several: bool = False) -> None:
        self.path = Path(path)
        self._columns = COLUMNS if several else COLUMNS[1:]
        suffix = self.path.suffix.lower()
        if suffix != '.csv' and suffix not in JSON_SUFFIXES:
            raise ValueError(
                f'{path}: expected a name that ends in .csv, or {", ".join(JSON_SUFFIXES)} for '
                'JSON lines'
            )
        self._is_json = suffix != '.csv'
        self._file: TextIO | None = None
        self._closed = False
        require_writable(self.path)

    def write(self, events: Iterable[HeadEvent], recording: str | None = None) -> None:
        """Append the events of an image. Raises SinkError after `close`."""
        if self._closed:
            raise SinkError(f'{self.path}: is closed and finished; nothing can be appended')
        with self._errors():
            if self._file is None:
                self._file = self.path.open('w', newline='', encoding='utf-8')
                if not self._is_json:
                    csv.writer(self._file, lineterminator='\n').writerow(self._columns)
            for event in events:
                self._append(self._file, event_row(event, recording))
            self._file.flush()

    def close(self) -> None:
        """Finish the file. Harmless when done twice."""
        self._closed = True
        with self._errors():
            if self._file is not None:
                self._file.close()

    def _append(self, file: TextIO, row: dict[str, Any]) -> None:
        if self._is_json:
            file.write(json.dumps(row, ensure_ascii=False) + '\n')
        else:
            csv.DictWriter(file, self._columns, lineterminator='\n').writerow(row)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Say which file it is that could not be written."""
        try:
            yield
        except OSError as error:
            raise SinkError(f'{self.path}: cannot be written: {error.strerror}') from None
