# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of a camera joined into what users read, and the marker that says that it is whole."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from headpose_ros.media.tables import as_text, column_names
from headpose_ros.recordings.contact_sheet import write_sheet
from headpose_ros.recordings.joining import IdJoiner
from headpose_ros.recordings.parts import ABOUT, HEADS, IMAGES, Part
from headpose_ros.recordings.pose_tables import (
    COVARIANCE,
    FOLLOWED,
    LEAD,
    ParquetTable,
    events_schema,
    heads_schema,
    images_schema,
    read_rows,
)
from headpose_ros.recordings.pose_tables import EVENTS as EVENT_COLUMNS
from headpose_ros.recordings.settings import Settings
from headpose_ros.recordings.store import Store, Unit
from headpose_ros.recordings.watching import Watcher

JOINED = 'joined.parquet'
"""The heads with their covariances, kept until the bag is written."""

PART_FILE = 'part-0.parquet'
SHEET = 'previews'
CSV_PLACE = ('recording', 'topic', 'frame_id', 'image', 'stamp_ns')


Writer = Callable[[Sequence[dict[str, Any]]], object]


class NoImagesError(ValueError):
    """A camera of which no image could be used; the text says why."""


@dataclass
class Counts:
    """What a camera's results hold."""

    images: int = 0
    heads: int = 0
    people: int = 0


def finish_camera(parts: Sequence[Part], settings: Settings) -> dict[str, Any]:
    """Join all `parts` of a camera, write its results and its marker; return what that says.

    Raises NoImagesError where no image could be used, SinkError where it cannot be written.
    """
    store, unit = Store(settings.out), parts[0].unit
    folders = [part.folder(store) for part in parts]
    about = _summary([json.loads((folder / ABOUT).read_text()) for folder in folders])
    if not about['images']:
        store.clear_work(unit, all_of_it=True)
        reasons = about['notes'][:3] or ['it holds none']
        raise NoImagesError(f'no image can be used: {"; ".join(reasons)}')
    told = parts[0].camera.images if parts[0].camera else None
    there = about['images'] + about['problems']
    if len(parts) > 1 and told is not None and there < told:
        about['notes'].append(f'{there} of {told} images are there')
    described = {
        **settings.options,
        'recording': unit.recording,
        'topic': unit.topic,
        'camera': about['camera'],
        'lens_from': about['lens'],
    }
    joiner = IdJoiner() if len(parts) > 1 and settings.pictures == 'sequence' else None
    places = _places(store, unit, settings)
    try:
        counts = _write_tables(places, unit, folders, described, joiner, store, about['is_stream'])
        if SHEET in places:
            with store.replacing(places[SHEET]) as aside:
                write_sheet(aside, folders)
    except BaseException:
        store.remove(places.values())
        raise
    marker = {
        'key': unit.key,
        'recording': unit.recording,
        'topic': unit.topic,
        **vars(counts),
        'problems': about['problems'],
        'notes': about['notes'],
        'files': sorted(store.relative(file) for what, file in places.items() if what != 'work'),
    }
    store.write_marker(store.camera_marker(unit), marker)
    if not settings.bags:
        store.clear_work(unit, all_of_it=True)
    return marker


