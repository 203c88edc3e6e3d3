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
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
"""Until Jazzy, and since Kilted."""


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
    given = {**os.environ, **dict.fromkeys(PROFILE_VARIABLES, str(dds_profile()))}
    given.pop('FASTDDS_BUILTIN_TRANSPORTS', None)  # would replace the transports of the profile
    if given.get('ROS_DISTRO') == 'humble':
        given['ROS_LOCALHOST_ONLY'] = '1'
    else:
        given['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    given |= {'ROS_DOMAIN_ID': str(domain), 'ROS_LOG_DIR': str(logs), 'PYTHONUNBUFFERED': '1'}
    return given


def dds_profile() -> Path:
    """Return the file that lets FastDDS keep whole images: in the source tree, or installed."""
    inside = Path('config') / 'fastdds_images.xml'
    source, pip = Path(__file__).parents[2], Path(sys.prefix) / 'share' / 'headpose_ros'
    for folder in (source, pip):
        if (folder / inside).exists():
            return folder / inside
    from ament_index_python.packages import get_package_share_directory

    return Path(get_package_share_directory('headpose_ros')) / inside


def start(module: str, arguments: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a module of ours with this Python, in a session of its own.

    A Ctrl-C at the terminal reaches only the parent, which ends its children in order.
    """
    command = [sys.executable, '-m', module, *arguments]
    return subprocess.Popen(command, start_new_session=True, **options)


def stop(
    processes: Sequence[subprocess.Popen[Any]],
    how: signal.Signals = signal.SIGINT,
    timeout: float = 1.8,
) -> None:
    """End processes by a signal, all at once, by SIGKILL those that take longer.

    Those that may still be starting end quietly by SIGTERM only: until a module has been
    imported, Python meets SIGINT with a traceback.
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
