# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bag as a whole: its storage files one after the other, unpacked, its messages as objects."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from headpose_ros.media.closing import Closing
from headpose_ros.media.frames import SourceError
from headpose_ros.recordings.extras import require
from headpose_ros.recordings.finding import METADATA, ZSTD_SUFFIX, Recording
from headpose_ros.recordings.storage import Encoding, Message, Storage, Topic


class Bag(Closing):
    """Reads a recording of kind `bag`, of one file or many; use it with `with`.

    `topics`: by name. `span_ns`: recording times of the first message and just after the last one,
    None where unknown. `damage`: what could not be read, so far. Files are opened one at a time.
    Raises SourceError where nothing can be read, MissingExtraError without the extra `batch`.
    """

    def __init__(self, recording: Recording) -> None:
        require('batch', 'rosbags', 'mcap', 'pyarrow')
        self.recording = recording
        self.damage: list[str] = []
        self.topics: dict[str, Topic] = {}
        self.span_ns: tuple[int, int] | None = None
        self._spans: dict[Path, tuple[int, int]] = {}
        self._by_message = False
        self._storage: Storage | None = None
        self._open_path: Path | None = None
        self._unpacked: tempfile.TemporaryDirectory[str] | None = None
        self._paths = [path for path in recording.files if path.name != METADATA]
        self._read_metadata()
        if self.topics and not self._metadata_fits():
            self._note(f'{METADATA} says other topics than the files: files read without it')
            self.topics, self.span_ns, self._spans = {}, None, {}
        if not self.topics:
            self._look_into_all()

    def messages(
        self, topics: Collection[str], start_ns: int | None = None, stop_ns: int | None = None
    ) -> Iterator[Message]:
        """Yield the messages of `topics` recorded from `start_ns` on and before `stop_ns`."""
        for path in self._paths:
            span = self._spans.get(path)
            if span and (
                (start_ns is not None and span[1] <= start_ns)
                or (stop_ns is not None and span[0] >= stop_ns)
            ):
                continue
            try:
                storage = self._open(path)
            except SourceError as error:
                self._note(str(error))
                continue
            self._learn_types(storage)
            for topic, time_ns, data in storage.messages(topics, start_ns, stop_ns):
                yield Message(topic, time_ns, _unpack(data) if self._by_message else data)
            for note in storage.damage:
                self._note(note)

    def first(self, topic: str) -> Message | None:
        """Return the first message of a topic, None where there is none."""
        known = self.topics.get(topic)
        if known is None or known.count == 0:
            return None
        return next(self.messages([topic]), None)

    def decode(self, message: Message) -> Any:
        """Return a message as an object with the fields of its type.

        Raises ValueError where its bytes are no such message.
        """
        topic = self.topics[message.topic]
        return decode(message.data, topic.msgtype, topic.encoding)

    def close(self) -> None:
        """Close the file that is open."""
        storage, self._storage, self._open_path = self._storage, None, None
        unpacked, self._unpacked = self._unpacked, None
        if storage is not None:
            storage.close()
        if unpacked is not None:
            unpacked.cleanup()

    def _read_metadata(self) -> None:
        """Take from `metadata.yaml` what it says, where it is there and sound."""
        path = next((path for path in self.recording.files if path.name == METADATA), None)
        if path is None:
            if self.recording.path.is_dir():
                self._note(f'{METADATA} is missing: all storage files are read')
            return
        try:
            self._take(_load_metadata(path))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self._note(
                f'{METADATA} cannot be used ({type(error).__name__}): files read without it'
            )
            self.topics, self.span_ns, self._spans = {}, None, {}

    def _take(self, about: Mapping[str, Any]) -> None:
        self._by_message = str(about.get('compression_mode', '')).lower() == 'message'
        listed = [self.recording.path / Path(name).name for name in about['relative_file_paths']]
        for path in listed:
            if not path.is_file():
                self._note(f'{path.name} is missing')
        self._paths = [path for path in listed if path.is_file()]
        if not self._paths:
            raise SourceError(f'{self.recording.path}: all its storage files are missing')
        for entry in about['topics_with_message_count']:
            topic = entry['topic_metadata']
            name, count = str(topic['name']), int(entry['message_count'])
            before = self.topics.get(name)
            count += before.count or 0 if before else 0
            digest = str(topic.get('type_description_hash') or '')
            self.topics[name] = Topic(name, str(topic['type']), count, 'cdr', '', digest)
        for entry in about.get('files') or ():
            path = self.recording.path / Path(entry['path']).name
            self._spans[path] = _span(entry)
        if about.get('message_count'):
            self.span_ns = _span(about)

    def _metadata_fits(self) -> bool:
        """Return whether the topics of the first file are in `metadata.yaml` as they are there."""
        try:
            storage = self._open(self._paths[0])
        except SourceError:
            return True  # told when it is to be read
        for name, found in storage.topics.items():
            stated = self.topics.get(name)
            if stated is None or stated.msgtype != found.msgtype:
                return False
            if (stated.count or 0) < (found.count or 0):
                return False
        return True

    def _learn_types(self, storage: Storage) -> None:
        """Take the definitions of types from a file: `metadata.yaml` has none."""
        for name, found in storage.topics.items():
            known = self.topics.get(name)
            if known is not None and found.definition and not known.definition:
                digest = known.digest or found.digest
                self.topics[name] = replace(known, definition=found.definition, digest=digest)

    def _look_into_all(self) -> None:
        failures = []
        spans = []
        for path in self._paths:
            try:
                storage = self._open(path)
            except SourceError as error:
                failures.append(str(error))
                continue
            for topic in storage.topics.values():
                known = self.topics.get(topic.name)
                counts = [topic.count, known.count if known else 0]
                count = None if None in counts else sum(one or 0 for one in counts)
                self.topics[topic.name] = replace(topic, count=count)
            spans.append(storage.span_ns)
            for note in storage.damage:
                self._note(note)
        if failures and not self.topics:
            raise SourceError('; '.join(failures))
        for failure in failures:
            self._note(failure)
        known_spans = [span for span in spans if span is not None]
        if known_spans and len(known_spans) == len(spans):
            self.span_ns = min(s[0] for s in known_spans), max(s[1] for s in known_spans)

    def _open(self, path: Path) -> Storage:
        if path != self._open_path or self._storage is None:
            self.close()
            self._storage = Storage(self._without_compression(path))
            self._open_path = path
        return self._storage

    def _without_compression(self, path: Path) -> Path:
        """Return `path`, or where it is compressed as a whole, a copy of it that is not."""
        if not path.name.endswith(ZSTD_SUFFIX):
            return path
        import pyarrow

        self._unpacked = tempfile.TemporaryDirectory(prefix='headpose_')
        copy = Path(self._unpacked.name) / path.name.removesuffix(ZSTD_SUFFIX)
        try:
            with (
                pyarrow.input_stream(str(path), compression='zstd') as packed,
                copy.open('wb') as to,
            ):
                shutil.copyfileobj(packed, to, 1 << 20)
        except OSError as error:
            if not copy.exists() or copy.stat().st_size == 0:
                raise SourceError(f'{path}: cannot be unpacked: {error}') from None
            self._note(f'{path.name} breaks off: unpacked as far as it goes')
        return copy

    def _note(self, text: str) -> None:
        if text not in self.damage:
            self.damage.append(text)


