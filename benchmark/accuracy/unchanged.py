# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What speed costs in accuracy: the packaged clip, whose truth is known, the slow way and ours.

    python -m benchmark.accuracy.unchanged --json out/benchmark/unchanged.json

*Slow*: eager PyTorch in float32, the whole image searched every time. Then one measure after the
other: OpenVINO; searching every 10th image. The JPEGs are the clip three times as
large, decoded whole and as `HeadPosePipeline.reduction` allows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmark.measure import ROOT, Image, NotMeasuredError, run_part
from benchmark.speed.decoding import Jpeg
from headpose_ros.config import PipelineConfig
from headpose_ros.detection import FaceSearch, create_detector
from headpose_ros.estimation import create_estimator
from headpose_ros.geometry import CameraModel
from headpose_ros.heads import Head
from headpose_ros.inference.protocols import Runtime
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.media.image_messages import to_bgr_compressed
from headpose_ros.node.demo_tables import Pose, compare, read_truth
from headpose_ros.pipeline import HeadPosePipeline

CLIP = ROOT / 'headpose_ros' / 'demo' / 'clip.mp4'
_IMAGES, _WARM_UP, _LARGER = 150, 10, 3

Read = Callable[[Image], Sequence[Head]]


def pipeline(runtime: Runtime, **options: Any) -> HeadPosePipeline:
    """Return a pipeline whose networks all run on `runtime`."""
    config = PipelineConfig(device='cpu', **options)
    search = FaceSearch(create_detector(config, runtime), config)
    return HeadPosePipeline(config, search=search, estimator=create_estimator(config, runtime))


def figures(read: Read, images: list[Image], truth: dict[int, list[Pose]]) -> dict[str, Any]:
    """Return errors and counts over the images after the first ones."""
    heads = {}
    for i, image in enumerate(images):
        found = read(image)
        if i >= _WARM_UP:
            heads[i] = [Pose(h.id, h.rotation_camera_from_face, h.position) for h in found]
    result = compare(heads, truth).figures()
    if not result['truth_matched']:
        raise NotMeasuredError('nobody was found in the packaged clip')
    return result


def read_clip() -> tuple[CameraModel, list[Image], dict[int, list[Pose]]]:
    """Return camera, images and truth of the packaged clip."""
    capture = cv2.VideoCapture(str(CLIP))
    images = [np.asarray(capture.read()[1], np.uint8) for _ in range(_IMAGES)]
    camera = CameraModel.from_yaml(CLIP.with_name(f'{CLIP.stem}_camera.yaml'))
    return camera, images, read_truth(Path(f'{CLIP.with_suffix("")}_truth.csv'))


def jpeg_reader(camera: CameraModel, reduces: bool) -> Read:
    """Return what enlarges, compresses, decodes and processes an image."""
    inner = pipeline(create_runtime('cpu'))
    width, height = _LARGER * camera.width, _LARGER * camera.height
    large = camera.scaled_to(width, height)

    def read(image: Image) -> Sequence[Head]:
        jpeg: Any = Jpeg(np.asarray(cv2.resize(image, (width, height)), np.uint8))
        reduction = inner.reduction(large) if reduces else 1
        return inner.process(to_bgr_compressed(jpeg, reduction), large, reduction=reduction)

    return read


def measure() -> dict[str, Any]:
    """Measure everything of this part."""
    try:
        from headpose_ros.inference.torch_runtime import TorchRuntime
    except ImportError:
        raise NotMeasuredError('the slow way needs PyTorch: pip install torch') from None
    camera, images, truth = read_clip()

    def raw(inner: HeadPosePipeline) -> Read:
        return lambda image: inner.process(image, camera)

    ways: dict[str, Read] = {
        'slow: PyTorch, every image searched': raw(pipeline(TorchRuntime('cpu'), detect_every=1)),
        'OpenVINO, every image searched': raw(pipeline(create_runtime('cpu'), detect_every=1)),
        'as it is: every 10th searched': raw(pipeline(create_runtime('cpu'))),
        '1920x1440 JPEG, decoded whole': jpeg_reader(camera, False),
        '1920x1440 JPEG, decoded as needed': jpeg_reader(camera, True),
    }
    return {name: figures(read, images, truth) for name, read in ways.items()}


if __name__ == '__main__':
    run_part(__doc__, measure)
