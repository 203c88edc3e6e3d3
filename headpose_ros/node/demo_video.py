# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's pictures: the recorded images with the heads drawn on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from headpose_ros.geometry import CameraModel
from headpose_ros.heads import Head
from headpose_ros.media.drawing import draw_heads
from headpose_ros.media.sinks import VideoSink
from headpose_ros.node.spool import Spool


def write_video(
    out: Path, spool: Spool, heads: Mapping[int, Sequence[Head]], camera: CameraModel
) -> None:
    """Write `annotated.mp4` and, from the image with the most heads, `preview.png`.

    Images without a result (dropped) are shown as they came.
    """
    stamps = spool.stamps
    middle = (stamps[0] + stamps[-1]) // 2
    best: tuple[int, int] | None = None
    with VideoSink(out / 'annotated.mp4', camera.width, camera.height, _rate(stamps)) as video:
        for stamp, image in spool.images():
            found = list(heads.get(stamp, ()))
            draw_heads(image, found, camera)
            video.write(image, 1e-9 * (stamp - stamps[0]))
            merit = (len(found), -abs(stamp - middle))
            if best is None or merit > best:
                best = merit
                cv2.imwrite(str(out / 'preview.png'), image)


def _rate(stamps: Sequence[int]) -> float:
    if len(stamps) < 2:
        return 30.0
    return float(np.clip(1e9 / np.median(np.diff(stamps)), 1.0, 120.0))
