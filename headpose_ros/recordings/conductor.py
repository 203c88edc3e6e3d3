# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Goes through all recordings: plans, parts, joins and bags, each when what it needs is there."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from headpose_ros.media.frames import SourceError
from headpose_ros.recordings.finding import Recording
from headpose_ros.recordings.jobs import Job, Outcome, camera_marker
from headpose_ros.recordings.planning import Plan
from headpose_ros.recordings.settings import Settings
from headpose_ros.recordings.store import Store
from headpose_ros.recordings.workers import Engine

PLANS_AHEAD = 1000
"""Parts that wait for a process before further recordings are looked into, so that the memory
needed does not grow with the archive."""


@dataclass
class Result:
    """What came of a recording. `state`: `done`, `before` (in an earlier call), `failed`, `none`.

    `none`: it holds no camera. `failures`, `notes`: what is to be told. `redone`: why an earlier
    result did not count.
    """

    recording: Recording
    state: str = 'done'
    cameras: int = 0
    images: int = 0
    heads: int = 0
    people: int = 0
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    redone: str = ''


@dataclass
class _Open:
    """A recording that is being processed."""

    plan: Plan
    result: Result
    missing: dict[str, int] = field(default_factory=dict)
    markers: list[dict[str, Any]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)


class Progress:
    """What the conductor tells while it works; does nothing unless derived from."""

    def more(self, images: int | None) -> None:
        """Take that so many more images are to be done; None: nobody knows how many."""

    def done(self, images: int) -> None:
        """Take that so many images more are done."""

    def finished(self, result: Result) -> None:
        """Take what came of a recording that is finished."""


