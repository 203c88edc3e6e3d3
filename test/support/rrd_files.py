# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings for the viewer, read back."""

import pytest

try:
    from rerun.chunk import RrdReader
except ImportError:  # before 0.41, for Python 3.10
    RrdReader = None


def rows(path):
    """Yield entity, time (ns, None if static) and {component: value} of each row."""
    if RrdReader is None:
        pytest.skip('this version of rerun-sdk reads no recordings')
    for chunk in RrdReader(str(path)).stream().to_chunks():
        batch = chunk.to_record_batch()
        for index, row in enumerate(batch.to_pylist()):
            time = None
            if 'time' in row:
                time = batch.column('time')[index].value
            yield str(chunk.entity_path), time, row


def components(path, entity, name):
    """Return the values of a component of an entity, in the order of time, static first."""
    found = [
        (-1 if time is None else time, value)
        for at, time, row in rows(path)
        if at == entity
        for column, value in row.items()
        if column.rpartition(':')[2] == name and value is not None
    ]
    return [value for _, value in sorted(found, key=lambda pair: pair[0])]


def poses(path):
    """Return (stamp in ns, {column: value}) of every head, by time."""
    found = [
        (time, pose)
        for entity, time, row in rows(path)
        if entity == '/heads'
        for pose in row.get('pose') or ()
    ]
    return sorted(found, key=lambda pair: pair[0])
