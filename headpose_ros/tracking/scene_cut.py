# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cuts in films: from one image to the next all is another scene, and everybody another."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.typing import Image

Thumbnail = NDArray[np.float32]
Points = NDArray[np.float32]

MIN_CORRELATION = 0.5
"""Parts of two images that agree no better than this are of two scenes. Of 780 pairs of different
photographs 99 % agree less; photographs that are shifted by up to half their width or exposed
otherwise agree by 0.89 at least, neighbours in street scenes at 1 Hz by 0.83."""

MIN_CONTRAST = 8.0
"""Grey levels, one standard deviation: images with less show nothing, as at night."""

SAME_CORRELATION = 0.9
"""Images that agree so well point by point need no closer look."""

_WIDTH, _HEIGHT = 48, 36
_MIN_DETAIL = 0.75  # grey levels: parts with less agree with anything
_COARSEST = 5.0  # pixels of a thumbnail: what is coarser, as light and shade, may change
_PARTS = (
    (slice(None), slice(0, _WIDTH // 2)),
    (slice(None), slice(_WIDTH // 2, None)),
    (slice(0, _HEIGHT // 2), slice(None)),
    (slice(_HEIGHT // 2, None), slice(None)),
    (slice(_HEIGHT // 4, -_HEIGHT // 4), slice(_WIDTH // 4, -_WIDTH // 4)),
)


class SceneCuts:
    """Compares each image with the one before, by thumbnails without what is coarse in them.

    A change of exposure is no cut. Dark images are left out: those before and after a dark one are
    compared. Where a camera turns, one half of the image before is found elsewhere in the next.
    """

    def __init__(self) -> None:
        self._before: tuple[NDArray[np.uint8], Points] | None = None

    def is_cut(self, image: Image) -> bool:
        """Return whether a new scene begins with this image (H,W,3)."""
        step = max(1, min(image.shape[0] // (2 * _HEIGHT), image.shape[1] // (2 * _WIDTH)))
        coarse = np.ascontiguousarray(image[::step, ::step, 1])
        points = coarse[1::2, 1::2].astype(np.float32).ravel()
        points -= points.mean()
        length = float(points @ points)
        if length < MIN_CONTRAST**2 * points.size:
            return False
        points /= math.sqrt(length)
        before, self._before = self._before, (coarse, points)
        if before is None or before[1].shape != points.shape:
            return False
        if float(before[1] @ points) >= SAME_CORRELATION:
            return False
        return not _show_one_scene(_thumbnail(before[0]), _thumbnail(coarse))


def _thumbnail(coarse: NDArray[np.uint8]) -> Thumbnail:
    small = cv2.resize(coarse, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    grey = small.astype(np.float32)
    fine: Thumbnail = grey - cv2.GaussianBlur(grey, (0, 0), _COARSEST)
    return fine


def _show_one_scene(a: Thumbnail, b: Thumbnail) -> bool:
    return any(
        _agreement(one[part], other) >= MIN_CORRELATION
        for one, other in ((a, b), (b, a))
        for part in ((slice(None), slice(None)), *_PARTS)
        if one[part].std() >= _MIN_DETAIL
    )


def _agreement(part: Thumbnail, whole: Thumbnail) -> float:
    """Return the largest correlation of `part` with anything of its size in `whole`."""
    return float(cv2.matchTemplate(whole, np.ascontiguousarray(part), cv2.TM_CCOEFF_NORMED).max())
