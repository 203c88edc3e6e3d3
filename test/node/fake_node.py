# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The real node around a pipeline that finds bright spots instead of faces.

Each spot is a head 1 m away that looks at the camera (with `estimator` landmarks it has points,
in a row up to the right), so that tests of the node know what must
come out, without weights and with hardly any CPU.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import cv2
import numpy as np

from headpose_ros.config import PipelineConfig
from headpose_ros.geometry import CameraModel
from headpose_ros.heads import Head, Roi
from headpose_ros.result import FrameResult

ROTATION_LOOKING_BACK = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])


WARNINGS = {
    (4, 5, 6): {'device': 'device cuda:0: out of memory; batches of 2 meanwhile'},
    (4, 5, 7): {'max_heads': '3 more faces than max_heads 2 are left out; raise max_heads'},
    (4, 5, 8): {'rate': 'images come at 2.0 Hz, too slowly to follow people who walk'},
}
"""By the first pixel of an image."""


POINTS = np.arange(68)[:, None] * (0.5, -1.0)
"""Landmarks of a spot, beside its centre."""


def work_in_native_code(seconds: float) -> None:
    """Be in OpenCV, as a real pipeline is, from where a thread cannot be ended in order."""
    end = time.monotonic() + seconds
    image = np.zeros((480, 640), np.uint8)
    while time.monotonic() < end:
        cv2.GaussianBlur(image, (31, 31), 0)


class SpotPipeline:
    """Every bright spot is a head; the widest is the principal one."""

    device = 'cpu'
    runtime_name = 'spots'
    detector_name = 'threshold'
    weights_name = 'none'

    def __init__(self, config: PipelineConfig) -> None:
        if config.weights and not os.path.exists(config.weights):
            raise ValueError(f'weights: no file {config.weights!r}; give a shipped name or a file')
        self.warnings: dict[str, str] = {}
        self.slow = float(os.environ.get('SPOTS_SECONDS', '0'))
        self.busy = float(os.environ.get('SPOTS_BUSY_SECONDS', '0'))
        self.max_heads = config.max_heads
        self.threshold = config.score_threshold
        self.prefix = config.id_prefix
        self.has_landmarks = config.estimator == 'landmarks'

    def reduction(self, camera: CameraModel) -> int:
        return 1

    def process(
        self,
        image_bgr: Any,
        camera: CameraModel,
        stamp: float | None = None,
        depth: Any = None,
        reduction: int = 1,
        *,
        rotation_fixed_from_camera: Any = None,
    ) -> FrameResult:
        time.sleep(self.slow)
        work_in_native_code(self.busy)
        if image_bgr[0, 0].tolist() == [1, 2, 3]:
            raise RuntimeError('the picture of doom')
        self.warnings = WARNINGS.get(tuple(image_bgr[0, 0].tolist()), {})
        spots = cv2.connectedComponentsWithStats((image_bgr.max(axis=2) > 200).astype(np.uint8))
        _, _, stats, centres = spots
        order = np.argsort(centres[1:, 0]) + 1
        heads = [
            self._head(camera, number, centres[i], stats[i], depth)
            for number, i in enumerate(order[: self.max_heads], 1)
        ]
        widest = max(heads, key=lambda head: head.roi.width, default=None)
        return FrameResult(tuple(heads), widest.id if widest else None, stamp)

    def reset(self) -> None:
        """Keep nothing; fail while there is a file $SPOTS_FAIL."""
        if os.path.exists(os.environ.get('SPOTS_FAIL', '')):
            raise RuntimeError('reset failed')

    def configure_live(self, **changes: Any) -> None:
        self.threshold = changes.get('score_threshold', self.threshold)

    def _head(self, camera: CameraModel, number: int, centre: Any, stats: Any, depth: Any) -> Head:
        ray = camera.rays(centre[None])[0]
        distance = 1.0
        if depth is not None:
            distance = float(depth[round(centre[1]), round(centre[0])])
        x, y, width, height = (int(value) for value in stats[:4])
        return Head(
            id=f'{self.prefix}f{number:04d}',
            rotation_camera_from_face=ROTATION_LOOKING_BACK,
            position=ray * distance,
            covariance=np.diag(np.arange(1.0, 7.0)) * 1e-4,
            confidence=float(self.threshold),
            roi=Roi(x, y, width, height),
            off_axis_angle=float(np.arccos(ray[2])),
            facing_angle=0.25,
            landmarks=centre + POINTS if self.has_landmarks else None,
        )


if __name__ == '__main__':
    from headpose_ros.node.main import main

    sys.exit(main(make_pipeline=SpotPipeline))
