# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `headpose batch` prints: a bar while it works, what it would do, what came of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from headpose_ros.recordings.conductor import Progress, Result

if TYPE_CHECKING:
    from headpose_ros.recordings.finding import Recording
    from headpose_ros.recordings.settings import Settings

MAX_ROWS = 60
"""Recordings that are all listed; of more, those with something to tell."""

_STATES = {
    'done': 'done',
    'before': 'done before',
    'failed': 'FAILED',
    'none': 'no camera',
}


class Bar(Progress):
    """One bar over the images of all recordings, on standard error; use it with `with`."""

    def __init__(self, recordings: int) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=0, unit='image', file=sys.stderr, desc=f'0/{recordings}')
        self._recordings, self._finished = recordings, 0

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def more(self, images: int | None) -> None:
        """Take that so many more images are to be done; None: nobody knows how many."""
        self._bar.total += images or 0
        self._bar.refresh()

    def done(self, images: int) -> None:
        """Take that so many images more are done."""
        if images:
            self._bar.total = max(self._bar.total, self._bar.n + images)
            self._bar.update(images)

    def finished(self, result: Result) -> None:
        """Count a recording that is finished, and tell what failed."""
        self._finished += 1
        self._bar.set_description(f'{self._finished}/{self._recordings}')
        if result.redone:
            self._bar.write(f'{result.recording.name}: {result.redone}', file=sys.stderr)
        for failure in result.failures:
            self._bar.write(f'{result.recording.name}: failed: {failure}', file=sys.stderr)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()


def print_results(results: Sequence[Result], total: int) -> None:
    """Print the table of recordings, and the sums."""
    told = [result for result in results if result.failures or result.notes]
    rows = list(results) if len(results) <= MAX_ROWS else told
    if rows:
        width = max(len('recording'), *(len(result.recording.name) for result in rows))
        print(f'{"recording":<{width}}  cameras   images     heads  people  result')
        for result in rows:
            print(
                f'{result.recording.name:<{width}}  {result.cameras:>7}  {result.images:>7}  '
                f'{result.heads:>8}  {result.people:>6}  {_text(result)}'.rstrip()
            )
    by_state = {state: sum(one.state == state for one in results) for state in _STATES}
    parts = [f'{count} {_STATES[state].lower()}' for state, count in by_state.items() if count]
    if left := total - len(results):
        parts.append(f'{left} not finished')
    images, heads = (sum(getattr(one, name) for one in results) for name in ('images', 'heads'))
    found = f'{_number(images, "image")}, {_number(heads, "head")}'
    print(f'{_number(total, "recording")}: {", ".join(parts)}; {found}')


def print_plan(recordings: Sequence[Recording], settings: Settings) -> int:
    """Print what would be done with each recording; return how many cannot be read."""
    from headpose_ros.recordings.dry_run import forecast

    failed = images = 0
    for recording in recordings:
        known = forecast(recording, settings)
        failed += known.state == 'failed'
        images += known.images or 0
        print(f'{recording.name}: {known.text}')
        for line in known.lines:
            print(f'  {line}')
    print(f'{_number(len(recordings), "recording")}, {_number(images, "image")} to be processed')
    return failed


def _text(result: Result) -> str:
    told = '; '.join([*result.failures, *result.notes])
    return _STATES[result.state] + (f': {told}' if told else '')


def _number(count: int, what: str) -> str:
    return f'{count} {what}{"" if count == 1 else "s"}'
