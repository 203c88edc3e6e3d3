# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What following has to reach: each a row with the figure measured and the one demanded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]

_STILL = ('light, dark 1 of 2', 'light, dark 1 of 3') + tuple(
    f'stamps {kind}'
    for kind in ('repeat 2', 'repeat 3', 'repeat 5', 'repeat 10', 'whole', 'jitter', 'late')
)


@dataclass(frozen=True)
class Demand:
    """A row: what, the figure (None: not measured), and the least or the most that it may be."""

    text: str
    value: float | None
    limit: float
    at_least: bool
    unit: str = '%'

    @property
    def met(self) -> bool | None:
        """Whether the figure is within the limit."""
        if self.value is None:
            return None
        if self.at_least:
            return self.value >= self.limit - 1e-9
        return self.value <= self.limit + 1e-9


def demands(result: Figures) -> list[Demand]:
    """Return every row, from the result of a run."""
    return [*_walking(result['groups']), *_turning(result['groups']), *_others(result)]


def _walking(groups: Figures) -> Iterator[Demand]:
    cells = [
        f'walk {speed:g} m/s, {rate:g} Hz' for speed in (0.5, 1, 1.5, 2) for rate in (10, 15, 30)
    ]
    text = 'walking past at 0.5 to 2 m/s, 10 to 30 Hz'
    shares, ids = _values(groups, cells, 'share'), _values(groups, cells, 'one_id')
    yield Demand(f'{text}: found from 0.3 s on, worst of the speeds and rates', _least(shares),
                 0.9, True)  # fmt: skip
    yield Demand(f'{text}: one id each', _mean(ids), 1.0, True)
    rows = (('walk 1.5 m/s, 5 Hz', 0.75), ('stand, 3 Hz', 0.9), ('walk 0.5 m/s, 3 Hz', 0.9))
    for group, limit in rows:
        share = groups.get(group, {}).get('share')
        yield Demand(f'{group}: found from 0.3 s on', share, limit, True)
    for rate in (10, 30):
        swing = groups.get(f'swing, {rate} Hz', {}).get('one_id')
        yield Demand(f'swinging 0.3 m at 1 Hz, {rate} Hz: one id', swing, 1.0, True)


def _turning(groups: Figures) -> Iterator[Demand]:
    for rate in (10, 30):
        names = [f'turn {reach} deg, {rate} Hz' for reach in (180, 360)]
        text = f'turns by 180 and 360 deg, {rate} Hz'
        longest = _values(groups, names, 'longest_wrong_s')
        yield Demand(f'{text}: longest wrong by more than 30 deg',
                     max(longest, default=None), 0.3, False, 's')  # fmt: skip
        kept = _values(groups, names, 'same_id')
        yield Demand(f'{text}: same id before and after', _mean(kept), 1.0, True)


def _others(result: Figures) -> Iterator[Demand]:
    groups, recorded = result['groups'], result['recorded']
    nobody = recorded.get('nobody', {}).get('false_heads_per_minute')
    yield Demand('nobody there: false heads in 10 minutes', nobody and 10 * nobody, 1.0, False, '')
    for name in _STILL:
        of = groups.get(name, {})
        yield Demand(f'{name}, one still person: found from the fifth bright image on',
                     of.get('share_from_fifth'), 0.95, True)  # fmt: skip
        yield Demand(f'{name}, one still person: one id', of.get('one_id'), 1.0, True)
    ordinary = result['ordinary']
    idf1 = {rate: ordinary.get(rate, {}).get('idf1') for rate in ('all', '10 Hz', '30 Hz')}
    yield Demand('ordinary part: IDF1', idf1['all'], 0.95, True)
    less = None if None in idf1.values() else idf1['30 Hz'] - idf1['10 Hz']
    yield Demand('ordinary part: IDF1 at 30 Hz less that at 10 Hz', less, 0.03, False)
    first = ordinary.get('all', {}).get('first_in_time')
    yield Demand('ordinary part: first result within 0.25 s or 3 images', first, 1.0, True)


def _values(groups: Figures, names: list[str], key: str) -> list[float]:
    found = [groups[name][key] for name in names if name in groups]
    return [value for value in found if value is not None]


def _least(values: list[float]) -> float | None:
    return min(values, default=None)


def _mean(values: list[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
