# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the pipeline returns for an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, overload

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.heads import Head


@dataclass(frozen=True)
class Candidate:
    """A face that has not been seen often enough yet to be reported.

    `track`: the number of its track, the same from image to image. `head`: as it would be
    reported, but without an id.
    """

    track: int
    head: Head


@dataclass(frozen=True, eq=False, repr=False)
class FrameResult(Sequence[Head]):
    """The heads in one image: a sequence of `Head`, read-only, with what is known beside them.

    `principal_id`: id of the head to attend to, which may be lost for the moment; None where
    nobody is. `stamp`: seconds, as the image's; None for a single picture without one.
    `timings`: milliseconds by stage: search, crop, estimate, track, total; search is 0 where the
    image was not searched. `camera`: that of the image, in whose pixels results are.
    `followed_ids`: ids of everybody followed, those lost for the moment included. `turned_away`:
    those of them who are there, but whose faces are turned so far from the camera that no pose can
    be read. `dropped`: the image came late and was not looked at: that no head is in it
    means nothing. `candidates`, and `tracks`, the number of the track of each head: for
    `Hindsight`.

    Two results are equal where heads, principal and stamp are; a list is equal to a result with
    the same heads.
    """

    heads: tuple[Head, ...] = ()
    principal_id: str | None = None
    stamp: float | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    camera: CameraModel | None = None
    followed_ids: frozenset[str] = frozenset()
    turned_away: frozenset[str] = frozenset()
    dropped: bool = False
    candidates: tuple[Candidate, ...] = ()
    tracks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, 'heads', tuple(self.heads))
        object.__setattr__(self, 'timings', MappingProxyType(dict(self.timings)))

    @property
    def principal(self) -> Head | None:
        """The head to attend to, where it is seen in this image."""
        return next((head for head in self.heads if head.id == self.principal_id), None)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a row for each head: `stamp_ns` where there is a stamp, `principal`, the pose.

        `Head.to_dict` says what the other columns are.
        """
        stamp = {} if self.stamp is None else {'stamp_ns': round(self.stamp * 1e9)}
        rows = []
        for head in self.heads:
            pose = head.to_dict()
            principal = head.id == self.principal_id
            rows.append({**stamp, 'id': pose.pop('id'), 'principal': principal, **pose})
        return rows

    def __len__(self) -> int:
        return len(self.heads)

    @overload
    def __getitem__(self, index: int) -> Head: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Head, ...]: ...
    def __getitem__(self, index: int | slice) -> Head | tuple[Head, ...]:
        return self.heads[index]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, list):
            return list(self.heads) == other
        if not isinstance(other, FrameResult):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        people = f'{len(self)} head{"" if len(self) == 1 else "s"}'
        stamp = '' if self.stamp is None else f', stamp {self.stamp:.3f}'
        dropped = ', dropped' if self.dropped else ''
        return f'FrameResult({people}, principal {self.principal_id}{stamp}{dropped})'

    def __reduce__(self) -> tuple[Any, ...]:  # a MappingProxyType cannot be pickled
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return FrameResult, tuple({**values, 'timings': dict(self.timings)}.values())

    def _key(self) -> tuple[Any, ...]:
        return self.heads, self.principal_id, self.stamp
