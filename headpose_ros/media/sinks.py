# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Annotated video and tables of poses, complete whatever ends the program.

A video needs some room to be finished (an MP4's index comes last), so room is watched while
writing: when the disk is nearly full, writing stops with an error while the file can still be
finished.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np

from headpose_ros.geometry.camera import CameraModel
from headpose_ros.heads import Head
from headpose_ros.media.closing import Closing
from headpose_ros.media.sources import IMAGE_SUFFIXES, Frame
from headpose_ros.typing import Image

VIDEO_CODECS = {'.avi': 'MJPG', '.m4v': 'mp4v', '.mkv': 'mp4v', '.mov': 'mp4v', '.mp4': 'mp4v'}

LEAST_FREE_BYTES = 8 << 20

LONGEST_FILL = 10.0
"""Seconds without images that a video shows by its last one; longer pauses are cut to none."""

_LEAST_COEFFICIENTS = 5


class SinkError(OSError):
    """An output that cannot be written; the text says which and why."""


class VideoSink(Closing):
    """Writes frames of one size and rate to a video file, or one to an image file.

    Use it with `with`: the file is finished on leaving, also by an exception. It is begun with the
    first image: what was there by its name stays until there is something to write. Codecs take an
    even number of rows and columns: an odd last one is left out. Raises SinkError where it cannot
    write, or where the disk is nearly full.
    """

    def __init__(self, path: str | Path, width: int, height: int, rate_hz: float) -> None:
        self.path = Path(path)
        self.frames = 0
        self._size = (width, height)
        self._rate = rate_hz
        self._pauses = 0.0
        self._last: Image | None = None
        suffix = self.path.suffix.lower()
        if suffix not in VIDEO_CODECS and suffix not in IMAGE_SUFFIXES:
            known = ', '.join(sorted(VIDEO_CODECS))
            raise SinkError(f'{self.path}: unknown kind of video; these can be written: {known}')
        _require_writable(self.path)
        _require_room(self.path)
        self._writer: cv2.VideoWriter | None = None

    def write(self, image_bgr: Image, time: float | None = None) -> None:
        """Append one image (H,W,3) of the size given at the start.

        `time`: seconds since the start, so that images that come unevenly are played in their
        time: the last one is repeated to fill gaps, and those too many for the rate are left out.
        None takes them to come evenly.
        """
        if image_bgr.shape[1::-1] != self._size:
            raise ValueError(
                f'image: expected {self._size[0]}x{self._size[1]}, got '
                f'{image_bgr.shape[1]}x{image_bgr.shape[0]}'
            )
        if self.path.suffix.lower() in IMAGE_SUFFIXES:
            self._write_image(image_bgr)
            return
        late = 0.0 if time is None else self._lateness(time)
        if late <= -1.0:
            return
        while self._last is not None and late >= 1.0:
            self._append(self._last)
            late -= 1.0
        self._append(image_bgr)
        self._last = image_bgr

    def close(self) -> None:
        """Finish the file, and check that it can be read. Harmless when done twice."""
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        check = cv2.VideoCapture(str(self.path))
        playable = check.isOpened() and check.read()[0]
        check.release()
        if not playable:
            raise SinkError(f'{self.path}: was not written completely; is the disk full?')

    def _open(self) -> cv2.VideoWriter:
        codec = cv2.VideoWriter.fourcc(*VIDEO_CODECS[self.path.suffix.lower()])
        writer = cv2.VideoWriter(str(self.path), codec, self._rate, self._size)
        if not writer.isOpened():
            width, height = self._size
            raise SinkError(f'{self.path}: cannot be opened for writing {width}x{height}')
        return writer

    def _lateness(self, time: float) -> float:
        """Return how many images too few were written before the one of `time`, seconds."""
        late = (time - self._pauses) * self._rate - self.frames
        if late > LONGEST_FILL * self._rate:
            self._pauses += late / self._rate
            return 0.0
        return late

    def _append(self, image_bgr: Image) -> None:
        _require_room(self.path)
        if self._writer is None:
            self._writer = self._open()
        self._writer.write(image_bgr)
        self.frames += 1

    def _write_image(self, image_bgr: Image) -> None:
        if self.frames:
            known = ', '.join(sorted(VIDEO_CODECS))
            raise SinkError(
                f'{self.path}: holds one image, and this is another; for a video, name one of '
                f'these: {known}'
            )
        _require_room(self.path)
        if not cv2.imwrite(str(self.path), image_bgr):
            raise SinkError(f'{self.path}: cannot be written')
        self.frames += 1


class CsvSink(Closing):
    """Writes one row a head with the columns of `csv_columns`; use it with `with`.

    `camera` is that of the images. The file is begun with the first of them. Raises SinkError
    where it cannot write.
    """

    def __init__(self, path: str | Path, camera: CameraModel) -> None:
        self.path = Path(path)
        _require_writable(self.path)
        missing = max(0, _LEAST_COEFFICIENTS - len(camera.distortion))
        d = [*camera.distortion, *[0.0] * missing]
        self._model = camera.distortion_model or 'plumb_bob'
        self._columns = csv_columns(len(d))
        self._lens = [camera.fx, camera.fy, camera.cx, camera.cy, *d]
        self._file: TextIO | None = None

    def write(self, frame: Frame, heads: Sequence[Head]) -> None:
        """Append the heads of one frame, and hand them to the operating system."""
        with self._errors():
            if self._file is None:
                self._file = self.path.open('w', newline='', encoding='utf-8')
                csv.writer(self._file).writerow(self._columns)
            rows = csv.writer(self._file)
            for head in heads:
                pose = [*head.rotation_camera_from_face.ravel(), *head.position]
                pose.append(np.degrees(head.off_axis_angle))
                numbers = [f'{value:.9g}' for value in [*self._lens, *pose]]
                marks = [head.id, f'{head.confidence:.4f}', f'{frame.time:.6f}']
                rows.writerow([frame.name, self._model, *numbers, *marks])
            self._file.flush()

    def close(self) -> None:
        """Finish the file. Harmless when done twice."""
        with self._errors():
            if self._file is not None:
                self._file.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Say which file it is that could not be written."""
        try:
            yield
        except OSError as error:
            raise SinkError(f'{self.path}: cannot be written: {error.strerror}') from None


def csv_columns(coefficients: int = _LEAST_COEFFICIENTS) -> list[str]:
    """Return those of `poses.csv`, then the person, the confidence, and the time in seconds."""
    lens = ['distortion_model', 'fx', 'fy', 'cx', 'cy', *(f'd{i}' for i in range(coefficients))]
    rotation = [f'r{i}{j}' for i in range(3) for j in range(3)]
    position = ['tx', 'ty', 'tz', 'off_axis_deg']
    return ['file', *lens, *rotation, *position, 'id', 'score', 'time']


def _require_writable(path: Path) -> None:
    if not path.parent.is_dir():
        raise SinkError(f'{path}: the folder {path.parent} does not exist')
    if path.is_dir():
        raise SinkError(f'{path}: is a folder; name a file in it')
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise SinkError(f'{path}: cannot be written: permission denied')


def _require_room(path: Path) -> None:
    free = shutil.disk_usage(path.parent).free
    if free < LEAST_FREE_BYTES:
        raise SinkError(
            f'{path}: only {free / 2**20:.1f} MB are left on its disk; stopped, so that what is '
            'written can still be finished'
        )
