# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lifecycle, parameters and the end of the process, over DDS."""

import os
import re
import signal
import subprocess
import sys

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from graph import (
    ROOT,
    SPOT,
    Bench,
    Process,
    change,
    fake_node,
    get,
    set_parameters,
    spots,
    state,
    until_active,
)
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import DescribeParameters
from sensor_msgs.msg import CameraInfo, Image

from headpose_ros.config import PipelineConfig
from headpose_ros.msg import HeadPoseArray
from headpose_ros.node.parameters import NodeConfig, parameter_value

CONFIGURE, CLEANUP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE
SHUTDOWN = Transition.TRANSITION_ACTIVE_SHUTDOWN


@pytest.fixture
def bench(domain):
    with Bench(domain) as made:
        yield made


@pytest.fixture(scope='module')
def running(domain, logs):
    """A node that the tests here must leave active, with default parameters."""
    with fake_node(domain, logs) as process:
        yield process
        assert process.alive, process.output()
        assert 'Traceback' not in process.output()


def test_off_and_on_again(bench, running):
    until_active(bench)
    bench.listen(HeadPoseArray, '/headpose/heads')
    bench.camera()
    bench.heads_arrive()
    before = len(running.lines)
    assert change(bench, DEACTIVATE)
    bench.until(lambda: bench.publishers['image'].get_subscription_count() == 0, 'it to leave')
    assert change(bench, CLEANUP)
    assert state(bench) == 'unconfigured'
    bench.until(lambda: bench.node.count_publishers('/headpose/heads') == 0, 'outputs to go')
    assert change(bench, CONFIGURE)
    assert change(bench, ACTIVATE)
    bench.listen(DiagnosticArray, '/diagnostics')
    bench.heads_arrive()
    said = ['inactive: no image', 'unconfigured: the models', 'detector threshold, estimator none']
    assert [len(running.matching(words, before)) for words in said] == [1, 1, 1]
    kept = bench.got['/diagnostics']
    bench.until(lambda: len(kept) > 1, 'diagnostics')
    for message in kept:
        figures = {value.key: value.value for value in message.status[0].values}
        assert float(figures['input (Hz)']) >= 0
        assert (figures['detector'], figures['weights']) == ('threshold', 'none')
        assert int(figures['published']) <= int(figures['received'])


def test_what_is_set_while_nobody_listens_outlives_a_restart(bench, running):
    until_active(bench)
    assert set_parameters(bench, score_threshold=0.25).successful
    assert change(bench, DEACTIVATE)
    assert change(bench, ACTIVATE)
    bench.listen(HeadPoseArray, '/headpose/heads')
    bench.camera()
    assert bench.heads_arrive().heads[0].confidence == pytest.approx(0.25)
    assert change(bench, DEACTIVATE)
    assert set_parameters(bench, score_threshold=0.7).successful
    assert change(bench, ACTIVATE)
    assert bench.heads_arrive().heads[0].confidence == pytest.approx(0.7)


def test_camera_info_outlives_deactivation(bench, running):
    """Of a driver that sent it once."""
    until_active(bench)
    bench.listen(HeadPoseArray, '/headpose/heads')
    bench.camera()
    bench.heads_arrive()
    assert change(bench, DEACTIVATE)
    assert change(bench, ACTIVATE)
    bench.heads_arrive(info=None)


@pytest.mark.parametrize('how', ['deactivated', signal.SIGINT, signal.SIGTERM])
def test_nobody_is_present_any_more_when_it_stops(bench, domain, logs, how):
    name, names = '/gone/headpose', {'topic': '/gone/image', 'info_topic': '/gone/camera_info'}
    with fake_node(domain, logs, '-r', '__ns:=/gone') as node:
        bench.listen(HeadPoseArray, f'{name}/heads')
        bench.advertise(Image, '/gone/image')
        bench.advertise(CameraInfo, '/gone/camera_info')
        last = bench.heads_arrive(f'{name}/heads', **names)
        kept = bench.got[f'{name}/heads']
        bench.until(lambda: kept[-1].heads)
        if how == 'deactivated':
            assert change(bench, DEACTIVATE, name)
        else:
            node.process.send_signal(how)
        bench.until(lambda: not kept[-1].heads, 'an empty message')
        stamp = kept[-1].header.stamp
        assert (stamp.sec, stamp.nanosec) > (last.header.stamp.sec, last.header.stamp.nanosec)
        assert node.end(signal.SIGINT) == 0 if node.alive else node.process.returncode == 0
        bench.spin(0.2)
        assert sum(not message.heads for message in kept) == 1


