# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the pipeline costs where OpenVINO is missing, and where onnxruntime is, too.

The packaged clip as a stream, and pictures of it by themselves, on each runtime that is installed,
in processes of their own that take turns: CPU time of one thread, so that other programs on the
machine disturb little. `python -m benchmark.speed.runtimes [--rounds N]`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

PACKAGES = {'openvino': 'openvino', 'onnxruntime': 'onnxruntime', 'opencv': 'cv2'}
"""By runtime, quickest first; each is used where those before it are missing."""
STREAM, PICTURES = 150, 10


def measure(name: str) -> dict[str, float]:
    """Return the medians of CPU milliseconds an image, and how many heads were found."""
    for other in list(PACKAGES)[: list(PACKAGES).index(name)]:
        sys.modules[other] = None  # type: ignore[assignment]  # as if not installed
    find = importlib.util.find_spec
    importlib.util.find_spec = lambda n, *a: (  # raises ValueError for such a module
        None if n in sys.modules and sys.modules[n] is None else find(n, *a)
    )
    import cv2

    from headpose_ros.config import PipelineConfig
    from headpose_ros.geometry import CameraModel
    from headpose_ros.pipeline import HeadPosePipeline

    cv2.setNumThreads(1)
    folder = Path(__file__).parents[2] / 'headpose_ros' / 'demo'
    camera, clip = CameraModel.from_yaml(folder / 'clip_camera.yaml'), folder / 'clip.mp4'
    video = cv2.VideoCapture(str(clip))
    images = [video.read()[1] for _ in range(STREAM)]
    found = {}
    for mode, some in (('video', images), ('image', images[:: STREAM // PICTURES])):
        with HeadPosePipeline(PipelineConfig(threads=1), mode=mode) as pipeline:  # type: ignore[arg-type]
            assert pipeline.runtime_name == name, pipeline.runtime_name
            pipeline.process(images[0], camera, 0.0)
            spent, heads = [], 0
            for i, image in enumerate(some, 1):
                start = time.process_time()
                heads += len(pipeline.process(image, camera, i / 30))
                spent.append(1e3 * (time.process_time() - start))
        found |= {f'{mode}_ms': median(spent), f'{mode}_heads': heads}
    return found


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--one', choices=PACKAGES, help='one runtime, as JSON')
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.one)))
        return 0
    there = [name for name, module in PACKAGES.items() if importlib.util.find_spec(module)]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in there}
    for _ in range(args.rounds):
        for name in there:
            command = [sys.executable, '-m', 'benchmark.speed.runtimes', '--one', name]
            env = os.environ | {'OMP_NUM_THREADS': '1'}
            run = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)
            runs[name].append(json.loads(run.stdout.splitlines()[-1]))
    print('| runtime | stream, CPU ms an image | heads | single picture, CPU ms | heads |')
    print('|---|---|---|---|---|')
    for name, some in runs.items():
        best = {key: min(run[key] for run in some) for key in some[0]}
        print(
            f'| {name} | {best["video_ms"]:.1f} | {best["video_heads"]} '
            f'| {best["image_ms"]:.0f} | {best["image_heads"]} |'
        )
    return 0


if __name__ == '__main__':
    sys.exit(main())
