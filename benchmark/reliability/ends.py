# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""End the node by SIGINT and SIGTERM under load, while it processes images that take long.

    python -m benchmark.reliability.ends --times 200

Several nodes run side by side, next to processes that only use CPU, and each is ended at a random
moment of an image. The images take up to 6 s: the real pipeline processes each one over and over,
in native code, until its time is over. A third of the nodes is signalled again while it closes.
The status is 1 where a node does not end with status 0 within 10 s, says anything of an error,
or stays in the graph. *Late* is one whose farewell was lost, as best effort messages of a busy
machine may be: it is in the graph until its lease ends.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.reliability.graph_tools import Child, options, write
from headpose_ros.node.private_graph import environment, private_domain

IMAGE_SECONDS = (0.0, 1.5, 3.0, 6.0)
"""How long each image takes at least; 0: as fast as it goes."""
START_SECONDS = 60.0
END_SECONDS = 10.0
LATE_SECONDS = 1.0
LEASE_SECONDS = 12.0
"""Until the others must know that it has gone: a little more than the lease of the profile."""
BEGUN = 'image begun'
WRONG = re.compile(r'Traceback|terminate called|rror|Exception|Failed|Segmentation|Aborted')
HOG = 'while True: pass'


@dataclass(frozen=True)
class Plan:
    """How one node is ended."""

    number: int
    how: signal.Signals
    image_seconds: float
    moment: float
    """Seconds from the beginning of an image to the signal."""
    again: float | None
    """Seconds to a second signal."""