SLOW = 2.5
"""Seconds for an image: longer than deactivation waits for it."""


@pytest.mark.parametrize('cleanup', [False, True], ids=['deactivated', 'cleaned up'])
def test_stopped_while_an_image_is_processed(bench, domain, logs, cleanup):
    name, names = '/busy/headpose', {'topic': '/busy/image', 'info_topic': '/busy/camera_info'}
    with fake_node(domain, logs, '-r', '__ns:=/busy', SPOTS_SECONDS=str(SLOW)) as node:
        until_active(bench, name)
        bench.listen(HeadPoseArray, f'{name}/heads')
        bench.advertise(Image, '/busy/image')
        bench.advertise(CameraInfo, '/busy/camera_info')
        bench.heads_arrive(f'{name}/heads', **names)  # the next one is taken at once
        kept = bench.got[f'{name}/heads']
        bench.shoot(**names)
        bench.spin(0.3)
        assert change(bench, DEACTIVATE, name)
        pattern = 'deactivate: an image is still being processed'
        bench.until(lambda: node.matching(pattern), pattern)
        if cleanup:
            assert change(bench, CLEANUP, name)
            assert change(bench, CONFIGURE, name)
        before, mark = len(kept), bench.stamp()
        assert change(bench, ACTIVATE, name)
        bench.heads_arrive(f'{name}/heads', **names)
        bench.shoot(**names)
        bench.spin(SLOW)
        stamps = [(m.header.stamp.sec, m.header.stamp.nanosec) for m in kept[before:]]
        assert min(stamps) > (mark.sec, mark.nanosec), 'an image from before was published'
        assert node.end() == 0
        assert not node.matching('InvalidHandle|Traceback|Failed'), node.output()


def test_transitions_that_the_state_forbids_are_refused(bench, running):
    until_active(bench)
    assert not change(bench, CONFIGURE)
    assert not change(bench, ACTIVATE)
    assert state(bench) == 'active'


def test_it_starts_by_itself_after_requests_that_were_refused(bench, domain, logs):
    name = '/keen/headpose'
    with fake_node(domain, logs, '-r', '__ns:=/keen', '-p', 'weights:=/nowhere') as node:
        pattern = "configure: weights: no file '/nowhere'"
        bench.until(lambda: node.matching(pattern), pattern)
        assert not change(bench, ACTIVATE, name)
        dance = ChangeState.Request()
        dance.transition.label = 'dance'
        assert not bench.call(ChangeState, f'{name}/change_state', dance).success
        for wanted in (str(ACTIVATE), "'dance'"):
            pattern = f"change_state: {wanted} refused in state 'unconfigured'.*lifecycle list"
            bench.until(lambda: node.matching(pattern), pattern)  # noqa: B023
        assert set_parameters(bench, name, weights='').successful
        until_active(bench, name)


def test_activation_that_fails_says_why_and_is_tried_again(bench, domain, logs, tmp_path):
    name, fault = '/ill/headpose', tmp_path / 'fault'
    fault.touch()
    with fake_node(domain, logs, '-r', '__ns:=/ill', SPOTS_FAIL=str(fault)) as node:
        pattern = 'activate: RuntimeError: reset failed'
        bench.until(lambda: node.matching(pattern), pattern)
        assert state(bench, name) == 'inactive'
        fault.unlink()
        until_active(bench, name)
        bench.until(lambda: node.matching(f'resolved: {pattern}'), 'the end of it')


def test_autostart_false_waits_to_be_told(bench, domain, logs):
    arguments = ['-r', '__ns:=/told', '-p', 'autostart:=false']
    with fake_node(domain, logs, *arguments) as node:
        assert state(bench, '/told/headpose') == 'unconfigured'
        bench.spin(0.6)
        assert state(bench, '/told/headpose') == 'unconfigured'
        assert change(bench, CONFIGURE, '/told/headpose')
        assert change(bench, ACTIVATE, '/told/headpose')
        assert state(bench, '/told/headpose') == 'active'
        assert change(bench, SHUTDOWN, '/told/headpose')
        assert node.end() == 0


