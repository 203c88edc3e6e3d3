# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The newest CameraInfo as a CameraModel, built again only when it changes."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from headpose_ros.geometry import CameraModel
from headpose_ros.geometry.camera_doubts import Remark

if TYPE_CHECKING:
    from sensor_msgs.msg import CameraInfo


_SMALL_CHANGE = 0.01
"""Of the focal length: a zoom lens that changes by less is not looked at for doubts again."""
FLIP_SECONDS = 10.0
MIN_FLIPS = 3
"""So often in so many seconds a calibration has come back after another: two cameras, no zoom."""


class CameraInfoError(ValueError):
    """CameraInfo is missing or cannot be used for an image; `kind` is a short word for why."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class CameraSource:
    """Keeps the newest CameraInfo; `update` in one thread, `camera` in another is safe."""

    def __init__(self, rectified: bool) -> None:
        self._rectified = rectified
        self._info: CameraInfo | None = None
        self._built_from: tuple[Any, ...] | None = None
        self._camera: CameraModel | None = None
        self._resized: CameraModel | None = None
        self._error: CameraInfoError | None = None
        self._remarks: tuple[Remark, ...] = ()
        self._checked: tuple[tuple[Any, ...], CameraModel] | None = None
        self._before: CameraInfo | None = None
        self._flipped_at: deque[float] = deque(maxlen=MIN_FLIPS)

    @property
    def frame_id(self) -> str | None:
        """The frame of the newest CameraInfo, None before the first."""
        return None if self._info is None else self._info.header.frame_id

    @property
    def stated_size(self) -> tuple[int, int]:
        """Width and height of the images that the newest CameraInfo is for, pixels; 0, 0: none."""
        if self._info is None:
            return 0, 0
        with contextlib.suppress(ValueError):
            camera = CameraModel.from_camera_info(self._info, rectified=self._rectified)
            return camera.width, camera.height
        return self._info.width, self._info.height

    def update(self, info: CameraInfo) -> None:
        """Take the newest CameraInfo."""
        newest, self._info = self._info, info
        if newest is None or _content(info) == _content(newest):
            return
        if self._before is not None and _content(info) == _content(self._before):
            self._flipped_at.append(time.monotonic())
        self._before = newest

    def alternation(self) -> str:
        """Return what to tell where two calibrations take turns, else ''."""
        flips, one, other = self._flipped_at, self._before, self._info
        if one is None or other is None or len(flips) < MIN_FLIPS:
            return ''
        if time.monotonic() - flips[0] > FLIP_SECONDS:
            return ''
        return (
            f'two calibrations take turns, {_short(one)} and {_short(other)}, and each image is '
            'taken for the newest; remap camera_info to that of this camera'
        )

    def camera(self, width: int, height: int) -> CameraModel:
        """Return the camera of images of this size; raise CameraInfoError where there is none.

        An image of another size than CameraInfo states is the same view resized, where its aspect
        ratio agrees; `size_note` tells. Where it states none, that of the image is taken.
        """
        info = self._info
        if info is None:
            raise CameraInfoError('missing', 'images come but no CameraInfo')
        content = _content(info)
        if info.width == 0 or info.height == 0:
            content += (width, height)
        if content != self._built_from:
            self._build(info, (width, height))
            self._built_from = content
        if self._error is not None:
            raise self._error
        assert self._camera is not None
        assert self._resized is not None
        if (self._resized.width, self._resized.height) != (width, height):
            try:
                self._resized = self._camera.scaled_to(width, height)
            except ValueError:
                text = _size_text(info, self._camera, width, height)
                raise CameraInfoError(
                    'size', f'{text}; remap camera_info to that of this camera'
                ) from None
        return self._resized

    def size_note(self) -> str:
        """Return what to tell where the last image was not of the size that CameraInfo states."""
        info, camera, resized = self._info, self._camera, self._resized
        if info is None or camera is None or resized is camera:
            return ''
        return (
            f'{_size_text(info, camera, resized.width, resized.height)}; it is taken for the same '
            'view resized: publish the CameraInfo of this size, or set its binning or roi'
        )

    def notes(self) -> tuple[str, ...]:
        """Return what in CameraInfo was understood otherwise than it says: to be told once."""
        return tuple(remark.text for remark in self._remarks if not remark.is_doubt)

    def doubt(self) -> str:
        """Return what is doubtful about the camera, '' where nothing is."""
        return '; '.join(remark.text for remark in self._remarks if remark.is_doubt)

    def state(self) -> str:
        """Return the state in a word or a line, for diagnostics."""
        if self._info is None:
            return 'none received'
        if self._error is not None:
            return str(self._error)
        if self._camera is None:
            return 'received'
        camera = self._camera
        return f'{camera.width}x{camera.height} {camera.distortion_model or "pinhole"}'

    def _build(self, info: CameraInfo, image_size: tuple[int, int]) -> None:
        """Make the camera, or the error; once for each content of CameraInfo, not for an image."""
        self._camera, self._error = None, None
        try:
            camera = CameraModel.from_camera_info(info, self._rectified, image_size, tell=None)
            if not self._is_checked(info, camera):
                remarks: list[Remark] = []
                CameraModel.from_camera_info(info, self._rectified, image_size, remarks.append)
                self._remarks, self._checked = tuple(remarks), (_kind(info), camera)
            self._camera = self._resized = camera
        except ValueError as error:
            self._error = CameraInfoError('content', str(error))

    def _is_checked(self, info: CameraInfo, camera: CameraModel) -> bool:
        """Tell whether the remarks about a camera before hold for this: as it zooms, they do."""
        if self._checked is None or self._checked[0] != _kind(info):
            return False
        last = self._checked[1]
        moves = (
            camera.fx - last.fx,
            camera.fy - last.fy,
            camera.cx - last.cx,
            camera.cy - last.cy,
        )
        return max(map(abs, moves)) <= _SMALL_CHANGE * min(last.fx, last.fy)


def _kind(info: CameraInfo) -> tuple[Any, ...]:
    """Return what of CameraInfo remarks are about, but for the focal length and the centre."""
    return info.width, info.height, info.distortion_model, tuple(info.d), any(info.k), any(info.p)


def _content(info: CameraInfo) -> tuple[Any, ...]:
    roi = info.roi
    return (
        info.width,
        info.height,
        info.distortion_model,
        bytes(memoryview(info.k)),
        tuple(info.d),
        bytes(memoryview(info.r)),
        bytes(memoryview(info.p)),
        info.binning_x,
        info.binning_y,
        (roi.x_offset, roi.y_offset, roi.width, roi.height),
    )


def _short(info: CameraInfo) -> str:
    return f'{info.width}x{info.height} with fx {info.k[0]:.5g}'


def _size_text(info: CameraInfo, camera: CameraModel, width: int, height: int) -> str:
    text = f'the image is {width}x{height}, CameraInfo is for {camera.width}x{camera.height}'
    if (camera.width, camera.height) != (info.width, info.height):
        text += f' ({info.width}x{info.height} with its binning and roi)'
    return text