def _summary(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what is known of all parts together."""

    def together(name: str) -> list[str]:
        return list(dict.fromkeys(text for part in parts for text in part[name]))

    cameras = [part['camera'] for part in parts if part['camera']]
    return {
        'is_stream': all(part['is_stream'] for part in parts),
        'images': sum(part['images'] for part in parts),
        'problems': sum(part['problems'] for part in parts),
        'notes': together('notes'),
        'lens': together('lens'),
        'camera': cameras[0] if cameras else {},
    }


def _places(store: Store, unit: Unit, settings: Settings) -> dict[str, Path]:
    """Return the place of each result by what it is; `work`: of what the bag is made of."""
    names = {'heads': PART_FILE, 'images': PART_FILE}
    names |= {'csv': 'heads.csv'} if settings.csv else {}
    names |= {'events': PART_FILE} if settings.events else {}
    names |= {SHEET: 'sheet.jpg'} if settings.preview else {}
    places = {
        what: store.path(what, unit.recording, unit.topic, name) for what, name in names.items()
    }
    if settings.csv and settings.events:
        places['csv_events'] = store.path('csv', unit.recording, unit.topic, 'events.csv')
    return places | ({'work': store.work(unit) / JOINED} if settings.bags else {})


def _write_tables(
    places: dict[str, Path],
    unit: Unit,
    folders: Sequence[Path],
    described: dict[str, Any],
    joiner: IdJoiner | None,
    store: Store,
    is_stream: bool,
) -> Counts:
    """Write the tables of heads and images, and the same in other forms."""
    counts = Counts()
    people: set[str] = set()
    with ExitStack() as stack:

        def table(path: Path, schema: Any) -> ParquetTable:
            aside = stack.enter_context(store.replacing(path))
            return stack.enter_context(ParquetTable(aside, schema))

        writers: list[Writer] = []
        writers.append(table(places['heads'], heads_schema(described)).write)
        if 'work' in places:
            writers.append(table(places['work'], heads_schema(described, (COVARIANCE,))).write)
        if 'csv' in places:
            aside = stack.enter_context(store.replacing(places['csv']))
            writers.append(_csv_writer(aside, unit, stack))
        event_writers = _event_writers(places, described, table, store, stack)
        watcher = Watcher() if event_writers and is_stream else None
        writers_of_images = [table(places['images'], images_schema(described)).write]
        for image, rows, followed in _together(folders, joiner):
            counts.images += 1
            counts.heads += len(rows)
            people.update(row['id'] for row in rows)
            _write(writers_of_images, [image])
            _write(writers, rows)
            if watcher is not None:
                _write(event_writers, watcher.see(image, rows, followed))
        if watcher is not None:
            _write(event_writers, watcher.close())
    counts.people = len(people)
    return counts


def _event_writers(
    places: dict[str, Path],
    described: dict[str, Any],
    table: Callable[[Path, Any], ParquetTable],
    store: Store,
    stack: ExitStack,
) -> list[Writer]:
    """Return what writes events; empty where they are not asked for."""
    if 'events' not in places:
        return []
    writers: list[Writer] = [table(places['events'], events_schema(described)).write]
    if 'csv_events' in places:
        aside = stack.enter_context(store.replacing(places['csv_events']))
        file = stack.enter_context(aside.open('w', newline='', encoding='utf-8'))
        writer = csv.DictWriter(file, EVENT_COLUMNS, lineterminator='\n', extrasaction='ignore')
        writer.writeheader()
        writers.append(writer.writerows)
    return writers


def _together(
    folders: Sequence[Path], joiner: IdJoiner | None
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]], list[str]]]:
    """Yield image after image: its row, those of its heads, and who is followed; names joined."""
    for number, folder in enumerate(folders):
        if joiner is not None and number:
            joiner.begin(_lead(folder / HEADS))
        heads = _joined(folder / HEADS, joiner)
        for image in _own(folder / IMAGES):
            rows = list(islice(heads, image['heads'] or 0))
            followed = image.get(FOLLOWED, [])
            yield image, rows, followed if joiner is None else joiner.names_of(followed)


def _write(writers: Sequence[Writer], rows: Sequence[dict[str, Any]]) -> None:
    for write in writers:
        write(rows)


def _joined(path: Path, joiner: IdJoiner | None) -> Iterator[dict[str, Any]]:
    """Yield the rows of the heads of a part with their joined names, without its lead."""
    for row in _own(path):
        if joiner is not None:
            row['id'] = joiner.name(row['id'])
            joiner.keep(row)
        yield row


def _own(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a part, without those that only lead in."""
    for row in read_rows(path):
        if not row[LEAD]:
            yield row


def _lead(path: Path) -> Iterator[dict[str, Any]]:
    for row in read_rows(path):
        if not row[LEAD]:
            return  # the lead comes first
        yield row


def _csv_writer(path: Path, unit: Unit, stack: ExitStack) -> Writer:
    """Return what writes rows as `headpose video --csv` does, with the recording and the topic."""
    names = column_names(CSV_PLACE)
    file = stack.enter_context(path.open('w', newline='', encoding='utf-8'))
    writer = csv.DictWriter(file, names, lineterminator='\n')
    writer.writeheader()
    place = {'recording': unit.recording, 'topic': unit.topic}

    def write(rows: Sequence[dict[str, Any]]) -> None:
        for row in rows:
            full = {**row, **place}
            text = as_text({name: full[name] for name in names if full[name] is not None})
            writer.writerow({name: text.get(name, '') for name in names})

    return write
