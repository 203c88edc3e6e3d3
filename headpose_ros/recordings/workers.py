# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Jobs in processes of this machine. One that dies takes only its own job with it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from typing import Any, Protocol

from headpose_ros.recordings.jobs import Job, Outcome, execute
from headpose_ros.recordings.settings import Settings

REPORT_SECONDS = 0.25
ATTEMPTS = 2
"""How often a job is begun whose process dies."""


class Engine(Protocol):
    """Does jobs, some at a time."""

    @property
    def capacity(self) -> int:
        """How many jobs it takes at once."""
        ...

    def submit(self, job: Job) -> None:
        """Begin a job."""
        ...

    def finished(self) -> Iterator[tuple[Job, Outcome]]:
        """Yield what was finished, after a short wait at most."""
        ...

    def images(self) -> int:
        """Return how many images were done since it was asked last."""
        ...

    def close(self) -> None:
        """End all processes, whatever they are at."""
        ...


class LocalEngine:
    """`jobs` processes, each with a pool of its own; `timeout`: seconds without an image.

    A job whose process dies is begun once more; one that gives no image for `timeout` is ended.
    """

    def __init__(self, settings: Settings, jobs: int, timeout: float) -> None:
        self.capacity = jobs
        self._slots = [_Slot(settings, timeout) for _ in range(jobs)]

    def submit(self, job: Job) -> None:
        """Begin a job in a process that is free."""
        next(slot for slot in self._slots if slot.job is None).begin(job)

    def finished(self) -> Iterator[tuple[Job, Outcome]]:
        """Yield what was finished, after a short wait at most."""
        futures = [slot.future for slot in self._slots if slot.future is not None]
        if futures:
            wait(futures, timeout=REPORT_SECONDS, return_when=FIRST_COMPLETED)
        for slot in self._slots:
            if done := slot.take():
                yield done

    def images(self) -> int:
        """Return how many images were done since it was asked last."""
        return sum(slot.images() for slot in self._slots)

    def close(self) -> None:
        """End all processes, whatever they are at."""
        for slot in self._slots:
            slot.end()


class _Slot:
    """A pool of one process, made anew where that dies."""

    def __init__(self, settings: Settings, timeout: float) -> None:
        self._settings, self._timeout = settings, timeout
        self._pool: ProcessPoolExecutor | None = None
        self._receiver: Connection | None = None
        self._process = 0
        self._attempts = 0
        self._images = 0
        self._alive_at = 0.0
        self._stalled = False
        self.job: Job | None = None
        self.future: Future[Outcome] | None = None

    def begin(self, job: Job) -> None:
        self.job, self._attempts = job, 0
        self._submit()

    def take(self) -> tuple[Job, Outcome] | None:
        """Return the job and what came of it, where it is finished."""
        self._hear()
        job, future = self.job, self.future
        if job is None or future is None:
            return None
        if not future.done():
            self._watch()
            return None
        try:
            outcome = future.result()
        except BrokenProcessPool:
            ended = self._died()
            if ended is None:
                return None
            outcome = ended
        self.job = self.future = None
        return job, outcome

    def images(self) -> int:
        self._hear()
        images, self._images = self._images, 0
        return images

    def end(self) -> None:
        """End the process."""
        pool, self._pool = self._pool, None
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)
        if self._receiver is not None:
            self._receiver.close()
        self._process, self._receiver = 0, None

    def _submit(self) -> None:
        assert self.job is not None
        self._attempts += 1
        self._stalled = False
        self._alive_at = time.monotonic()
        if self._pool is None:
            context = multiprocessing.get_context('spawn')
            self._receiver, sender = context.Pipe(duplex=False)
            self._pool = ProcessPoolExecutor(
                1, context, initializer=_begin_process, initargs=(sender, self._settings)
            )
        self.future = self._pool.submit(_run, self.job)

    def _died(self) -> Outcome | None:
        """Begin the job once more; return why not, where that makes no sense."""
        stalled = self._stalled
        self.end()
        if stalled:
            return Outcome(f'no image came for {self._timeout:g} s (--timeout); given up')
        if self._attempts >= ATTEMPTS:
            return Outcome(
                f'its process died {self._attempts} times: is there enough memory? Fewer --jobs '
                'need less'
            )
        self._submit()
        return None

    def _hear(self) -> None:
        while self._receiver is not None and wait_for([self._receiver], 0):
            try:
                process, images = self._receiver.recv()
            except (EOFError, OSError):
                return
            self._process = process
            self._images += images
            self._alive_at = time.monotonic()

    def _watch(self) -> None:
        if self._process and time.monotonic() - self._alive_at > self._timeout:
            self._stalled = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)


class Reporter:
    """Counts images and passes them on from time to time, by `send`."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self._images = 0
        self._sent_at = 0.0

    def __call__(self, images: int) -> None:
        """Count so many more images."""
        self._images += images
        now = time.monotonic()
        if now - self._sent_at >= REPORT_SECONDS:
            self._sent_at = now
            self.flush()

    def flush(self) -> None:
        """Pass on what was counted."""
        images, self._images = self._images, 0
        self._send(images)


_settings: Settings | None = None
_reporter: Reporter | None = None


def _begin_process(sender: Connection, settings: Settings) -> None:
    global _settings, _reporter
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its processes itself
    quieten()
    # Decoders write there what we say in our own words.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def send(images: int) -> None:
        with contextlib.suppress(OSError):
            sender.send((os.getpid(), images))

    _settings, _reporter = settings, Reporter(send)
    _reporter.flush()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _run(job: Job) -> Outcome:
    assert _settings is not None
    assert _reporter is not None
    _reporter.flush()
    outcome = execute(job, _settings, _reporter)
    _reporter.flush()
    return outcome


def quieten() -> None:
    """Have OpenCV neither print what we say ourselves, nor take more cores than its share."""
    import cv2

    cv2.setNumThreads(1)