def test_configure_fails_with_a_reason_and_may_be_repeated(bench, domain, logs, tmp_path):
    name = '/poor/headpose'
    arguments = ['-r', '__ns:=/poor', '-p', 'autostart:=false', '-p', 'weights:=/nowhere']
    with fake_node(domain, logs, *arguments) as node:
        assert not change(bench, CONFIGURE, name)
        pattern = "configure: weights: no file '/nowhere'"
        bench.until(lambda: node.matching(pattern), pattern)  # its output may trail the answer
        assert len(node.matching(pattern)) == 1
        assert state(bench, name) == 'unconfigured'
        assert set_parameters(bench, name, weights='').successful
        assert change(bench, CONFIGURE, name)
        assert state(bench, name) == 'inactive'


def options():
    for config in (PipelineConfig, NodeConfig):
        yield from config.__dataclass_fields__.items()


def test_parameters_are_the_options_with_text_range_and_default(bench, running):
    until_active(bench)
    names = [name for name, _ in options()]
    request = DescribeParameters.Request(names=names)
    described = bench.call(
        DescribeParameters, '/headpose/describe_parameters', request
    ).descriptors
    values = get(bench, *names)
    for (name, item), about, value in zip(options(), described, values, strict=True):
        assert value == parameter_value(item.default), name
        assert about.description == item.metadata['text']
        spans = [*about.floating_point_range, *about.integer_range]
        found = (spans[0].from_value, spans[0].to_value) if spans else (None, None)
        assert found == (item.metadata['low'], item.metadata['high']), name
        for choice in item.metadata['choices']:
            assert choice in about.additional_constraints


def test_live_parameters_change_without_a_hiccup(bench, running):
    until_active(bench)
    bench.listen(HeadPoseArray, '/headpose/heads')
    bench.camera()
    assert bench.heads_arrive().heads[0].confidence == pytest.approx(0.7)
    assert set_parameters(bench, score_threshold=0.25).successful
    kept = bench.got['/headpose/heads']
    bench.shoot_until(lambda: kept[-1].heads[0].confidence == pytest.approx(0.25), 'the change')
    assert set_parameters(bench, score_threshold=0.7).successful


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        ({'detector': 'yunet'}, 'detector: needs cleanup and configure'),
        ({'detector': 'magic'}, 'expected one of'),
        ({'score_threshold': 2.0}, ''),
        ({'score_threshold': float('nan')}, ''),
        ({'detect_every': 0}, ''),
        ({'keep_lost': 'long'}, ''),
        ({'keep_lost': 1.0, 'device': 'cuda'}, 'device: needs cleanup'),
        ({'use_depth': True}, 'use_depth: needs cleanup'),
    ],
)
def test_wrong_changes_are_refused_with_a_reason(bench, running, changes, reason):
    until_active(bench)
    before = get(bench, *changes)
    result = set_parameters(bench, **changes)
    assert not result.successful
    assert reason in result.reason
    assert result.reason
    assert get(bench, *changes) == before


def test_fixed_parameters_change_when_unconfigured(bench, running):
    until_active(bench)
    assert change(bench, DEACTIVATE)
    assert not set_parameters(bench, max_heads=3).successful
    assert change(bench, CLEANUP)
    assert set_parameters(bench, max_heads=3).successful
    assert change(bench, CONFIGURE)
    assert change(bench, ACTIVATE)
    assert get(bench, 'max_heads') == [3]


def test_max_rate_thins_out(bench, domain, logs):
    arguments = ['-r', '__ns:=/slow', '-p', 'max_rate:=2.0']
    with fake_node(domain, logs, *arguments):
        bench.listen(HeadPoseArray, '/slow/headpose/heads')
        for kind, topic in ((Image, '/slow/image'), (CameraInfo, '/slow/camera_info')):
            bench.advertise(kind, topic)
        names = {'topic': '/slow/image', 'info_topic': '/slow/camera_info'}
        bench.heads_arrive('/slow/headpose/heads', **names)
        kept = bench.got['/slow/headpose/heads']
        bench.shoot_until(lambda: len(kept) >= 5, 'five results', **names)
        stamps = [m.header.stamp.sec + m.header.stamp.nanosec * 1e-9 for m in kept]
        # The pause is between receptions, of which a busy machine may delay one.
        assert (stamps[-1] - stamps[1]) / (len(stamps) - 2) > 0.35


