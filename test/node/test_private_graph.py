# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tests and demo keep to themselves, and leave nothing running behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import rclpy
from graph import ROOT
from rclpy.context import Context

from headpose_ros.node import private_graph
from headpose_ros.node.private_graph import private_domain

PARENTS = {
    'demo': "from headpose_ros.node.private_graph import start; "
    "child = start('headpose_ros.node.demo_camera', ['--loop'])",
    'tests': "from graph import Process; from pathlib import Path; child = "
    "Process(['-m', 'headpose_ros.node.demo_camera', '--loop'], 1, Path('.')).process",
    'benchmarks': "import os; from benchmark.reliability.graph_tools import Child; child = "
    "Child([sys.executable, '-m', 'headpose_ros.node.demo_camera', '--loop'], os.environ).process",
}  # fmt: skip


@pytest.fixture
def three_domains(monkeypatch):
    """Three free ones; the first of them is looked at first."""
    with private_domain() as a, private_domain() as b, private_domain() as c:
        chosen = [a, b, c]
    monkeypatch.setattr(private_graph, 'DOMAINS', chosen)
    monkeypatch.setattr(os, 'getpid', lambda: 0)
    return chosen


def test_a_domain_is_held_once(three_domains):
    with private_domain() as first, private_domain() as second:
        assert [first, second] == three_domains[:2]
    with private_domain() as again:
        assert again == first


def test_the_domain_of_the_user_is_left_alone(three_domains, monkeypatch):
    monkeypatch.setenv('ROS_DOMAIN_ID', str(three_domains[0]))
    with private_domain() as domain:
        assert domain == three_domains[1]


@pytest.mark.parametrize('reach', ['LOCALHOST', 'SUBNET'])
def test_a_domain_in_which_somebody_is_is_left_alone(three_domains, monkeypatch, reach):
    """Such as a robot, or a node that a killed test left behind."""
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', reach)
    context = Context()
    rclpy.init(context=context, domain_id=three_domains[0])
    node = rclpy.create_node('somebody', context=context)
    try:
        with private_domain() as domain:
            assert domain == three_domains[1]
    finally:
        node.destroy_node()
        context.try_shutdown()


def test_no_domain_is_free(three_domains):
    with private_domain(), private_domain(), private_domain():
        refused = private_domain()
        with pytest.raises(OSError, match='no free ROS_DOMAIN_ID'):
            refused.__enter__()


def test_the_environment_is_as_before_afterwards(tmp_path, monkeypatch):
    monkeypatch.setenv('FASTDDS_BUILTIN_TRANSPORTS', 'UDPv4')
    before = dict(os.environ)
    with private_graph.private_graph(tmp_path) as domain:
        assert os.environ['ROS_DOMAIN_ID'] == str(domain)
        assert 'FASTDDS_BUILTIN_TRANSPORTS' not in os.environ
    assert dict(os.environ) == before


def runs(pid):
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path('/proc/self/stat').exists(), reason='Linux sends the signal')
@pytest.mark.parametrize('who', PARENTS)
def test_children_end_with_a_parent_that_is_killed(tmp_path, who):
    if who == 'benchmarks':
        pytest.importorskip('benchmark')
    script = f'import sys, time; {PARENTS[who]}; print(child.pid, flush=True); time.sleep(60)'
    paths = [ROOT, ROOT / 'test' / 'node', os.environ.get('PYTHONPATH', '')]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(map(str, paths)))
    parent = subprocess.Popen(
        [sys.executable, '-c', script], stdout=subprocess.PIPE, text=True, cwd=tmp_path,
        env=environment, preexec_fn=private_graph.end_with_parent(),
    )  # fmt: skip
    try:
        child = int(parent.stdout.readline())
        assert runs(child)
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
    end = time.monotonic() + 10.0
    while runs(child):
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            raise AssertionError('it lives on')
        time.sleep(0.02)
