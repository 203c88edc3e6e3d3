# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node for half an hour at 30 Hz, 640x480, while people come and go.

    python -m benchmark.reliability.soak --minutes 30 --plot docs/figures/soak.png

The camera process plays visits: for a few seconds the left, middle or right part of the packaged
clip, or several of them, mirrored or not, from a random image on; then the empty room for a few
seconds. It records, from outside the node: resident memory and CPU time of its process, latency
(stamp to reception) per minute, dropped images, ids and TF frames. The status is 1 where the own
memory of the node (heap and stacks) grows by 2 % or more, from the first minutes after the second
to the last ones; where latency rises; or where the number of frames is not bounded. Recorded but
not judged: pages of libraries and files, which the kernel can drop, and the shared segments of
DDS, at most 32 MB per process.

    python -m benchmark.reliability.soak --again out/reliability/soak.json  # plot again
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmark.reliability.graph_tools import (
    MEMORY_KINDS,
    Child,
    Consumer,
    cpu_seconds,
    memory_mb,
    milliseconds,
    options,
    write,
)
from headpose_ros.media.sources import Frame, FrameSource, open_source
from headpose_ros.node.demo_camera import CLIP, CLIP_CAMERA, Player
from headpose_ros.node.demo_camera import arguments as camera_arguments
from headpose_ros.node.private_graph import environment, private_domain
from headpose_ros.tracking.names import NAME_COUNT
from headpose_ros.typing import Image

RATE_HZ = 30.0
PARTS = 3
VISIT_SECONDS = (3.0, 15.0)
EMPTY_SECONDS = (2.0, 8.0)
SAMPLE_PERIOD = 5.0
WARM_UP_MINUTES = 3
MAX_GROWTH = 0.02
MAX_FRAMES = 2 * NAME_COUNT
"""TF frames face_<id> and gaze_<id> of all possible ids."""


class Visits(FrameSource):
    """An endless stream: people of the clip for some seconds, then the empty room."""

    def __init__(self, seed: int = 0) -> None:
        with open_source(CLIP) as clip:
            self._images = [frame.image_bgr for frame in clip]
        self._room = np.median(np.stack(self._images[::15]), axis=0).astype(np.uint8)
        self._random = np.random.default_rng(seed)
        self.name, self.rate_hz, self.frame_count = 'visits', RATE_HZ, None
        self.height, self.width = self._room.shape[:2]

    def __iter__(self) -> Iterator[Frame]:
        for index, image in enumerate(self._stream()):
            yield Frame(image, index / RATE_HZ, index, f'visits:{index}')

    def _stream(self) -> Iterator[Image]:
        edges = np.linspace(0, self.width, PARTS + 1).astype(int)
        while True:
            there = self._random.random(PARTS) < 0.6
            there[self._random.integers(PARTS)] = True
            mirrored = self._random.random() < 0.5
            first = int(self._random.integers(len(self._images)))
            for number in range(self._count(*VISIT_SECONDS)):
                clip = self._images[(first + number) % len(self._images)]
                image = self._room.copy()
                for part in np.flatnonzero(there):
                    columns = slice(edges[part], edges[part + 1])
                    image[:, columns] = clip[:, columns]
                yield cv2.flip(image, 1) if mirrored else image
            for _ in range(self._count(*EMPTY_SECONDS)):
                yield self._room

    def _count(self, low: float, high: float) -> int:
        return int(RATE_HZ * self._random.uniform(low, high))


def play() -> None:
    """Run the camera process."""
    import rclpy

    from headpose_ros.geometry import CameraModel
    from headpose_ros.node.main import guarded

    def run() -> int:
        rclpy.init()
        given = camera_arguments().parse_args([])
        Player(Visits(), CameraModel.from_yaml(CLIP_CAMERA), given).play()
        return 0

    sys.exit(guarded(run))


def watch(consumer: Consumer, node: Child, camera: Child, minutes: float) -> dict[str, Any]:
    """Sample until the time is over; return the series."""
    rows: list[dict[str, Any]] = []
    samples: list[tuple[float, ...]] = []
    ids: set[str] = set()
    frames: set[str] = set()
    consumer.take()
    start = time.monotonic()
    before = consumer.diagnostics
    cpu = cpu_seconds(node.process.pid)
    for minute in range(max(1, round(minutes))):
        while (now := time.monotonic() - start) < 60.0 * (minute + 1):
            for name, child in (('node', node), ('camera', camera)):
                if not child.alive:
                    status = child.process.returncode
                    raise RuntimeError(f'the {name} ended, {status}:\n{child.text()[-4000:]}')
            samples.append((now, *memory_mb(node.process.pid)))
            time.sleep(SAMPLE_PERIOD)
        received, after = consumer.take(), consumer.diagnostics
        ids |= received.ids
        frames |= received.frames
        spent, cpu = cpu_seconds(node.process.pid) - cpu, cpu_seconds(node.process.pid)
        row = {
            'minute': minute + 1,
            'images': _more(before, after, 'received'),
            'results': len(received.latency),
            'dropped': _more(before, after, 'dropped'),
            'lost': _more(before, after, 'lost in transport'),
            **_memory([mb for at, *mb in samples if at > 60 * minute]),
            'cpu_ms_a_result': round(1e3 * spent / max(1, len(received.latency)), 2),
            'people': round(float(np.mean(received.heads or [0])), 2),
            'ids_ever': len(ids),
            'frames_ever': len(frames),
            'load': round(os.getloadavg()[0], 1),
            **(milliseconds(received.latency) if received.latency else {}),
        }
        before = after
        rows.append(row)
        print(row, flush=True)
    return {'minutes': rows, 'rss': samples, 'ids': sorted(ids), 'frames': sorted(frames)}


