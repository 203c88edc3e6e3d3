# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes on a ROS graph of their own: a private domain, this machine only."""

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

DOMAINS = range(1, 102)
"""Domains whose ports lie below those that Linux hands out to others."""
LOCK_PORT = 21900


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
    return {
        **os.environ,
        **_transport(),
        'ROS_DOMAIN_ID': str(domain),
        'ROS_LOG_DIR': str(logs),
        'PYTHONUNBUFFERED': '1',
    }


def _transport() -> dict[str, str]:
    """Return what keeps discovery on this machine and lets large images through."""
    if os.environ.get('ROS_DISTRO') != 'humble':
        return {
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
            'FASTDDS_BUILTIN_TRANSPORTS': 'DEFAULT?sockets_size=4MB',
        }
    from ament_index_python.packages import get_package_share_directory

    share = Path(get_package_share_directory('headpose_ros'))
    return {
        'ROS_LOCALHOST_ONLY': '1',
        'FASTRTPS_DEFAULT_PROFILES_FILE': str(share / 'config' / 'fastdds_images.xml'),
    }


def start(module: str, arguments: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a module of ours with this Python, in a session of its own.

    A Ctrl-C at the terminal reaches only the parent, which ends its children in order.
    """
    command = [sys.executable, '-m', module, *arguments]
    return subprocess.Popen(command, start_new_session=True, **options)


def stop(processes: Sequence[subprocess.Popen[Any]], timeout: float = 1.8) -> None:
    """End processes by SIGINT, all at once, by SIGKILL those that take longer."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    end = time.monotonic() + timeout
    for process in processes:
        try:
            process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
