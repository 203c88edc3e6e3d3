# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node between a camera and a listener, three processes over real topics.

    python -m benchmark.speed.node --json out/benchmark/node.json

Latency: from the camera's stamp, set as it publishes, to the reception of the result in the third
process; all use the FastDDS profile that our launch files set. CPU: the node process, all
threads, in percent of one core. *plain*: a node in Python that takes each image and publishes an
empty result, which is what rclpy and the transport cost. Start: from starting the executable to
the first result; `ros2 run` adds what it takes to find it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import cv2

from benchmark.measure import (
    NotMeasuredError,
    clip_images,
    cpu_seconds,
    enlarged,
    run_part,
    spread,
    status_mb,
)
from headpose_ros.node.private_graph import end_with_parent, environment, private_domain, stop

RATE = 30
SIZES = ((640, 480), (1920, 1080))
NODE_PROCESSES = 'benchmark.speed.node_processes'
NODES = {
    'headpose': ('-m', 'headpose_ros.node.main', '--ros-args', '--log-level', 'warn'),
    'plain': ('-m', NODE_PROCESSES, 'plain'),
}
_SETTLE, _SECONDS, _REST, _START_LIMIT = 1.5, 10.0, 1.0, 60.0


class Trio:
    """Camera, node and listener on a graph of their own, for as long as the context lasts."""

    def __init__(self, folder: Path, clip: Path, node: Sequence[str]) -> None:
        self._folder, self._clip, self._node = folder, clip, node
        self._processes: list[subprocess.Popen[str]] = []

    def run(self, seconds: float) -> dict[str, Any]:
        """Start all, wait for the first result, warm up, then measure for `seconds`."""
        with private_domain() as domain:
            try:
                return self._run(seconds, environment(domain, self._folder / 'log'))
            finally:
                stop(self._processes)

    def _run(self, seconds: float, env: dict[str, str]) -> dict[str, Any]:
        results, report = self._folder / 'results.json', self._folder / 'camera.json'
        pipes = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE}
        listener = self._start(['-m', NODE_PROCESSES, 'listener', str(results)], env, **pipes)
        camera = self._start(
            ['-m', 'headpose_ros.node.demo_camera', '--input', str(self._clip), '--loop']
            + ['--rate', str(RATE), '--hfov', '60', '--report', str(report)]
            + ['--frames', str(int(RATE * (_SETTLE + seconds + _REST)))]
            + ['--ros-args', '--log-level', 'warn'],
            env,
        )
        time.sleep(2.0)  # both are up; the camera waits for the node
        began = time.monotonic()
        node = self._start(self._node, env)
        assert listener.stdout is not None
        self._await_first(listener.stdout)
        start_s = time.monotonic() - began
        time.sleep(_SETTLE)
        before, cpu = time.time_ns(), cpu_seconds(node.pid)
        time.sleep(seconds)
        after, cpu = time.time_ns(), cpu_seconds(node.pid) - cpu
        memory = {key: status_mb(node.pid, name) for key, name in _MEMORY.items()}
        camera.wait(_REST + 10.0)
        assert listener.stdin is not None
        listener.stdin.close()
        if listener.wait(10) or not report.is_file():
            raise NotMeasuredError('the listener or the camera did not end as they should')
        span = (before, after)
        figures = _figures(json.loads(results.read_text()), json.loads(report.read_text()), span)
        percent = 100 * cpu / ((after - before) / 1e9)
        return {'start_s': start_s, **figures, 'cpu_percent': percent, **memory}

    def _start(self, command: Sequence[str], env: dict[str, str], **pipes: Any) -> Any:
        process = subprocess.Popen(
            [sys.executable, *command],
            env=env,
            start_new_session=True,
            text=True,
            preexec_fn=end_with_parent(),
            **pipes,
        )
        self._processes.append(process)
        return process

    def _await_first(self, lines: TextIO) -> None:
        import selectors

        with selectors.DefaultSelector() as selector:
            selector.register(lines, selectors.EVENT_READ)
            if not selector.select(_START_LIMIT):
                raise NotMeasuredError(f'no result from the node in {_START_LIMIT:g} s')
        if lines.readline().strip() != 'first':
            raise NotMeasuredError('the listener ended early')


_MEMORY = {'rss_mb': 'VmRSS', 'peak_mb': 'VmHWM'}


def _figures(
    rows: list[tuple[int, int, int]], camera: dict[str, Any], span: tuple[int, int]
) -> dict[str, Any]:
    received = {stamp: (at, heads) for stamp, at, heads in rows}
    published = [stamp for stamp in camera['stamps_ns'] if span[0] <= stamp < span[1]]
    done = [stamp for stamp in published if stamp in received]
    if not done:
        raise NotMeasuredError('no result for any image of the time measured')
    return {
        'images': len(published),
        'drops': len(published) - len(done),
        'heads': sum(received[stamp][1] for stamp in done),
        'latency_ms': spread((received[stamp][0] - stamp) / 1e6 for stamp in done),
    }


def write_clip(path: Path, width: int, height: int) -> None:
    """Write 60 images of the clip in another size, forth and back."""
    _, images = clip_images(30)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), RATE, (width, height))
    for image in [*images, *images[::-1]]:
        video.write(enlarged(image, width, height))
    video.release()
    if not path.is_file() or path.stat().st_size < 10_000:
        raise NotMeasuredError('this OpenCV cannot write the clip for the camera (codec mp4v)')


def measure() -> dict[str, Any]:
    """Measure everything of this part."""
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for width, height in SIZES:
            size = f'{width}x{height}'
            clip = folder / f'{size}.mp4'
            write_clip(clip, width, height)
            result[size] = {
                kind: Trio(folder, clip, node).run(_SECONDS) for kind, node in NODES.items()
            }
            if not result[size]['headpose']['heads']:
                raise NotMeasuredError(f'the node found nobody in the {size} clip')
        vga = folder / '640x480.mp4'
        starts = [Trio(folder, vga, NODES['headpose']).run(0.5)['start_s'] for _ in range(2)]
    result['starts_s'] = sorted([*starts, result['640x480']['headpose']['start_s']])
    return result


if __name__ == '__main__':
    run_part(__doc__, measure)
