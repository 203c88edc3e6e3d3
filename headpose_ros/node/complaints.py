# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One line for each thing that is wrong, and not one per image."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Logger(Protocol):
    """The part of a ROS logger that is used here."""

    def info(self, message: str) -> object: ...  # noqa: D102
    def warning(self, message: str) -> object: ...  # noqa: D102
    def error(self, message: str) -> object: ...  # noqa: D102


@dataclass
class _Entry:
    text: str = ''
    error: bool = False
    active: bool = False
    logged_at: float | None = None
    logged_since_settled: bool = False


class Complaints:
    """Logs each kind of trouble at most once per `period` seconds, and its end once.

    A complaint has a key such as `image.encoding`; `settle('image')` ends all that start so. What
    is wrong right now is in `current()`, for diagnostics. Safe to use from several threads.
    """

    def __init__(
        self,
        logger: Logger,
        period: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._period = period
        self._logger = logger
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    def set_period(self, period: float) -> None:
        """Change the period; all of them start anew."""
        with self._lock:
            if period != self._period:
                self._period = period
                for entry in self._entries.values():
                    entry.logged_at = None

    def say(self, key: str, text: str, *, error: bool = False) -> None:
        """State that `text` (topic, cause, fix) is the case."""
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            entry.text, entry.error, entry.active = text, error, True
            now = self._clock()
            if entry.logged_at is not None and now - entry.logged_at < self._period:
                return
            entry.logged_at, entry.logged_since_settled = now, True
        # Two lines: rclpy ties a severity to the line that logs.
        if error:
            self._logger.error(text)
        else:
            self._logger.warning(text)

    def settle(self, key: str) -> None:
        """State that `key`, and all keys below it, are no longer the case."""
        if not self._entries:
            return
        with self._lock:
            ended = [
                entry
                for name, entry in self._entries.items()
                if entry.active and (name == key or name.startswith(f'{key}.'))
            ]
            told = [entry.text for entry in ended if entry.logged_since_settled]
            for entry in ended:
                entry.active = entry.logged_since_settled = False
        for text in told:
            self._logger.info(f'solved: {text}')

    def drop(self, key: str) -> None:
        """Forget `key` and all keys below it without a word: nobody asks any more."""
        with self._lock:
            for name in [n for n in self._entries if n == key or n.startswith(f'{key}.')]:
                self._entries[name].active = self._entries[name].logged_since_settled = False

    def current(self) -> list[tuple[str, bool]]:
        """Return what is wrong now: (text, whether it is an error)."""
        with self._lock:
            return [(e.text, e.error) for e in self._entries.values() if e.active]
