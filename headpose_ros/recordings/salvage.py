# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags whose index is missing or wrong, read from front to back: what they hold, no more.

MCAP by the package `mcap`; sqlite3 by Python's; ROS 1 by the format itself, whose records stand
one after the other (http://wiki.ros.org/Bags/Format/2.0).
"""

from __future__ import annotations

import io
import sqlite3
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any, Literal, NamedTuple

_SKIPS = 40
"""Rows of a damaged database that are skipped, twice as many each time, before it is given up."""

_ROS1_MAGIC = b'#ROSBAG V2.0\n'
_MESSAGE, _CHUNK, _CONNECTION = 2, 5, 7


class FoundTopic(NamedTuple):
    """A topic that a file was found to have."""

    name: str
    msgtype: str
    encoding: Literal['cdr', 'ros1']


class Salvage(ABC):
    """Reads a file from front to back, as often as asked to.

    `damage`: what was left out when reading last. `is_whole`: the end of the file was reached and
    nothing was left out: it only has no index, or one that is not understood.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: list[str] = []
        self.is_whole = False

    @abstractmethod
    def topics(self) -> list[FoundTopic]:
        """Return the topics. Raises an exception of any kind where the file is none of these."""

    @abstractmethod
    def messages(self, topics: Set[str]) -> Iterator[tuple[str, int, Any]]:
        """Yield topic, recording time in nanoseconds and data of the messages of `topics`."""


def salvage(path: Path) -> Salvage:
    """Return the reader for a file, by its ending."""
    kinds = {'.mcap': _Mcap, '.db3': _Sqlite}
    return kinds.get(path.suffix, _Ros1)(path)


def has_log(path: Path) -> bool:
    """Return whether an SQLite database has a write-ahead log beside it that is not merged."""
    log = path.with_name(f'{path.name}-wal')
    return path.suffix == '.db3' and log.is_file() and log.stat().st_size > 0


class _Mcap(Salvage):
    def topics(self) -> list[FoundTopic]:
        found: dict[int, FoundTopic] = {}
        if not self._summarised(found):
            for _ in self._records(found):
                pass
        return list(found.values())

    def messages(self, topics: Set[str]) -> Iterator[tuple[str, int, Any]]:
        found: dict[int, FoundTopic] = {}
        for message in self._records(found):
            topic = found.get(message.channel_id)
            if topic is not None and topic.name in topics:
                yield topic.name, message.log_time, message.data

    def _records(self, found: dict[int, FoundTopic]) -> Iterator[Any]:
        """Yield the messages; note the topics by channel in `found`."""
        from mcap.records import Channel, Schema
        from mcap.records import Message as McapMessage

        schemas: dict[int, Any] = {}
        for record in self._unpacked():
            if isinstance(record, Schema):
                schemas[record.id] = record
            elif isinstance(record, Channel):
                _note_channel(record, schemas, found)
            elif isinstance(record, McapMessage):
                yield record

    def _summarised(self, found: dict[int, FoundTopic]) -> bool:
        """Note the topics that the summary at the file's end lists; return whether it is there."""
        from mcap.reader import SeekingReader

        try:
            with self.path.open('rb') as file:
                summary = SeekingReader(
                    file, record_size_limit=self.path.stat().st_size
                ).get_summary()
        except Exception:
            return False
        if summary is None or not summary.channels:
            return False
        for channel in summary.channels.values():
            _note_channel(channel, summary.schemas, found)
        self.is_whole = True
        return True

    def _unpacked(self) -> Iterator[Any]:
        """Yield all records, those of chunks too; a chunk that cannot be unpacked is left out."""
        from mcap.records import Chunk, Footer
        from mcap.stream_reader import StreamReader, breakup_chunk

        self.damage, self.is_whole = [], False
        left_out = 0
        with self.path.open('rb') as file:
            # No record is longer than the file: one that says so is damaged.
            limit = self.path.stat().st_size
            reader = StreamReader(file, emit_chunks=True, record_size_limit=limit)
            records = reader.records
            while True:
                try:
                    record = next(records)
                except Exception as error:
                    self._broke_off(error, file.tell())
                    break
                if isinstance(record, Footer):
                    self.is_whole = not left_out
                    break
                if not isinstance(record, Chunk):
                    yield record
                    continue
                try:
                    unpacked = breakup_chunk(record, validate_crc=True)
                except Exception:
                    left_out += 1
                    continue
                yield from unpacked
        if left_out:
            self.damage.append(f'{left_out} damaged chunks are left out')

    def _broke_off(self, error: Exception, position: int) -> None:
        from mcap.exceptions import InvalidMagic

        if isinstance(error, InvalidMagic) and position <= 8:
            raise error
        self.damage.append(f'breaks off at byte {position}')


def _note_channel(channel: Any, schemas: Mapping[int, Any], found: dict[int, FoundTopic]) -> None:
    schema = schemas.get(channel.schema_id)
    if schema is not None and channel.message_encoding in ('cdr', 'ros1'):
        name = schema.name if '/msg/' in schema.name else _ros2_name(schema.name)
        encoding: Literal['cdr', 'ros1'] = 'ros1' if channel.message_encoding == 'ros1' else 'cdr'
        found[channel.id] = FoundTopic(channel.topic, name, encoding)


class _Sqlite(Salvage):
    def topics(self) -> list[FoundTopic]:
        with self._open() as database:
            rows = database.execute('SELECT name, type FROM topics').fetchall()
        return [FoundTopic(str(name), str(msgtype), 'cdr') for name, msgtype in rows]

    def messages(self, topics: Set[str]) -> Iterator[tuple[str, int, Any]]:
        self.damage = []
        with self._open() as database:
            rows = database.execute('SELECT id, name FROM topics').fetchall()
            names = {number: name for number, name in rows if name in topics}
            last = skip = 0
            for _ in range(_SKIPS):
                try:
                    for row, topic, time_ns, data in database.execute(
                        'SELECT id, topic_id, timestamp, data FROM messages WHERE id > ? '
                        'ORDER BY id',
                        (last + skip,),
                    ):
                        last, skip = row, 0
                        if topic in names and isinstance(data, bytes):
                            yield names[topic], int(time_ns), data
                    break
                except sqlite3.DatabaseError as error:
                    self.damage = [f'is damaged after message {last} ({error})']
                    skip = 2 * skip or 1

    def _open(self) -> Any:
        from contextlib import closing

        # A log that is not merged yet is read only where the file is not taken to be immutable.
        mode = 'mode=ro' if has_log(self.path) else 'immutable=1'
        database = sqlite3.connect(f'{self.path.resolve().as_uri()}?{mode}', uri=True)
        # Otherwise a file that is shorter than it says is not read at all.
        database.execute('PRAGMA writable_schema=ON')
        return closing(database)


class _Ros1(Salvage):
    def topics(self) -> list[FoundTopic]:
        found: dict[int, FoundTopic] = {}
        for _ in self._records(found):
            pass
        return list(found.values())

    def messages(self, topics: Set[str]) -> Iterator[tuple[str, int, Any]]:
        found: dict[int, FoundTopic] = {}
        for header, data in self._records(found):
            topic = found.get(int.from_bytes(header.get('conn', b''), 'little'))
            if topic is not None and topic.name in topics and len(header.get('time', b'')) == 8:
                seconds, nanoseconds = struct.unpack('<II', header['time'])
                yield topic.name, seconds * 10**9 + nanoseconds, data

    def _records(self, found: dict[int, FoundTopic]) -> Iterator[tuple[dict[str, bytes], bytes]]:
        """Yield header and data of each message; note the topics by connection in `found`."""
        self.damage, self.is_whole = [], False
        left_out = 0
        with self.path.open('rb') as file:
            if file.read(len(_ROS1_MAGIC)) != _ROS1_MAGIC:
                raise ValueError('is no bag of ROS 1')
            for header, data in self._outer(file):
                kind = header.get('op', b'\0')[0]
                if kind == _CONNECTION:
                    _note_connection(header, data, found)
                if kind != _CHUNK:
                    continue
                try:
                    inner = list(_ros1_records(io.BytesIO(_decompressed(header, data))))
                except Exception:
                    left_out += 1
                    continue
                for header_in, data_in in inner:
                    kind = header_in.get('op', b'\0')[0]
                    if kind == _CONNECTION:
                        _note_connection(header_in, data_in, found)
                    elif kind == _MESSAGE:
                        yield header_in, data_in
        if left_out:
            self.damage.append(f'{left_out} damaged chunks are left out')

    def _outer(self, file: Any) -> Iterator[tuple[dict[str, bytes], bytes]]:
        records = _ros1_records(file)
        while True:
            try:
                yield next(records)
            except StopIteration:
                self.is_whole = True
                return
            except (ValueError, struct.error):
                self.damage.append(f'breaks off at byte {file.tell()}')
                return


def _ros1_records(file: Any) -> Iterator[tuple[dict[str, bytes], bytes]]:
    """Yield header and data of the records that follow each other; ValueError where one is cut."""
    while start := file.read(4):
        header = _exactly(file, _size(start))
        data = _exactly(file, _size(file.read(4)))
        yield _ros1_header(header), data


def _ros1_header(header: bytes) -> dict[str, bytes]:
    fields: dict[str, bytes] = {}
    at = 0
    while at < len(header):
        size = _size(header[at : at + 4])
        name, separator, value = header[at + 4 : at + 4 + size].partition(b'=')
        if not separator:
            raise ValueError('a header is damaged')
        fields[name.decode()] = value
        at += 4 + size
    if not fields.get('op'):
        raise ValueError('a header is damaged')
    return fields


def _size(data: bytes) -> int:
    if len(data) != 4:
        raise ValueError('a record is cut')
    return int.from_bytes(data, 'little')


def _exactly(file: Any, size: int) -> bytes:
    data: bytes = file.read(size)
    if len(data) != size:
        raise ValueError('a record is cut')
    return data


def _decompressed(header: dict[str, bytes], data: bytes) -> bytes:
    compression = header.get('compression', b'none')
    if compression == b'bz2':
        import bz2

        return bz2.decompress(data)
    if compression == b'lz4':
        import pyarrow

        with pyarrow.CompressedInputStream(pyarrow.BufferReader(data), 'lz4') as stream:
            return bytes(stream.read())
    return data


def _note_connection(header: dict[str, bytes], data: bytes, found: dict[int, FoundTopic]) -> None:
    fields = _ros1_header(data + b'\x04\0\0\0op=x')  # a connection's data is a header without op
    number = int.from_bytes(header.get('conn', b''), 'little')
    topic = '/' + '/'.join(part for part in header.get('topic', b'').decode().split('/') if part)
    found[number] = FoundTopic(topic, _ros2_name(fields['type'].decode()), 'ros1')


def _ros2_name(msgtype: str) -> str:
    """Return the name that a type of ROS 1 has in ROS 2."""
    package, _, name = msgtype.partition('/')
    return f'{package}/msg/{name}'
