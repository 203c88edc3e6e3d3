# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of `benchmark.accuracy.photos`, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

_SIZES = (
    ('12 to 24 px', 'px 12 to 24'),
    ('24 to 48', 'px 24 to 48'),
    ('48 to 96', 'px 48 to 96'),
    ('over 96', 'px over 96'),
)
_KINDS = (('frontal', 'frontal'), ('half', 'half'), ('profile', 'profile'),
          ('covered', 'occluded'))  # fmt: skip
_ROLLS = (('rolled 60 to 120 deg', 'roll 60 to 120'), ('over 120', 'roll 120 to 180'))


def _sizes(part: Any) -> str:
    """Return the faces found by their size, and what is no face."""
    rows = []
    for name, result in part['detectors'].items():
        flat = result['ordinary']
        cells = [_share(flat['found'].get(key)) for key in ('all', *(k for _, k in _SIZES))]
        rows.append((f'`{name}`', *cells, f'{flat["false"]} + {flat["doubles"]}',
                     f'{flat["false_on_empty"]}', _wrong(flat)))  # fmt: skip
    head = ('detector', 'all faces', *(title for title, _ in _SIZES), 'false heads + doubles',
            'of these where nobody is', 'poses upside down or sideways')  # fmt: skip
    pictures = next(iter(part['detectors'].values()))['ordinary']['pictures']
    return f'{_table(head, rows)}\n\n{pictures} pictures; sizes: of upright faces.'


def _kinds(part: Any) -> str:
    """Return the faces found by kind, by roll, and with wide lenses."""
    columns = (*_KINDS, *_ROLLS)
    rows = []
    for name, result in part['detectors'].items():
        found = result['ordinary']['found']
        wide = result.get('wide', {'found': {}})['found']
        cells = [_share(found.get(key)) for _, key in columns]
        rows.append((f'`{name}`', *cells, _share(wide.get('all'))))
    return _table(('detector', *(title for title, _ in columns), 'wide lenses'), rows)


def _share(counts: Any) -> str:
    if not counts:
        return ''
    return f'{100 * counts[0] / counts[1]:.0f} % of {counts[1]}'


def _wrong(result: Any) -> str:
    wrong, count = result['roll_wrong']
    return f'{wrong} of {count}'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)


TABLES: dict[str, Callable[[Any], str]] = {'finding: sizes': _sizes, 'finding: kinds': _kinds}
"""Of each table of docs/finding.md: what makes it."""
