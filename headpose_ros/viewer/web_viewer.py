# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The viewer's server as a process of its own, which ends with this one."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import webbrowser
from pathlib import Path
from typing import Any

from headpose_ros.viewer import ViewerError

DEFAULT_PORT = 9090
MEMORY_LIMIT = '512MB'
"""Kept of a live recording, for browsers that open later; the oldest is dropped first."""
_START_SECONDS = 30.0


class WebViewer:
    """`python -m headpose_ros.viewer.web_server`, and where it is.

    `url`: the page; `port`: its port; `feed_url`: where Rerun recordings go to be shown.
    """

    def __init__(
        self, host: str = 'localhost', port: int = DEFAULT_PORT, recording: Path | None = None
    ) -> None:
        """Start it, with what is in the file `recording`. Raises ViewerError where it fails."""
        command = [sys.executable, '-m', 'headpose_ros.viewer.web_server']
        command += ['--host', host, '--port', str(port), '--memory', MEMORY_LIMIT]
        command += [str(recording.resolve())] if recording else []
        # A session of its own: Ctrl-C is for the program that is watched, which ends this one by
        # closing its standard input, however it ends itself.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        try:
            answer = self._answer()
        except BaseException:
            self.close()
            raise
        self.url: str = answer['url']
        self.port: int = answer['port']
        self.feed_url: str = answer['feed']

    @property
    def is_running(self) -> bool:
        """Whether it still serves."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it. Harmless when done twice."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _START_SECONDS)
        line = self._process.stdout.readline() if ready else ''
        if not line:
            raise ViewerError('the viewer did not start')
        answer: dict[str, Any] = json.loads(line)
        if 'error' in answer:
            raise ViewerError(answer['error'])
        return answer


def announce(url: str, port: int, opens: bool) -> None:
    """Say where the viewer is, and open a browser where one is wanted and there is a screen."""
    over_ssh = 'SSH_CONNECTION' in os.environ
    hint = f' (from your machine first: ssh -L {port}:localhost:{port} ...)' if over_ssh else ''
    print(f'viewer: {url}{hint}', file=sys.stderr, flush=True)
    has_screen = bool(os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY'))
    if opens and has_screen and not over_ssh:
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
