# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Kill and restart camera and node in random order, a hundred times, and time the recovery.

    python -m benchmark.reliability.restarts --times 100

Each time camera, node or both are ended, by SIGKILL or SIGTERM, and started again after a random
pause, in random order; the consumer keeps running. The camera is *ready* when it has advertised
its topics, the node when it is active; both log it. *Recovery* is the time from both being ready
to the first result that the consumer receives. The time to load Python, libraries and models is
given separately. The status is 1 where a recovery takes more than 2 s, where SIGTERM does not end
a process with status 0, or where there is a traceback.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.reliability.graph_tools import Child, Consumer, options, write
from headpose_ros.node.private_graph import environment, private_domain

MAX_SECONDS = 2.0
PATIENCE = 30.0
COMMANDS = {
    'camera': ['-m', 'headpose_ros.node.demo_camera', '--loop'],
    # An empty message for the time without a camera would count as a result.
    'node': ['-m', 'headpose_ros.node.main', '--ros-args', '-p', 'silence_timeout:=60.0'],
}
READY_LINES = {'camera': 'waiting for a subscriber on', 'node': 'active: waiting for images'}
PAUSE_SECONDS = (0.0, 1.5)
WORK_SECONDS = (0.2, 1.5)


class Graph:
    """Camera and node, and how to end and start them."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._children: dict[str, Child] = {}
        self._started: dict[str, float] = {}
        self.problems: list[str] = []
        self.logs: list[str] = []

    def start(self, name: str) -> None:
        """Start one of the two."""
        self._started[name] = time.monotonic()
        self._children[name] = Child([sys.executable, *COMMANDS[name]], self._variables)

    def end(self, name: str, how: signal.Signals) -> None:
        """End it, and check its exit status and its log."""
        child = self._children[name]
        status = child.end(how)
        expected = -signal.SIGKILL if how == signal.SIGKILL else 0
        if status != expected:
            self.problems.append(f'{name} ended with {status} on {how.name}')
        for _, line in child.lines:
            if '[WARN]' in line or '[ERROR]' in line or 'Traceback' in line:
                self.logs.append(f'{name}: {line}')

    def ready(self) -> float | None:
        """Return the time at which both were ready, None while they are not."""
        times = [child.when(READY_LINES[name]) for name, child in self._children.items()]
        for name, child in self._children.items():
            if not child.alive:
                raise RuntimeError(f'the {name} died:\n{child.text()}')
        known = [at for at in times if at is not None]
        return max(known) if len(known) == len(times) else None

    def text(self) -> str:
        """Return all that both have said."""
        return '\n'.join(child.text() for child in self._children.values())

    def loading(self, name: str) -> float:
        """Return the seconds from start to ready."""
        at = self._children[name].when(READY_LINES[name])
        assert at is not None
        return at - self._started[name]


def recovery(graph: Graph, consumer: Consumer) -> float:
    """Wait for the first result after both are ready; return the seconds in between."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        ready = graph.ready()
        results = consumer.results_at()
        if ready is not None and (later := [at for at in results if at > ready]):
            return later[0] - ready
        time.sleep(0.005)
    raise RuntimeError(
        f'nothing came back in {PATIENCE:.0f} s:\n{graph.text()}\n{consumer.diagnostics}'
    )


def run(times: int, seed: int, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the figures of all restarts."""
    random = np.random.default_rng(seed)
    consumer, graph = Consumer(), Graph(variables)
    rows: list[dict[str, Any]] = []
    graph.start('camera')
    graph.start('node')
    try:
        first = recovery(graph, consumer)
        for number in range(times):
            time.sleep(random.uniform(*WORK_SECONDS))
            names = [('camera',), ('node',), ('camera', 'node')][random.integers(3)]
            ways = {n: [signal.SIGKILL, signal.SIGTERM][random.integers(2)] for n in names}
            for name in random.permutation(names):
                graph.end(str(name), ways[str(name)])
            time.sleep(random.uniform(*PAUSE_SECONDS))
            consumer.take()
            order = [str(name) for name in random.permutation(names)]
            for name in order:
                graph.start(name)
                time.sleep(random.uniform(*PAUSE_SECONDS) if len(order) > 1 else 0.0)
            seconds = recovery(graph, consumer)
            rows.append(
                {
                    'ended': {name: how.name for name, how in ways.items()},
                    'started': order,
                    'recovery_s': round(seconds, 3),
                    'loading_s': {name: round(graph.loading(name), 2) for name in order},
                    'load': round(os.getloadavg()[0], 1),
                }
            )
            print(number + 1, rows[-1], flush=True)
    finally:
        for name in ('camera', 'node'):
            graph.end(name, signal.SIGTERM)
        consumer.close()
    return summary(first, rows, graph)


def summary(first: float, rows: list[dict[str, Any]], graph: Graph) -> dict[str, Any]:
    """Return what is worth telling, and where a promise is not kept."""
    seconds = [row['recovery_s'] for row in rows]
    problems = list(graph.problems)
    problems += [
        f'{row["recovery_s"]} s: {row}' for row in rows if row['recovery_s'] > MAX_SECONDS
    ]
    problems += [line for line in graph.logs if 'Traceback' in line or 'callback failed' in line]
    loading = {
        name: [row['loading_s'][name] for row in rows if name in row['loading_s']]
        for name in COMMANDS
    }
    return {
        'times': len(rows),
        'first_start_s': round(first, 3),
        'recovery_s': _spread(seconds),
        'recovery_by_restarted_s': {
            name: _spread(
                [r['recovery_s'] for r in rows if '+'.join(sorted(r['started'])) == name]
            )
            for name in ('camera', 'node', 'camera+node')
        },
        'loading_s': {name: _spread(values) for name, values in loading.items()},
        'killed': sum(how == 'SIGKILL' for row in rows for how in row['ended'].values()),
        'terminated': sum(how == 'SIGTERM' for row in rows for how in row['ended'].values()),
        'problems': problems,
        'logged': sorted({line.split(']: ')[-1] for line in graph.logs}),
        'rows': rows,
    }


def _spread(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    p50, p95 = np.percentile(values, [50, 95])
    return {'p50': round(float(p50), 3), 'p95': round(float(p95), 3), 'max': max(values)}


def main() -> int:
    """Run; return 0 if all promises are kept."""
    parser = options(__doc__, 'restarts')
    parser.add_argument('--times', type=int, default=100)
    parser.add_argument('--seed', type=int, default=0)
    given = parser.parse_args()
    os.setpriority(os.PRIO_PROCESS, 0, given.nice)
    out = Path(given.json).resolve().parent
    out.mkdir(parents=True, exist_ok=True)
    with private_domain() as domain:
        variables = environment(domain, out / 'log')
        os.environ.update(variables)
        figures = run(given.times, given.seed, variables)
    write(given.json, {**figures, 'nice': given.nice})
    for problem in figures['problems']:
        print(f'restarts: {problem}', file=sys.stderr)
    return 1 if figures['problems'] else 0


if __name__ == '__main__':
    sys.exit(main())
