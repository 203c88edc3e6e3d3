# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/attention.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .recorded import EXPECTED

_HEAD = (
    '| scene | person minutes | event | count | precision | recall | F1 | delay, median / p90 |'
)


def events_table(part: dict[str, Any]) -> str:
    """Return the table of events of the simulated or the rendered scenes."""
    rows = [_HEAD, '| --- | --- | --- | --- | --- | --- | --- | --- |']
    for group, found in part.items():
        for name, figures in found['events'].items():
            if figures['count'] or figures['false']:
                rows.append(_row(group, found['person_minutes'], name, figures))
    return '\n'.join(rows)


def _row(group: str, minutes: float, name: str, figures: dict[str, Any]) -> str:
    begin = f'| {group} | {minutes:.1f} | `{name}` | {figures["count"]} |'
    if not figures['count']:
        return f'{begin} {figures["false"]} false | – | – | – |'
    delay = f'{figures["delay_median_s"]:.2f} / {figures["delay_p90_s"]:.2f} s'
    parts = ' | '.join(f'{figures[key]:.3f}' for key in ('precision', 'recall', 'f1'))
    return f'{begin} {parts} | {delay} |'


def other_table(result: dict[str, Any]) -> str:
    """Return the table of what is no event."""
    rows = ['| | simulated | rendered |', '| --- | --- | --- |']
    simulated, rendered = result['simulated'], result['rendered']
    for title, group, key in _OTHERS:
        cells = [f'{part[group][key]:.3f}' if key in part.get(group, {}) else '–'
                 for part in (simulated, rendered)]  # fmt: skip
        rows.append(f'| {title} | {" | ".join(cells)} |')
    for title, names in (('nods and shakes', ('NODDED', 'SHOOK')), ('walks', _WALKS)):
        cells = [_false_rate(part, names) for part in (simulated, rendered)]
        rows.append(
            f'| false {title} in 10 minutes of people who look around, talk or stand | '
            f'{" | ".join(cells)} |'
        )
    return '\n'.join(rows)


def _false_rate(part: dict[str, Any], names: tuple[str, ...]) -> str:
    groups = [part[g] for g in ('glances', 'talking', 'walking') if g in part]
    counted = [g for g in groups if any(name in g['events'] for name in names)]
    minutes = sum(g['person_minutes'] for g in counted)
    false = sum(g['events'][n]['false'] for g in counted for n in names if n in g['events'])
    return f'{10 * false / minutes:.2f} ({false} in {minutes:.0f})' if minutes else '–'


def recorded_text(told: dict[str, list[str]]) -> str:
    """Return what was told of the real clips, in words."""
    if not told:
        return 'The clips are not there.'
    right = [name for name, names in EXPECTED.items() if told.get(name) == names]
    others = {n: found for n, found in told.items() if n not in EXPECTED and found}
    rest = (
        ', '.join(f'`{name}`: {", ".join(found)}' for name, found in others.items()) or 'nothing'
    )
    return (
        f'{len(right)} of {len(EXPECTED)} right (`yes`: {", ".join(told["yes"]) or "nothing"}; '
        f'`no`: {", ".join(told["no"]) or "nothing"}); of the other {len(told) - len(EXPECTED)} '
        f'clips: {rest}.'
    )


_WALKS = ('APPROACHED', 'MOVED_AWAY')
_OTHERS = (
    ('looking: area under the curve, glances', 'glances', 'looking_auc'),
    ('the same, eyes turned in the head', 'glances, eyes turned', 'looking_auc'),
    ('two targets of 10 deg, 15 deg apart: images with the right one more probable',
     'side by side', 'told_apart'),
    ('the same: images with `looking` at the right one alone', 'side by side',
     'told_apart_decided'),
    ('speed of approach, walking: error, m/s rms', 'walking', 'speed_error_rms'),
    ('the same in its own standard deviations', 'walking', 'speed_error_in_sigmas'),
)  # fmt: skip

TABLES: dict[str, Callable[[Any], str]] = {
    'attention: rendered': lambda result: events_table(result['rendered']),
    'attention: simulated': lambda result: events_table(result['simulated']),
    'attention: other': other_table,
    'attention: recorded': lambda result: recorded_text(result['recorded']),
}
