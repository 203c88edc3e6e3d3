# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The service ~/enable, over DDS."""

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from graph import FAKE_NODE, Bench, Process, change, fake_node, state, until_active
from lifecycle_msgs.msg import Transition
from sensor_msgs.msg import CameraInfo, Image

from headpose_ros.msg import HeadPoseArray
from headpose_ros.node.enable import WITHOUT_STD_SRVS

TOPICS = {'topic': '/on/image', 'info_topic': '/on/camera_info'}
HEADS = '/on/headpose/heads'
NAMESPACE = ['-r', '__ns:=/on', '-p', 'silence_timeout:=60.0']


@pytest.fixture
def bench(domain):
    with Bench(domain) as made:
        made.listen(HeadPoseArray, HEADS)
        made.advertise(Image, TOPICS['topic'])
        made.advertise(CameraInfo, TOPICS['info_topic'])
        yield made


def enable(bench, value):
    srv = pytest.importorskip('std_srvs.srv')
    return bench.call(srv.SetBool, '/on/headpose/enable', srv.SetBool.Request(data=value))


def no_heads_come(bench):
    before = len(bench.got[HEADS])
    for _ in range(8):
        bench.shoot(**TOPICS)
        bench.spin(0.1)
    return len(bench.got[HEADS]) == before


def test_off_and_on_without_a_change_of_state(bench, domain, logs):
    with fake_node(domain, logs, *NAMESPACE) as node:
        bench.heads_arrive(HEADS, **TOPICS)
        kept = bench.got[HEADS]
        assert enable(bench, True).message == 'already enabled'
        answer = enable(bench, False)
        assert (answer.success, answer.message) == (True, 'disabled')
        bench.until(lambda: not kept[-1].heads, 'nobody is present any more')
        image = bench.publishers[TOPICS['topic']]
        bench.until(lambda: not image.get_subscription_count(), 'the node to unsubscribe')
        assert no_heads_come(bench)
        assert state(bench, '/on/headpose') == 'active'
        bench.listen(DiagnosticArray, '/diagnostics')
        told = bench.got['/diagnostics']
        bench.until(lambda: told, 'diagnostics')
        assert told[-1].status[0].message == 'active, disabled by ~/enable'
        assert enable(bench, True).success
        assert bench.heads_arrive(HEADS, **TOPICS).heads
        assert [line.split(': ')[-1] for line in node.matching('by ~/enable')] == [
            'disabled by ~/enable',
            'enabled by ~/enable',
        ]
        assert node.end() == 0
        assert not node.matching('Traceback|rror')


def test_it_outlives_the_lifecycle(bench, domain, logs):
    with fake_node(domain, logs, *NAMESPACE) as node:
        until_active(bench, '/on/headpose')
        assert enable(bench, False).success
        for transition in ('DEACTIVATE', 'CLEANUP', 'CONFIGURE', 'ACTIVATE'):
            number = getattr(Transition, f'TRANSITION_{transition}')
            assert change(bench, number, '/on/headpose')
        bench.until(lambda: node.matching('active, but disabled by ~/enable'), 'the line')
        assert no_heads_come(bench)
        assert change(bench, Transition.TRANSITION_DEACTIVATE, '/on/headpose')
        assert enable(bench, True).success
        assert no_heads_come(bench)
        assert change(bench, Transition.TRANSITION_ACTIVATE, '/on/headpose')
        bench.heads_arrive(HEADS, **TOPICS)


def test_it_says_why_it_cannot(bench, domain, logs, tmp_path):
    fault = tmp_path / 'fault'
    with fake_node(domain, logs, *NAMESPACE, SPOTS_FAIL=str(fault)):
        until_active(bench, '/on/headpose')
        assert enable(bench, False).success
        fault.touch()
        answer = enable(bench, True)
        assert not answer.success
        assert answer.message == 'not enabled: RuntimeError: reset failed'
        fault.unlink()
        assert enable(bench, True).success
        bench.heads_arrive(HEADS, **TOPICS)


def test_without_std_srvs_it_is_left_out_with_one_line(bench, domain, logs):
    hidden = "import runpy, sys; sys.modules['std_srvs'] = None; del sys.argv[0]; "
    hidden += "runpy.run_path(sys.argv[0], run_name='__main__')"
    command = ['-c', hidden, FAKE_NODE, '--ros-args', *NAMESPACE]
    with Process(command, domain, logs) as node:
        bench.heads_arrive(HEADS, **TOPICS)
        assert len(node.matching(WITHOUT_STD_SRVS)) == 1
        services = bench.node.get_service_names_and_types_by_node('headpose', '/on')
        assert '/on/headpose/enable' not in dict(services)
        assert '/on/headpose/change_state' in dict(services)