class Conductor:
    """Processes `recordings` with the help of `engine`."""

    def __init__(self, settings: Settings, engine: Engine, progress: Progress) -> None:
        self._settings, self._engine, self._progress = settings, engine, progress
        self._store = Store(settings.out)
        self._ready: deque[Job] = deque()
        self._open: dict[str, _Open] = {}
        self._running = 0
        self._results: list[Result] = []

    @property
    def results(self) -> list[Result]:
        """What came of the recordings that are finished."""
        return self._results

    def run(self, recordings: Sequence[Recording]) -> list[Result]:
        """Process all recordings; return what came of each, in the order of finishing."""
        waiting = deque(recordings)
        while waiting or self._ready or self._running:
            self._submit(waiting)
            for job, outcome in self._engine.finished():
                self._running -= 1
                self._take(job, outcome)
            self._progress.done(self._engine.images())
        return self._results

    def _submit(self, waiting: deque[Recording]) -> None:
        """Give the engine as much as it takes: plans first, as long as few parts wait."""
        while self._running < self._engine.capacity:
            if waiting and len(self._ready) < PLANS_AHEAD:
                job = self._first_look(waiting.popleft())
            elif self._ready:
                job = self._ready.popleft()
            else:
                return
            if job is not None:
                self._engine.submit(job)
                self._running += 1

    def _first_look(self, recording: Recording) -> Job | None:
        """Return the job of planning a recording, None where it is done."""
        result = Result(recording)
        try:
            key = self._settings.key(recording.fingerprint())
        except SourceError as error:
            self._finish(Result(recording, 'failed', failures=[str(error)]))
            return None
        marker = self._store.read_marker(self._store.recording_marker(recording.name))
        if marker is not None and self._is_done(marker, key):
            for name in ('cameras', 'images', 'heads', 'people', 'notes'):
                setattr(result, name, marker[name])
            result.state = 'before' if marker['cameras'] else 'none'
            self._store.clear_recording(recording.name)  # of one that was killed just then
            self._finish(result)
            return None
        return Job('plan', recording)

    def _is_done(self, marker: dict[str, Any], key: str) -> bool:
        if marker.get('key') != key or marker.get('topics') != list(self._settings.topics):
            return False
        return all(
            self._store.read_marker(self._store.folder / name) for name in marker['markers']
        )

    def _take(self, job: Job, outcome: Outcome) -> None:
        if job.step == 'plan':
            self._take_plan(job, outcome)
            return
        state = self._open.get(job.recording.name)
        if state is None:
            return  # a part of a camera that had failed already
        if job.step == 'bag':
            state.result.failures += [outcome.failure] if outcome.failure else []
            state.result.notes += outcome.notes
            self._close(state, outcome.files)
            return
        topic = job.parts[0].unit.topic
        if outcome.failure:
            if topic in state.missing:
                state.result.failures.append(self._about(job, outcome.failure))
                unit = job.parts[0].unit
                kept = [one for one in self._ready if not one.parts or one.parts[0].unit != unit]
                self._ready = deque(kept)
            self._camera_ended(state, topic)
        elif outcome.marker:
            self._note_marker(state, outcome.marker)
            self._camera_ended(state, topic)
        elif topic in state.missing:
            state.missing[topic] -= 1
            if not state.missing[topic]:
                self._ready.appendleft(Job('join', job.recording, job.parts, node=outcome.node))

    def _about(self, job: Job, failure: str) -> str:
        several = len(self._open[job.recording.name].plan.cameras) > 1
        return f'{job.parts[0].unit.topic}: {failure}' if several else failure

    def _take_plan(self, job: Job, outcome: Outcome) -> None:
        recording, plan = job.recording, outcome.plan
        if plan is None:
            self._forget_others(recording, '')
            self._finish(Result(recording, 'failed', failures=[outcome.failure]))
            return
        result = Result(recording, notes=list(plan.notes), cameras=len(plan.cameras))
        result.redone = self._forget_others(recording, plan.key)
        state = self._open[recording.name] = _Open(plan, result)
        self._progress.more(plan.images)
        for parts in plan.cameras:
            marker = camera_marker(parts, self._settings)
            if marker is not None:
                self._note_marker(state, marker)
                self._progress.done(sum(part.images or 0 for part in parts))
                continue
            self._store.forget(self._store.camera_marker(parts[0].unit))
            state.missing[parts[0].unit.topic] = len(parts)
            self._ready.extend(
                Job('part', recording, parts, number, outcome.node) for number in range(len(parts))
            )
        if not state.missing:
            self._all_cameras_ended(state)

    def _forget_others(self, recording: Recording, key: str) -> str:
        """Remove what is there of another input or other options; return what there was."""
        path = self._store.recording_marker(recording.name)
        markers = [*path.parent.glob('topic=*.json'), path]
        reason = ''
        for marker in markers:
            known = self._store.read_marker(marker)
            if known is None or known.get('key') != key:
                if known is not None:
                    reason = 'the input or the options changed: done again'
                self._store.forget(marker)
        if path.exists():
            self._store.forget(path)
        return reason

    def _note_marker(self, state: _Open, marker: dict[str, Any]) -> None:
        result = state.result
        state.markers.append(marker)
        result.images += marker['images']
        result.heads += marker['heads']
        result.people += marker['people']
        notes = list(marker['notes'])
        if marker['problems']:
            notes.insert(0, f'{marker["problems"]} images could not be used')
        result.notes += [note for note in notes if note not in result.notes]

    def _camera_ended(self, state: _Open, topic: str) -> None:
        if state.missing.pop(topic, None) is not None and not state.missing:
            self._all_cameras_ended(state)

    def _all_cameras_ended(self, state: _Open) -> None:
        if self._settings.bags and state.markers:
            done = {marker['topic'] for marker in state.markers}
            parts = tuple(parts[0] for parts in state.plan.cameras if parts[0].unit.topic in done)
            self._ready.appendleft(Job('bag', state.plan.recording, parts))
        else:
            self._close(state, ())

    def _close(self, state: _Open, files: Sequence[str]) -> None:
        result, plan = state.result, state.plan
        del self._open[plan.recording.name]
        if result.failures:
            result.state = 'failed'
        else:
            result.state = 'done' if plan.cameras else 'none'
            units = [parts[0].unit for parts in plan.cameras]
            marker = {
                'key': plan.key,
                'recording': plan.recording.name,
                'topics': list(self._settings.topics),
                **{name: getattr(result, name) for name in ('cameras', 'images', 'heads')},
                'people': result.people,
                'notes': result.notes,
                'files': list(files),
                'markers': [self._store.relative(self._store.camera_marker(u)) for u in units],
            }
            # Where a power cut takes it, those of the cameras say the same, but not of the bag.
            bags = bool(self._settings.bags)
            path = self._store.recording_marker(plan.recording.name)
            self._store.write_marker(path, marker, durable=bags)
            if bags:  # only now: without the marker, the bag is made again from what is in there
                self._store.clear_recording(plan.recording.name)
        self._finish(result, time.monotonic() - state.began)

    def _finish(self, result: Result, seconds: float = 0.0) -> None:
        self._results.append(result)
        self._progress.finished(result)
        if result.state != 'before':
            self._store.note(
                time=time.strftime('%Y-%m-%dT%H:%M:%S%z'),
                recording=result.recording.name,
                state=result.state,
                cameras=result.cameras,
                images=result.images,
                heads=result.heads,
                seconds=round(seconds, 1),
                failures=result.failures,
                notes=result.notes,
            )
