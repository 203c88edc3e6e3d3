# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the scenes in processes of their own, and puts the figures together."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import cv2
import numpy as np

from benchmark.measure import machine
from headpose_ros.attention import HeadEventType

from . import errors, recorded, simulated
from .scenes import MAKERS, Scene, scenes
from .truth import Agreement, area_under_curve, compare, happenings
from .watching import GESTURES, LOOKING, WALKING, Watched, pipeline_results, watch

SIMULATED_SEED, RENDERED_SEED = 7001, 7101
RENDERED = (
    ('glances', 1, 20.0), ('glances', 2, 20.0), ('glances', 3, 16.0), ('glances', 6, 12.0),
    ('side by side', 1, 14.0), ('side by side', 1, 14.0), ('side by side', 1, 14.0),
    ('gestures', 2, 18.0), ('gestures', 2, 18.0), ('gestures', 1, 18.0),
    ('walking', 2, 16.0), ('walking', 2, 16.0), ('walking', 2, 16.0),
    ('talking', 2, 16.0), ('talking', 1, 16.0), ('turning camera', 2, 12.0),
)  # fmt: skip
JUDGED: dict[str, tuple[HeadEventType, ...]] = {
    'glances': LOOKING + GESTURES,
    'glances, eyes turned': LOOKING + GESTURES,
    'side by side': LOOKING,
    'gestures': GESTURES,
    'talking': LOOKING + GESTURES + WALKING,
    'walking': LOOKING + GESTURES + WALKING,
    'turning camera': GESTURES,
}
"""What is judged in a group. Who nods widely looks away meanwhile, or not: nobody can tell."""

_pipeline: Any = None


def run(minutes: float, rendered: bool, processes: int) -> dict[str, Any]:
    """Return every figure; `minutes` of each simulated group, rendered scenes if asked for."""
    plan = [(g, 1 + n % 3, 60.0) for g in MAKERS for n in range(max(1, round(minutes)))]
    made = scenes(SIMULATED_SEED, plan)
    drawn = scenes(RENDERED_SEED, RENDERED) if rendered else []
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(processes, context, initializer=_begin) as pool:
        order = sorted(drawn, key=lambda s: -s.seconds * len(s.actors))
        films = {s.name: pool.submit(_draw, s) for s in order}
        played = {s.name: pool.submit(_play, s) for s in made}
        real = pool.submit(_real)
        watched = {}
        for number, (name, job) in enumerate({**films, **played}.items(), 1):
            watched[name] = job.result()
            print(f'\r{number} of {len(films) + len(played)}', end='', file=sys.stderr, flush=True)
        print(file=sys.stderr)
        return {
            'machine': machine(),
            'simulated': _figures(made, {s.name: played[s.name].result() for s in made}),
            'rendered': _figures(drawn, {s.name: films[s.name].result() for s in drawn}),
            'recorded': real.result(),
        }


def _begin() -> None:
    global _pipeline
    from headpose_ros.config import PipelineConfig
    from headpose_ros.pipeline import HeadPosePipeline

    cv2.setNumThreads(1)
    _pipeline = HeadPosePipeline(PipelineConfig(device='cpu', threads=1))


def _draw(scene: Scene) -> Watched:
    return watch(scene, pipeline_results(scene, _pipeline))


def _play(scene: Scene) -> Watched:
    return watch(scene, simulated.results(scene, errors.load()))


def _real() -> dict[str, list[str]]:
    return recorded.measure(_pipeline)


def _figures(made: Sequence[Scene], watched: dict[str, Watched]) -> dict[str, Any]:
    """Return the figures of each group of scenes."""
    groups = {}
    for group in dict.fromkeys(scene.group for scene in made):
        pairs = [(s, watched[s.name]) for s in made if s.group == group]
        groups[group] = _group(group, pairs)
    return groups


def _group(group: str, pairs: Sequence[tuple[Scene, Watched]]) -> dict[str, Any]:
    minutes = sum(s.seconds * len(s.actors) for s, _ in pairs) / 60.0
    found: dict[str, Any] = {'person_minutes': minutes, 'events': {}}
    for kind in JUDGED[group]:
        agreement = Agreement()
        for scene, seen in pairs:
            agreement.add(compare(happenings(scene), seen.told, kind))
        found['events'][kind.name] = agreement.figures()
    chances = [chance for _, seen in pairs for chance in seen.chances]
    if chances and any(truth for _, truth in chances) and group in _TARGETS:
        scores, truths = zip(*chances, strict=True)
        found['looking_auc'] = area_under_curve(scores, truths)
    apart = [right for _, seen in pairs for right in seen.apart]
    if apart:
        found['told_apart'] = float(np.mean(apart))
        found['told_apart_decided'] = float(
            np.mean([right for _, seen in pairs for right in seen.decided])
        )
    speeds = np.array([speed for _, seen in pairs for speed in seen.speeds])
    wrong = speeds[:, 0] - speeds[:, 2]
    found['speed_error_rms'] = float(np.sqrt(np.mean(wrong**2)))
    found['speed_error_in_sigmas'] = float(np.sqrt(np.mean((wrong / speeds[:, 1]) ** 2)))
    return found


_TARGETS = ('glances', 'glances, eyes turned', 'side by side', 'talking', 'walking')
