# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our detectors beside the mtcnn package and OpenCV's cascade, from VGA to 4K.

    python -m benchmark.speed.detectors --json out/benchmark/detectors.json

*search* is what the pipeline calls, `FaceSearch.find`, with the default detector and with `mtcnn`.
*mtcnn package*: what our `mtcnn` finds, with its thresholds and smallest face (24 px), where it
and TensorFlow are installed. *cascade*: OpenCV's own, with the settings that the demo of the
paper uses.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1', TF_CPP_MIN_LOG_LEVEL='3')

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from benchmark.measure import Image, NotMeasuredError, alternate, clip_images, enlarged, run_part
from benchmark.speed.operations import count_operations
from headpose_ros.config import PipelineConfig
from headpose_ros.detection import FaceSearch, create_detector
from headpose_ros.detection.retinaface import SMALLEST_PX
from headpose_ros.detection.search import automatic_face_px
from headpose_ros.geometry import CameraModel
from headpose_ros.inference.networks import RETINAFACE
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.inference.weights import load

SIZES = ((640, 480), (1280, 720), (1920, 1080), (3840, 2160))
MIN_FACE_PX = 24


def searches(images: dict[str, Image], threads: int) -> dict[str, Callable[[], Any]]:
    """Return the search of each image, with the default detector and with MTCNN."""
    jobs: dict[str, Callable[[], Any]] = {}
    for detector in (PipelineConfig().detector, 'mtcnn'):
        config = PipelineConfig(detector=detector, device='cpu', threads=threads)
        search = FaceSearch(create_detector(config, create_runtime('cpu', threads)), config)
        for name, image in images.items():
            camera = CameraModel.from_fov(image.shape[1], image.shape[0], np.radians(60))
            if not len(search.find(image, camera)):
                raise NotMeasuredError(f'{detector} finds no face in the {name} image')
            key = name if detector == PipelineConfig().detector else f'{name}, {detector}'
            jobs[key] = lambda i=image, c=camera, s=search: s.find(i, c)
    return jobs


def detectors(image: Image) -> dict[str, Callable[[], Any]]:
    """Return our detectors and OpenCV's cascade, on one thread, for one VGA image."""
    runtime = create_runtime('cpu', 1)
    jobs: dict[str, Callable[[], Any]] = {}
    for name in ('one_pass', 'mtcnn', 'retinaface'):
        detector = create_detector(PipelineConfig(detector=name), runtime)
        jobs[f'ours, {name}'] = lambda d=detector: d.detect(image, MIN_FACE_PX)
    path = cv2.data.haarcascades + 'haarcascade_frontalface_default.xml'
    cascade = cv2.CascadeClassifier(path)
    if cascade.empty():
        raise NotMeasuredError(f'OpenCV has no cascade at {path}')

    def run_cascade() -> Any:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        return cascade.detectMultiScale(grey, 1.1, 5, minSize=(MIN_FACE_PX, MIN_FACE_PX))

    jobs['OpenCV, cascade'] = run_cascade
    return jobs


def package(image: Image) -> dict[str, Callable[[], Any]] | str:
    """Return the detector of the mtcnn package, or why it is not there."""
    try:
        from mtcnn import MTCNN
    except ImportError as error:
        return f'not run: {error}'
    rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    theirs = MTCNN(device='CPU:0')
    return {'mtcnn package': lambda: theirs.detect_faces(rgb, min_face_size=MIN_FACE_PX)}


def search_mmac(width: int, height: int) -> float:
    """Return the million multiply-adds of the default detector in a search of an image."""
    weights = load('', 'retinaface', (RETINAFACE,)).with_outputs(2)
    scale = SMALLEST_PX / automatic_face_px(width, height)
    return count_operations(weights, round(width * scale), round(height * scale))[0] / 1e6


def measure() -> dict[str, Any]:
    """Measure everything of this part."""
    clip, (*_, image) = clip_images(30)
    images = {f'{w}x{h}': enlarged(image, w, h) for w, h in SIZES}
    cv2.setNumThreads(1)
    jobs, theirs = detectors(image), package(image)
    if not isinstance(theirs, str):
        jobs |= theirs
    one = alternate(jobs, 6.0)
    by_size = {'1': alternate(searches(images, 1), 10.0)}
    cv2.setNumThreads(2)
    by_size['2'] = alternate(searches(images, 2), 8.0)
    return {
        'clip': clip,
        'vga_one_thread': one,
        'mtcnn_package': theirs if isinstance(theirs, str) else 'run',
        'search_by_threads': by_size,
        'search_mmac': search_mmac(640, 480),
        'uhd_over_vga': by_size['2']['3840x2160']['p50'] / by_size['2']['640x480']['p50'],
    }


if __name__ == '__main__':
    run_part(__doc__, measure)
