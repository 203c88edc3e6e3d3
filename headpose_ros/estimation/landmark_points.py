# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The 68 landmarks (iBUG 300-W order): on a mean head, and among the 98 of the WFLW layout."""

from __future__ import annotations

import numpy as np

from headpose_ros.geometry.face_frame import rotation_face_from_ict
from headpose_ros.typing import Array

FROM_WFLW = np.array(
    [
        *range(0, 33, 2),
        *range(33, 38),
        *range(42, 47),
        *range(51, 60),
        60,
        61,
        63,
        64,
        65,
        67,
        68,
        69,
        71,
        72,
        73,
        75,
        *range(76, 96),
    ]
)
"""Which of WFLW's 98 points (Wu et al., Look at Boundary, 2018) each of the 68 is. The contour has
twice as many points there; the eyes have eight each, of which the middles of the lids are left
out; pupils have no counterpart."""

# Millimetres, x out of the face, y left, z up, with the model's own zero. From the neutral mean
# head of ICT-FaceKit Light (https://github.com/ICT-VGL/ICT-FaceKit), MIT License, Copyright (c)
# 2020 USC Institute for Creative Technologies; its vertices of these landmarks, the sellion moved
# to the origin.
_MEAN_HEAD_MM = (
    (-70.8, -73.6, -0.6),
    (-68.1, -72.8, -22.5),
    (-62.0, -69.4, -42.0),
    (-55.6, -65.6, -61.0),
    (-46.1, -57.2, -82.3),
    (-33.9, -43.0, -99.5),
    (-19.6, -30.5, -106.5),
    (-4.6, -15.4, -110.0),
    (-3.0, 0.0, -113.1),
    (-4.6, 15.4, -110.0),
    (-19.6, 30.5, -106.5),
    (-33.9, 43.0, -99.5),
    (-46.1, 57.2, -82.3),
    (-55.6, 65.6, -61.0),
    (-62.0, 69.4, -42.0),
    (-68.1, 72.8, -22.5),
    (-70.8, 73.6, -0.6),
    (-28.2, -58.2, 14.6),
    (-17.5, -49.3, 22.4),
    (-9.1, -37.9, 25.1),
    (-2.5, -24.1, 24.5),
    (-0.1, -11.7, 21.7),
    (-0.1, 11.7, 21.7),
    (-2.5, 24.1, 24.5),
    (-9.1, 37.9, 25.1),
    (-17.5, 49.3, 22.4),
    (-28.2, 58.2, 14.6),
    (0.0, 0.0, 0.0),
    (7.8, 0.0, -11.1),
    (15.7, 0.0, -21.3),
    (23.3, 0.0, -33.4),
    (1.4, -12.5, -48.9),
    (6.8, -6.0, -48.8),
    (8.3, 0.0, -49.4),
    (6.8, 6.0, -48.8),
    (1.4, 12.5, -48.9),
    (-21.3, -44.6, -3.1),
    (-13.7, -38.7, 1.3),
    (-12.0, -27.8, 2.0),
    (-15.4, -18.4, -4.9),
    (-13.2, -27.3, -6.6),
    (-15.1, -38.6, -6.7),
    (-15.4, 18.4, -4.9),
    (-12.0, 27.8, 2.0),
    (-13.7, 38.7, 1.3),
    (-21.3, 44.6, -3.1),
    (-15.1, 38.6, -6.7),
    (-13.2, 27.3, -6.6),
    (-5.5, -25.3, -72.6),
    (4.9, -17.0, -65.2),
    (9.9, -7.3, -61.6),
    (11.0, 0.0, -62.2),
    (9.9, 7.3, -61.6),
    (4.9, 17.0, -65.2),
    (-5.5, 25.3, -72.6),
    (1.6, 18.0, -78.0),
    (6.5, 10.3, -80.4),
    (8.1, 0.0, -81.2),
    (6.5, -10.3, -80.4),
    (1.6, -18.0, -78.0),
    (-6.1, -22.1, -72.3),
    (3.5, -10.0, -70.4),
    (5.5, 0.0, -70.6),
    (3.5, 10.0, -70.4),
    (-6.1, 22.1, -72.3),
    (3.1, 10.7, -71.2),
    (5.2, 0.0, -71.4),
    (3.1, -10.7, -71.2),
)

MEAN_HEAD: Array = 1e-3 * np.array(_MEAN_HEAD_MM) @ rotation_face_from_ict.T
"""(68,3): metres in the face frame, of an average adult. Read-only."""
MEAN_HEAD.setflags(write=False)


def from_wflw(points: Array) -> Array:
    """Return the 68 landmarks (N,68,2) of points in the WFLW layout (N,98,2)."""
    return np.asarray(points)[:, FROM_WFLW]
