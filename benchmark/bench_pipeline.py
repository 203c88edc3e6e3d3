# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole pipeline without ROS, beside a loop that does what the paper's demo does.

    python benchmark/bench_pipeline.py --json out/benchmark/pipeline.json

Frames are those of one real clip of ../shared/data (or $HEADPOSE_DATA). The demo loop: OpenCV's
Haar cascade every 5th frame, a crop of its box, the authors' network in PyTorch, frame by frame;
it needs PyTorch and the authors' weights, which are in the same folder. The share of each image's
time that is neither network nor detector is measured with the real crops, by stage.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.config import PipelineConfig
from headpose_ros.estimation import create_estimator
from headpose_ros.estimation.importing import import_file
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.media.sources import open_source
from headpose_ros.pipeline import HeadPosePipeline

Image = NDArray[np.uint8]

DATA = Path(os.environ.get('HEADPOSE_DATA', Path(__file__).parents[2] / 'shared' / 'data'))
CLIP, AUTHORS = 'videos/signers/book.mkv', 'models/lightweight_hpe_model-b66.pkl'
HFOV = np.radians(60.0)
PEOPLE = (1, 2, 4, 8, 16, 32)
SIZES = ((640, 480), (1280, 720), (1920, 1080), (3840, 2160))
_WARM_UP = 15
_DEMO_EVERY = 5


def percentiles(values: list[float]) -> dict[str, float]:
    """Return the median and the 95th percentile."""
    return {'p50': float(np.percentile(values, 50)), 'p95': float(np.percentile(values, 95))}


def time_pipeline(images: list[Image], config: PipelineConfig, people: int) -> dict[str, Any]:
    """Run over `images` twice; return ms by stage, and check that all `people` were followed."""
    pipeline = HeadPosePipeline(config)
    camera = CameraModel.from_fov(images[0].shape[1], images[0].shape[0], HFOV)
    stages: dict[str, list[float]] = {}
    heads = []
    for i, image in enumerate([*images, *images[::-1]]):
        found = pipeline.process(image, camera)
        if i >= _WARM_UP:
            heads.append(len(found))
            for stage, spent in pipeline.timings.items():
                stages.setdefault(stage, []).append(spent)
    if np.median(heads) != people:
        raise SystemExit(f'measured nothing: {np.median(heads)} heads followed, not {people}')
    own = [c + t for c, t in zip(stages['crop'], stages['track'], strict=True)]
    return {
        'pipeline_ms': percentiles(stages['total']),
        'own_ms': percentiles(own),
        'stages_mean_ms': {stage: float(np.mean(spent)) for stage, spent in stages.items()},
        'frames_per_s': 1e3 / float(np.mean(stages['total'])),
        'searched_share': float(np.mean(np.array(stages['search']) > 0)),
    }


def crowd(images: list[Image], people: int) -> list[Image]:
    """Return images 1920x1080 in which the clip's person stands `people` times, side by side."""
    columns = int(np.ceil(np.sqrt(people * 1.9)))
    rows = int(np.ceil(people / columns))
    width, height = 1920 // columns, 1080 // rows
    side = min(width, height)
    made = []
    for image in images:
        tile = cv2.resize(image[:240, 200:440], (side, side), interpolation=cv2.INTER_AREA)
        large = np.full((1080, 1920, 3), 127, np.uint8)
        for n in range(people):
            y, x = n // columns * height, n % columns * width
            large[y : y + side, x : x + side] = tile
        made.append(large)
    return made


def demo_loop(images: list[Image], threads: int) -> Callable[[], int]:
    """Return a function that runs the paper's demo's steps over `images`; it counts the poses."""
    import torch

    from headpose_ros.estimation.torch_runtime import TorchRuntime

    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / 'authors.safetensors'
        import_file(DATA / AUTHORS, weights)
        config = PipelineConfig(weights=str(weights))
        estimator = create_estimator(config, TorchRuntime('cpu', threads))
    haar = getattr(cv2, 'data').haarcascades  # noqa: B009  (untyped in cv2)
    cascade = cv2.CascadeClassifier(haar + 'haarcascade_frontalface_default.xml')

    def run() -> int:
        boxes: Any = ()
        poses = 0
        for i, image in enumerate(images):
            if i % _DEMO_EVERY == 0:
                grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
                boxes = cascade.detectMultiScale(grey, 1.1, 5, minSize=(40, 40))
            for x, y, w, h in boxes:
                crop = image[max(0, y) : y + h, max(0, x) : x + w]
                crop = cv2.resize(crop, (estimator.crop_px, estimator.crop_px))
                estimator.estimate(crop[None], np.array([0.3]))
                poses += 1
        return poses

    return run


def time_demo_loop(images: list[Image], threads: int) -> float:
    """Return frames a second of the demo loop: the better of two runs."""
    run = demo_loop(images, threads)
    run()
    best = np.inf
    for _ in range(2):
        began = time.perf_counter()
        if run() < len(images) // 2:
            raise SystemExit('measured nothing: the demo loop found no face in most frames')
        best = min(best, time.perf_counter() - began)
    return len(images) / float(best)


def main() -> None:
    """Measure, print the tables, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--json', type=Path, metavar='FILE')
    parser.add_argument('--threads', type=int, default=2, metavar='N')
    parser.add_argument('--detect-every', type=int, default=PipelineConfig().detect_every)
    args = parser.parse_args()
    cv2.setNumThreads(args.threads)
    if not (DATA / CLIP).is_file():
        raise SystemExit(f'{DATA / CLIP}: not there; set HEADPOSE_DATA')
    with open_source(DATA / CLIP) as source:
        images = [frame.image_bgr for frame in source]
    config = PipelineConfig(device='cpu', threads=args.threads, detect_every=args.detect_every)
    result: dict[str, Any] = {'threads': args.threads, **time_pipeline(images, config, 1)}
    result['demo_loop_fps'] = time_demo_loop(images, args.threads)
    result['demo_loop_ratio'] = result['frames_per_s'] / result['demo_loop_fps']
    print(json.dumps(result, indent=2))
    print('| people | p50 | p95 | frames/s | ours |\n|---|---|---|---|---|')
    result['people'] = {}
    for people in PEOPLE:
        row = time_pipeline(crowd(images[:30], people), config, people)
        result['people'][people] = row
        _print_row(str(people), row)
    print('| image | p50 | p95 | frames/s | ours |\n|---|---|---|---|---|')
    result['sizes'] = {}
    for width, height in SIZES:
        # Padded to the other aspect ratio, not stretched.
        scale = height / 480
        larger = [cv2.resize(image, None, fx=scale, fy=scale) for image in images[:30]]
        pad = width - larger[0].shape[1]
        larger = [cv2.copyMakeBorder(im, 0, 0, 0, pad, cv2.BORDER_CONSTANT) for im in larger]
        row = time_pipeline([np.asarray(im, np.uint8) for im in larger], config, 1)
        result['sizes'][f'{width}x{height}'] = row
        _print_row(f'{width}x{height}', row)
    result['people16_fps'] = result['people'][16]['frames_per_s']
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(result, indent=2) + '\n')


def _print_row(name: str, row: dict[str, Any]) -> None:
    total, own = row['pipeline_ms'], row['own_ms']
    print(
        f'| {name} | {total["p50"]:.2f} ms | {total["p95"]:.2f} ms | {row["frames_per_s"]:.0f} '
        f'| {own["p50"]:.2f} ms |'
    )


if __name__ == '__main__':
    main()
