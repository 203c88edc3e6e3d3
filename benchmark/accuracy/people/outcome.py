# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a pipeline said of a sequence, beside the truth: one image after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from headpose_ros.geometry.face_frame import face_centre_from_sellion
from headpose_ros.geometry.rotations import geodesic_distance
from headpose_ros.typing import Array

from .compose import HIDDEN, VISIBLE, Frame, Truth

GATE = 0.5
"""A head is somebody's where its ray is within this share of that face's angular size."""


@dataclass(frozen=True)
class Said:
    """A published head: id, ray (3,) to the face centre, rotation (3,3) or None, confidence."""

    id: str
    ray: Array
    rotation_camera_from_face: Array | None
    confidence: float


@dataclass(frozen=True)
class Moment:
    """One image: its time, seconds, the truth, what was said, and who of `said` is who.

    `matched`: index of `said` -> index of `truth`. `offsets` (T,S): angle between each truth and
    each head over the truth's angular size.
    """

    time: float
    truth: tuple[Truth, ...]
    said: tuple[Said, ...]
    matched: dict[int, int]
    offsets: Array

    def error(self, k: int) -> float | None:
        """Return by how much head `k` is turned wrong, rad: None where no pose is claimed."""
        rotation = self.said[k].rotation_camera_from_face
        if rotation is None:
            return None
        truth = self.truth[self.matched[k]]
        return float(geodesic_distance(rotation, truth.rotation_camera_from_face))


@dataclass(frozen=True)
class Outcome:
    """All images of a scene. `period`: seconds from one to the next; `people`: how many."""

    scene: str
    group: str
    period: float
    people: int
    moments: list[Moment] = field(default_factory=list)

    @property
    def minutes(self) -> float:
        """How long it lasts."""
        return len(self.moments) * self.period / 60


def watch(pipeline: Any, camera: Any, images: Iterable[Frame]) -> list[Moment]:
    """Show images to a pipeline; return what it said."""
    moments = []
    for frame in images:
        heads = pipeline.process(frame.image, camera, frame.stamp)
        said = tuple(_said(head) for head in heads)
        matched, offsets = match(frame.truth, said)
        moments.append(Moment(frame.time, frame.truth, said, matched, offsets))
    return moments


def _said(head: Any) -> Said:
    """Read a head; of one that is turned away no pose is claimed."""
    rotation = head.rotation_camera_from_face
    claimed = rotation is not None and not getattr(head, 'turned_away', False)
    rotation = np.asarray(rotation, float) if claimed else None
    if rotation is not None and not np.isfinite(rotation).all():
        rotation = None
    position = np.asarray(head.position, float)
    centre = position if rotation is None else face_centre_from_sellion(rotation, position)
    return Said(head.id, centre / np.linalg.norm(centre), rotation, float(head.confidence))


def match(truth: tuple[Truth, ...], said: tuple[Said, ...]) -> tuple[dict[int, int], Array]:
    """Assign heads to people, the nearest in all, within GATE; those plain to see come first."""
    offsets = np.empty((len(truth), len(said)))
    for i, one in enumerate(truth):
        ray = one.centre / np.linalg.norm(one.centre)
        for k, head in enumerate(said):
            across = np.linalg.norm(np.cross(ray, head.ray))
            offsets[i, k] = np.arctan2(across, ray @ head.ray) / one.angular_size
    later = np.array([[one.state != VISIBLE] for one in truth], float).reshape(-1, 1)
    cost = np.where(offsets <= GATE, offsets + later, 1e3)
    rows, columns = linear_sum_assignment(cost)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {k: i for i, k in pairs if offsets[i, k] <= GATE}, offsets


def is_hidden(moment: Moment, person: int) -> bool:
    """Tell whether nothing of a person is to be seen, or the person is not there."""
    states = [one.state for one in moment.truth if one.person == person]
    return not states or states[0] == HIDDEN
