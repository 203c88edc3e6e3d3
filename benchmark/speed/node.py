# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node between a camera and a listener, three processes over real topics.

    python -m benchmark.speed.node --json out/benchmark/node.json
    python -m benchmark.speed.node --against ../headpose_ros_0.1.0 --times 4

Latency: from the camera's stamp, set as it publishes, to the reception of the result in the third
process; all use the FastDDS profile that our launch files set. CPU: the node process, all
threads, in percent of one core. *plain*: a node in Python that takes each image and publishes an
empty result, which is what rclpy and the transport cost. Start: from starting the executable to
the first result; `ros2 run` adds what it takes to find it. With `--against`, the node of another
checkout takes its turns with ours, between the same camera and listener.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
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

    def __init__(
        self, folder: Path, clip: Path, node: Sequence[str], checkout: Path | None = None
    ) -> None:
        """Take the node of `checkout`, or of this one."""
        self._folder, self._clip, self._node = folder, clip, node
        self._checkout = checkout
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
        node = self._start(self._node, env, cwd=self._checkout)
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

    def _start(self, command: Sequence[str], env: dict[str, str], **options: Any) -> Any:
        process = subprocess.Popen(
            [sys.executable, *command],
            env=env,
            start_new_session=True,
            text=True,
            preexec_fn=end_with_parent(),
            **options,
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
        'results': len(done),
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


def _clips(folder: Path) -> Iterator[tuple[str, Path]]:
    for width, height in SIZES:
        size = f'{width}x{height}'
        write_clip(folder / f'{size}.mp4', width, height)
        yield size, folder / f'{size}.mp4'


def measure() -> dict[str, Any]:
    """Measure everything of this part."""
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size, clip in _clips(folder):
            result[size] = {
                kind: Trio(folder, clip, node).run(_SECONDS) for kind, node in NODES.items()
            }
            if not result[size]['headpose']['heads']:
                raise NotMeasuredError(f'the node found nobody in the {size} clip')
        vga = folder / '640x480.mp4'
        starts = [Trio(folder, vga, NODES['headpose']).run(0.5)['start_s'] for _ in range(2)]
    result['starts_s'] = sorted([*starts, result['640x480']['headpose']['start_s']])
    return result


def compare(checkout: Path, times: int) -> dict[str, Any]:
    """Measure our node and that of `checkout` in turns; return medians, and ours over theirs."""
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size, clip in _clips(folder):
            runs: dict[str, list[dict[str, Any]]] = {'theirs': [], 'ours': []}
            for _ in range(times):
                for who, place in (('theirs', checkout), ('ours', None)):
                    run = Trio(folder, clip, NODES['headpose'], place).run(_SECONDS)
                    runs[who].append(run)
                    print(size, who, json.dumps(run), file=sys.stderr, flush=True)
            result[size] = _compared(runs)
    return result


def _compared(runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    figures: dict[str, Callable[[dict[str, Any]], float]] = {
        'latency_p50_ms': lambda run: run['latency_ms']['p50'],
        'latency_p95_ms': lambda run: run['latency_ms']['p95'],
        'cpu_ms_a_result': lambda run: 10 * _SECONDS * run['cpu_percent'] / run['results'],
        **{key: itemgetter(key) for key in ('cpu_percent', 'rss_mb', 'start_s')},
    }
    result: dict[str, Any] = {}
    for name, of in figures.items():
        median = {who: statistics.median(map(of, done)) for who, done in runs.items()}
        result[name] = {**median, 'ratio': median['ours'] / median['theirs']}
    for name in ('drops', 'images', 'heads'):
        result[name] = {who: sum(run[name] for run in done) for who, done in runs.items()}
    return result


def _run(against: Path | None, times: int) -> dict[str, Any]:
    return measure() if against is None else compare(against.resolve(), times)


if __name__ == '__main__':
    run_part(
        __doc__,
        _run,
        {
            'against': {'type': Path, 'metavar': 'CHECKOUT', 'help': 'another one, in turns'},
            'times': {'type': int, 'default': 4, 'help': 'turns against it'},
        },
    )
