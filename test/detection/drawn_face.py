# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A cartoon that all our detectors take for a face, so that they can be tested without photos."""

import cv2
import numpy as np


def drawn_face(face=100, size=(160, 200), at=None):
    """Return a picture (h,w,3) with one face about `face` pixels high, centred on `at` (x, y)."""
    picture = np.full((*size, 3), (150, 140, 130), np.uint8)
    x, y = at or (size[1] // 2, size[0] // 2)
    u = face / 100

    def ellipse(dx, dy, a, b, colour, start=0, stop=360, thickness=-1):
        centre = (round(x + dx * u), round(y + dy * u))
        axes = (round(a * u), round(b * u))
        cv2.ellipse(picture, centre, axes, 0, start, stop, colour, thickness, cv2.LINE_AA)

    ellipse(0, -8, 44, 58, (40, 50, 70))
    ellipse(0, 4, 36, 48, (150, 180, 220))
    for side in (-1, 1):
        ellipse(15 * side, -6, 8, 4, (235, 235, 235))
        ellipse(15 * side, -6, 4, 4, (40, 30, 30))
        ellipse(15 * side, -15, 10, 4, (50, 60, 80), 190, 350, max(round(3 * u), 1))
        ellipse(5 * side, 13, 3, 2, (100, 120, 170))
    ellipse(0, 6, 4, 10, (140, 170, 212))
    ellipse(0, 28, 14, 5, (110, 110, 190))
    return cv2.GaussianBlur(picture, (0, 0), 1.2)