def _memory(samples: list[list[float]]) -> dict[str, float]:
    kinds = zip(MEMORY_KINDS, np.median(samples, axis=0), strict=True)
    return {f'rss_{kind}_mb': round(float(mb), 2) for kind, mb in kinds}


def _more(before: dict[str, str], after: dict[str, str], name: str) -> int:
    return int(after.get(name, 0)) - int(before.get(name, 0))


def evaluate(series: dict[str, Any]) -> dict[str, Any]:
    """Return the summary, with `problems` for limits that are exceeded."""
    rows = series['minutes']
    steady = rows[WARM_UP_MINUTES - 1 :] or rows[-1:]
    third = max(1, len(steady) // 3)

    def early_and_late(name: str) -> tuple[float, float]:
        values = [row[name] for row in steady]
        return float(np.median(values[:third])), float(np.median(values[-third:]))

    own_early, own_late = early_and_late('rss_anon_mb')
    resident = own_early + early_and_late('rss_file_mb')[0]
    early, late = early_and_late('p50_ms')
    summary: dict[str, Any] = {
        'minutes': len(rows),
        'images': sum(row['images'] for row in rows),
        'results': sum(row['results'] for row in rows),
        'dropped': sum(row['dropped'] for row in rows),
        'lost': sum(row['lost'] for row in rows),
        'own_first_third_mb': round(own_early, 2),
        'own_last_third_mb': round(own_late, 2),
        'growth': round((own_late - own_early) / resident, 5),
        'latency_p50_first_third_ms': round(early, 2),
        'latency_p50_last_third_ms': round(late, 2),
        'ids': len(series['ids']),
        'tf_frames': len(series['frames']),
    }
    problems = []
    if summary['growth'] >= MAX_GROWTH:
        problems.append(f'memory grew by {summary["growth"]:.1%}')
    if late > 1.5 * early:
        problems.append(f'latency rose from {early:.1f} to {late:.1f} ms')
    if summary['tf_frames'] > MAX_FRAMES:
        problems.append(f'{summary["tf_frames"]} TF frames')
    return {**summary, 'problems': problems}


def plot(series: dict[str, Any], path: Path) -> None:
    """Draw memory, latency and frames over time."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    rows = series['minutes']
    minutes = [row['minute'] - 0.5 for row in rows]
    figure, (memory, latency, frames) = plt.subplots(3, 1, figsize=(8, 7), sharex=True)
    at, own, files, shared = np.array(series['rss']).T
    memory.plot(at / 60, own, label='own: heap and stacks')
    memory.plot(at / 60, files, label='pages of libraries and files')
    memory.plot(at / 60, shared, label='in the segments of DDS')
    memory.set(ylabel='resident memory, MB', ylim=(0, 1.35 * own.max()))
    memory.legend(ncols=3, loc='upper right')
    latency.plot(minutes, [row.get('p50_ms') for row in rows], label='p50')
    latency.plot(minutes, [row.get('p95_ms') for row in rows], label='p95')
    latency.set(ylabel='stamp to received, ms', ylim=(0, None))
    latency.legend()
    frames.plot(minutes, [row['frames_ever'] for row in rows], label='TF frames ever seen')
    frames.plot(minutes, [row['dropped'] for row in rows], label='images dropped a minute')
    frames.set(xlabel='minutes', ylim=(0, None))
    frames.legend()
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def main() -> int:
    """Run; return 0 if no limit is exceeded."""
    parser = options(__doc__, 'soak')
    parser.add_argument('--minutes', type=float, default=30.0)
    parser.add_argument('--plot', type=Path, default=Path('out/reliability/soak.png'))
    parser.add_argument('--again', type=Path, metavar='JSON', help='evaluate and plot a run again')
    parser.add_argument('--camera', action='store_true', help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.camera:
        play()
    if given.again:
        saved = json.loads(given.again.read_text())
        return conclude(saved['series'], {k: saved[k] for k in ('nice', 'log')}, given)
    os.setpriority(os.PRIO_PROCESS, 0, given.nice)
    out = Path(given.json).resolve().parent
    out.mkdir(parents=True, exist_ok=True)
    with private_domain() as domain:
        variables = environment(domain, out / 'log')
        os.environ.update(variables)
        node_command = [sys.executable, '-m', 'headpose_ros.node.main']
        with (
            Child(
                [sys.executable, '-m', 'benchmark.reliability.soak', '--camera'], variables
            ) as camera,
            Child(node_command, variables) as node,
        ):
            consumer = Consumer()
            while not consumer.results_at():
                if not (camera.alive and node.alive):
                    raise RuntimeError(camera.text() + node.text())
                time.sleep(0.1)
            series = watch(consumer, node, camera, given.minutes)
            consumer.close()
            log = [line for _, line in node.lines]
    return conclude(series, {'nice': given.nice, 'log': log}, given)


def conclude(series: dict[str, Any], about: dict[str, Any], given: argparse.Namespace) -> int:
    """Evaluate, plot and write a run; return the exit status."""
    summary = {**evaluate(series), **about, 'series': series}
    plot(series, given.plot)
    write(given.json, summary)
    for problem in summary['problems']:
        print(f'soak: {problem}', file=sys.stderr)
    return 1 if summary['problems'] else 0


if __name__ == '__main__':
    sys.exit(main())
