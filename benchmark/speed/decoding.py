# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""JPEGs decoded no finer than the crops need, beside all of them decoded whole.

    python -m benchmark.speed.decoding --json out/benchmark/decoding.json

The clip, enlarged and compressed, goes through two pipelines: one gets every image whole, the
other as `HeadPosePipeline.reduction` allows, as the node does with CompressedImage. Both have to
find the same heads; how far their poses are apart is part of the result.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from benchmark.measure import NotMeasuredError, clip_images, enlarged, run_part
from headpose_ros.config import PipelineConfig
from headpose_ros.geometry import CameraModel
from headpose_ros.geometry.rotations import geodesic_distance
from headpose_ros.heads import Head
from headpose_ros.media.image_messages import to_bgr_compressed
from headpose_ros.pipeline import HeadPosePipeline
from headpose_ros.typing import Image

SIZES = ((640, 480), (1920, 1080), (3840, 2160))
QUALITY = 90
_IMAGES, _WARM_UP = 40, 10


class Jpeg:
    """What the node reads of a CompressedImage."""

    format = 'jpeg'

    def __init__(self, image: Image) -> None:
        self.data: Image = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]


class Reader:
    """Decodes and processes; notes the milliseconds of both, and the reductions."""

    def __init__(self, reduces: bool) -> None:
        self._reduces = reduces
        self._pipeline = HeadPosePipeline(PipelineConfig(device='cpu'))
        self.decode_ms: list[float] = []
        self.total_ms: list[float] = []
        self.reductions: list[int] = []

    def read(self, jpeg: Any, camera: CameraModel) -> Sequence[Head]:
        """Return the heads in one image."""
        began = time.perf_counter()
        reduction = self._pipeline.reduction(camera) if self._reduces else 1
        image = to_bgr_compressed(jpeg, reduction)
        decoded = time.perf_counter()
        heads = self._pipeline.process(image, camera, reduction=reduction)
        self.decode_ms.append(1e3 * (decoded - began))
        self.total_ms.append(1e3 * (time.perf_counter() - began))
        self.reductions.append(reduction)
        return heads

    def figures(self) -> dict[str, float]:
        """Return the means, without those of the first images."""
        reduced = np.array(self.reductions[_WARM_UP:])
        return {
            'decode_ms': float(np.mean(self.decode_ms[_WARM_UP:])),
            'decode_p50_ms': float(np.median(self.decode_ms[_WARM_UP:])),
            'total_ms': float(np.mean(self.total_ms[_WARM_UP:])),
            'reduced_share': float((reduced > 1).mean()),
            'most_reduced': int(reduced.max()),
        }


def measure_size(images: list[Image], width: int, height: int) -> dict[str, Any]:
    """Run both readers over the images in one size, image by image in turns."""
    jpegs = [Jpeg(enlarged(image, width, height)) for image in images]
    camera = CameraModel.from_fov(width, height, np.radians(60))
    whole, reduced = Reader(False), Reader(True)
    turns, shifts = [], []
    for i, jpeg in enumerate([*jpegs, *jpegs[::-1]]):
        pair = [reader.read(jpeg, camera) for reader in (whole, reduced)]
        if [head.id for head in pair[0]] != [head.id for head in pair[1]]:
            raise NotMeasuredError(f'{width}x{height}: the two find different heads in image {i}')
        for a, b in zip(*pair, strict=True):
            pose = (a.rotation_camera_from_face, b.rotation_camera_from_face)
            turns.append(float(np.degrees(geodesic_distance(*pose))))
            apart = np.linalg.norm(a.position - b.position) / np.linalg.norm(a.position)
            shifts.append(float(apart))
    if len(turns) < len(jpegs):
        raise NotMeasuredError(f'{width}x{height}: nobody was followed')
    return {
        'whole': whole.figures(),
        'reduced': reduced.figures(),
        'rotation_apart_deg': {'mean': float(np.mean(turns)), 'max': max(turns)},
        'position_apart_share': {'mean': float(np.mean(shifts)), 'max': max(shifts)},
    }


def measure() -> dict[str, Any]:
    """Measure everything of this part."""
    clip, images = clip_images(_IMAGES)
    return {'clip': clip, 'sizes': {f'{w}x{h}': measure_size(images, w, h) for w, h in SIZES}}


if __name__ == '__main__':
    run_part(__doc__, measure)
