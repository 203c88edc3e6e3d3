# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The images of one camera of a bag, with the CameraInfo that holds for each, and its depth."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.media.image_messages import ImageError, to_bgr, to_bgr_compressed, to_metres
from headpose_ros.media.levels import Levels
from headpose_ros.recordings.bag import Bag
from headpose_ros.recordings.cameras import COMPRESSED, CameraTopic, is_rectified
from headpose_ros.recordings.finding import Recording
from headpose_ros.recordings.shots import Lenses, Place, Shot
from headpose_ros.recordings.storage import Message

NANO = 1_000_000_000
DEPTH_TOLERANCE_NS = 50_000_000
"""How far the stamps of an image and its depth may be apart: the node's depth_tolerance."""

MAX_WAITING = 30
"""Images that wait for their depth at most."""


class BagShots:
    """Reads the images of `camera` recorded from `start_ns` to `stop_ns`.

    Images recorded before `lead_until_ns` are marked as lead. `lenses`: takes precedence over
    CameraInfo where `lens_is_given`, and fills in where there is none. Raises SourceError where
    the bag cannot be read.
    """

    def __init__(
        self,
        recording: Recording,
        camera: CameraTopic,
        lenses: Lenses,
        lens_is_given: bool,
        start_ns: int | None = None,
        stop_ns: int | None = None,
        lead_until_ns: int | None = None,
    ) -> None:
        self._bag = Bag(recording)
        self._camera = camera
        self._range = start_ns, stop_ns
        self._lead_until_ns = lead_until_ns
        self._lens = _BagLens(camera.topic, lenses, lens_is_given)
        self._depths: deque[tuple[int, Message]] = deque(maxlen=2 * MAX_WAITING)
        self._own_notes: list[str] = []
        self._levels = Levels()
        if camera.info and not lens_is_given and (first := self._bag.first(camera.info)):
            self._lens.take(self._bag, first)

    @property
    def damage(self) -> list[str]:
        """What could not be read, so far."""
        return [*self._bag.damage, *self._own_notes, *self._lens.notes]

    def __iter__(self) -> Iterator[Shot]:
        camera = self._camera
        topics = [name for name in (camera.topic, camera.info, camera.depth) if name]
        waiting: deque[tuple[Message, Any]] = deque()
        for message in self._bag.messages(topics, *self._range):
            if message.topic == camera.info:
                self._lens.take(self._bag, message)
                continue
            if message.topic == camera.depth:
                self._keep_depth(message)
            else:
                image = self._decoded(message)
                if isinstance(image, Shot):
                    yield image
                    continue
                waiting.append((message, image))
            while waiting and (not camera.depth or self._may_go(waiting)):
                yield self._shot(*waiting.popleft())
        while waiting:
            yield self._shot(*waiting.popleft())

    def close(self) -> None:
        """Close the bag."""
        self._bag.close()

    def _decoded(self, message: Message) -> Any:
        try:
            return self._bag.decode(message)
        except ValueError as error:
            place = Place(message.time_ns, bag_time_ns=message.time_ns)
            return Shot(place, problem=str(error), is_lead=self._is_lead(message))

    def _shot(self, message: Message, image: Any) -> Shot:
        stamp_ns = nanoseconds(image.header)
        if stamp_ns == 0:
            stamp_ns = message.time_ns
            self._note(f'{message.topic}: images without a stamp: the time of recording is taken')
        place = Place(stamp_ns, str(image.header.frame_id), None, message.time_ns)
        lead = self._is_lead(message)
        try:
            if self._camera.msgtype == COMPRESSED:
                pixels = to_bgr_compressed(image, levels=self._levels)
            else:
                pixels = to_bgr(image, self._levels)
            camera, source = self._lens.of(pixels.shape[1], pixels.shape[0])
        except ImageError as error:
            return Shot(place, problem=str(error), is_lead=lead)
        except ValueError as error:  # CameraInfo that does not fit
            return Shot(place, problem=str(error), is_lead=lead)
        depth = self._depth(stamp_ns, image.header.frame_id, pixels.shape[:2])
        return Shot(place, pixels, camera, source, depth, is_lead=lead)

    def _is_lead(self, message: Message) -> bool:
        return self._lead_until_ns is not None and message.time_ns < self._lead_until_ns

    def _keep_depth(self, message: Message) -> None:
        try:
            self._depths.append((nanoseconds(self._bag.decode(message).header), message))
        except ValueError as error:
            self._note(f'{message.topic}: {error}')

    def _may_go(self, waiting: deque[tuple[Message, Any]]) -> bool:
        """Return whether the depth of the first image that waits is there, or will not come."""
        stamp_ns = nanoseconds(waiting[0][1].header)
        newest = max((stamp for stamp, _ in self._depths), default=0)
        return len(waiting) > MAX_WAITING or newest >= stamp_ns

    def _depth(
        self, stamp_ns: int, frame_id: str, size: tuple[int, ...]
    ) -> NDArray[np.float32] | None:
        if not self._depths:
            return None
        nearest, message = min(self._depths, key=lambda one: abs(one[0] - stamp_ns))
        if abs(nearest - stamp_ns) > DEPTH_TOLERANCE_NS:
            return None
        try:
            depth = self._bag.decode(message)
            metres = to_metres(depth)
        except ValueError as error:
            self._note(f'{message.topic}: {error}')
            return None
        if metres.shape != size or depth.header.frame_id != frame_id:
            self._note(f'{message.topic}: not aligned with every image; left out there')
            return None
        return metres

    def _note(self, text: str) -> None:
        if text not in self._own_notes:
            self._own_notes.append(text)


