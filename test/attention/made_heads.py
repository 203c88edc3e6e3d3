# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heads made by hand, exactly where and how a test wants them."""

import numpy as np

from headpose_ros.geometry.face_frame import FACE_CENTRE_IN_FACE
from headpose_ros.geometry.rotations import matrix_from_vector
from headpose_ros.heads import Head, Roi
from headpose_ros.result import FrameResult

RATE = 30.0


def facing(point, place):
    """Return the rotation of an upright head at `place` that points at `point`."""
    x = np.subtract(point, place)
    x = x / np.linalg.norm(x)
    y = np.cross([0.0, -1.0, 0.0], x)
    y = y / np.linalg.norm(y)
    return np.stack([x, y, np.cross(x, y)], axis=1)


def turned(rotation, left=0.0, up=0.0):
    """Return a head turned on by degrees, to its own left and upwards."""
    return rotation @ matrix_from_vector(np.radians([0.0, -up, left]))


def head(rotation, centre, name='f0001', sigma_deg=1.0, smooth=None):
    """Return a head with its face centre at `centre`; `smooth`: rotation after smoothing."""
    position = np.asarray(centre, float) - rotation @ FACE_CENTRE_IN_FACE
    sigma = np.radians(sigma_deg)
    covariance = np.diag([0.005**2, 0.005**2, 0.05**2, *[sigma**2] * 3])
    return Head(
        name, rotation if smooth is None else smooth, position, covariance, 1.0,
        Roi(0, 0, 50, 50), 0.0, 0.0, rotation, position,
    )  # fmt: skip


def image(time, *heads, **more):
    """Return the result of an image with these heads."""
    return FrameResult(
        heads,
        None,
        time,
        followed_ids=more.pop('followed', frozenset(h.id for h in heads)),
        **more,
    )


def play(attention, heads_at, seconds, begin=0.0, rate=RATE, places=None, fixed_at=None):
    """Return the events of `heads_at(time)`, heads or one head, in a stream of images."""
    events = []
    for k in range(round(seconds * rate)):
        time = begin + k / rate
        found = heads_at(time)
        found = found if isinstance(found, tuple) else (found,)
        fixed = None if fixed_at is None else fixed_at(time)
        events += attention.update(image(time, *found), places, fixed).events
    return events


def named(events):
    """Return the names of events, with what they are about."""
    return [f'{e.type.name} {e.target}'.strip() for e in events]
