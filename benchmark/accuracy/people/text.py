# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of a run, as Markdown, beside the code before: version 0.1.0, in before.json.

python -m benchmark.accuracy.people.text RESULT.json    # writes before.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from .demands import Demand

BEFORE = Path(__file__).with_name('before.json')
_COMPARED = ('idf1', 'share')

_COLUMNS = (
    ('MOTA', 'mota'), ('IDF1', 'idf1'), ('switches', 'switches'), ('found', 'share'),
    ('first: median, worst', 'first_s'), ('one id', 'one_id'), ('id kept', 'same_id'),
    ('within 15°', 'within_15'), ('longest wrong', 'longest_wrong_s'),
    ('false heads', 'false_heads'),
)  # fmt: skip


def markdown(result: Any) -> dict[str, str]:
    """Return the tables: of what is demanded, speeds and rates, groups, and recordings."""
    return {name: make(result) for name, make in TABLES.items()}


def _demanded(result: Any) -> str:
    cells = []
    for row in (Demand(**row) for row in result['demands']):
        before = _in_unit(_before()['demands'].get(row.text), row.unit)
        limit = f'{"≥" if row.at_least else "≤"} {_in_unit(row.limit, row.unit)}'
        met = {True: 'yes', False: '**no**', None: ''}[row.met]
        cells.append((row.text, before, _in_unit(row.value, row.unit), limit, met))
    return _table(('', '0.1.0', 'now', 'demanded', 'met'), cells)


def _walking(result: Any) -> str:
    groups, before = result['groups'], _before()['groups']
    speeds, rates = ('0.5', '1', '1.5', '2', '2.5'), ('2', '3', '5', '10', '15', '30', '60')
    rows = []
    for speed in speeds:
        names = [f'walk {speed} m/s, {rate} Hz' for rate in rates]
        cells = [_now_and_before(groups.get(name), before.get(name), 'share') for name in names]
        rows.append((f'{speed} m/s', *cells))
    head = ('walking past', *(f'{rate} Hz' for rate in rates))
    return _table(head, rows)


def _now_and_before(now: Any, before: Any, key: str) -> str:
    if now is None:
        return ''
    text = _value(key, now[key])
    return f'{text} ({_value(key, before[key])})' if before else text


def _groups(result: Any) -> str:
    rows = [
        (f'**ordinary part, {name}**', result['ordinary'][name]) for name in result['ordinary']
    ]
    rows += list(result['groups'].items())
    before = _before()['groups']
    return _table(
        ('', *(title for title, _ in _COLUMNS)),
        [(name, *_cells(figures, before.get(name))) for name, figures in rows],
    )


def _cells(figures: Any, before: Any) -> list[str]:
    return [
        _now_and_before(figures, before if key in _COMPARED else None, key) for _, key in _COLUMNS
    ]


def _recordings(result: Any) -> str:
    head = ('', 'minutes', 'images with a head', 'ids, people', 'false heads a minute',
            'images with a false head', 'longest')  # fmt: skip
    rows = [
        (
            name,
            f'{r["minutes"]:.1f}',
            _percent(r['images_with_head']),
            f'{r["ids"]}, {"?" if r["people"] is None else r["people"]}',
            _number(r['false_heads_per_minute']),
            _percent(r['false_images']),
            _in_unit(r['longest_false_s'], 's'),
        )
        for name, r in result['recorded'].items()
    ]
    return _table(head, rows)


def _value(key: str, value: Any) -> str:
    if value is None:
        return ''
    if key == 'first_s':
        return ', '.join(_in_unit(value[name], 's') or 'never' for name in ('median', 'worst'))
    if key in ('switches', 'false_heads'):
        return str(value)
    if key == 'longest_wrong_s':
        return _in_unit(value, 's')
    return f'{value:.3f}' if key in ('mota', 'idf1') else _percent(value)


def _in_unit(value: float | None, unit: str) -> str:
    if value is None:
        return ''
    if unit == '%':
        return _percent(value)
    return f'{value:.2f} {unit}'.strip()


def _percent(value: float | None) -> str:
    return '' if value is None else f'{100 * value:.1f} %'


def _number(value: float | None) -> str:
    return '' if value is None else f'{value:.2f}'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join('| ' + ' | '.join(cells) + ' |' for cells in lines)


@lru_cache(maxsize=1)
def _before() -> Any:
    return json.loads(BEFORE.read_text()) if BEFORE.is_file() else {'demands': {}, 'groups': {}}


def _write_before(result: Any) -> None:
    groups = {f'**ordinary part, {name}**': row for name, row in result['ordinary'].items()}
    groups |= result['groups']
    kept = {
        'demands': {row['text']: row['value'] for row in result['demands']},
        'groups': {name: {key: row[key] for key in _COMPARED} for name, row in groups.items()},
    }
    BEFORE.write_text(json.dumps(kept, indent=1) + '\n')


TABLES = {
    'following: demanded': _demanded,
    'following: walking': _walking,
    'following: groups': _groups,
    'following: recordings': _recordings,
}
"""Of each table: the function that makes it from a result."""


if __name__ == '__main__':
    _write_before(json.loads(Path(sys.argv[1]).read_text()))
