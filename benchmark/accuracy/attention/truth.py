# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a scene's script says should be told, and how what was told agrees with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from headpose_ros.attention import CAMERA, HeadEventType

from .scenes import Scene

TOLERANCE = 0.3
"""Seconds by which the start or end of looking may be told early or late."""

GLANCE = 0.999
"""Seconds of the shortest glance that has to be told."""

AFTERWARDS = 0.6
"""Seconds after a gesture or a walk in which it may still be told."""

SURE_FROM = 1.0
"""Seconds: who has just come has to be found first; nothing is asked of earlier."""


@dataclass(frozen=True)
class Happening:
    """Something that should be told once, from `begin` to `end`. `since`: when it really began.

    `size`: rad of a gesture, s of a glance, m of a walk. `wanted`: whether it has to be told; else
    it may be.
    """

    actor: int
    type: HeadEventType
    target: str
    begin: float
    end: float
    since: float
    size: float
    wanted: bool = True


@dataclass(frozen=True)
class Told:
    """An event that was told of an actor; `actor` is -1 for a head that is nobody's."""

    actor: int
    type: HeadEventType
    target: str
    stamp: float


@dataclass
class Agreement:
    """How happenings and what was told go together, for one type of event."""

    hits: list[tuple[Happening, float]] = field(default_factory=list)
    missed: list[Happening] = field(default_factory=list)
    false: list[Told] = field(default_factory=list)

    def add(self, other: Agreement) -> None:
        """Take those of another scene as well."""
        self.hits += other.hits
        self.missed += other.missed
        self.false += other.false

    def figures(self) -> dict[str, float]:
        """Return precision, recall, F1 and the delay."""
        hits = [pair for pair in self.hits if pair[0].wanted]
        told = len(self.hits) + len(self.false)
        asked = len(hits) + len(self.missed)
        precision = len(self.hits) / told if told else float('nan')
        recall = len(hits) / asked if asked else float('nan')
        delays = [delay for _, delay in hits]
        f1 = 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
        return {
            'count': asked,
            'precision': precision,
            'recall': recall,
            'f1': f1,
            'false': len(self.false),
            'delay_median_s': float(np.median(delays)) if delays else float('nan'),
            'delay_p90_s': float(np.percentile(delays, 90)) if delays else float('nan'),
        }


def happenings(scene: Scene) -> list[Happening]:
    """Return all that should be told of a scene."""
    found: list[Happening] = []
    for number, actor in enumerate(scene.actors):
        found += _glances(scene, number)
        for gesture in actor.gestures:
            kind = HeadEventType.NODDED if gesture.kind == 'nod' else HeadEventType.SHOOK
            found.append(
                Happening(
                    number, kind, '', gesture.begin, gesture.end + AFTERWARDS, gesture.begin,
                    gesture.size, gesture.size >= np.radians(8.0),
                )
            )  # fmt: skip
        for begin, end, way in actor.walks(scene.seconds):
            kind = HeadEventType.APPROACHED if way > 0 else HeadEventType.MOVED_AWAY
            found.append(
                Happening(
                    number, kind, '', begin - 0.1, end + AFTERWARDS, begin, end - begin,
                    end < scene.seconds - AFTERWARDS and begin > SURE_FROM - 0.5,
                )
            )  # fmt: skip
    return found


def _glances(scene: Scene, number: int) -> list[Happening]:
    """Return when somebody begins and ceases to look at a target.

    Those shorter than a second, and those cut off by the scene's ends, may be told but need not.
    """
    names = {CAMERA.name, *(name for name, _ in scene.places)}
    changes = [*scene.actors[number].changes(scene.seconds), (scene.seconds, None)]
    found = []
    for (begin, target), (end, _) in pairwise(changes):
        if target not in names:
            continue
        lasts = end - begin
        late = TOLERANCE if lasts >= GLANCE else lasts + 2 * TOLERANCE
        plain = begin > SURE_FROM and end < scene.seconds - TOLERANCE
        wanted = plain and lasts >= GLANCE
        for kind, at in (
            (HeadEventType.STARTED_LOOKING, begin),
            (HeadEventType.STOPPED_LOOKING, end),
        ):
            until = max(at + late, SURE_FROM if at == begin else 0.0)
            found.append(
                Happening(number, kind, target or '', at - TOLERANCE, until, at, lasts, wanted)
            )
    return found


def compare(wanted: Sequence[Happening], told: Sequence[Told], type: HeadEventType) -> Agreement:
    """Return how what was told of one type agrees with what happened: one for one, in time."""
    left = sorted((t for t in told if t.type == type), key=lambda t: t.stamp)
    agreement = Agreement()
    for happening in sorted((h for h in wanted if h.type == type), key=lambda h: h.begin):
        fitting = [
            t
            for t in left
            if (t.actor, t.target) == (happening.actor, happening.target)
            and happening.begin <= t.stamp <= happening.end
        ]
        if fitting:
            left.remove(fitting[0])
            agreement.hits.append((happening, fitting[0].stamp - happening.since))
        elif happening.wanted:
            agreement.missed.append(happening)
    agreement.false = left
    return agreement


def area_under_curve(scores: Sequence[float], truths: Sequence[bool]) -> float:
    """Return the probability that a true one scores higher than a false one."""
    values, is_true = np.asarray(scores), np.asarray(truths, bool)
    order = np.argsort(values, kind='stable')
    ranks = np.empty(len(values))
    ranks[order] = np.arange(1, len(values) + 1)
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.bincount(inverse, ranks) / counts)[inverse]  # those alike share their ranks
    positive, negative = int(is_true.sum()), int((~is_true).sum())
    if not positive or not negative:
        return float('nan')
    return float((ranks[is_true].sum() - positive * (positive + 1) / 2) / (positive * negative))
