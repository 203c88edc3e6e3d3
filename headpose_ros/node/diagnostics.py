# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rates, latencies and problems as diagnostic_msgs."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

LATENCY_WINDOW = 300
"""Images whose latencies count."""
MIN_RATE_WINDOW = 5.0
"""Seconds over which rates are averaged, at least."""
MIN_WINDOW_IMAGES = 5
"""Images that the window has room for, where max_rate allows only few."""


@dataclass(frozen=True)
class Counts:
    """Totals since activation."""

    received: int = 0
    published: int = 0
    dropped: int = 0
    lost: int = 0


@dataclass(frozen=True)
class Rates:
    """Averages over the last seconds: images/s in, messages/s out, share of images dropped."""

    received_hz: float
    published_hz: float
    dropped: float


@dataclass(frozen=True)
class Limits:
    """Values beyond which diagnostics warn: messages/s, seconds, share of images."""

    rate: float
    latency: float
    dropped: float
    max_rate: float = 0.0
    """Images/s that the node may process, 0: all."""

    @property
    def expected_rate(self) -> float:
        """The rate below which diagnostics warn; a low `max_rate` lowers it."""
        return min(self.rate, 0.5 * self.max_rate) if self.max_rate > 0.0 else self.rate


class Statistics:
    """Latencies and counts since activation; the worker writes, the diagnostics timer reads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latency: deque[float] = deque(maxlen=LATENCY_WINDOW)
        self._processing: deque[float] = deque(maxlen=LATENCY_WINDOW)
        self._published = 0
        self._people = 0
        self._counts = deque([(time.monotonic(), Counts())])

    @property
    def published(self) -> int:
        """Heads messages published."""
        return self._published

    def record(self, latency: float, processing: float, people: int) -> None:
        """Count one published image; `latency`: stamp to published, seconds."""
        with self._lock:
            self._published += 1
            self._people = people
            self._latency.append(latency)
            self._processing.append(processing)

    def rates(self, now: Counts, max_rate: float = 0.0) -> Rates:
        """Return the rates over the last seconds; call it regularly.

        The window is MIN_RATE_WINDOW, or longer where `max_rate` (images/s, 0: all) is low.
        """
        at = time.monotonic()
        window = MIN_RATE_WINDOW
        if max_rate > 0.0:
            window = max(window, MIN_WINDOW_IMAGES / max_rate)
        while len(self._counts) > 1 and at - self._counts[1][0] >= window:
            self._counts.popleft()
        since, before = self._counts[0]
        self._counts.append((at, now))
        span = max(at - since, 1e-3)
        received = now.received - before.received
        return Rates(
            received / span,
            (now.published - before.published) / span,
            (now.dropped - before.dropped) / received if received > 0 else 0.0,
        )

    def clear(self, now: Counts) -> None:
        """Forget latencies, rates and people, when processing starts again at counts `now`."""
        with self._lock:
            self._latency.clear()
            self._processing.clear()
            self._people = 0
        self._counts = deque([(time.monotonic(), now)])

    def values(self) -> dict[str, str]:
        """Return latencies in ms and the number of people."""
        with self._lock:
            latency, processing = list(self._latency), list(self._processing)
            people = self._people
        values = {'people': str(people)}
        if latency:
            p50, p95 = np.percentile(latency, [50, 95])
            values['latency p50 (ms)'] = f'{1e3 * p50:.1f}'
            values['latency p95 (ms)'] = f'{1e3 * p95:.1f}'
            values['latency max (ms)'] = f'{1e3 * max(latency):.1f}'
            values['processing p50 (ms)'] = f'{1e3 * float(np.median(processing)):.1f}'
        return values

    def latency_p95(self) -> float | None:
        """Return the 95th percentile of the latency in seconds, None before the first image."""
        with self._lock:
            return float(np.percentile(self._latency, 95)) if self._latency else None


def exceeded_limits(rates: Rates, latency: float | None, limits: Limits) -> list[tuple[str, bool]]:
    """Return a warning for each limit that is exceeded: (text, False: not an error)."""
    found = []
    if rates.published_hz < limits.expected_rate:
        found.append((f'output {rates.published_hz:.1f} Hz < {limits.expected_rate:g} Hz', False))
    if rates.received_hz > 0 and latency is not None and latency > limits.latency:
        found.append((f'latency p95 {latency:.2f} s > {limits.latency:g} s', False))
    if rates.dropped > limits.dropped:
        found.append((f'{rates.dropped:.0%} of the images dropped', False))
    return found


def status(
    name: str,
    hardware: str,
    summary: str,
    problems: Sequence[tuple[str, bool]],
    values: Mapping[str, str],
) -> DiagnosticStatus:
    """Return a status: ERROR or WARN with the problems, else OK with `summary`."""
    level, message = DiagnosticStatus.OK, summary
    if problems:
        error = any(is_error for _, is_error in problems)
        level = DiagnosticStatus.ERROR if error else DiagnosticStatus.WARN
        message = '; '.join(text for text, _ in problems)
    return DiagnosticStatus(
        level=level,
        name=name,
        message=message,
        hardware_id=hardware,
        values=[KeyValue(key=key, value=value) for key, value in values.items()],
    )
