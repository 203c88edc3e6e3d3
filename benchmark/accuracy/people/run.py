# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the scenes and the clips in processes of their own, and puts the figures together."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict
from typing import Any

import cv2

from benchmark.measure import machine

from . import metrics, recorded, turning
from .catalogue import scenes
from .clips import Clip, clips
from .compose import camera, frames
from .demands import demands
from .faces import real_faces
from .outcome import Outcome, watch
from .recorded import Recorded
from .scene import Scene

_pipeline: Any = None


def run(only: Sequence[str], quick: bool, processes: int) -> dict[str, Any]:
    """Return every figure; `only`: of scenes and clips with one of these texts in their names."""
    todo = [s for s in scenes(quick) if _asked(s.name, only)]
    films = [c for c in clips(quick) if _asked(f'{c.group} {c.name}', only)]
    if any(not s.rendered for s in todo):
        real_faces()  # or it is said at once that they are not there
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(processes, context, initializer=_begin) as pool:
        heads = sorted({p.face for s in todo if s.rendered for p in s.people})
        list(pool.map(turning.render, heads))
        order = sorted(todo, key=lambda s: -s.rate * s.seconds)
        running: list[Future[Outcome]] = [pool.submit(play, scene) for scene in order]
        filming: list[Future[Recorded]] = [pool.submit(film, clip) for clip in films]
        for done, job in enumerate(as_completed([*running, *filming]), 1):
            job.result()
            print(
                f'\r{done} of {len(running) + len(filming)}', end='', file=sys.stderr, flush=True
            )
        print(file=sys.stderr)
        outcomes = {o.scene: o for o in (job.result() for job in running)}
        seen = [job.result() for job in filming]
    return _figures(todo, outcomes, seen)


def _asked(name: str, only: Sequence[str]) -> bool:
    return not only or any(text in name for text in only)


def _begin() -> None:
    global _pipeline
    from headpose_ros.config import PipelineConfig
    from headpose_ros.pipeline import HeadPosePipeline

    cv2.setNumThreads(1)
    _pipeline = HeadPosePipeline(PipelineConfig(device='cpu', threads=1))


def play(scene: Scene) -> Outcome:
    """Show a scene to this process's pipeline."""
    _pipeline.reset()
    moments = watch(_pipeline, camera(), frames(scene))
    return Outcome(scene.name, scene.group, 1 / scene.rate, len(scene.people), moments)


def film(clip: Clip) -> Recorded:
    """Show a clip to this process's pipeline."""
    _pipeline.reset()
    return recorded.watch_clip(_pipeline, clip)


def _figures(
    todo: Sequence[Scene], outcomes: dict[str, Outcome], seen: Sequence[Recorded]
) -> dict[str, Any]:
    def of(choose: Callable[[Scene], bool]) -> list[Outcome]:
        return [outcomes[s.name] for s in todo if choose(s)]

    groups = {}
    for name in dict.fromkeys(s.group for s in todo):
        groups[name] = metrics.measure([outcomes[s.name] for s in todo if s.group == name])
    parts = {
        'all': of(lambda s: s.ordinary),
        '10 Hz': of(lambda s: s.ordinary and s.rate == 10),
        '30 Hz': of(lambda s: s.ordinary and s.rate == 30),
    }
    films = dict.fromkeys(r.group for r in seen)
    result: dict[str, Any] = {
        'machine': machine(),
        'groups': groups,
        'ordinary': {name: metrics.measure(part) for name, part in parts.items() if part},
        'recorded': {n: recorded.measure([r for r in seen if r.group == n]) for n in films},
    }
    result['demands'] = [asdict(row) for row in demands(result)]
    return result
