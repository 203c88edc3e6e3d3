# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One log line that says why an active node processes nothing: no output has a subscriber."""

from __future__ import annotations

import time
from collections.abc import Callable

from headpose_ros.node.problems import Logger

NO_SUBSCRIBER = 'no subscriber on any output: not processing'
CHECK_PERIOD = 5.0
"""Seconds between two checks of the publishers of the inputs while nothing is processed."""


class IdleNotice:
    """Logs once for each idle time, and again when the inputs have another problem.

    `unavailable` returns what is wrong with the inputs, '' where all is well: a wrong remap is
    reported although nothing is subscribed to.
    """

    def __init__(
        self,
        unavailable: Callable[[], str],
        logger: Logger,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.text = NO_SUBSCRIBER
        self._unavailable = unavailable
        self._logger = logger
        self._clock = clock
        self._idle_since: float | None = None
        self._next_check = 0.0
        self._logged: str | None = None

    def update(self, idle: bool, delay: float) -> None:
        """State whether the node is idle; it is logged when that has lasted `delay` seconds."""
        now = self._clock()
        if not idle:
            self.text, self._idle_since, self._logged = NO_SUBSCRIBER, None, None
            return
        if self._idle_since is None:
            self._idle_since, self._next_check = now, now + delay
        if now < self._next_check:
            return
        self._next_check = now + CHECK_PERIOD
        problem = self._unavailable()
        self.text = f'{NO_SUBSCRIBER}; {problem}' if problem else NO_SUBSCRIBER
        if problem != self._logged:
            self._log(problem)

    def _log(self, problem: str) -> None:
        first, self._logged = self._logged is None, problem
        # Two lines: rclpy ties a severity to the line that logs.
        if problem:
            self._logger.warning(self.text)
        elif first:
            self._logger.info(f'{NO_SUBSCRIBER}; always_on:=true processes without subscribers')
