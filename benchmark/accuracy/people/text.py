# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of a run, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .demands import Demand

_COLUMNS = (
    ('MOTA', 'mota'), ('IDF1', 'idf1'), ('switches', 'switches'), ('found', 'share'),
    ('first: median, worst', 'first_s'), ('one id', 'one_id'), ('id kept', 'same_id'),
    ('within 15°', 'within_15'), ('longest wrong', 'longest_wrong_s'),
    ('false heads', 'false_heads'),
)  # fmt: skip


def markdown(result: Any) -> dict[str, str]:
    """Return the tables: of what is demanded, speeds and rates, groups, and recordings."""
    made = {'following: demanded': _demanded(result['demands'])}
    if result['groups']:
        made['following: walking'] = _walking(result['groups'])
        made['following: groups'] = _groups(result)
    if result['recorded']:
        made['following: recordings'] = _recordings(result['recorded'])
    return made


def _demanded(rows: Sequence[Any]) -> str:
    cells = []
    for row in (Demand(**row) for row in rows):
        limit = f'{"≥" if row.at_least else "≤"} {_in_unit(row.limit, row.unit)}'
        met = {True: 'yes', False: '**no**', None: ''}[row.met]
        cells.append((row.text, _in_unit(row.value, row.unit), limit, met))
    return _table(('', 'measured', 'demanded', 'met'), cells)


def _walking(groups: Any) -> str:
    speeds, rates = ('0.5', '1', '1.5', '2', '2.5'), ('2', '3', '5', '10', '15', '30', '60')
    rows = []
    for speed in speeds:
        cells = [groups.get(f'walk {speed} m/s, {rate} Hz') for rate in rates]
        rows.append((f'{speed} m/s', *('' if c is None else _cell(c) for c in cells)))
    head = ('walking past', *(f'{rate} Hz' for rate in rates))
    return _table(head, rows)


def _cell(figures: Any) -> str:
    return f'{_percent(figures["share"])}, {_number(figures["ids_per_person"])}'


def _groups(result: Any) -> str:
    rows = [
        (f'**ordinary part, {name}**', result['ordinary'][name]) for name in result['ordinary']
    ]
    rows += list(result['groups'].items())
    return _table(
        ('', *(title for title, _ in _COLUMNS)),
        [(name, *(_value(key, figures[key]) for _, key in _COLUMNS)) for name, figures in rows],
    )


def _recordings(recorded: Any) -> str:
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
        for name, r in recorded.items()
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
