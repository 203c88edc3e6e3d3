# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes on a private ROS graph: a domain of their own, on this machine only."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headpose_ros.node.middleware import PROFILE_VARIABLES, dds_profile

DOMAINS = range(1, 102)
"""Domains whose ports lie below the ephemeral ports of Linux."""
LOCK_PORT = 21900


@contextmanager
def private_domain() -> Iterator[int]:
    """Reserve a ROS_DOMAIN_ID that no other caller of this function holds."""
    start = os.getpid()
    for offset in range(len(DOMAINS)):
        domain = DOMAINS[(start + offset) % len(DOMAINS)]
        with socket.socket() as lock:
            try:
                lock.bind(('127.0.0.1', LOCK_PORT + domain))
            except OSError:
                continue
            yield domain
            return
    raise OSError('no free ROS_DOMAIN_ID from 1 to 101; end other demos or tests')


def environment(domain: int, logs: Path) -> dict[str, str]:
    """Return the environment for processes in `domain`, set up for large images."""
    given = {**os.environ, **dict.fromkeys(PROFILE_VARIABLES, str(dds_profile()))}
    given.pop('FASTDDS_BUILTIN_TRANSPORTS', None)  # would replace the transports of the profile
    if given.get('ROS_DISTRO') == 'humble':
        given['ROS_LOCALHOST_ONLY'] = '1'
    else:
        given['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    given |= {'ROS_DOMAIN_ID': str(domain), 'ROS_LOG_DIR': str(logs), 'PYTHONUNBUFFERED': '1'}
    return given


def start(module: str, arguments: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a module of this package with this Python, in a session of its own.

    Ctrl-C at the terminal then reaches only the parent, which ends its children in order.
    """
    command = [sys.executable, '-m', module, *arguments]
    return subprocess.Popen(command, start_new_session=True, **options)


def stop(
    processes: Sequence[subprocess.Popen[Any]],
    how: signal.Signals = signal.SIGINT,
    timeout: float = 1.8,
) -> None:
    """End processes by a signal, all at once; by SIGKILL after `timeout` seconds.

    Use SIGTERM for processes that may still be starting: until a module has been imported, Python
    answers SIGINT with a traceback.
    """
    for process in processes:
        if process.poll() is None:
            process.send_signal(how)
    end = time.monotonic() + timeout
    for process in processes:
        try:
            process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
