# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One image and all that is known of it, as the viewer takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from headpose_ros.attention.looks import AttentionResult
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.media.frames import as_bgr
from headpose_ros.media.image_messages import jpeg_size
from headpose_ros.result import FrameResult
from headpose_ros.typing import Array, Image

JPEG_QUALITY = 85
MAX_SIDE = 1280
"""Pixels of the longer side: larger images are made smaller before they are encoded."""

_JPEG, _PNG = 'image/jpeg', 'image/png'


@dataclass(frozen=True)
class Place:
    """Where the camera is in the fixed frame: `rotation` (3,3) and `position` (3,), metres.

    They take a point from the camera's optical frame to the fixed one, whose z axis points up.
    """

    rotation_fixed_from_camera: Array
    position: Array


@dataclass(frozen=True)
class Picture:
    """An encoded image: its bytes, their media type, its size in pixels."""

    data: bytes
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class Shot:
    """One image, the camera that made it, and who is in it.

    `image`: (H,W,3) or (H,W) uint8, BGR, which must not be written to afterwards; or the bytes of
    a JPEG or PNG, which are shown as they came. None: not known. `stamp_ns`: the image's time.
    `place`: of the camera, where something tells. `values`: more figures to plot over time, such
    as `latency_ms`.
    """

    image: Image | bytes | None
    camera: CameraModel
    result: FrameResult
    stamp_ns: int
    place: Place | None = None
    attention: AttentionResult | None = None
    values: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def picture(self) -> Picture | None:
        """The encoded image: as it came, or encoded here, once; None where it cannot be."""
        if self.image is None:
            return None
        if isinstance(self.image, bytes):
            return _as_it_came(self.image)
        return _encoded(as_bgr(self.image))

    def pixels(self, side: int) -> Image | None:
        """Return the image as (H,W,3) BGR, made smaller to about `side` pixels where cheap."""
        if not isinstance(self.image, bytes):
            return None if self.image is None else as_bgr(self.image)
        size = jpeg_size(self.image)
        # JPEG decodes to an eighth in a fraction of the time.
        small = size is not None and max(size) >= 8 * side
        mode = cv2.IMREAD_REDUCED_COLOR_8 if small else cv2.IMREAD_REDUCED_COLOR_2
        data = np.frombuffer(self.image, np.uint8)
        decoded = cv2.imdecode(data, mode | cv2.IMREAD_IGNORE_ORIENTATION)
        return None if decoded is None else np.asarray(decoded, np.uint8)


def _as_it_came(data: bytes) -> Picture | None:
    size = jpeg_size(data)
    if size is not None:
        return Picture(data, _JPEG, *size)
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        return None
    if data[:4] == b'\x89PNG' and decoded.dtype == np.uint8:
        return Picture(data, _PNG, decoded.shape[1], decoded.shape[0])
    return _encoded(as_bgr(decoded)) if decoded.dtype == np.uint8 else None


def _encoded(image: Image) -> Picture | None:
    scale = min(1.0, MAX_SIDE / max(image.shape[:2]))
    if scale < 1.0:
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        image = np.asarray(small, np.uint8)
    done, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return Picture(data.tobytes(), _JPEG, image.shape[1], image.shape[0]) if done else None
