# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many threads a forward takes."""

from __future__ import annotations

import os

_MAX_THREADS = 4


def default_threads() -> int:
    """Return how many threads a forward gets unless told: the usable cores, at most four.

    These networks take well under a millisecond; more threads wait for each other longer.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    return min(usable or 1, _MAX_THREADS)
