# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Parquet tables: one of heads, one of images, with the columns of `media.tables`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from headpose_ros.media.closing import Closing
from headpose_ros.media.tables import column_names

METADATA_KEY = b'headpose_ros'
"""Key of the schema's metadata: JSON with version, weights, options, camera."""

PLACE = ('frame_id', 'image', 'stamp_ns')
"""The columns that say which image it is; recording and topic are in the path, as Hive has it."""

COVARIANCE, POSES, FOLLOWED, LEAD = 'covariance', 'poses', 'followed', 'lead'
"""Columns of parts that are still to be joined. Of heads: the covariance, 36 numbers in rows, for
bags and events, and the poses, 24 of `watching.poses_of`, for events. Of images: the ids of those
who are followed, for events. Of both: whether the image only leads the tracks in."""

ROWS_HELD = 20_000
"""Rows that are kept in memory at most before they are written."""

_TEXT = ('frame_id', 'image', 'id', 'problem', 'event', 'target')
_WHOLE = ('roi_x', 'roi_y', 'roi_width', 'roi_height', 'width', 'height', 'heads')
_IMAGES = (*PLACE, 'bag_time_ns', 'width', 'height', 'heads', 'problem')

EVENTS = ('stamp_ns', 'id', 'event', 'target')
"""The columns of events; `stamp_ns`: of the image in which it became certain."""

Row = Mapping[str, Any]


def heads_schema(about: Mapping[str, Any], extra: Sequence[str] = ()) -> Any:
    """Return the schema of the table of heads, with the columns `extra` of parts."""
    return _schema([*column_names(PLACE), *extra], about)


def images_schema(about: Mapping[str, Any], extra: Sequence[str] = ()) -> Any:
    """Return the schema of the table of images, with the columns `extra` of parts.

    `heads`: their number, null where the image was not looked at: it came late, or `problem` says
    what is wrong with it.
    """
    return _schema([*_IMAGES, *extra], about)


def events_schema(about: Mapping[str, Any]) -> Any:
    """Return the schema of the table of events."""
    return _schema(EVENTS, about)


class ParquetTable(Closing):
    """Writes rows to a Parquet file; the same rows make the same file."""

    def __init__(self, path: Path, schema: Any) -> None:
        from pyarrow import parquet

        self._schema = schema
        self._rows: list[Row] = []
        self._writer = parquet.ParquetWriter(path, schema, compression='zstd')

    def write(self, rows: Iterable[Row]) -> None:
        """Append rows."""
        self._rows.extend(rows)
        if len(self._rows) >= ROWS_HELD:
            self._flush()

    def close(self) -> None:
        """Finish the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow

        rows, self._rows = self._rows, []
        if rows:
            columns = {name: [row[name] for row in rows] for name in self._schema.names}
            self._writer.write_table(pyarrow.Table.from_pydict(columns, schema=self._schema))


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet file, a part of them at a time in memory."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches():
            yield from batch.to_pylist()


def read_about(path: Path) -> dict[str, Any]:
    """Return what the schema's metadata say of version, weights, options and camera."""
    from pyarrow import parquet

    metadata = parquet.read_schema(path).metadata or {}
    about: dict[str, Any] = json.loads(metadata.get(METADATA_KEY, b'{}'))
    return about


def _schema(names: Sequence[str], about: Mapping[str, Any]) -> Any:
    import pyarrow

    text = json.dumps(about, sort_keys=True, default=str)
    fields = [pyarrow.field(name, _type(name)) for name in names]
    return pyarrow.schema(fields, metadata={METADATA_KEY: text.encode()})


def _type(name: str) -> Any:
    import pyarrow

    if name in _TEXT:
        return pyarrow.string()
    if name in _WHOLE:
        return pyarrow.int32()
    if name.endswith('_ns'):
        return pyarrow.int64()
    if name in ('principal', LEAD):
        return pyarrow.bool_()
    if name == COVARIANCE:
        return pyarrow.list_(pyarrow.float64(), 36)
    if name == POSES:
        return pyarrow.list_(pyarrow.float64(), 24)
    if name == FOLLOWED:
        return pyarrow.list_(pyarrow.string())
    return pyarrow.float64()
