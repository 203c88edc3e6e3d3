# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The camera on one host, node and consumer on another: two network namespaces, one cable.

    sudo python -m benchmark.reliability.two_hosts --seconds 30

It needs root and iproute2. It makes two namespaces that are connected by a veth pair and nothing
else, and removes them at the end. DDS uses UDP only, since both sides would otherwise find each
other's shared memory. The kernel counts the bytes on the cable. Both namespaces share one clock,
so that the latency, from the stamp of the image to the reception of its heads, is exact. The
status is 1 where a tenth of the images or more gives no result.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmark.reliability.graph_tools import Child, Consumer, milliseconds, options, write
from headpose_ros.node.middleware import PROFILE_VARIABLES
from headpose_ros.node.private_graph import environment, private_domain

NETWORK = '10.203.0'
CASES = {
    'raw, reliable': [],
    'raw, best effort': ['--best-effort'],
    'compressed, reliable': ['--compressed'],
    'compressed, best effort': ['--compressed', '--best-effort'],
}
PATIENCE = 60.0
MAX_MISSING = 0.1
MODULE = [sys.executable, '-m']


def refusal() -> str | None:
    """Return why this machine cannot run it, None if it can."""
    if not shutil.which('ip'):
        return 'no `ip` here; install iproute2'
    if os.geteuid() != 0:
        return 'network namespaces need root; run it with sudo'
    made = subprocess.run(['ip', 'netns', 'list'], capture_output=True, text=True)
    return made.stderr.strip() or None if made.returncode else None


@contextmanager
def two_hosts() -> Iterator[tuple[str, str]]:
    """Make two namespaces with a cable between them; return their names."""
    mark = os.getpid() % 100000
    names = (f'headpose_a_{mark}', f'headpose_b_{mark}')
    cable = (f'hpa{mark}', f'hpb{mark}')
    try:
        for name in names:
            _ip('netns', 'add', name)
        _ip('link', 'add', cable[0], 'type', 'veth', 'peer', 'name', cable[1])
        for number, (name, end) in enumerate(zip(names, cable, strict=True), 1):
            _ip('link', 'set', end, 'netns', name, 'name', 'cable')
            _ip('-n', name, 'address', 'add', f'{NETWORK}.{number}/24', 'dev', 'cable')
            for link in ('lo', 'cable'):
                _ip('-n', name, 'link', 'set', link, 'up')
            _ip('-n', name, 'route', 'add', '224.0.0.0/4', 'dev', 'cable')
        yield names
    finally:
        for name in names:
            subprocess.run(['ip', 'netns', 'delete', name], capture_output=True)


def _ip(*arguments: str) -> str:
    made = subprocess.run(['ip', *arguments], capture_output=True, text=True)
    if made.returncode:
        raise OSError(f'ip {" ".join(arguments)}: {made.stderr.strip()}')
    return made.stdout


def _crossed(name: str) -> int:
    """Return the bytes that have come in over the cable."""
    links = json.loads(_ip('-n', name, '-s', '-j', 'link', 'show', 'cable'))
    return int(links[0]['stats64']['rx']['bytes'])


def measure(
    hosts: tuple[str, str], case: list[str], seconds: float, variables: dict[str, str], out: Path
) -> dict[str, Any]:
    """Run camera, node and consumer for one kind of images; return what came."""
    camera_host, node_host = hosts
    inside = [['ip', 'netns', 'exec', host] for host in hosts]
    report = out / 'two_hosts_camera.json'
    frames = round(30 * seconds)
    node = [*MODULE, 'headpose_ros.node.main']
    if '--compressed' in case:
        node += ['--ros-args', '-p', 'image_transport:=compressed']
    camera = [*MODULE, 'headpose_ros.node.demo_camera', '--loop', '--frames', str(frames)]
    camera += ['--report', str(report), *case]
    listen = [*MODULE, 'benchmark.reliability.two_hosts', '--listen']
    before = _crossed(node_host)
    with (
        Child(inside[1] + node, variables) as running,
        Child(inside[1] + listen, variables) as listening,
        Child(inside[0] + camera, variables) as playing,
    ):
        end = time.monotonic() + PATIENCE + seconds
        while playing.alive and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(1.0)
        listening.end(signal.SIGINT)
        running.end(signal.SIGINT)
        if playing.alive or playing.process.returncode:
            raise RuntimeError(f'the camera did not finish:\n{playing.text()}\n{running.text()}')
    told = next((line for _, line in listening.lines if line.startswith('{')), None)
    if told is None:
        raise RuntimeError(f'the consumer failed:\n{listening.text()}')
    heard = json.loads(told)
    published = len(json.loads(report.read_text())['stamps_ns'])
    if not heard['latency']:
        raise RuntimeError(f'no results:\n{running.text()}')
    values = heard['values']
    return {
        'published': published,
        'results': len(heard['latency']),
        'dropped_by_node': int(values['dropped']),
        'lost_in_transport': int(values['lost in transport']),
        'heads_mean': round(sum(heard['heads']) / len(heard['heads']), 2),
        'latency': milliseconds(heard['latency']),
        'load': round(os.getloadavg()[0], 1),
        'crossed_mbit_s': round(8e-6 * (_crossed(node_host) - before) / seconds, 1),
        'log': [line for _, line in running.lines if '[INFO]' not in line],
        'camera_host': camera_host,
    }


def listen() -> None:
    """Be the consumer until SIGINT; print what came as one line of JSON."""
    consumer = Consumer()
    try:
        while True:
            time.sleep(0.1)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        received = consumer.take()
    told = {
        'latency': received.latency,
        'heads': received.heads,
        'values': consumer.diagnostics,
    }
    print(json.dumps(told), flush=True)
    sys.exit(0)


def main() -> int:
    """Run all cases; return 0 if results came for the images."""
    parser = options(__doc__, 'two_hosts')
    parser.add_argument('--seconds', type=float, default=30.0, help='of images for each case')
    parser.add_argument('--listen', action='store_true', help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.listen:
        listen()
    if reason := refusal():
        print(f'two_hosts: {reason}', file=sys.stderr)
        return 2
    os.setpriority(os.PRIO_PROCESS, 0, given.nice)
    out = Path(given.json).resolve().parent
    out.mkdir(parents=True, exist_ok=True)
    rows: dict[str, Any] = {}
    with private_domain() as domain, two_hosts() as hosts:
        variables = environment(domain, out / 'log') | {
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET',
            'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4?sockets_size=4MB',
        }
        for profile in PROFILE_VARIABLES:
            del variables[profile]
        for name, case in CASES.items():
            rows[name] = measure(hosts, case, given.seconds, variables, out)
            print(name, rows[name], flush=True)
    problems = [
        f'{name}: {row["results"]} results for {row["published"]} images'
        for name, row in rows.items()
        if row['published'] - row['results'] - row['dropped_by_node']
        >= MAX_MISSING * row['published']
    ]
    rmem = int(Path('/proc/sys/net/core/rmem_max').read_text())
    write(given.json, {'cases': rows, 'nice': given.nice, 'rmem_max': rmem, 'problems': problems})
    for problem in problems:
        print(f'two_hosts: {problem}', file=sys.stderr)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
