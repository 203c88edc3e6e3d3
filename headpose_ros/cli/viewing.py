# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The browser's viewer on the command line: --view and --rerun."""

from __future__ import annotations

import argparse
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from headpose_ros.attention import AttentionResult
    from headpose_ros.result import FrameResult
    from headpose_ros.typing import Image
    from headpose_ros.viewer.feeds import LiveView, RecordingFile


class Address(NamedTuple):
    """Where to serve the viewer. `port` None: any, and a browser is opened where there is one."""

    host: str = 'localhost'
    port: int | None = None


def address(text: str) -> Address:
    """Parse PORT or HOST:PORT."""
    host, _, port = text.rpartition(':')
    if not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise argparse.ArgumentTypeError(
            f'expected PORT or HOST:PORT, got {text!r} (the input goes before --view)'
        )
    return Address(host.strip('[]') or 'localhost', int(port))


def add_viewing_options(parser: argparse.ArgumentParser) -> None:
    """Add --view and --rerun."""
    add = parser.add_argument
    add(
        '--view', nargs='?', type=address, const=Address(), metavar='PORT',
        help='show all of it live in the browser; with PORT, serve it there, which one can '
        'forward by SSH. It is for this machine only; HOST:PORT, such as 0.0.0.0:9090, is for '
        'others too',
    )  # fmt: skip
    add(
        '--rerun', type=Path, metavar='FILE.rrd',
        help='record it for the viewer: `headpose view FILE.rrd` shows it',
    )  # fmt: skip


class Viewing:
    """What --view and --rerun ask for: nothing, a viewer, a file, or both. False for nothing."""

    def __init__(self, args: argparse.Namespace, stack: ExitStack) -> None:
        """Open it; `stack` closes it. Raises ViewerError or SinkError where it cannot be."""
        self._file: RecordingFile | None = None
        self._live: LiveView | None = None
        if args.rerun:
            from headpose_ros.viewer.feeds import RecordingFile

            self._file = stack.enter_context(RecordingFile(args.rerun))
        if args.view:
            from headpose_ros.viewer.feeds import LiveView
            from headpose_ros.viewer.web_viewer import announce

            host, port = args.view
            self._live = stack.enter_context(LiveView(host, port or 0))
            announce(self._live.url, self._live.port, opens=port is None)

    def __bool__(self) -> bool:
        return self._file is not None or self._live is not None

    @property
    def is_live(self) -> bool:
        """Whether somebody may be watching."""
        return self._live is not None

    def put(
        self,
        image: Image,
        result: FrameResult,
        stamp_ns: int,
        attention: AttentionResult | None = None,
    ) -> None:
        """Show and record an image, which must not be written to afterwards, and its result.

        The result says which camera it is of: in a bag that may change.
        """
        from headpose_ros.viewer.shot import Shot

        assert result.camera is not None
        shot = Shot(image, result.camera, result, stamp_ns, attention=attention)
        if self._file is not None:
            self._file.put(shot)
        if self._live is not None:
            self._live.put(shot)

    def stay(self) -> None:
        """Where somebody sits at the terminal, leave the viewer open until Ctrl-C."""
        if self._live is not None:
            self._live.finish()
            if sys.stdin is not None and sys.stdin.isatty():
                wait_for_interrupt()


def wait_for_interrupt() -> None:
    """Say that the viewer stays, and wait for Ctrl-C or SIGTERM."""
    print('viewer: stays open; Ctrl-C ends it', file=sys.stderr, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print(file=sys.stderr)
