# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes on a ROS graph of their own: a private domain, this machine only."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DOMAINS = range(1, 102)
"""Domains whose ports lie below those that Linux hands out to others."""
LOCK_PORT = 21900
PROFILE = Path(__file__).parents[2] / 'config' / 'fastdds_images.xml'


@contextmanager
def private_domain() -> Iterator[int]:
    """Hold a ROS_DOMAIN_ID that nobody else who asks here has."""
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
    """Return the environment of processes in `domain`, able to pass large images."""
    local = 'ROS_LOCALHOST_ONLY', '1'
    if os.environ.get('ROS_DISTRO') != 'humble':
        local = 'ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST'
    return {
        **os.environ,
        'ROS_DOMAIN_ID': str(domain),
        local[0]: local[1],
        'ROS_LOG_DIR': str(logs),
        'FASTDDS_BUILTIN_TRANSPORTS': 'DEFAULT?sockets_size=4MB',
        'PYTHONUNBUFFERED': '1',
        'OMP_WAIT_POLICY': 'passive',
    }


def start(module: str, arguments: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a module of ours with this Python, in a session of its own.

    A Ctrl-C at the terminal reaches only the parent, which ends its children in order.
    """
    command = [sys.executable, '-m', module, *arguments]
    return subprocess.Popen(command, start_new_session=True, **options)


def stop(process: subprocess.Popen[Any], timeout: float = 2.0) -> int:
    """End a process by SIGINT, by SIGKILL if need be; return its exit status."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
