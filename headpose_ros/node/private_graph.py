# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes on a private ROS graph: a domain of their own, on this machine only."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headpose_ros.node.middleware import PROFILE_VARIABLES, dds_profile

DOMAINS = range(1, 102)
"""Domains whose ports lie below the ephemeral ports of Linux."""
LOCK_PORT = 21900
DDS_PORT, PORTS_PER_DOMAIN = 7400, 250
DISCOVERY_PORTS = (0, *range(10, 50, 2))
"""Where participants of a domain listen for each other: all at once, and the first twenty each by
its own (DDSI-RTPS 9.6.1.1); those that keep to localhost use only their own."""
PR_SET_PDEATHSIG = 1


@contextmanager
def private_domain() -> Iterator[int]:
    """Reserve a ROS_DOMAIN_ID that no other caller of this function holds.

    It is neither that of the environment nor one in which somebody on this machine is.
    """
    start = os.getpid()
    for offset in range(len(DOMAINS)):
        domain = DOMAINS[(start + offset) % len(DOMAINS)]
        if str(domain) == os.environ.get('ROS_DOMAIN_ID'):
            continue
        with socket.socket() as lock:
            try:
                lock.bind(('127.0.0.1', LOCK_PORT + domain))
            except OSError:
                continue
            if _somebody_is_in(domain):
                continue
            yield domain
            return
    raise OSError('no free ROS_DOMAIN_ID from 1 to 101; end other demos or tests')


def _somebody_is_in(domain: int) -> bool:
    for port in DISCOVERY_PORTS:
        with socket.socket(type=socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(('', DDS_PORT + PORTS_PER_DOMAIN * domain + port))
            except OSError:
                return True
    return False


@contextmanager
def private_graph(logs: Path) -> Iterator[int]:
    """Put this process, and what it starts, into a domain of its own; yield the domain."""
    with private_domain() as domain:
        before = dict(os.environ)
        os.environ.update(environment(domain, logs))
        os.environ.pop('FASTDDS_BUILTIN_TRANSPORTS', None)
        try:
            yield domain
        finally:
            os.environ.clear()
            os.environ.update(before)


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

    Ctrl-C at the terminal then reaches only the parent, which ends its children in order; where
    it is killed, they are, too.
    """
    command = [sys.executable, '-m', module, *arguments]
    return subprocess.Popen(
        command, start_new_session=True, preexec_fn=end_with_parent(), **options
    )


def end_with_parent(how: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    """Return a `preexec_fn` of a child that shall get a signal when this process is gone.

    Linux sends it when the thread that started the child ends. Elsewhere nothing happens.
    """
    parent, prctl = os.getpid(), getattr(ctypes.CDLL(None), 'prctl', None)

    def tie() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, int(how))
            if os.getppid() != parent:  # it was faster
                os._exit(1)

    return tie


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
