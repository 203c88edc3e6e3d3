# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A thread that processes the newest item only."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar('T')


class NewestWorker(Generic[T]):
    """Calls `handle` in a thread of its own with the newest item put; older ones are dropped.

    `on_error` gets what `handle` raises; the thread lives on.
    """

    def __init__(self, handle: Callable[[T], None], on_error: Callable[[Exception], None]) -> None:
        self._handle = handle
        self._on_error = on_error
        self._wake = threading.Condition()
        self._item: T | None = None
        self._dropped = 0
        self._handling = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name='headpose_worker', daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Items that were replaced by a newer one before they were handled."""
        return self._dropped

    @property
    def is_idle(self) -> bool:
        """Whether no item is waiting or being handled."""
        with self._wake:
            return self._item is None and not self._handling

    def put(self, item: T) -> None:
        """Hand over an item; does not wait for the handling."""
        with self._wake:
            if self._item is not None:
                self._dropped += 1
            self._item = item
            self._wake.notify()

    def stop(self, timeout: float) -> bool:
        """Finish the present item, at most `timeout` seconds; return whether the thread ended."""
        with self._wake:
            self._stopping = True
            self._item = None
            self._wake.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._handling = False
                self._wake.wait_for(lambda: self._stopping or self._item is not None)
                if self._stopping:
                    return
                item, self._item = self._item, None
                self._handling = True
            try:
                self._handle(item)  # type: ignore[arg-type]
            except Exception as error:
                self._on_error(error)
