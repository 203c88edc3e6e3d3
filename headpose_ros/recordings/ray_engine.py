# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Jobs on a Ray cluster. Results are files in a folder that all machines share; Ray carries none.

What Ray does: a task for each job, begun again where its process or machine dies. What is done
here: no more tasks at a time than the cluster has use for, all cameras of a recording where it was
opened first if there is room, and progress by an actor beside the driver.
"""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from headpose_ros.recordings.extras import require
from headpose_ros.recordings.jobs import Job, Outcome, execute
from headpose_ros.recordings.settings import Settings
from headpose_ros.recordings.workers import REPORT_SECONDS, Reporter, quieten

RETRIES = 3
"""How often a task is begun again whose process or machine dies."""

AHEAD = 2
"""Tasks that are submitted for each core: one that works, one that waits."""

CONNECT_SECONDS = 10.0
_RESOURCES_SECONDS = 5.0


class RayEngine:
    """Tasks on the cluster at `address`; '': that of RAY_ADDRESS, or else one on this machine.

    `timeout`: seconds without an image after which a task that was begun is given up.
    """

    def __init__(self, settings: Settings, address: str, timeout: float) -> None:
        require('ray', 'ray')
        os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')  # nothing is sent anywhere
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self._ray = ray
        self._timeout = timeout
        _require_answer(address)
        ray.init(address=address or None, log_to_driver=False, include_dashboard=False)
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._tally: Any = (
            ray.remote(num_cpus=0)(_Tally).options(scheduling_strategy=here).remote()
        )
        self._settings = ray.put(settings)
        self._task: Any = ray.remote(num_cpus=1, max_retries=RETRIES)(_run)
        self._running: dict[Any, tuple[Job, int]] = {}
        self._heard: dict[int, float] = {}
        self._given_up: set[int] = set()
        self._tokens = 0
        self._capacity, self._asked_at = 1, -_RESOURCES_SECONDS

    @property
    def capacity(self) -> int:
        """How many tasks the cluster takes now; it may grow and shrink."""
        now = time.monotonic()
        if now - self._asked_at > _RESOURCES_SECONDS:
            self._asked_at = now
            resources: Any = self._ray.cluster_resources  # not typed
            self._capacity = max(1, int(AHEAD * resources().get('CPU', 1)))
        return self._capacity

    def submit(self, job: Job) -> None:
        """Begin a task."""
        self._tokens += 1
        task = self._task.options(name=job.label, scheduling_strategy=_strategy(job))
        reference = task.remote(job, self._settings, self._tally, self._tokens)
        self._running[reference] = job, self._tokens

    def finished(self) -> Iterator[tuple[Job, Outcome]]:
        """Yield what was finished, after a short wait at most."""
        references = list(self._running)
        if not references:
            return
        ready, _ = self._ray.wait(
            references, num_returns=len(references), timeout=REPORT_SECONDS, fetch_local=True
        )
        for reference in ready:
            job, token = self._running.pop(reference)
            self._heard.pop(token, None)
            yield job, self._outcome(reference, token)

    def images(self) -> int:
        """Return how many images were done since it was asked last."""
        counts: dict[int, int] = self._ray.get(self._tally.take.remote())
        now = time.monotonic()
        self._heard.update(dict.fromkeys(counts, now))
        for reference, (_, token) in self._running.items():
            if now - self._heard.get(token, now) > self._timeout:
                self._given_up.add(token)
                self._ray.cancel(reference, force=True)
        return sum(counts.values())

    def close(self) -> None:
        """End all tasks, and leave the cluster."""
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        self._ray.shutdown()

    def _outcome(self, reference: Any, token: int) -> Outcome:
        try:
            outcome: Outcome = self._ray.get(reference)
            return outcome
        except self._ray.exceptions.RayError as error:
            if token in self._given_up:
                return Outcome(f'no image came for {self._timeout:g} s (--timeout); given up')
            reason = ' '.join(str(error).split())
            return Outcome(f'the cluster could not finish it: {type(error).__name__}: {reason}')


def _require_answer(address: str) -> None:
    """Raise ConnectionError where nobody answers at an address; Ray would wait for minutes."""
    host, _, port = address.rpartition('://')[2].rpartition(':')
    if not (host and port.isdigit()):
        return
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        raise ConnectionError(f'--ray {address}: no cluster answers there: {error}') from None


class _Tally:
    """Counts images by task; runs as an actor."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, token: int, images: int) -> None:
        self._counts[token] += images

    def take(self) -> dict[int, int]:
        """Return the counts since the last call, of tasks without images too."""
        counts, self._counts = dict(self._counts), Counter()
        return counts


def _run(job: Job, settings: Settings, tally: Any, token: int) -> Outcome:
    """Do a job on a machine of the cluster."""
    import ray

    quieten()
    reporter = Reporter(lambda images: tally.add.remote(token, images))
    reporter.flush()
    outcome = execute(job, settings, reporter)
    reporter.flush()
    return replace(outcome, node=ray.get_runtime_context().get_node_id())


def _strategy(job: Job) -> Any:
    """Return where to do a job: the cameras of a recording where it was read before."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    if job.node and len(job.parts) == 1:
        return NodeAffinitySchedulingStrategy(job.node, soft=True, _spill_on_unavailable=True)
    return 'SPREAD' if job.step == 'plan' else 'DEFAULT'
