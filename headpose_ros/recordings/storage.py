# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One storage file of a bag: its topics and messages, read by `rosbags`, however it ended.

A file that is cut off, damaged or has no index is read as far as it goes, and says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from headpose_ros.media.closing import Closing
from headpose_ros.media.frames import SourceError
from headpose_ros.recordings.salvage import Salvage, has_log, salvage

Encoding = Literal['cdr', 'ros1']


_HARMLESS = ('Bag is not indexed', 'Profile is not ros2')
"""What rosbags says of files that may be sound all the same."""


class Message(NamedTuple):
    """A message as it is stored. `time_ns`: when it was recorded, nanoseconds."""

    topic: str
    time_ns: int
    data: Any


@dataclass(frozen=True)
class Topic:
    """A topic of a bag. `count`: its messages, None where only reading them all would tell.

    `definition`, `digest`: text and hash of its type, '' where the bag does not say.
    """

    name: str
    msgtype: str
    count: int | None
    encoding: Encoding
    definition: str = ''
    digest: str = ''


class Storage(Closing):
    """An open storage file; use it with `with`.

    `topics`: by name. `span_ns`: recording times of the first message and just after the last
    one, None where unknown. `damage`: what could not be read, so far. Raises SourceError where
    nothing at all can be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.topics: dict[str, Topic] = {}
        self.span_ns: tuple[int, int] | None = None
        self.damage: list[str] = []
        self._reader: Any = None
        self._salvage: Salvage | None = None
        try:
            if has_log(path):
                raise SourceError('a log of the database is not merged yet')
            self._open_indexed()
        except Exception as error:  # the file may hold anything, and rosbags checks by assert too
            self._open_damaged(error)

    def messages(
        self, topics: Collection[str], start_ns: int | None = None, stop_ns: int | None = None
    ) -> Iterator[Message]:
        """Yield the messages of `topics` recorded from `start_ns` on and before `stop_ns`.

        In the order of their recording times; where the file is damaged, in that of the file.
        """
        known = [name for name in topics if name in self.topics]
        if not known:
            return
        last = start_ns
        if self._reader is not None:
            counts: Counter[str] = Counter()
            try:
                for message in self._indexed(known, start_ns, stop_ns):
                    last = message.time_ns
                    counts[message.topic] += 1
                    if isinstance(message.data, (bytes, bytearray, memoryview)):
                        yield message
                    else:
                        self._note(f'{message.topic}: a message without content is left out')
                if start_ns is None and stop_ns is None:
                    self._compare(known, counts)
                return
            except GeneratorExit:
                raise
            except Exception as error:
                self._note(f'is damaged ({_reason(error)}): read without its index from there on')
                self._salvage = salvage(self.path)
                last = None if last is None else last + 1
        yield from self._scanned(known, last, stop_ns)

    def close(self) -> None:
        """Close the file."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _open_indexed(self) -> None:
        reader = _rosbags_reader(self.path)
        reader.open()
        self._reader = reader
        for one in reader.connections:
            known = self.topics.get(one.topic)
            count = one.msgcount + (known.count or 0 if known else 0)  # several publishers
            self.topics[one.topic] = Topic(
                one.topic, one.msgtype, count, _encoding(reader), one.msgdef.data, one.digest or ''
            )
        if reader.message_count:
            self.span_ns = int(reader.start_time), int(reader.end_time)

    def _open_damaged(self, error: Exception) -> None:
        self.close()
        try:
            self._salvage = salvage(self.path)
            for topic in self._salvage.topics():
                self.topics[topic.name] = Topic(topic.name, topic.msgtype, None, topic.encoding)
        except Exception as other:
            raise SourceError(f'{self.path}: cannot be read: {_reason(other)}') from None
        if not self.topics:
            raise SourceError(f'{self.path}: cannot be read: {_reason(error)}')
        if not (self._salvage.is_whole and _reason(error).startswith(_HARMLESS)):
            self._note(f'has no index to use ({_reason(error)}): read as far as it goes')

    def _indexed(
        self, topics: Collection[str], start_ns: int | None, stop_ns: int | None
    ) -> Iterator[Message]:
        wanted = [one for one in self._reader.connections if one.topic in topics]
        for connection, time_ns, data in self._reader.messages(wanted, start_ns, stop_ns):
            yield Message(connection.topic, time_ns, data)

    def _scanned(
        self, topics: Collection[str], start_ns: int | None, stop_ns: int | None
    ) -> Iterator[Message]:
        assert self._salvage is not None
        wanted = frozenset(topics)
        try:
            for topic, time_ns, data in self._salvage.messages(wanted):
                if (start_ns is None or time_ns >= start_ns) and (
                    stop_ns is None or time_ns < stop_ns
                ):
                    yield Message(topic, time_ns, data)
        except GeneratorExit:
            raise
        except Exception as error:
            self._note(f'breaks off ({_reason(error)})')
        for note in self._salvage.damage:
            self._note(note)

    def _compare(self, topics: Collection[str], counts: Counter[str]) -> None:
        """Note where fewer messages were there than the index says."""
        for name in topics:
            stated = self.topics[name].count or 0
            if counts[name] < stated:
                self._note(f'holds {counts[name]} of {stated} messages of {name}')

    def _note(self, text: str) -> None:
        note = f'{self.path.name} {text}'
        if note not in self.damage:
            self.damage.append(note)


def _rosbags_reader(path: Path) -> Any:
    from rosbags import rosbag1, rosbag2

    if path.suffix in ('.bag', '.active'):
        return rosbag1.Reader(path)
    return rosbag2.Reader(path)


def _encoding(reader: Any) -> Encoding:
    from rosbags import rosbag1

    return 'ros1' if isinstance(reader, rosbag1.Reader) else 'cdr'


def _reason(error: Exception) -> str:
    return ' '.join(str(error).split()).rstrip('.') or type(error).__name__
