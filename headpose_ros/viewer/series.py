# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures over time, one line a person: gathered, and sent in columns, which costs far less."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import rerun as rr

ROWS = 32
"""Rows that a line gathers before it is sent, unless `seconds` have passed first."""
SECONDS = 0.2
FIRST_DATE_NS = 1 << 59
"""Stamps from here on (1988) are times of the day."""


@dataclass
class _Line:
    """Points of one line that are not sent yet."""

    stamps_ns: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    is_broken: bool = True


def clock(stamps_ns: Sequence[int]) -> tuple[str, np.ndarray]:
    """Return how Rerun is to take stamps, and the stamps so.

    'timestamp' for times of the day, 'duration' where they count from a start, as those of files
    and simulators do.
    """
    times = np.array(stamps_ns, np.int64)
    if times[0] >= FIRST_DATE_NS:
        return 'timestamp', times.astype('datetime64[ns]')
    return 'duration', times.astype('timedelta64[ns]')


class Plots:
    """Lines by entity path."""

    def __init__(self, recording: Any, timeline: str) -> None:
        self._recording = recording
        self._timeline = timeline
        self._lines: dict[str, _Line] = {}
        self._styled: set[str] = set()
        self._first_ns: int | None = None

    def add(
        self, stamp_ns: int, values: Mapping[str, float], styles: Mapping[str, tuple[str, Any]]
    ) -> None:
        """Add a point to each line in `values`; every other line breaks here.

        `styles`: name and colour (R, G, B) of the lines, used for those that are new.
        """
        for path, value in values.items():
            line = self._lines.get(path)
            if line is None:
                line = self._lines[path] = _Line()
            if path not in self._styled:  # once: what is static is kept for ever
                self._styled.add(path)
                name, colour = styles[path]
                look = rr.SeriesLines(colors=[colour], names=[name], widths=[2.0])
                self._recording.log(path, look, static=True)
            line.stamps_ns.append(stamp_ns)
            line.values.append(value)
            line.is_broken = False
        for path, line in self._lines.items():
            if path not in values and not line.is_broken:
                line.stamps_ns.append(stamp_ns)
                line.values.append(math.nan)
                line.is_broken = True
        if self._first_ns is None:
            self._first_ns = stamp_ns
        rows = max((len(line.values) for line in self._lines.values()), default=0)
        if rows >= ROWS or abs(stamp_ns - self._first_ns) >= 1e9 * SECONDS:
            self.send()

    def send(self) -> None:
        """Send all that is gathered."""
        for path, line in self._lines.items():
            if not line.values:
                continue
            kind, times = clock(line.stamps_ns)
            index = rr.TimeColumn(self._timeline, **{kind: times})
            columns = rr.Scalars.columns(scalars=line.values)
            self._recording.send_columns(path, indexes=[index], columns=columns)
            line.stamps_ns.clear()
            line.values.clear()
        self._first_ns = None
        gone = [path for path, line in self._lines.items() if line.is_broken]
        for path in gone:  # so that passers-by of an hour leave nothing behind
            del self._lines[path]
