# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images resized for detectors that find faces of a certain size best."""

from __future__ import annotations

import cv2
import numpy as np

from headpose_ros.typing import Array, Image


def scaled(image: Image, scale: float, min_side: int = 1) -> tuple[Image, Array]:
    """Return the image (H,W,3) resized, and by what factors (2,) in x and y.

    These are `scale` but for rounding to whole pixels, and for sides of at least `min_side`.
    """
    height, width = image.shape[:2]
    w, h = (max(round(side * scale), min_side) for side in (width, height))
    # Averages over areas take six times as long, and make no difference from half the size on.
    how = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    if height == width == 1:  # OpenCV 4.5 refuses such an image
        image = np.repeat(image, 2, axis=0)
    small = np.asarray(cv2.resize(image, (w, h), interpolation=how), np.uint8)
    return small, np.array([w / width, h / height])
