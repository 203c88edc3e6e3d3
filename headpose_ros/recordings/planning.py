# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What there is to do for a recording: its cameras, and the parts of each."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field

from headpose_ros.media.frames import SourceError
from headpose_ros.media.pictures import IMAGE_RATE_HZ
from headpose_ros.recordings.bag import Bag
from headpose_ros.recordings.cameras import CameraTopic, find_cameras
from headpose_ros.recordings.file_shots import VideoShots
from headpose_ros.recordings.finding import Recording
from headpose_ros.recordings.parts import Part
from headpose_ros.recordings.settings import LEAD_S, Settings
from headpose_ros.recordings.store import FILES_TOPIC, Unit

NANO = 1_000_000_000


@dataclass(frozen=True)
class Plan:
    """The parts of each camera of a recording. `key`: hash of its input and the options.

    `notes`: what is to be told, such as damage, and image topics that are left out.
    """

    recording: Recording
    key: str
    cameras: tuple[tuple[Part, ...], ...] = ()
    notes: tuple[str, ...] = ()
    lenses: dict[str, str] = field(default_factory=dict)

    @property
    def images(self) -> int | None:
        """How many images there are, as far as is known beforehand."""
        counts = [part.images for parts in self.cameras for part in parts]
        return None if None in counts else sum(count or 0 for count in counts)


def plan_recording(recording: Recording, settings: Settings) -> Plan:
    """Look into a recording and say what is to be done. Raises SourceError."""
    key = settings.key(recording.fingerprint())
    if recording.kind == 'bag':
        return _plan_bag(recording, key, settings)
    unit = Unit(recording.name, FILES_TOPIC, key)
    if recording.kind == 'video':
        with closing(VideoShots(recording.path, settings.lenses)) as shots:
            part = Part(recording, None, unit, images=shots.count)
        return Plan(recording, key, ((part,),))
    return Plan(recording, key, (_picture_parts(recording, unit, settings),))


def _plan_bag(recording: Recording, key: str, settings: Settings) -> Plan:
    with Bag(recording) as bag:
        if not any(topic.count != 0 for topic in bag.topics.values()):
            raise SourceError(f'{recording.path}: holds no messages')
        found = find_cameras(bag, settings.topics, settings.depth)
        notes = [*bag.damage, *(f'{topic}: {why}' for topic, why in found.left_out.items())]
        if bag.damage and not found.chosen:
            raise SourceError('; '.join(bag.damage))
        cuts = _cuts(bag, settings.split_s)
    cameras = tuple(
        _bag_parts(recording, camera, Unit(recording.name, camera.topic, key), cuts)
        for camera in found.chosen
    )
    lenses = {
        camera.topic: 'given' if settings.lens_is_given else camera.info or 'assumed'
        for camera in found.chosen
    }
    return Plan(recording, key, cameras, tuple(notes), lenses)


def _cuts(bag: Bag, split_s: float) -> list[int]:
    """Return the recording times at which a bag is cut into parts of equal length."""
    if not split_s or bag.span_ns is None or bag.damage:
        return []
    start, stop = bag.span_ns
    count = round((stop - start) / (split_s * NANO))
    return [start + i * (stop - start) // count for i in range(1, count)]


def _bag_parts(
    recording: Recording, camera: CameraTopic, unit: Unit, cuts: list[int]
) -> tuple[Part, ...]:
    count = len(cuts) + 1
    images = None if camera.images is None else -(-camera.images // count)
    lead = int(LEAD_S * NANO)
    return tuple(
        Part(
            recording,
            camera,
            unit,
            number,
            count,
            None if not number else cuts[number - 1] - lead,
            None if not number else cuts[number - 1],
            cuts[number] if number < len(cuts) else None,
            images,
        )
        for number in range(count)
    )


def _picture_parts(recording: Recording, unit: Unit, settings: Settings) -> tuple[Part, ...]:
    total = len(recording.files)
    length = round(settings.split_s * IMAGE_RATE_HZ)
    count = max(1, round(total / length)) if length else 1
    lead = round(LEAD_S * IMAGE_RATE_HZ) if settings.pictures == 'sequence' else 0
    parts = []
    for number in range(count):
        start, stop = number * total // count, (number + 1) * total // count
        first = max(0, start - lead)
        parts.append(Part(recording, None, unit, number, count, first, start, stop, stop - start))
    return tuple(parts)
