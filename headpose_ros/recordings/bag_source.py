# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One camera of a bag as a source of frames, for programs that take videos."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.media.frames import Frame, FrameSource, SourceError
from headpose_ros.recordings.bag import Bag
from headpose_ros.recordings.bag_shots import BagShots
from headpose_ros.recordings.cameras import CameraTopic, find_cameras
from headpose_ros.recordings.finding import bag_recording
from headpose_ros.recordings.shots import Lenses, Shot

_LOG = logging.getLogger(__name__)
_USUAL_RATE_HZ = 30.0


@dataclass(frozen=True)
class BagFrame(Frame):
    """A frame with what its message says besides: stamp in nanoseconds, frame, camera."""

    stamp_ns: int = 0
    frame_id: str = ''
    camera: CameraModel | None = None


class BagSource(FrameSource):
    """The images of one camera of a bag; `time` of a frame is its stamp since the first one.

    `topic`: the image topic, or a pattern that fits one; '' where there is only one camera.
    `lenses`: the lens where `lens_is_given`, or where the bag has no CameraInfo. `lens_source`:
    `given`, `camera_info` or `assumed`. `damage`: what could not be read, so far. Images that
    cannot be used are left out. Raises SourceError where there is nothing to read, and where it
    cannot be said which camera is meant; MissingExtraError without the extra `batch`.
    """

    def __init__(
        self, path: Path, lenses: Lenses, lens_is_given: bool, topic: str = '', loop: bool = False
    ) -> None:
        self._recording = bag_recording(path, path.name)
        with Bag(self._recording) as bag:
            self._camera = _choose(bag, path, topic)
            self.rate_hz = _rate(bag, self._camera)
        self._lenses, self._lens_is_given, self._loop = lenses, lens_is_given, loop
        self._left_out: list[str] = []
        self._shots = self._open()
        first = next((shot for shot in self._usable(self._shots)), None)
        if first is None or first.image is None or first.camera is None:
            reasons = '; '.join([*self._left_out[:1], *self._shots.damage]) or 'no images'
            raise SourceError(f'{path}: {self._camera.topic} holds no image to use: {reasons}')
        self.name = path.name
        self.topic = self._camera.topic
        self.height, self.width = first.image.shape[:2]
        self.frame_count = None if loop else self._camera.images
        self.camera, self.lens_source = first.camera, first.source

    @property
    def damage(self) -> list[str]:
        """What could not be read, so far."""
        left_out = [f'{len(self._left_out)} images are left out: {self._left_out[0]}']
        return [*self._shots.damage, *(left_out if self._left_out else [])]

    def __iter__(self) -> Iterator[BagFrame]:
        index = 0
        time = offset = 0.0
        while True:
            self._require_open()
            self._shots.close()
            self._shots, self._left_out = self._open(), []
            first_ns: int | None = None
            for shot in self._usable(self._shots):
                self._require_open()
                assert shot.image is not None
                stamp_ns = shot.place.stamp_ns
                first_ns = stamp_ns if first_ns is None else first_ns
                time = offset + 1e-9 * (stamp_ns - first_ns)
                # Messages are read-only; who takes a frame may draw into it.
                image = shot.image if shot.image.flags.writeable else shot.image.copy()
                frame = self._frame(image, time, index)
                yield BagFrame(
                    frame.image_bgr, time, index, frame.name,
                    stamp_ns, shot.place.frame_id or '', shot.camera,
                )  # fmt: skip
                index += 1
            for note in self._shots.damage:
                _LOG.warning('%s', note)
            if not self._loop:
                return
            offset = time + 1.0 / self.rate_hz

    def close(self) -> None:
        """Close the bag."""
        super().close()
        self._shots.close()

    def _open(self) -> BagShots:
        return BagShots(self._recording, self._camera, self._lenses, self._lens_is_given)

    def _usable(self, shots: BagShots) -> Iterator[Shot]:
        for shot in shots:
            if shot.image is None:
                self._left_out.append(shot.problem)
                self.unreadable = len(self._left_out)
                if len(self._left_out) == 1:
                    _LOG.warning(
                        '%s: %s; such images are left out', self._camera.topic, shot.problem
                    )
            else:
                yield shot


def _choose(bag: Bag, path: Path, topic: str) -> CameraTopic:
    """Return the one camera that `topic` means."""
    cameras = find_cameras(bag, [topic or '*']).chosen
    if len(cameras) == 1:
        return cameras[0]
    every = cameras if not topic else find_cameras(bag).chosen
    known = ', '.join(camera.topic for camera in every)
    if not every:
        raise SourceError(f'{path}: holds no images that can be read')
    if cameras or not topic:
        raise SourceError(f'{path}: holds several cameras; name one with --topic: {known}')
    raise SourceError(f'{path}: no topic of images fits {topic!r}; there are: {known}')


def _rate(bag: Bag, camera: CameraTopic) -> float:
    """Return the images a second, on average."""
    if bag.span_ns is None or not camera.images or camera.images < 2:
        return _USUAL_RATE_HZ
    seconds = 1e-9 * (bag.span_ns[1] - bag.span_ns[0])
    return min(1000.0, max(0.1, (camera.images - 1) / max(seconds, 1e-3)))
