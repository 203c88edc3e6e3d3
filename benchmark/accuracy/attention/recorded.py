# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Real people: the signers of the shared data, of whom one says yes and one says no."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from benchmark.accuracy.people.clips import SIGNERS
from headpose_ros.attention import Attention, HeadEventType
from headpose_ros.geometry import CameraModel

EXPECTED = {'yes': ['NODDED'], 'no': ['SHOOK']}
GESTURES = (HeadEventType.NODDED, HeadEventType.SHOOK)


def measure(pipeline: Any) -> dict[str, list[str]]:
    """Return the gestures told of each clip; nothing where the clips are not there."""
    told = {}
    for path in sorted(SIGNERS.glob('*.mkv')):
        capture, attention, found = cv2.VideoCapture(str(path)), Attention(), []
        rate = capture.get(cv2.CAP_PROP_FPS) or 30.0
        pipeline.reset()
        number = 0
        while (image := capture.read()[1]) is not None:
            height, width = image.shape[:2]
            camera = CameraModel.from_fov(width, height, np.radians(60.0))
            result = pipeline.process(np.asarray(image, np.uint8), camera, number / rate)
            events = attention.update(result).events
            found += [event.type.name for event in events if event.type in GESTURES]
            number += 1
        told[path.stem] = found
    return told
