# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One part of one camera's images through the pipeline, into tables in the work folder.

A part that is there is whole: its folder is made aside and renamed. `headpose video` gives the
same heads for the same images.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.hindsight import MAX_HELD, Hindsight
from headpose_ros.media.closing import Closing
from headpose_ros.media.tables import pose_rows
from headpose_ros.pipeline import HeadPosePipeline
from headpose_ros.recordings.bag_shots import BagShots
from headpose_ros.recordings.cameras import CameraTopic
from headpose_ros.recordings.contact_sheet import Tiles
from headpose_ros.recordings.file_shots import PictureShots, VideoShots
from headpose_ros.recordings.finding import Recording
from headpose_ros.recordings.pose_tables import (
    COVARIANCE,
    FOLLOWED,
    LEAD,
    POSES,
    ParquetTable,
    heads_schema,
    images_schema,
)
from headpose_ros.recordings.settings import Settings
from headpose_ros.recordings.shots import Shot, Shots
from headpose_ros.recordings.store import Store, Unit
from headpose_ros.recordings.watching import poses_of
from headpose_ros.result import FrameResult
from headpose_ros.stages import Stages

HEADS, IMAGES, ABOUT = 'heads.parquet', 'images.parquet', 'part.json'
ASSUMED = (
    'nothing says the lens: a horizontal field of view of 60 degrees is assumed; --camera-info or '
    '--hfov gives it'
)
MAX_NOTES = 5
"""Problems of images that are told; the table has all."""

Report = Callable[[int], None]
"""Is told how many more images are done."""


@dataclass(frozen=True)
class Part:
    """Part `number` of the `count` parts of a camera. `camera`: None outside of bags.

    Bags: recording times. Pictures: indices. None: from the beginning, or to the end. What lies
    between `lead_start` and `start` only leads the tracks in.
    """

    recording: Recording
    camera: CameraTopic | None
    unit: Unit
    number: int = 0
    count: int = 1
    lead_start: int | None = None
    start: int | None = None
    stop: int | None = None
    images: int | None = None

    def folder(self, store: Store) -> Path:
        """Return where its results are."""
        return store.work(self.unit) / f'part-{self.number:05d}'


def process_part(part: Part, settings: Settings, report: Report) -> bool:
    """Process a part, unless it is there; return whether it had to be done.

    Raises SourceError where it cannot be read, SinkError where it cannot be written.
    """
    store = Store(settings.out)
    folder = part.folder(store)
    if (folder / ABOUT).is_file():
        report(part.images or 0)
        return False
    store.clear_work(part.unit)
    with closing(open_shots(part, settings)) as shots, store.replacing(folder) as aside:
        aside.mkdir()
        _Run(part, settings, shots, aside, report).run()
    return True


def open_shots(part: Part, settings: Settings) -> Shots:
    """Open the images of a part."""
    recording, lenses = part.recording, settings.lenses
    if part.camera is not None:
        start = part.start if part.lead_start is None else part.lead_start
        lead = part.start if part.lead_start is not None else None
        return BagShots(
            recording, part.camera, lenses, settings.lens_is_given, start, part.stop, lead
        )
    if recording.kind == 'video':
        return VideoShots(recording.path, lenses)
    first = part.lead_start or 0
    paths = recording.files[first : part.stop]
    in_sequence = settings.pictures == 'sequence'
    return PictureShots(paths, lenses, in_sequence, first, (part.start or first) - first)


