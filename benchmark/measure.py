# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the parts of the benchmark share: fair timing, the machine, input, JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from headpose_ros.typing import Image

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get('HEADPOSE_DATA', ROOT.parent / 'shared' / 'data'))
AUTHORS_WEIGHTS = DATA / 'models' / 'lightweight_hpe_model-b66.pkl'
_CLIP, _PACKAGED = DATA / 'videos/signers/book.mkv', ROOT / 'headpose_ros/demo/clip.mp4'
_BURST = 0.02
_PACKAGES = ('numpy', 'opencv-python-headless', 'opencv-python', 'openvino', 'torch', 'mtcnn')


class NotMeasuredError(RuntimeError):
    """A figure that the benchmark owes could not be measured; the text says why."""


def alternate(
    jobs: Mapping[str, Callable[[], Any]], seconds: float = 6.0, least: int = 5
) -> dict[str, dict[str, float]]:
    """Time `jobs` in turn, so that all meet the same load, for about `seconds` in all.

    Returns for each `p50`, `p95`, `best` wall ms, `cpu` ms (all threads, mean), `runs`. Each turn
    is a burst of calls, of which the first is not counted: it fetches what the others pushed out
    of the caches.
    """
    wall: dict[str, list[float]] = {name: [] for name in jobs}
    cpu = dict.fromkeys(jobs, 0.0)
    for job in jobs.values():
        for _ in range(3):
            job()
    end = time.perf_counter() + seconds
    rounds = 0
    while rounds < least or time.perf_counter() < end:
        rounds += 1
        for name, job in jobs.items():
            job()
            cpu_began, burst_began = time.process_time(), time.perf_counter()
            while True:
                began = time.perf_counter()
                job()
                now = time.perf_counter()
                wall[name].append(1e3 * (now - began))
                if now - burst_began > _BURST:
                    break
            cpu[name] += 1e3 * (time.process_time() - cpu_began)
    return {
        name: {
            **spread(times),
            'best': min(times),
            'cpu': cpu[name] / len(times),
            'runs': len(times),
        }
        for name, times in wall.items()
    }


def spread(values: Iterable[float]) -> dict[str, float]:
    """Return the median and the 95th percentile."""
    p50, p95 = np.percentile(list(values), [50, 95])
    return {'p50': float(p50), 'p95': float(p95)}


def machine() -> dict[str, Any]:
    """Say what this ran on."""
    return {
        'cpu': _cpu_name(),
        'cores': len(os.sched_getaffinity(0)),
        'load_before': round(os.getloadavg()[0], 1),
        'python': platform.python_version(),
        'system': f'{platform.system()} {platform.release()}',
        'versions': {name: version for name in _PACKAGES if (version := _version(name))},
    }


def clip_images(count: int) -> tuple[str, list[Image]]:
    """Return the name and the first `count` images (480,640,3), one person each, of a clip.

    The clip is a real one from the shared data; without that, a face of the packaged clip, moved.
    """
    if _CLIP.is_file():
        return _CLIP.name, _read(_CLIP, count)
    return f'{_PACKAGED.name}, one face', _moved_face(_read(_PACKAGED, 1)[0], count)


def _read(path: Path, count: int) -> list[Image]:
    capture = cv2.VideoCapture(str(path))
    images: list[Image] = []
    while len(images) < count and (read := capture.read())[0]:
        images.append(np.asarray(read[1], np.uint8))
    if not images:
        raise NotMeasuredError(f'{path}: not there, or OpenCV cannot read it')
    return images


def _moved_face(image: Image, count: int) -> list[Image]:
    """Return images in which the best face of `image` sways near the top, 100 px across."""
    from headpose_ros.config import PipelineConfig
    from headpose_ros.detection import create_detector
    from headpose_ros.inference.runtime import create_runtime

    boxes = create_detector(PipelineConfig(), create_runtime('cpu', 1)).detect(image, 24.0)
    if not len(boxes):
        raise NotMeasuredError('no face in the first image of the packaged clip')
    x0, y0, x1, y1 = boxes.corners[boxes.scores.argmax()]
    centre, side = ((x0 + x1) / 2, (y0 + y1) / 2), 1.1 * max(x1 - x0, y1 - y0)
    scale = 100.0 / side
    made = []
    for i in range(count):
        x, y = 320 + 8 * np.sin(i / 9), 120 + 4 * np.sin(i / 7)
        shift = [[scale, 0, x - scale * centre[0]], [0, scale, y - scale * centre[1]]]
        large = cv2.warpAffine(image, np.array(shift), (640, 480), borderValue=(127,) * 3)
        large[240:], large[:, :200], large[:, 440:] = 127, 127, 127
        made.append(np.asarray(large, np.uint8))
    return made


def enlarged(image: Image, width: int, height: int) -> Image:
    """Return `image` scaled to `height` and padded to `width`: padded, not stretched."""
    scale = height / image.shape[0]
    larger = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    pad = max(0, width - larger.shape[1])
    larger = cv2.copyMakeBorder(larger, 0, 0, 0, pad, cv2.BORDER_CONSTANT)
    return np.ascontiguousarray(larger[:, :width], np.uint8)


def peak_memory_mb() -> float:
    """Return the most memory that this process has held so far, MB."""
    return status_mb(os.getpid(), 'VmHWM')


def status_mb(pid: int, key: str) -> float:
    """Return VmRSS or VmHWM of a process, MB."""
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith(f'{key}:'):
            return int(line.split()[1]) / 1024
    raise NotMeasuredError(f'/proc/{pid}/status says nothing of {key}')


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that all threads of a process have used."""
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def run_part(
    doc: str,
    measure: Callable[..., dict[str, Any]],
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Run one part from the command line: print its result, and write it where asked.

    `options`: further ones by name, as `add_argument` takes them; `measure` is given their values.
    """
    parser = argparse.ArgumentParser(description=doc.split('\n')[0])
    parser.add_argument('--json', type=Path, metavar='FILE')
    for name, how in (options or {}).items():
        parser.add_argument(f'--{name}', **how)
    values = vars(parser.parse_args())
    path = values.pop('json')
    try:
        result = {'machine': machine(), **measure(**values)}
    except NotMeasuredError as error:
        raise SystemExit(f'not measured: {error}') from None
    write_json(path, result)


def write_json(path: Path | None, result: Mapping[str, Any]) -> None:
    """Write to `path`, or to the screen."""
    text = json.dumps(result, indent=2) + '\n'
    if path is None:
        print(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _cpu_name() -> str:
    cpuinfo = Path('/proc/cpuinfo')
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
