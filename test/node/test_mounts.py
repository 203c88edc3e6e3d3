# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node where file systems are as in containers: little shared memory or none, full disks.

The camera is in the same container (a mount namespace) as the node, or in one beside it. The
consumer is outside. Node, models, camera and clip are the real ones.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from graph import Bench, Process

from headpose_ros.msg import HeadPoseArray

OF_ITS_OWN, ENTER = ['unshare', '--mount'], ['nsenter', '--mount']
if os.geteuid() != 0:
    OF_ITS_OWN += ['--user', '--map-root-user']
    ENTER += ['--user', '--preserve-credentials']
TINY = 'mount -t tmpfs -o size=64k tmpfs /dev/shm'
LOCKED = 'mount -t tmpfs -o ro tmpfs /dev/shm'
NONE = """\
mount -t tmpfs tmpfs /run
for name in null urandom; do touch /run/$name; mount --bind /dev/$name /run/$name; done
mount --rbind /run /dev"""
LOGS = '/run/headpose_logs'
"""In a file system of the container; the consumer's are elsewhere."""
FULL_DISKS = f"""\
mount -t tmpfs tmpfs /run; mkdir {LOGS}
for disk in {LOGS} /tmp; do
    mount -t tmpfs -o size=16k tmpfs $disk; head -c 64k /dev/zero > $disk/full || true
done"""
READ_ONLY = f'mount -t tmpfs tmpfs /run; mkdir {LOGS}; mount -o remount,bind,ro /'


class Container:
    """File systems of their own, as a shell script mounts them, for what is started in it."""

    def __init__(self, mounts):
        script = f'set -e; {mounts}\necho mounted; exec cat'
        self._holder = subprocess.Popen(
            [*OF_ITS_OWN, 'sh', '-c', script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        if self._holder.stdout.readline() != 'mounted\n':
            pytest.skip(f'needs to mount (root, or user namespaces): {self._end()}')
        return self

    def __exit__(self, *_):
        self._end()

    def _end(self):
        return self._holder.communicate()[1]

    def start(self, domain, logs, module, *arguments):
        """Start a module there; signals reach it, as each command becomes the next one."""
        enter = [*ENTER, f'--target={self._holder.pid}', sys.executable, '-m', module, *arguments]
        become = 'import os, sys; os.execvp(sys.argv[1], sys.argv[1:])'
        return Process(['-c', become, *enter], domain, logs)


def heads_come(domain, logs, mounts, apart=False):
    """Run the node there, and the camera, unless `apart`; return what the node wrote."""
    with (
        Container(mounts) as container,
        Container('true') as other,
        Bench(domain) as bench,
        container.start(domain, logs, 'headpose_ros.node.main') as node,
        (other if apart else container).start(
            domain, logs, 'headpose_ros.node.demo_camera', '--loop'
        ),
    ):
        bench.listen(HeadPoseArray, '/headpose/heads')
        got = bench.got['/headpose/heads']
        bench.until(lambda: any(each.heads for each in got) or not node.alive, 'heads', 60)
        assert node.alive, node.output()
        assert node.end() == 0
        assert not node.matching('Traceback'), node.output()
        return node.output()


@pytest.mark.parametrize(
    ('mounts', 'apart'),
    [(TINY, False), (TINY, True), (LOCKED, False), (NONE, True)],
    ids=['64 kB', '64 kB, camera apart', 'read-only', 'none, camera apart'],
)
def test_shared_memory_that_is_not_there(domain, logs, mounts, apart):
    """FastDDS says that it does without; the images come by UDP."""
    assert 'Unable to Register SHM' in heads_come(domain, logs, mounts, apart)


@pytest.mark.parametrize('mounts', [FULL_DISKS, READ_ONLY], ids=['full', 'read-only'])
def test_disks(domain, mounts):
    """Logs and /tmp on full disks; all but the logs' disk read-only, as of a locked container."""
    if mounts == FULL_DISKS and '/tmp' in (f'/{Path(p).parts[1]}' for p in (sys.prefix, __file__)):
        pytest.skip('the code itself is in /tmp, which is mounted over')
    assert 'models loaded' in heads_come(domain, LOGS, mounts)
