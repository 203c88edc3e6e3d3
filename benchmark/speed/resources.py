# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What imports cost, and what a pipeline that works at 30 Hz uses: memory and CPU time.

    python -m benchmark.speed.resources --json out/benchmark/resources.json

Every import is timed in a process of its own, least of three, with all that it imports itself.
*CPU seconds a frame at 30 Hz*, the proxy for energy, counts all threads, waiting ones too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmark.measure import NotMeasuredError, run_part

IMPORTS = (
    'numpy',
    'cv2',
    'scipy.spatial.transform',
    'openvino',
    'headpose_ros.pipeline',
    'rclpy.node',
    'headpose_ros.node.head_pose_node',
    'torch',
)
_IMPORT = """
import time, json, sys
import importlib
began = time.perf_counter()
cpu = time.process_time()
if sys.argv[1]: importlib.import_module(sys.argv[1])
spent = time.perf_counter() - began, time.process_time() - cpu
rss = next(line for line in open('/proc/self/status') if line.startswith('VmRSS'))
print(json.dumps([*spent, int(rss.split()[1]) / 1024]))
"""
_PACED = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
began = time.perf_counter()
import cv2, numpy as np
from benchmark.measure import clip_images, peak_memory_mb, spread, status_mb
from headpose_ros import CameraModel, HeadPosePipeline
from headpose_ros.config import PipelineConfig
import os
imported = time.perf_counter()
threads = int(sys.argv[2])
cv2.setNumThreads(threads)
clip, images = clip_images(90)
opened = time.perf_counter()
pipeline = HeadPosePipeline(PipelineConfig(device='cpu', threads=threads))
loaded = time.perf_counter()
camera = CameraModel.from_fov(images[0].shape[1], images[0].shape[0], np.radians(60))
pipeline.process(images[0], camera)
first = time.perf_counter()
times, heads = [], 0
start, cpu = time.perf_counter(), time.process_time()
for i in range(150):
    time.sleep(max(0.0, start + i / 30 - time.perf_counter()))
    image = images[i % len(images)] if i // len(images) % 2 == 0 else images[-1 - i % len(images)]
    now = time.perf_counter()
    heads += len(pipeline.process(image, camera))
    times.append(1e3 * (time.perf_counter() - now))
print(json.dumps({
    'heads': heads,
    'import_s': imported - began,
    'load_s': loaded - opened,
    'first_image_s': first - loaded,
    'ms': spread(times),
    'cpu_s_per_frame': (time.process_time() - cpu) / 150,
    'rss_mb': status_mb(os.getpid(), 'VmRSS'),
    'peak_mb': peak_memory_mb(),
}))
"""


def run(script: str, *arguments: str) -> Any:
    """Run a script in a process of its own and return the JSON that it prints last."""
    done = subprocess.run(
        [sys.executable, '-c', script, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotMeasuredError(f'{arguments}: {done.stderr.strip().splitlines()[-1]}')
    return json.loads(done.stdout.strip().splitlines()[-1])


def import_cost(module: str) -> dict[str, float] | str:
    """Return seconds and MB that importing `module` takes, or that it is not there."""
    try:
        runs = [run(_IMPORT, module) for _ in range(3)]
    except NotMeasuredError as error:
        if 'ModuleNotFoundError' in str(error):
            return 'not installed'
        raise
    wall, cpu, rss = (min(column) for column in zip(*runs, strict=True))
    return {'seconds': wall, 'cpu_seconds': cpu, 'rss_mb': rss}


def measure() -> dict[str, Any]:
    """Measure everything of this part."""
    paced = {threads: run(_PACED, sys.path[0], threads) for threads in ('1', '2')}
    if not all(row['heads'] for row in paced.values()):
        raise NotMeasuredError('the pipeline found nobody in the clip')
    return {
        'python_alone': import_cost(''),
        'imports': {module: import_cost(module) for module in IMPORTS},
        'paced_30_hz_by_threads': paced,
    }


if __name__ == '__main__':
    run_part(__doc__, measure)
