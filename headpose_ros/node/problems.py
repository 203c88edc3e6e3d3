# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Problems as throttled log lines: one line for each problem instead of one for each image."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

_MOST_MENTIONED = 100
"""Different texts that are mentioned, so that a driver gone mad does not fill log or memory."""


class Logger(Protocol):
    """The part of a ROS logger that is used here."""

    def info(self, message: str) -> object: ...  # noqa: D102
    def warning(self, message: str) -> object: ...  # noqa: D102
    def error(self, message: str) -> object: ...  # noqa: D102


@dataclass
class _Problem:
    text: str = ''
    error: bool = False
    active: bool = False
    logged_at: float | None = None
    end_is_due: bool = False
    """Whether it was logged since it was last resolved, so that its end is logged too."""


class ProblemLog:
    """Logs each problem at most once per `period` seconds, and its end once.

    A problem has a key such as `image.encoding`; `resolve('image')` ends all keys that start so.
    `current()` returns the active problems, for diagnostics. Safe to use from several threads.
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
        self._problems: dict[str, _Problem] = {}
        self._mentioned: set[str] = set()

    def set_period(self, period: float) -> None:
        """Change the period; every active problem is logged once more."""
        with self._lock:
            if period != self._period:
                self._period = period
                for problem in self._problems.values():
                    problem.logged_at = None

    def mention(self, text: str) -> None:
        """Log once what is no problem: the same text is not logged again."""
        if text in self._mentioned:
            return
        with self._lock:
            new = text not in self._mentioned and len(self._mentioned) < _MOST_MENTIONED
            if new:
                self._mentioned.add(text)
        if new:
            self._logger.info(text)

    def report(self, key: str, text: str, *, error: bool = False) -> None:
        """Report that the problem `key` is present; `text` gives topic, cause and fix."""
        with self._lock:
            problem = self._problems.setdefault(key, _Problem())
            problem.text, problem.error, problem.active = text, error, True
            now = self._clock()
            if problem.logged_at is not None and now - problem.logged_at < self._period:
                return
            problem.logged_at, problem.end_is_due = now, True
        # Two lines: rclpy ties a severity to the line that logs.
        if error:
            self._logger.error(text)
        else:
            self._logger.warning(text)

    def resolve(self, key: str) -> None:
        """State that `key`, and all keys below it, are over; log the end of what was logged."""
        if not self._problems:
            return
        with self._lock:
            ended = [problem for problem in self._below(key) if problem.active]
            logged = [problem.text for problem in ended if problem.end_is_due]
            for problem in ended:
                problem.active = problem.end_is_due = False
        for text in logged:
            self._logger.info(f'resolved: {text}')

    def forget(self, key: str) -> None:
        """Drop `key` and all keys below it without a log line: they no longer apply."""
        with self._lock:
            for problem in self._below(key):
                problem.active = problem.end_is_due = False

    def current(self) -> list[tuple[str, bool]]:
        """Return the active problems: (text, whether it is an error)."""
        with self._lock:
            return [(p.text, p.error) for p in self._problems.values() if p.active]

    def texts(self, key: str) -> list[str]:
        """Return the texts of the active problems `key` and below it."""
        with self._lock:
            return [problem.text for problem in self._below(key) if problem.active]

    def _below(self, key: str) -> list[_Problem]:
        return [p for k, p in self._problems.items() if k == key or k.startswith(f'{key}.')]