class _BagLens:
    """The lens of a camera in a bag: what the user says, else the newest CameraInfo."""

    def __init__(self, topic: str, lenses: Lenses, is_given: bool) -> None:
        self._topic = topic
        self._lenses = lenses
        self._is_given = is_given
        self._content: tuple[Any, ...] | None = None
        self._calibrated: CameraModel | None = None
        self._known: dict[tuple[int, int], tuple[CameraModel, str]] = {}
        self.notes: list[str] = []

    def take(self, bag: Bag, message: Message) -> None:
        """Take a CameraInfo; one that cannot be used leaves what was known before."""
        if self._is_given:
            return
        try:
            info = bag.decode(message)
            content = _content(info)
            if content == self._content:
                return
            self._content = content
            camera = CameraModel.from_camera_info(info, rectified=is_rectified(self._topic))
        except ValueError as error:
            self._note(f'{message.topic}: {error}')
            return
        if self._calibrated is not None:
            self._note(f'{message.topic}: changes while recording; the newest is taken')
        self._calibrated = camera
        self._known.clear()

    def of(self, width: int, height: int) -> tuple[CameraModel, str]:
        """Return the camera and where it is from; ValueError where it does not fit the size."""
        size = width, height
        if size not in self._known:
            self._known[size] = self._find(width, height)
        return self._known[size]

    def _find(self, width: int, height: int) -> tuple[CameraModel, str]:
        if self._calibrated is not None:
            return self._calibrated.scaled_to(width, height), 'camera_info'
        lens = self._lenses.of(width, height)
        return lens.camera, lens.source

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def nanoseconds(header: Any) -> int:
    """Return the stamp of a header in nanoseconds, of ROS 2 or ROS 1."""
    stamp = header.stamp
    fraction = stamp.nanosec if hasattr(stamp, 'nanosec') else stamp.nsec
    return int(stamp.sec) * NANO + int(fraction)


def _content(info: Any) -> tuple[Any, ...]:
    """Return what a CameraInfo says of the lens, to compare."""
    names = ('width', 'height', 'distortion_model', 'binning_x', 'binning_y')
    arrays = (getattr(info, name, getattr(info, name.upper(), ())) for name in 'dkrp')
    roi = info.roi
    return (
        *(getattr(info, name) for name in names),
        *(np.asarray(values, np.float64).tobytes() for values in arrays),
        (roi.x_offset, roi.y_offset, roi.width, roi.height),
    )
