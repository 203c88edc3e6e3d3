# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The end of the processes, at bad moments. `benchmark.reliability.ends` has many more."""

import signal
import time

import pytest
from graph import Bench, Process, change, fake_node, until_active
from lifecycle_msgs.msg import Transition
from sensor_msgs.msg import CameraInfo, Image

SIGNALS = [signal.SIGINT, signal.SIGTERM]
WRONG = 'Traceback|terminate called|rror|Exception|InvalidHandle'
PERIOD = 0.02
LEASE = 15.0
"""Seconds after which the graph forgets a node whose farewell got lost."""


@pytest.fixture
def bench(domain):
    with Bench(domain) as made:
        yield made


def begin_a_long_image(bench, namespace):
    """Send an image that takes longer than the node waits for at its end."""
    until_active(bench, f'{namespace}/headpose')
    topics = {'topic': f'{namespace}/image', 'info_topic': f'{namespace}/camera_info'}
    image = bench.advertise(Image, topics['topic'])
    bench.advertise(CameraInfo, topics['info_topic'])
    bench.until(image.get_subscription_count, 'the node to subscribe')
    for _ in range(5):
        bench.shoot(**topics)
        bench.spin(0.1)


def end_by_many(process, how):
    """Signal a process until it ends; return its status."""
    end = time.monotonic() + 20.0
    while process.alive and time.monotonic() < end:
        process.process.send_signal(how)
        time.sleep(PERIOD)
    return process.end(signal.SIGKILL)


def in_graph(bench, namespace):
    return namespace in [space for _, space in bench.node.get_node_names_and_namespaces()]


@pytest.mark.parametrize('how', SIGNALS)
@pytest.mark.parametrize('moment', ['one signal', 'many signals', 'cleaned up'])
def test_an_image_in_native_code_does_not_crash_the_end(bench, domain, logs, how, moment):
    arguments = ['-r', '__ns:=/long', '-p', 'always_on:=true']
    with fake_node(domain, logs, *arguments, SPOTS_BUSY_SECONDS='6.0') as node:
        begin_a_long_image(bench, '/long')
        if moment == 'cleaned up':  # its thread is nobody's any more
            for transition in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP):
                assert change(bench, transition, '/long/headpose')
        assert in_graph(bench, '/long')
        status = end_by_many(node, how) if moment == 'many signals' else node.end(how)
        assert status == 0, node.output()
        assert not node.matching(WRONG), node.output()
        bench.until(lambda: not in_graph(bench, '/long'), 'it to leave the graph', LEASE)


@pytest.mark.parametrize('how', SIGNALS)
@pytest.mark.parametrize(
    'module', [['demo_camera', '--loop', '--wait', '0'], ['demo_recorder', '--out', '{}']]
)
def test_signals_while_it_closes_change_nothing(domain, logs, tmp_path, how, module):
    name, *options = [word.format(tmp_path) for word in module]
    remapped = ['--ros-args', '-r', '__ns:=/many']
    command = ['-m', f'headpose_ros.node.{name}', *options, *remapped]
    with Process(command, domain, logs) as process, Bench(domain) as bench:
        bench.until(lambda: name in bench.node.get_node_names(), f'the {name}')
        bench.spin(0.5)
        assert end_by_many(process, how) == 0, process.output()
        assert not process.matching(WRONG), process.output()
