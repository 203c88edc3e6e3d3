# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Memory and CPU of the node in each lifecycle state, for several rounds, as a table.

    python -m benchmark.reliability.lifecycle --rounds 4

A camera plays the packaged clip at 30 Hz throughout. Some seconds after activation a subscriber
is added. Memory is given as the node's own (heap and stacks) and, separately, as pages of
libraries; CPU is a share of one core. The status is 1 where the memory after cleanup rises, from
the first half of the rounds to the second, by a tenth of what cleanup frees, or where an idle
state uses CPU.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmark.reliability.graph_tools import Child, cpu_seconds, memory_mb, options, write
from headpose_ros.node.private_graph import environment, private_domain

SETTLING_SECONDS, MEASURED_SECONDS = 1.0, 4.0
MAX_KEPT = 0.1
MAX_IDLE_CPU = 0.05


class Operator:
    """Requests lifecycle states of the node, and subscribes to it on demand."""

    def __init__(self, name: str) -> None:
        import rclpy
        from lifecycle_msgs.srv import ChangeState

        rclpy.init()
        self._name = name
        self._node = rclpy.create_node('lifecycle_operator')
        self._client = self._node.create_client(ChangeState, f'{name}/change_state')
        self._heads = 0
        if not self._client.wait_for_service(30.0):
            raise RuntimeError(f'no service {name}/change_state')

    def close(self) -> None:
        """Leave the graph."""
        import rclpy

        rclpy.shutdown()

    def change(self, transition: str) -> None:
        """Do a transition such as 'configure'; raise RuntimeError where it fails."""
        import rclpy
        from lifecycle_msgs.msg import Transition
        from lifecycle_msgs.srv import ChangeState

        request = ChangeState.Request()
        request.transition.id = getattr(Transition, f'TRANSITION_{transition.upper()}')
        future = self._client.call_async(request)
        rclpy.spin_until_future_complete(self._node, future, timeout_sec=60.0)
        answer = future.result()
        if answer is None or not answer.success:
            raise RuntimeError(f'{transition} failed')

    def wait(self, seconds: float, subscribed: bool = False) -> int:
        """Let time pass; return how many people were in what came meanwhile."""
        import rclpy

        from headpose_ros.msg import HeadPoseArray

        self._heads = 0
        subscription = None
        if subscribed:
            topic = f'{self._name}/heads'
            subscription = self._node.create_subscription(HeadPoseArray, topic, self._count, 10)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            rclpy.spin_once(self._node, timeout_sec=left)
        if subscription is not None:
            self._node.destroy_subscription(subscription)
        return self._heads

    def _count(self, message: Any) -> None:
        self._heads += len(message.heads)


def measure(pid: int, operator: Operator, state: str, subscribed: bool = False) -> dict[str, Any]:
    """Return memory and CPU of the process in the state that it is in."""
    operator.wait(SETTLING_SECONDS, subscribed)
    before = cpu_seconds(pid)
    people = operator.wait(MEASURED_SECONDS, subscribed)
    spent = cpu_seconds(pid) - before
    anon, file, _ = memory_mb(pid)
    return {
        'state': state,
        'anon_mb': round(anon, 1),
        'file_mb': round(file, 1),
        'cpu': round(spent / MEASURED_SECONDS, 3),
        'people': people,
    }


def go_round(pid: int, operator: Operator) -> list[dict[str, Any]]:
    """Take the node from unconfigured through all states and back."""
    operator.change('configure')
    rows = [measure(pid, operator, 'inactive')]
    operator.change('activate')
    rows.append(measure(pid, operator, 'active, no subscriber'))
    rows.append(measure(pid, operator, 'active, processing', subscribed=True))
    operator.change('deactivate')
    rows.append(measure(pid, operator, 'inactive again'))
    operator.change('cleanup')
    rows.append(measure(pid, operator, 'cleaned up'))
    return rows


def evaluate(rounds: list[list[dict[str, Any]]]) -> list[str]:
    """Return what is not as promised."""
    problems = []
    # What is freed stays with the process where something lies above it: the least counts.
    cleaned = [rows[-1]['anon_mb'] for rows in rounds]
    half = len(cleaned) // 2
    added = max(row['anon_mb'] for row in rounds[-1]) - cleaned[-1]
    grown = min(cleaned[half:]) - min(cleaned[: half or 1])
    if grown > MAX_KEPT * added:
        problems.append(f'cleanup leaves {grown:.1f} MB more than before, of {added:.1f} MB')
    for rows in rounds:
        for row in rows:
            if row['state'] != 'active, processing' and row['cpu'] > MAX_IDLE_CPU:
                problems.append(f'{row["state"]}: {row["cpu"]:.0%} of a core')
            if row['state'] == 'active, processing' and not row['people']:
                problems.append('nobody was found')
    return problems


def main() -> int:
    """Run; return 0 if all promises are kept."""
    parser = options(__doc__, 'lifecycle')
    parser.add_argument('--rounds', type=int, default=4)
    given = parser.parse_args()
    out = Path(given.json).resolve().parent
    out.mkdir(parents=True, exist_ok=True)
    with private_domain() as domain:
        variables = environment(domain, out / 'log')
        os.environ.update(variables)
        camera_command = [sys.executable, '-m', 'headpose_ros.node.demo_camera', '--loop']
        node_command = [sys.executable, '-m', 'headpose_ros.node.main']
        node_command += ['--ros-args', '-p', 'autostart:=false']
        with (
            Child([*camera_command, '--wait', '0'], variables),
            Child(node_command, variables) as node,
        ):
            operator = Operator('/headpose')
            pid = node.process.pid
            start = measure(pid, operator, 'unconfigured')
            print(start, flush=True)
            rounds = []
            for _ in range(given.rounds):
                rounds.append(go_round(pid, operator))
                for row in rounds[-1]:
                    print(row, flush=True)
            operator.close()
    problems = evaluate(rounds)
    write(given.json, {'start': start, 'rounds': rounds, 'problems': problems})
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
