# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of the last second or so, and what is wrong, as diagnostic_msgs."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

WINDOW = 300


@dataclass(frozen=True)
class Counts:
    """Totals since activation."""

    received: int = 0
    published: int = 0
    dropped: int = 0
    lost: int = 0


@dataclass(frozen=True)
class Rates:
    """What changed between two looks: images/s in, messages/s out, share of images dropped."""

    received_hz: float
    published_hz: float
    dropped: float


@dataclass(frozen=True)
class Limits:
    """Where diagnostics start to warn."""

    rate: float
    latency: float
    dropped: float


class Statistics:
    """Latencies and counts since activation; the worker writes, the diagnostics timer reads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latency: deque[float] = deque(maxlen=WINDOW)
        self._processing: deque[float] = deque(maxlen=WINDOW)
        self._published = 0
        self._people = 0
        self._before = Counts()
        self._looked_at = time.monotonic()

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

    def rates(self, now: Counts) -> Rates:
        """Return the rates since the last call."""
        at = time.monotonic()
        span = max(at - self._looked_at, 1e-3)
        before, self._before, self._looked_at = self._before, now, at
        received = now.received - before.received
        missed = now.dropped - before.dropped
        return Rates(
            received / span,
            (now.published - before.published) / span,
            missed / received if received > 0 else 0.0,
        )

    def clear(self) -> None:
        """Forget latencies and people, when work starts anew."""
        with self._lock:
            self._latency.clear()
            self._processing.clear()
            self._people = 0

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


def trouble(rates: Rates, latency: float | None, limits: Limits) -> list[tuple[str, bool]]:
    """Return what is beyond the limits: (text, whether it is an error)."""
    found = []
    if rates.published_hz < limits.rate:
        found.append((f'output {rates.published_hz:.1f} Hz < {limits.rate:g} Hz', False))
    if rates.received_hz > 0 and latency is not None and latency > limits.latency:
        found.append((f'latency p95 {latency:.2f} s > {limits.latency:g} s', False))
    if rates.dropped > limits.dropped:
        found.append((f'{rates.dropped:.0%} of the images dropped', False))
    return found


def status(
    name: str,
    hardware: str,
    idle: str,
    problems: Sequence[tuple[str, bool]],
    values: Mapping[str, str],
) -> DiagnosticStatus:
    """Return a status: ERROR or WARN with the reasons, else OK with `idle` for a message."""
    level, message = DiagnosticStatus.OK, idle
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