@pytest.mark.parametrize('how', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize('moment', ['starting', 'idle', 'working'])
def test_signals_end_it_quietly(bench, domain, logs, how, moment):
    arguments = ['-r', '__ns:=/ends']
    with fake_node(domain, logs, *arguments, SPOTS_SECONDS='0.05') as node:
        if moment == 'working':
            bench.listen(HeadPoseArray, '/ends/headpose/heads')
            bench.advertise(Image, '/ends/image')
            bench.advertise(CameraInfo, '/ends/camera_info')
            bench.heads_arrive(
                '/ends/headpose/heads', topic='/ends/image', info_topic='/ends/camera_info'
            )
            bench.shoot(topic='/ends/image', info_topic='/ends/camera_info')
        elif moment == 'idle':
            bench.until(lambda: node.matching('active: waiting'), 'the node to start')
        else:
            bench.until(lambda: node.matching('models loaded'), 'the node to start')
        assert node.end(how) == 0, node.output()
        assert 'Traceback' not in node.output()
        assert not node.matching('rror'), node.output()


@pytest.mark.parametrize(
    ('change', 'words', 'said'),
    [
        ({'HOME': '/proc/none'}, [], r'ROS has no place for its log: .*/proc/none'),
        ({}, ['--ros-args', '-p', os.fsdecode(b'weights:=caf\xe9.onnx')], r'UTF-8 only.*udce9'),
    ],
)
def test_what_ros_cannot_start_with_is_one_line(change, words, said):
    given = {**os.environ, **change}
    given.pop('ROS_LOG_DIR', None)
    command = [sys.executable, '-m', 'headpose_ros.node.main', *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=given)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert re.search(said, line)


SWALLOWER = """
import time
from headpose_ros.node.main import guarded
def run():
    print('loading', flush=True)
    while True:
        try:
            time.sleep(20)
        except BaseException:
            pass
guarded(run)
"""


@pytest.mark.parametrize('how', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_loading_is_not_lost(domain, logs, how):
    """Exceptions of signal handlers get lost in imports: seen as a node that lived on."""
    with Process(['-c', SWALLOWER], domain, logs) as loading, Bench(domain) as bench:
        bench.until(lambda: loading.matching('loading'), 'its start')
        assert loading.end(how) == 0


def test_node_and_camera_may_die_and_come_back_in_any_order(bench, domain, logs):
    names = {'topic': '/back/image', 'info_topic': '/back/camera_info'}
    bench.listen(HeadPoseArray, '/back/headpose/heads')

    def plug_in():
        bench.advertise(Image, '/back/image')
        bench.advertise(CameraInfo, '/back/camera_info')

    plug_in()
    for unplugged in (False, True):
        with fake_node(domain, logs, '-r', '__ns:=/back') as node:
            if unplugged:
                bench.until(lambda node=node: node.matching('active: waiting'), 'the node')
                plug_in()
            bench.heads_arrive('/back/headpose/heads', **names)
            bench.withdraw(*names.values())
            bench.spin(0.3)
            plug_in()
            bench.heads_arrive('/back/headpose/heads', **names)
            node.end(signal.SIGKILL)
        bench.withdraw(*names.values())


def test_the_listener_of_the_readme(bench, running, domain, logs):
    until_active(bench)
    with Process([ROOT / 'examples' / 'listener.py'], domain, logs) as listener:
        bench.camera()
        bench.shoot_until(
            lambda: listener.matching(r'^1\.00 m away') and listener.matching('^seen: face_f0001'),
            'what the listener prints',
            image=lambda: spots(SPOT),
        )
        assert listener.end() == 0
        assert 'Traceback' not in listener.output()
    imported = (ROOT / 'examples' / 'listener.py').read_text()
    assert 'headpose_ros.' not in imported.split('"""')[2]
