# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names of people: few enough for the lists that others keep of them, reused as late as possible.

Programs that listen to TF remember every frame name for ever, so names must be bounded.
"""

from __future__ import annotations

from collections.abc import Container

NAME_COUNT = 999


class NameCycle:
    """Hands out f0001, f0002, ... f0999, f0001, ..., never one that is in use (REP-155 ids)."""

    def __init__(self, count: int = NAME_COUNT) -> None:
        self._count = count
        self._last = 0

    def next(self, in_use: Container[str], prefix: str = '') -> str:
        """Return the name least recently handed out that is not in `in_use`, after `prefix`.

        Raises ValueError where all are in use.
        """
        for _ in range(self._count):
            self._last = self._last % self._count + 1
            name = f'{prefix}f{self._last:04d}'
            if name not in in_use:
                return name
        raise ValueError(f'all {self._count} names are in use')
