# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shared parts of the reliability runs: processes with recorded output, a consumer of results."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from headpose_ros.node.depth import nanoseconds
from headpose_ros.node.private_graph import end_with_parent


def options(description: str | None, name: str) -> argparse.ArgumentParser:
    """Return a parser that has `--json`."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--json', default=f'out/reliability/{name}.json', help='write here')
    parser.add_argument('--nice', type=int, default=0, help='of all processes; < 0 needs root')
    return parser


def write(path: str, figures: Mapping[str, Any]) -> None:
    """Write figures and print them."""
    text = json.dumps(figures, indent=2)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text + '\n')
    print(text)


class Child:
    """A process whose output lines are kept with their times; killed at the end of `with`."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.lines: list[tuple[float, str]] = []
        self.process = subprocess.Popen(
            list(command),
            env=dict(environment),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_parent(),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGKILL)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def when(self, pattern: str) -> float | None:
        """Return the monotonic time of the first line that matches, None before."""
        return next((at for at, line in list(self.lines) if re.search(pattern, line)), None)

    def end(self, how: signal.Signals, timeout: float = 10.0) -> int:
        """Signal the whole session, where it lives; return the exit status."""
        if self.alive:
            os.killpg(self.process.pid, how)
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            status = self.process.wait()
        self._reader.join(timeout)
        return status

    def text(self) -> str:
        """Return all lines."""
        return '\n'.join(line for _, line in self.lines)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line.rstrip('\n')))


MEMORY_KINDS = ('anon', 'file', 'shmem')


def memory_mb(pid: int) -> tuple[float, ...]:
    """Return the resident memory of a process by `MEMORY_KINDS`.

    Its own (heap, stacks, what it wrote), pages of files (libraries, weights), shared segments.
    """
    lines = Path(f'/proc/{pid}/status').read_text().splitlines()
    kb = {line.split(':')[0]: int(line.split()[1]) for line in lines if line.startswith('Rss')}
    return tuple(kb[f'Rss{kind.capitalize()}'] / 1024 for kind in MEMORY_KINDS)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process since its start, all threads."""
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


@dataclass
class Received:
    """What a consumer saw since it was last emptied."""

    at: list[float] = field(default_factory=list)
    latency: list[float] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    frames: set[str] = field(default_factory=set)


class Consumer:
    """Listens to heads, TF and diagnostics of one node, in its own thread."""

    def __init__(self, node_name: str = '/headpose') -> None:
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.qos import QoSProfile
        from tf2_msgs.msg import TFMessage

        from headpose_ros.msg import HeadPoseArray
        from headpose_ros.node.spinning import spin

        rclpy.init()
        self.node = rclpy.create_node('reliability_consumer')
        self.diagnostics: dict[str, str] = {}
        self.levels: list[tuple[float, str]] = []
        self._lock = threading.Lock()
        self._received = Received()
        qos = QoSProfile(depth=50)
        self._subscriptions = [
            self.node.create_subscription(HeadPoseArray, f'{node_name}/heads', self._heads, qos),
            self.node.create_subscription(
                TFMessage, '/tf', self._transforms, QoSProfile(depth=100)
            ),
            self.node.create_subscription(DiagnosticArray, '/diagnostics', self._status, 10),
        ]
        self._thread = threading.Thread(target=spin, args=(self.node,), daemon=True)
        self._thread.start()

    def take(self) -> Received:
        """Return what came since the last call."""
        with self._lock:
            received, self._received = self._received, Received()
        return received

    def results_at(self) -> list[float]:
        """Return the monotonic times of the results since the last `take`."""
        with self._lock:
            return list(self._received.at)

    def close(self) -> None:
        """Leave the graph."""
        import rclpy

        rclpy.try_shutdown()
        self._thread.join()

    def _heads(self, message: Any) -> None:
        at = time.monotonic()
        latency = (time.time_ns() - nanoseconds(message.header)) / 1e9
        with self._lock:
            self._received.at.append(at)
            self._received.latency.append(latency)
            self._received.heads.append(len(message.heads))
            self._received.ids.update(head.id for head in message.heads)

    def _transforms(self, message: Any) -> None:
        with self._lock:
            self._received.frames.update(t.child_frame_id for t in message.transforms)

    def _status(self, message: Any) -> None:
        for status in message.status:
            if status.name.endswith(': head poses'):
                self.diagnostics = {item.key: item.value for item in status.values}
                if status.level != b'\x00':
                    self.levels.append((time.monotonic(), status.message))


def milliseconds(latency: Sequence[float]) -> dict[str, float]:
    """Return p50, p95 and max in ms, of at least one."""
    p50, p95 = np.percentile(latency, [50, 95])
    return {
        'p50_ms': round(1e3 * float(p50), 2),
        'p95_ms': round(1e3 * float(p95), 2),
        'max_ms': round(1e3 * max(latency), 2),
    }