def decode(data: Any, msgtype: str, encoding: Encoding) -> Any:
    """Return a serialised message as an object with the fields of `msgtype`.

    Only the standard types of ROS are known: what a file says of its types is not executed. Raises
    ValueError where the bytes are no such message, or the type is not known.
    """
    store = _typestore(encoding)
    try:
        if encoding == 'ros1':
            return store.deserialize_ros1(data, msgtype)
        return store.deserialize_cdr(data, msgtype)
    except Exception as error:  # rosbags checks by assert and by index too
        raise ValueError(f'is no {msgtype}: {error}') from None


@cache
def _typestore(encoding: Encoding) -> Any:
    from rosbags.typesys import Stores, get_typestore

    return get_typestore(Stores.ROS1_NOETIC if encoding == 'ros1' else Stores.ROS2_JAZZY)


def _load_metadata(path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f'not YAML: {error}') from None
    about: Mapping[str, Any] = content['rosbag2_bagfile_information']
    return about


def _span(about: Mapping[str, Any]) -> tuple[int, int]:
    start = int(about['starting_time']['nanoseconds_since_epoch'])
    return start, start + int(about['duration']['nanoseconds']) + 1


def _unpack(data: Any) -> bytes:
    """Return a message that was compressed by itself; as it is where it cannot be unpacked."""
    import pyarrow

    try:
        with pyarrow.CompressedInputStream(pyarrow.BufferReader(data), 'zstd') as stream:
            unpacked: bytes = stream.read()
            return unpacked
    except OSError:
        return bytes(data)
