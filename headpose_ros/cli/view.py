# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`headpose view`: a recording in the browser."""

from __future__ import annotations

import argparse
from pathlib import Path

from headpose_ros.cli.viewing import Address, address, wait_for_interrupt

SUMMARY = 'show a recording (--rerun FILE.rrd, make demo VIEW=1) in the browser'


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument('recording', type=Path, metavar='FILE.rrd')
    parser.add_argument(
        '--port', type=address, default=Address(), metavar='PORT',
        help='serve it at this port, which one can forward by SSH, and open no browser; '
        'HOST:PORT, such as 0.0.0.0:9090, serves it to other machines too',
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Serve the recording until Ctrl-C."""
    from headpose_ros.viewer import require_rerun
    from headpose_ros.viewer.web_viewer import WebViewer, announce

    require_rerun()
    if not args.recording.is_file():
        raise FileNotFoundError(f'{args.recording}: no such file')
    host, port = args.port
    viewer = WebViewer(host, port or 0, args.recording)
    try:
        announce(viewer.url, viewer.port, opens=port is None)
        wait_for_interrupt()
    finally:
        viewer.close()
    return 0
