# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The newest item only, in a thread that survives errors."""

import threading

from headpose_ros.node.worker import NewestWorker


def test_older_items_are_dropped_and_counted():
    started, go, handled = threading.Event(), threading.Event(), []
    done = threading.Event()

    def handle(item):
        started.set()
        go.wait(5)
        handled.append(item)
        if item == 4:
            done.set()

    worker = NewestWorker(handle, handled.append)
    worker.put(1)
    assert started.wait(5)
    for item in (2, 3, 4):
        worker.put(item)
    go.set()
    assert done.wait(5)
    assert worker.stop(5)
    assert (handled, worker.dropped) == ([1, 4], 2)


def test_an_exception_is_handed_over_and_the_thread_lives():
    errors, done = [], threading.Event()

    def handle(item):
        if item == 'bad':
            raise RuntimeError('oh')
        done.set()

    told = threading.Event()
    worker = NewestWorker(handle, lambda error: (errors.append(str(error)), told.set()))
    worker.put('bad')
    assert told.wait(5)
    worker.put('good')
    assert done.wait(5)
    assert worker.stop(5)
    assert errors == ['oh']


def test_stop_gives_up_on_a_stuck_item():
    go, started = threading.Event(), threading.Event()

    def handle(_):
        started.set()
        go.wait(10)

    worker = NewestWorker(handle, lambda _: None)
    worker.put(1)
    assert started.wait(5)
    assert not worker.stop(0.01)
    go.set()
    assert worker.stop(5)


def test_idle_only_while_nothing_is_waiting_or_handled():
    go, started = threading.Event(), threading.Event()

    def handle(_):
        started.set()
        go.wait(10)

    worker = NewestWorker(handle, lambda _: None)
    assert worker.is_idle
    worker.put(1)
    assert not worker.is_idle
    assert started.wait(5)
    assert not worker.is_idle
    go.set()
    worker.stop(5)
    assert worker.is_idle
