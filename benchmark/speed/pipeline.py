# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole pipeline without ROS, beside a loop that does what the paper's demo does.

    python -m benchmark.speed.pipeline --json out/benchmark/pipeline.json

Images: see `measure.clip_images`. The demo loop: OpenCV's Haar cascade every 5th image, a crop of
its box, the authors' network in eager PyTorch, all faces at once; its weights are random, as its
time does not depend on them. It and our pipeline run over the clip in turns, with as many threads.
The share of each image's time that is neither network nor detector is measured with the real
crops, by stage.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmark.measure import Image, NotMeasuredError, clip_images, enlarged, machine, spread
from benchmark.speed.authors_network import authors_network
from headpose_ros.config import PipelineConfig
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.pipeline import HeadPosePipeline

HFOV = np.radians(60.0)
PEOPLE = (1, 2, 4, 8, 16, 32)
SIZES = ((640, 480), (1280, 720), (1920, 1080), (3840, 2160))
_WARM_UP = 15
_DEMO_EVERY = 5
_DEMO_CROP = 1.5


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
            for stage, spent in found.timings.items():
                stages.setdefault(stage, []).append(spent)
    if np.median(heads) != people:
        raise NotMeasuredError(f'{np.median(heads)} heads followed, not {people}')
    own = [c + t for c, t in zip(stages['crop'], stages['track'], strict=True)]
    return {
        'pipeline_ms': spread(stages['total']),
        'own_ms': spread(own),
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


def cascade_detector() -> Callable[[Image], Any]:
    """Return OpenCV's cascade with the settings of the paper's demo: boxes x, y, width, height."""
    haar = getattr(cv2, 'data').haarcascades  # noqa: B009  (untyped in cv2)
    cascade = cv2.CascadeClassifier(haar + 'haarcascade_frontalface_default.xml')
    return lambda image: cascade.detectMultiScale(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), 1.2)


def package_detector() -> Callable[[Image], Any] | str:
    """Return the mtcnn package's detector, as the paper's other demo uses it, or why not."""
    try:
        from mtcnn import MTCNN
    except ImportError as error:
        return f'not run: {error}'
    mtcnn = MTCNN(device='CPU:0')

    def detect(image: Image) -> list[Any]:
        found = mtcnn.detect_faces(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        return [face['box'] for face in found if face['confidence'] >= 0.7]

    return detect


def demo_loop(
    images: list[Image], threads: int, detect: Callable[[Image], Any]
) -> Callable[[], int]:
    """Return a function that runs the paper's demo's steps over `images`; it counts the poses."""
    try:
        import torch
    except ImportError:
        raise NotMeasuredError('the baseline needs PyTorch: pip install torch') from None
    torch.set_num_threads(threads)
    network = authors_network()
    mean, std = (np.array(v, np.float32) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))

    def tensor(image: Image, box: Any) -> Any:
        x, y, w, h = box
        side = int(_DEMO_CROP * max(w, h))
        left, top = max(0, x + w // 2 - side // 2), max(0, y + h // 2 - side // 2)
        crop = cv2.resize(image[top : top + side, left : left + side], (224, 224))
        rgb = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
        return torch.from_numpy((rgb - mean) / std).permute(2, 0, 1)

    def run() -> int:
        boxes: Any = ()
        poses = 0
        for i, image in enumerate(images):
            if i % _DEMO_EVERY == 0:
                found = detect(image)
                boxes = found if len(found) else boxes
            if len(boxes):
                with torch.no_grad():
                    yaw, *_ = network(torch.stack([tensor(image, box) for box in boxes]))
                poses += len(yaw)
        return poses

    return run


def our_loop(images: list[Image], config: PipelineConfig) -> Callable[[], int]:
    """Return a function that runs our pipeline over `images`, on and on; it counts the heads."""
    pipeline = HeadPosePipeline(config)
    camera = CameraModel.from_fov(images[0].shape[1], images[0].shape[0], HFOV)
    return lambda: sum(len(pipeline.process(image, camera)) for image in images)


def race(
    images: list[Image], loops: Mapping[str, Callable[[], int]], rounds: int = 3
) -> dict[str, dict[str, Any]]:
    """Run the loops in turns; return of each its images a second by round and CPU ms an image."""
    fps: dict[str, list[float]] = {name: [] for name in loops}
    cpu = dict.fromkeys(loops, 0.0)
    for i in range(rounds + 1):
        for name, loop in loops.items():
            began, cpu_began = time.perf_counter(), time.process_time()
            if loop() < len(images) // 2:
                raise NotMeasuredError(f'{name} found no face in most images')
            if i:  # the first warms up
                fps[name].append(len(images) / (time.perf_counter() - began))
                cpu[name] += 1e3 * (time.process_time() - cpu_began) / rounds / len(images)
    return {name: {'fps': fps[name], 'cpu_ms': cpu[name]} for name in loops}


def beside_the_demo_loop(images: list[Image], config: PipelineConfig) -> dict[str, Any]:
    """Return our speed over that of the paper's demo, with either of its detectors."""
    images = [*images, *images[::-1]]
    loops = {
        'ours': our_loop(images, config),
        'cascade': demo_loop(images, config.threads, cascade_detector()),
    }
    theirs = package_detector()
    if not isinstance(theirs, str):
        loops['mtcnn'] = demo_loop(images, config.threads, theirs)
    rows = race(images, loops)

    def ratio(name: str) -> float:
        pairs = zip(rows['ours']['fps'], rows[name]['fps'], strict=True)
        return float(np.median([ours / other for ours, other in pairs]))

    return {
        'loops': rows,
        'demo_loop_fps': float(np.median(rows['cascade']['fps'])),
        'demo_loop_cpu_ms': rows['cascade']['cpu_ms'],
        'demo_loop_ratio': ratio('cascade'),
        'demo_loop_mtcnn_ratio': theirs if isinstance(theirs, str) else f'{ratio("mtcnn"):.1f}',
    }


def main() -> None:
    """Measure, print the tables, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--json', type=Path, metavar='FILE')
    parser.add_argument('--threads', type=int, default=2, metavar='N')
    parser.add_argument('--detect-every', type=int, default=PipelineConfig().detect_every)
    args = parser.parse_args()
    cv2.setNumThreads(args.threads)
    clip, images = clip_images(120)
    config = PipelineConfig(device='cpu', threads=args.threads, detect_every=args.detect_every)
    result: dict[str, Any] = {'machine': machine(), 'clip': clip, 'threads': args.threads}
    result['detect_every'] = args.detect_every
    result |= time_pipeline(images, config, 1)
    result |= beside_the_demo_loop(images, config)
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
        larger = [enlarged(image, width, height) for image in images[:30]]
        row = time_pipeline(larger, config, 1)
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
    try:
        main()
    except NotMeasuredError as error:
        raise SystemExit(f'not measured: {error}') from None
