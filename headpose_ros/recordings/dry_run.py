# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a call would do with a recording, without doing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from headpose_ros.recordings.finding import Recording
from headpose_ros.recordings.jobs import Job, camera_marker, execute
from headpose_ros.recordings.planning import Plan
from headpose_ros.recordings.settings import Settings


@dataclass(frozen=True)
class Forecast:
    """What would be done. `text`: in a line; `lines`: for each camera, and what is to be told.

    `images`: how many would be processed, None where unknown.
    """

    state: Literal['new', 'before', 'failed', 'none']
    text: str
    lines: tuple[str, ...] = ()
    images: int | None = 0


def forecast(recording: Recording, settings: Settings) -> Forecast:
    """Look into a recording and return what would be done with it."""
    outcome = execute(Job('plan', recording), settings, lambda images: None)
    plan = outcome.plan
    if plan is None:
        return Forecast('failed', f'cannot be read: {outcome.failure}')
    lines, images = [], 0
    unknown = False
    left = 0
    for parts in plan.cameras:
        if camera_marker(parts, settings) is not None:
            continue
        left += 1
        lines.append(_camera_line(plan, parts[0].unit.topic, parts))
        counts = [part.images for part in parts]
        unknown |= None in counts
        images += sum(count or 0 for count in counts)
    lines += plan.notes
    if not plan.cameras:
        return Forecast('none', 'no camera', tuple(lines))
    if not left:
        return Forecast('before', 'done before', plan.notes)
    return Forecast(
        'new', f'{left} of {len(plan.cameras)} cameras', tuple(lines), None if unknown else images
    )


def _camera_line(plan: Plan, topic: str, parts: tuple[object, ...]) -> str:
    camera = next(one for one in plan.cameras if one[0].unit.topic == topic)
    counts = [part.images for part in camera]
    images = '?' if None in counts else str(sum(count or 0 for count in counts))
    lens = plan.lenses.get(topic, '')
    split = f', in {len(parts)} parts' if len(parts) > 1 else ''
    return f'{topic}: {images} images{f", lens: {lens}" if lens else ""}{split}'
