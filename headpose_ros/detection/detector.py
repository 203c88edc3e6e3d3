# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a face detector is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from headpose_ros.heads import Boxes
from headpose_ros.typing import Image


@dataclass(frozen=True)
class BoxToFace:
    """Where the face sphere lies relative to a detector's box, fitted once per detector.

    The sphere's square has its centre at the box's centre plus (`dx`, `dy`) times the box's size
    (the geometric mean of its sides), and `scale` times that size for its side.
    """

    scale: float
    dx: float = 0.0
    dy: float = 0.0


class Detector(Protocol):
    """Finds faces in an image of an ordinary lens; knows nothing of cameras."""

    name: str
    box_to_face: BoxToFace

    def detect(self, image_bgr: Image, min_face_px: float) -> Boxes:
        """Return the faces at least `min_face_px` across in `image_bgr` (H,W,3), any size."""
        ...