class _Run:
    """One pass over the images of a part."""

    def __init__(
        self, part: Part, settings: Settings, shots: Shots, folder: Path, report: Report
    ) -> None:
        self._part, self._settings, self._shots = part, settings, shots
        self._folder, self._report = folder, report
        mode: Literal['image', 'video'] = 'video'
        single = part.recording.kind == 'pictures' and settings.pictures == 'single'
        if single or (part.count == 1 and part.images == 1):  # as `headpose video` has it
            mode = 'image'
        self._mode = mode
        self._pipeline = pipeline_for(settings.config, mode)
        self._held: Hindsight[Shot] = Hindsight(MAX_HELD)
        self._tiles = Tiles(part.images, part.count) if settings.preview else None
        self._first_ns: int | None = None
        self._images = self._problems = 0
        self._notes: dict[str, None] = {}
        self._sources: dict[str, None] = {}
        self._camera: CameraModel | None = None

    def run(self) -> None:
        """Process all images; write the tables and what is to be known of them."""
        with _Tables(self._folder, self._settings) as tables:
            for shot in self._shots:
                self._see(shot, tables)
                self._report(0 if shot.is_lead else 1)
            self._deliver(self._held.rest(), tables)
        if self._tiles:
            self._tiles.save(self._folder)
        warning = self._pipeline.warnings.get('device')
        notes = [*self._shots.damage, *self._notes, *([warning] if warning else [])]
        if 'assumed' in self._sources:
            notes.append(ASSUMED)
        about = {
            'is_stream': self._mode == 'video',
            'images': self._images,
            'problems': self._problems,
            'notes': list(dict.fromkeys(notes)),
            'lens': list(self._sources),
            'camera': _camera_dict(self._camera),
        }
        (self._folder / ABOUT).write_text(json.dumps(about, sort_keys=True))

    def _see(self, shot: Shot, tables: _Tables) -> None:
        if shot.image is None or shot.camera is None:
            self._deliver(self._held.add(shot, FrameResult(dropped=True)), tables)
            return
        if self._first_ns is None:
            self._first_ns = shot.place.stamp_ns
        self._camera = self._camera or shot.camera
        self._sources[shot.source] = None
        # Relative: seconds since 1970 as a float are only good for 0.2 microseconds.
        seconds = 1e-9 * (shot.place.stamp_ns - self._first_ns)
        image = shot.image if shot.image.flags.c_contiguous else np.ascontiguousarray(shot.image)
        result = self._pipeline.process(image, shot.camera, seconds, shot.depth)
        keep = self._tiles is not None and self._tiles.wants_next(shot.is_lead)
        self._deliver(self._held.add(shot if keep else shot.without_pixels(), result), tables)

    def _deliver(self, results: Iterable[tuple[Shot, FrameResult]], tables: _Tables) -> None:
        for shot, result in results:
            self._count(shot)
            place = shot.place
            where = {'frame_id': place.frame_id, 'image': place.name, 'stamp_ns': place.stamp_ns}
            rows = pose_rows(result.heads, result.principal_id, **where)
            for row, head in zip(rows, result.heads, strict=True):
                row[LEAD] = shot.is_lead
                row[COVARIANCE] = np.asarray(head.covariance, np.float64).ravel()
                row[POSES] = poses_of(head)
            tables.heads.write(rows)
            tables.images.write([_image_row(shot, result, where)])
            if self._tiles and shot.image is not None and shot.camera is not None:
                self._tiles.add(shot.image, shot.camera, result)

    def _count(self, shot: Shot) -> None:
        if shot.is_lead:
            return
        if shot.problem:
            self._problems += 1
            if len(self._notes) < MAX_NOTES:
                self._notes[shot.problem] = None
        else:
            self._images += 1


class _Tables(Closing):
    """The tables of a part."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        events = settings.events
        of_heads = (LEAD, *((COVARIANCE,) if settings.bags or events else ()))
        of_heads += (POSES,) if events else ()
        of_images = (LEAD, FOLLOWED) if events else (LEAD,)
        self.heads = ParquetTable(folder / HEADS, heads_schema({}, of_heads))
        self.images = ParquetTable(folder / IMAGES, images_schema({}, of_images))

    def close(self) -> None:
        """Finish the files."""
        self.heads.close()
        self.images.close()


def _image_row(shot: Shot, result: FrameResult, where: dict[str, Any]) -> dict[str, Any]:
    height, width = shot.size or (None, None)
    return {
        **where,
        'bag_time_ns': shot.place.bag_time_ns,
        'width': width,
        'height': height,
        'heads': None if result.dropped else len(result.heads),
        'problem': shot.problem or None,
        FOLLOWED: sorted(result.followed_ids),
        LEAD: shot.is_lead,
    }


_stages: dict[tuple[PipelineConfig, str], Stages] = {}


def pipeline_for(config: PipelineConfig, mode: Literal['image', 'video']) -> HeadPosePipeline:
    """Return a pipeline that has seen nothing; on a CPU, networks are loaded once a process."""
    key = config, mode
    if key not in _stages:
        _stages[key] = Stages.create(config, single=mode == 'image')
    stages = _stages[key]
    if stages.runtime is not None and stages.runtime.device != 'cpu':
        # Stages that are brought along get their crops on the CPU.
        return HeadPosePipeline(config, mode=mode)
    return HeadPosePipeline(config, mode=mode, search=stages.search, estimator=stages.estimator)


def _camera_dict(camera: CameraModel | None) -> dict[str, Any]:
    if camera is None:
        return {}
    return {item.name: getattr(camera, item.name) for item in fields(camera) if item.init}
