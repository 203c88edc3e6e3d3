# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where shots go: a file that gets all of them, or a viewer that gets what it can take.

Each destination has a thread of its own. What it cannot take in time is left out; it never waits
for a viewer, and the one who gives the shots never waits for it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from headpose_ros.attention.events import HeadEvent
from headpose_ros.media.files import SinkError, require_room, require_writable
from headpose_ros.viewer import require_rerun
from headpose_ros.viewer.shot import Shot

APPLICATION = 'headpose'
MAX_RATE_HZ = 30.0
"""Images a second that a viewer gets at most."""
QUEUED = 4
"""Shots that wait at most for a viewer; older ones are left out."""
PATIENCE_SECONDS = 3.0
"""How long closing waits for what a viewer still has to take."""
_MOST_EVENTS = 100
_CHECK_EVERY = 100
"""Shots between looks at how full the disk is."""

_logger = logging.getLogger(__name__)


class Feed:
    """Hands shots to a `sink` in a thread of its own.

    `lossless`: `put` waits where `QUEUED` shots wait already (a file); otherwise the oldest of
    them is left out (a viewer), and so is what comes faster than `max_rate_hz`. `taken` and
    `left_out` count shots. An error of the sink ends the feed; `error` holds it.
    """

    def __init__(
        self,
        sink: Callable[[Shot], None],
        finish: Callable[[], None] = lambda: None,
        lossless: bool = False,
        max_rate_hz: float = MAX_RATE_HZ,
    ) -> None:
        self.taken = self.left_out = 0
        self.error: Exception | None = None
        self._sink, self._finish = sink, finish
        self._lossless = lossless
        self._spacing = 0.0 if lossless else 0.9 / max_rate_hz
        self._next = 0.0
        self._shots: deque[Shot] = deque()
        self._changed = threading.Condition()
        self._ends = False
        self._thread = threading.Thread(target=self._run, name='viewer feed', daemon=True)
        self._thread.start()

    def put(self, shot: Shot) -> None:
        """Hand over a shot. Never waits, unless the feed is lossless."""
        with self._changed:
            now = time.monotonic()
            if self._ends or self.error is not None or now < self._next:
                self.left_out += 1
                return
            self._next = now + self._spacing
            while self._lossless and len(self._shots) >= QUEUED and self.error is None:
                self._changed.wait()
            if len(self._shots) >= QUEUED:
                self._shots.popleft()
                self.left_out += 1
            self._shots.append(shot)
            self._changed.notify_all()

    def close(self, patience: float | None = None) -> bool:
        """Take no more, and wait until what waits is handed over; return whether it was.

        `patience`: seconds, None for as long as it takes.
        """
        with self._changed:
            self._ends = True
            self._changed.notify_all()
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    while not self._shots and not self._ends:
                        self._changed.wait()
                    if not self._shots:
                        break
                    shot = self._shots.popleft()
                    self._changed.notify_all()
                self._sink(shot)
                self.taken += 1
            self._finish()
        except Exception as error:
            _logger.debug('the feed of the viewer ends', exc_info=True)
            with self._changed:
                self.error = error
                self._shots.clear()
                self._changed.notify_all()


class RecordingFile:
    """A `.rrd` file of all shots. Use it as a context, or call `close`."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises SinkError where it cannot be written, ViewerError without Rerun."""
        require_rerun()
        require_writable(path)
        require_room(path)
        from headpose_ros.viewer.scene import Scene

        self._path = path
        self._put = 0
        self._recording = _recording()
        self._recording.save(path)
        scene = Scene(self._recording)
        self._feed = Feed(scene.log, scene.finish, lossless=True)

    def put(self, shot: Shot) -> None:
        """Add a shot. Waits only where the disk is slow. Raises SinkError where it fails."""
        if self._put % _CHECK_EVERY == 0:
            require_room(self._path)
        self._put += 1
        self._feed.put(shot)
        self._check()

    def close(self) -> None:
        """Write the rest. Raises SinkError where something could not be written."""
        self._feed.close()
        try:
            self._recording.flush()
        except Exception as error:
            raise SinkError(f'{self._path}: could not be written to its end: {error}') from error
        finally:
            self._recording.disconnect()
        self._check()

    def _check(self) -> None:
        if self._feed.error is not None:
            raise SinkError(f'{self._path}: {self._feed.error}') from self._feed.error

    def __enter__(self) -> RecordingFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class LiveView:
    """A viewer in the browser, for shots as they come. Use it as a context, or call `close`.

    `url`: the page. `host`, `port`: where it is served; port 0 is any that is free.
    """

    def __init__(
        self,
        host: str = 'localhost',
        port: int = 0,
        max_rate_hz: float = MAX_RATE_HZ,
    ) -> None:
        """Start it. Raises ViewerError where it cannot be, or Rerun is missing."""
        require_rerun()
        from headpose_ros.viewer.scene import Scene
        from headpose_ros.viewer.web_viewer import WebViewer

        self._told = False
        # Events come once: those of shots that are left out are shown with the next.
        self._events: deque[HeadEvent] = deque(maxlen=_MOST_EVENTS)
        self._web = WebViewer(host, port)
        self.url = self._web.url
        self.port = self._web.port
        try:
            self._recording = _recording()
            self._recording.connect_grpc(self._web.feed_url)
            self._scene = Scene(self._recording)
            self._feed = Feed(self._show, self._scene.finish, max_rate_hz=max_rate_hz)
        except BaseException:
            self._web.close()
            raise

    @property
    def is_open(self) -> bool:
        """Whether the viewer still takes shots."""
        return self._feed.error is None and self._web.is_running

    @property
    def taken(self) -> int:
        """Shots that were shown."""
        return self._feed.taken

    def put(self, shot: Shot) -> None:
        """Show a shot, or leave it out where the viewer is closed or behind. Never waits."""
        if self.is_open:
            self._events.extend(shot.attention.events if shot.attention else ())
            self._feed.put(shot)
        elif not self._told:
            self._told = True
            reason = self._feed.error or 'its server has ended'
            _logger.warning('the viewer shows no more: %s', reason)

    def finish(self) -> None:
        """Hand over what waits, and take no more; the page stays until `close`."""
        if not self._feed.close(PATIENCE_SECONDS):
            return
        # It may wait for ever for a server that stands still.
        flushing = threading.Thread(target=self._flush, daemon=True)
        flushing.start()
        flushing.join(PATIENCE_SECONDS)

    def close(self) -> None:
        """End it. What the browser has got stays there."""
        self._told = True
        self.finish()
        # The server: whatever still waits for it is free then.
        self._web.close()
        self._feed.close(PATIENCE_SECONDS)

    def _show(self, shot: Shot) -> None:
        events = [self._events.popleft() for _ in range(len(self._events))]
        self._scene.log(shot, events)

    def _flush(self) -> None:
        with contextlib.suppress(Exception):
            self._recording.flush()
            self._recording.disconnect()

    def __enter__(self) -> LiveView:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _recording() -> Any:
    import rerun as rr

    return rr.RecordingStream(APPLICATION, recording_id=uuid.uuid4())