def plans(times: int, seed: int) -> Iterator[Plan]:
    """Yield the ends, the same ones for the same seed."""
    random = np.random.default_rng(seed)
    for number in range(times):
        seconds = IMAGE_SECONDS[number // 2 % len(IMAGE_SECONDS)]
        yield Plan(
            number,
            (signal.SIGINT, signal.SIGTERM)[number % 2],
            seconds,
            float(random.uniform(0.0, max(0.5, 0.5 * seconds))),
            float(random.uniform(0.0, 2.0)) if number % 3 == 0 else None,
        )


class Graph:
    """What another participant sees of the graph."""

    def __init__(self) -> None:
        import rclpy

        rclpy.init()
        self._node = rclpy.create_node('ends_watcher')

    def shows(self, namespace: str) -> bool:
        """Return whether a node is in a namespace."""
        return namespace in (space for _, space in self._node.get_node_names_and_namespaces())

    def seconds_until_gone(self, namespace: str, limit: float) -> float | None:
        """Wait until no node is in a namespace; return how long that took, None: too long."""
        start = time.monotonic()
        while (took := time.monotonic() - start) < limit:
            if not self.shows(namespace):
                return took
            time.sleep(0.02)
        return None

    def close(self) -> None:
        """Leave the graph."""
        import rclpy

        self._node.destroy_node()
        rclpy.shutdown()


def end_one(plan: Plan, graph: Graph, variables: Mapping[str, str]) -> dict[str, Any]:
    """Start a node, end it as planned, and return what came of it."""
    namespace = f'/end_{plan.number}'
    command = [sys.executable, '-m', 'benchmark.reliability.ends']
    command += ['--node', str(plan.image_seconds), '--ros-args', '-r', f'__ns:={namespace}']
    command += ['-r', 'image:=/image', '-r', 'camera_info:=/camera_info']
    command += [
        '-p',
        'always_on:=true',
        '-p',
        'publish_tf:=false',
        '-p',
        'log_repeat_period:=600.0',
    ]
    row: dict[str, Any] = {**vars(plan), 'how': plan.how.name}
    with Child(command, variables) as child:
        _wait_for(child, lambda: child.when(BEGUN) is not None and graph.shows(namespace))
        time.sleep(plan.moment)
        start = time.monotonic()
        child.process.send_signal(plan.how)
        if plan.again is not None and not _ended(child, plan.again):
            child.process.send_signal(plan.how)
        row['ended'] = _ended(child, END_SECONDS - (time.monotonic() - start))
        row['seconds'] = round(time.monotonic() - start, 2)
        row['status'] = child.end(signal.SIGKILL)
        row['gone_s'] = graph.seconds_until_gone(namespace, LEASE_SECONDS)
        row['lines'] = [line for _, line in child.lines if WRONG.search(line)]
    return row


def _wait_for(child: Child, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + START_SECONDS
    while not condition():
        if not child.alive or time.monotonic() > end:
            raise RuntimeError(f'the node did not start:\n{child.text()}')
        time.sleep(0.01)


def _ended(child: Child, seconds: float) -> bool:
    end = time.monotonic() + max(0.0, seconds)
    while child.alive:
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def evaluate(rows: list[dict[str, Any]]) -> list[str]:
    """Return what is not as promised."""
    problems = []
    for row in rows:
        about = f'{row["number"]} ({row["how"]}, images of {row["image_seconds"]} s)'
        if not row['ended']:
            problems.append(f'{about}: still ran after {END_SECONDS:g} s')
        elif row['status']:
            problems.append(f'{about}: status {row["status"]}')
        if row['gone_s'] is None:
            problems.append(f'{about}: still in the graph after {LEASE_SECONDS:g} s')
        problems += [f'{about}: {line}' for line in row['lines']]
    return problems


@contextmanager
def load(hogs: int, variables: Mapping[str, str]) -> Iterator[None]:
    """Run a camera, and processes that use a core each."""
    camera = [sys.executable, '-m', 'headpose_ros.node.demo_camera', '--loop', '--wait', '0']
    with ExitStack() as stack:
        for command in [camera, *[[sys.executable, '-c', HOG]] * hogs]:
            stack.enter_context(Child(command, variables))
        yield


def run_node(seconds: float, arguments: list[str]) -> int:
    """Be the node whose images take long."""
    from headpose_ros.node.main import main as node_main
    from headpose_ros.pipeline import HeadPosePipeline

    class SlowPipeline(HeadPosePipeline):
        def process(self, *args: Any, **how: Any) -> Any:
            end = time.monotonic() + seconds
            print(BEGUN, flush=True)
            while True:
                result = super().process(*args, **how)
                if time.monotonic() >= end:
                    return result

    return node_main([sys.argv[0], *arguments], SlowPipeline)


def main() -> int:
    """Run; return 0 if all ended in order."""
    parser = options(__doc__, 'ends')
    parser.add_argument('--times', type=int, default=200)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--parallel', type=int, default=3, help='nodes at a time')
    parser.add_argument('--hogs', type=int, default=2, help='processes that only use CPU')
    parser.add_argument('--node', type=float, help=argparse.SUPPRESS)
    given, others = parser.parse_known_args()
    if given.node is not None:
        return run_node(given.node, others)
    os.setpriority(os.PRIO_PROCESS, 0, given.nice)
    out = Path(given.json).resolve().parent
    out.mkdir(parents=True, exist_ok=True)
    with private_domain() as domain:
        variables = environment(domain, out / 'log')
        os.environ.update(variables)
        graph = Graph()
        rows = []
        with load(given.hogs, variables), ThreadPoolExecutor(given.parallel) as pool:
            todo = plans(given.times, given.seed)
            for row in pool.map(lambda plan: end_one(plan, graph, variables), todo):
                rows.append(row)
                print({k: v for k, v in row.items() if k != 'lines' or v}, flush=True)
        graph.close()
    problems = evaluate(rows)
    seconds = [row['seconds'] for row in rows]
    figures = {
        'times': len(rows),
        'statuses': Counter(row['status'] for row in rows),
        'seconds': {'median': float(np.median(seconds)), 'max': max(seconds)},
        'late': sum((row['gone_s'] or 0.0) > LATE_SECONDS for row in rows),
        'load': os.getloadavg()[0],
        'problems': problems,
        'rows': rows,
    }
    write(given.json, figures)
    for problem in problems:
        print(f'ends: {problem}', file=sys.stderr)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
