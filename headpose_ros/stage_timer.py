# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long each stage of the pipeline takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StageTimer:
    """Adds up the time of the stages of one image; what no stage takes is `track`."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._seconds = {'search': 0.0, 'crop': 0.0, 'estimate': 0.0}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time within to stage `name`."""
        began = time.perf_counter()
        yield
        self._seconds[name] += time.perf_counter() - began

    def milliseconds(self) -> dict[str, float]:
        """Return the milliseconds until now: search, crop, estimate, track and total."""
        total = time.perf_counter() - self._began
        rest = total - sum(self._seconds.values())
        seconds = {**self._seconds, 'track': rest, 'total': total}
        return {name: 1e3 * spent for name, spent in seconds.items()}
