# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images of a recording, each with its camera, stamp and depth: what the pipeline is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.typing import Image


class Lens(Protocol):
    """A camera, and where its intrinsics are from, such as `given` or `assumed`."""

    @property
    def camera(self) -> CameraModel:
        """The camera of the images."""
        ...

    @property
    def source(self) -> str:
        """Where the intrinsics are from."""
        ...


class Lenses(Protocol):
    """The lens of images of any size, as the user said it or as it is assumed to be."""

    def of(self, width: int, height: int) -> Lens:
        """Return the lens; ValueError where it does not fit images of this size."""
        ...


class Place(NamedTuple):
    """Which image it is. `name`: of the file, None in bags. `stamp_ns`: the image's own time.

    `bag_time_ns`: when it was recorded, None outside of bags. `frame_id`: None outside of bags.
    """

    stamp_ns: int
    frame_id: str | None = None
    name: str | None = None
    bag_time_ns: int | None = None


@dataclass(frozen=True)
class Shot:
    """One image. `image`, (H,W,3) BGR, may be read-only. `problem`: why it cannot be used.

    `camera`, `source`: its lens and where that is from. `depth` (H,W): metres, None without.
    `is_lead`: it is there for the tracks only; its heads belong to the part before. `size`: height
    and width of the image, also where its pixels were let go.
    """

    place: Place
    image: Image | None = None
    camera: CameraModel | None = None
    source: str = ''
    depth: NDArray[np.float32] | None = None
    problem: str = ''
    is_lead: bool = False
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.image is not None:
            height, width = self.image.shape[:2]
            object.__setattr__(self, 'size', (height, width))

    def without_pixels(self) -> Shot:
        """Return what is to be kept of it where the image is not needed any more."""
        return replace(self, image=None, depth=None)


class Shots(Protocol):
    """An open part of a recording: iterate over it once, then close it.

    `damage`: what could not be read, so far; complete when all was read.
    """

    @property
    def damage(self) -> list[str]:
        """What could not be read."""
        ...

    def __iter__(self) -> Iterator[Shot]: ...

    def close(self) -> None:
        """Release what is open."""
        ...
