# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images of more than 8 bits: what they hold becomes black to white, steadily over time.

Cameras of 10, 12 and 14 bits, infrared and thermal ones fill a part of the 16 bits that their
images have: shown as a part of the whole, they would be black.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.typing import Image

Pixels = NDArray[Any]

WHOLE = 65535.0
ENOUGH_OF_WHOLE = 1 << 14
"""A level that only images of 16 bits have: then the whole range is shown, as cv_bridge does."""

MIN_WHITE = 255.0
"""The lowest level that is shown as white: what holds less is noise, and stays dark."""

NARROW = 0.75
"""From this dark level on, as a share of the bright one, black is the dark level and not zero.
Thermal images are such: no light falls out of a scene that is as narrow."""

FLAT = 0.01
"""Contrast, as a share of the bright level, below which an image shows nothing."""

KEEP = 0.75
"""A stream that is shown in a way goes on so until a limit is passed by this factor."""

HEADROOM = 1.1
"""White lies above the bright level by this factor: few pixels are saturated."""

FALL = 0.03
"""How much of the way to lower levels an image takes them; to higher ones they go at once."""

DARK_SHARE = 99.5
"""Per cent of pixels that are below the bright level; as many are above the dark one."""

DARK = 12
"""A bright level, of 255, at which no face can be found."""

_SAMPLES = 60
"""Rows and columns, about, that levels are taken from."""


class Levels:
    """Scales the images of one stream to 8 bits by what they hold.

    The levels that are black and white rise with the images at once and fall slowly, so that
    neither noise nor a lamp that lights every second image makes it flicker. A new one for each
    picture makes each right for itself.
    """

    def __init__(self) -> None:
        self._kind = ''
        self._dark = self._bright = 0.0
        self._narrow = self._whole = False

    def eight_bit(self, pixels: Pixels) -> Image:
        """Return an image (H,W) or (H,W,C) of any number type as uint8; uint8 as it came.

        Black is zero for uint16, unless its range is narrow, and the dark level for other types.
        What is not finite becomes black.
        """
        if pixels.dtype == np.uint8:
            return pixels
        samples = _sample(pixels)
        if not len(samples):
            return np.zeros(pixels.shape, np.uint8)
        kind = pixels.dtype
        dark, bright = (float(v) for v in np.percentile(samples, (100 - DARK_SHARE, DARK_SHARE)))
        first, self._kind = kind.str != self._kind, kind.str
        self._dark = dark if first else min(dark, self._dark + FALL * (dark - self._dark))
        fallen = self._bright + FALL * (bright - self._bright)
        self._bright = bright if first else max(bright, fallen)
        black, white = self._black_and_white(kind, first)
        return _scaled(pixels, black, white)

    def _black_and_white(self, kind: Any, first: bool) -> tuple[float, float]:
        dark, bright = self._dark, self._bright
        contrast = bright - dark
        if kind != np.uint16:
            margin = (HEADROOM - 1.0) * contrast
            return dark - margin, bright + max(margin, 1e-6 * max(1.0, abs(bright)))
        slack = 1.0 if first or not self._narrow else KEEP
        self._narrow = dark >= slack * NARROW * bright and contrast > slack * FLAT * bright
        if self._narrow:
            margin = (HEADROOM - 1.0) * contrast
            return dark - margin, bright + margin
        slack = 1.0 if first or not self._whole else KEEP
        self._whole = bright >= slack * ENOUGH_OF_WHOLE
        return 0.0, WHOLE if self._whole else max(HEADROOM * bright, MIN_WHITE)


def _sample(pixels: Pixels) -> Pixels:
    """Return some of the numbers, those that are finite."""
    steps = [max(1, side // _SAMPLES) for side in pixels.shape[:2]]
    # Odd steps, since a Bayer pattern has two rows and two columns.
    rows, columns = (step if step % 2 else step + 1 for step in steps)
    some = pixels[::rows, ::columns].ravel()
    return some[np.isfinite(some)] if pixels.dtype.kind == 'f' else some


def _scaled(pixels: Pixels, black: float, white: float) -> Image:
    if pixels.dtype == np.uint16:
        offset = max(0, round(black))
        flat = np.ascontiguousarray(pixels).reshape(
            len(pixels), -1
        )  # OpenCV: one number a channel
        above = cv2.subtract(flat, float(offset)) if offset else flat
        shown = cv2.convertScaleAbs(above, alpha=255.0 / (white - offset))
        return np.asarray(shown, np.uint8).reshape(pixels.shape)
    with np.errstate(over='ignore', invalid='ignore'):  # of what is not finite, or nearly not
        share = (pixels.astype(np.float32) - np.float32(black)) / np.float32(white - black)
        shown = share * np.float32(255.0)
    return np.nan_to_num(shown, nan=0.0).clip(0.0, 255.0).astype(np.uint8)


def is_dark(image: Image) -> bool:
    """Return whether an image (H,W,3), uint8, is too dark for a face to be found in it."""
    samples = _sample(image)
    return bool(100.0 * np.count_nonzero(samples >= DARK) < (100.0 - DARK_SHARE) * len(samples))
