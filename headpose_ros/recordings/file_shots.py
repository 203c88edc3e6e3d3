# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The images of videos and folders of pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from headpose_ros.media.file_names import printable
from headpose_ros.media.frames import SourceError
from headpose_ros.media.levels import Levels
from headpose_ros.media.pictures import IMAGE_RATE_HZ, read_picture
from headpose_ros.media.sources import open_source
from headpose_ros.recordings.shots import Lenses, Place, Shot

NANO = 1_000_000_000


class VideoShots:
    """Reads a video as `headpose video` does; its times are its own. Raises SourceError."""

    def __init__(self, path: Path, lenses: Lenses) -> None:
        self.damage: list[str] = []
        self._source = open_source(path)
        self._lens = lenses.of(self._source.width, self._source.height)

    @property
    def count(self) -> int | None:
        """How many images there are, where the file says so."""
        return self._source.frame_count

    def __iter__(self) -> Iterator[Shot]:
        try:
            for frame in self._source:
                place = Place(round(NANO * frame.time), name=printable(frame.name))
                yield Shot(place, frame.image_bgr, self._lens.camera, self._lens.source)
        except SourceError as error:  # what came before is good all the same
            self.damage.append(str(error))

    def close(self) -> None:
        """Close the video."""
        self._source.close()


class PictureShots:
    """Reads pictures, `first` of them counted from 0 being the first of `paths`.

    `in_sequence`: of one size, ten in a second, as `headpose video` has it; the first decides
    about the size. Otherwise each stands for itself. The first `leads` are marked as lead.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        lenses: Lenses,
        in_sequence: bool,
        first: int = 0,
        leads: int = 0,
    ) -> None:
        self.damage: list[str] = []
        self._paths = paths
        self._lenses = lenses
        self._in_sequence = in_sequence
        self._first = first
        self._leads = leads

    def __iter__(self) -> Iterator[Shot]:
        size: tuple[int, ...] | None = None
        levels = Levels() if self._in_sequence else None
        for number, path in enumerate(self._paths):
            index = self._first + number
            time_ns = round(NANO * index / IMAGE_RATE_HZ) if self._in_sequence else 0
            place, is_lead = Place(time_ns, name=printable(path.name)), number < self._leads
            try:
                image = read_picture(path, levels)
                lens = self._lenses.of(image.shape[1], image.shape[0])
            except (SourceError, ValueError) as error:
                yield Shot(place, problem=str(error), is_lead=is_lead)
                continue
            size = size or image.shape[:2]
            if self._in_sequence and image.shape[:2] != size:
                yield Shot(place, problem=_other_size(path, image.shape, size), is_lead=is_lead)
                continue
            yield Shot(place, image, lens.camera, lens.source, is_lead=is_lead)

    def close(self) -> None:
        """Do nothing: pictures are not held open."""


def _other_size(path: Path, shape: tuple[int, ...], size: tuple[int, ...]) -> str:
    return (
        f'{path.name}: is {shape[1]}x{shape[0]}, the first was {size[1]}x{size[0]}; for pictures '
        'that have nothing to do with each other take --pictures single'
    )
