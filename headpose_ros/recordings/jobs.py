# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The work in pieces that a process or a machine of a cluster can be given.

A job never raises: what goes wrong with a recording is its outcome, and others go on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from headpose_ros.recordings.bags_out import write_bag
from headpose_ros.recordings.finding import Recording
from headpose_ros.recordings.finishing import JOINED, finish_camera
from headpose_ros.recordings.parts import Part, Report, process_part
from headpose_ros.recordings.planning import Plan, plan_recording
from headpose_ros.recordings.settings import Settings
from headpose_ros.recordings.store import Store

Step = Literal['plan', 'part', 'join', 'bag']


@dataclass(frozen=True)
class Job:
    """One thing to do.

    `plan`: look into a recording. `part`: process a part of a camera; where it is the only one,
    finish the camera too. `join`: finish a camera of several parts. `bag`: write the bag of a
    recording. `parts`: all of the camera, or those of all cameras for a bag. `node`: where the
    recording was read before, on a cluster.
    """

    step: Step
    recording: Recording
    parts: tuple[Part, ...] = ()
    number: int = 0
    node: str = ''

    @property
    def label(self) -> str:
        """What to call it."""
        topic = f' {self.parts[0].unit.topic}' if self.parts and self.step != 'bag' else ''
        of = f' part {self.number + 1}/{len(self.parts)}' if len(self.parts) > 1 else ''
        return f'{self.recording.name}{topic}{of if self.step == "part" else ""}'


@dataclass(frozen=True)
class Outcome:
    """What came of a job. `failure`: why it failed, '' where it did not.

    `plan` of a recording; `marker` of a camera that is finished; `was_done`: there was nothing to
    do. `files`: what was written, as markers have it. `node`: where, on a cluster.
    """

    failure: str = ''
    plan: Plan | None = None
    marker: dict[str, Any] = field(default_factory=dict)
    was_done: bool = False
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    node: str = ''


def execute(job: Job, settings: Settings, report: Report) -> Outcome:
    """Do a job. `report` is told how many more images are done."""
    try:
        return _execute(job, settings, report)
    except MemoryError:
        return Outcome('there is not enough memory')
    except (ValueError, OSError, RuntimeError) as error:
        return Outcome(' '.join(str(error).split()) or type(error).__name__)
    except Exception as error:
        # Libraries that read files of any content fail in ways that nobody foresees.
        return Outcome(f'{type(error).__name__}: {" ".join(str(error).split())}')


def _execute(job: Job, settings: Settings, report: Report) -> Outcome:
    if job.step == 'plan':
        return Outcome(plan=plan_recording(job.recording, settings))
    if job.step == 'bag':
        file, notes = write_bag(job.recording, job.parts, settings)
        return Outcome(files=(file,), notes=tuple(notes))
    if job.step == 'part':
        done = process_part(job.parts[job.number], settings, report)
        if len(job.parts) > 1:
            return Outcome(was_done=not done)
    return Outcome(marker=finish_camera(job.parts, settings))


def camera_marker(parts: tuple[Part, ...], settings: Settings) -> dict[str, Any] | None:
    """Return the marker of a camera that is done; None where it is to be done."""
    store, unit = Store(settings.out), parts[0].unit
    marker = store.read_marker(store.camera_marker(unit))
    if marker is None or marker.get('key') != unit.key:
        return None
    if settings.bags and not (store.work(unit) / JOINED).exists():
        return None
    return marker
