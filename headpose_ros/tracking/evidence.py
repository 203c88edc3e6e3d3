# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether something is a living head: log odds, gathered over seconds and not over images.

Images that follow each other quickly show the same thing, and err together. So what an image says
counts the more, the longer after the one before it was taken: as many seconds make somebody sure
at 2 images a second as at 120.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

PRIOR = -4.0
"""Log odds of a face before anything speaks for it."""

FLOOR, CEILING = -7.0, 8.0

CORRELATION_TIME = 0.05
"""Seconds after which two images err nearly independently."""

MEMORY = 2.0
"""Seconds after which a third of it is left: what seldom looks like a face is none."""

MIN_KEPT = 0.6
"""The share that is left from one image to the next at least, however slowly they come."""

READING_FLOOR, READING_CEILING = -4.0, 3.0
DETECTION_CEILING = 2.0
DETECTION_CEILING_ALONE = 5.0

CONTRADICTED = -1.5
"""The detector does not find what an estimator reads as a face."""

ABSENT = -1.0
"""Neither finds it: it may be hidden or in the dark."""

ABSENT_ALONE = -4.0
"""The detector does not find it, and no estimator can tell."""

_NOTHING_SAID = 0.7  # by a score: what prints and textures get as well


def logit(probability: float) -> float:
    """Return the log odds of a probability, kept within what 64 bits can tell from 0 and 1."""
    p = min(max(probability, 1e-9), 1.0 - 1e-9)
    return math.log(p / (1.0 - p))


def of_detection(score: float) -> float:
    """Return what a detection of this score says where an estimator reads the face as well."""
    return min(max(logit(score) - logit(_NOTHING_SAID), 0.0), DETECTION_CEILING)


def of_detection_alone(score: float) -> float:
    """Return what a detection says where no estimator can tell faces from others."""
    over = logit(score) - logit(_NOTHING_SAID)
    return min(max(1.0 + 2.0 * over, 0.0), DETECTION_CEILING_ALONE)


def of_reading(confidence: float) -> float:
    """Return what an estimator's reading of this confidence says."""
    return min(max(logit(confidence), READING_FLOOR), READING_CEILING)


@dataclass
class Evidence:
    """Log odds that a track is a living head; `time`: seconds, of the newest that was added."""

    log_odds: float = PRIOR
    time: float = -math.inf

    def add(self, log_odds: float, time: float, share: float = 1.0) -> None:
        """Add what an image at `time` says, of which only a `share` may count."""
        elapsed = max(time - self.time, 0.0)
        weight = -math.expm1(-elapsed / CORRELATION_TIME)
        kept = (self.log_odds - PRIOR) * max(math.exp(-elapsed / MEMORY), MIN_KEPT)
        total = PRIOR + kept + share * weight * log_odds
        self.log_odds = min(max(total, FLOOR), CEILING)
        self.time = time
