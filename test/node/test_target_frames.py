# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Targets of attention: what the parameter may say, and where they are in an image."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('headpose_ros.msg')
from std_msgs.msg import Header
from test_transform_buffer import NANO, START, about, transform

from headpose_ros.attention import Target
from headpose_ros.node.parameters import NodeConfig
from headpose_ros.node.problems import ProblemLog
from headpose_ros.node.target_frames import Targets, parsed_targets
from headpose_ros.node.tf_reader import TOLD_AFTER, TfReader
from headpose_ros.node.transform_buffer import TransformBuffer


class Log(list):
    def info(self, text):
        self.append(text)

    warning = error = info


class Source(TransformBuffer):
    def close(self):
        pass


@pytest.fixture
def made():
    """A cup that is carried 1 m ahead of the camera along x at 1 m/s, and a screen that stands."""
    source, now, log = Source(), [0.0], Log()
    for tenth in range(11):
        stamp = START + tenth * NANO // 10
        shift = (tenth / 10, 0.0, 1.0)
        source.add([transform('lens', 'cup', stamp, np.eye(3), shift=shift)])
    source.add([transform('lens', 'screen', 0, about('y', 90.0), shift=(0.0, 0.5, 0.0))], True)
    reader = TfReader(None, lambda node: source)
    reader.refresh(True)
    targets = Targets(reader, ProblemLog(log, 10.0, lambda: now[0]), lambda: now[0])
    return SimpleNamespace(targets=targets, reader=reader, source=source, now=now, log=log)


def header(seconds, frame='lens'):
    stamp = START + round(seconds * NANO)
    made = Header(frame_id=frame)
    made.stamp.sec, made.stamp.nanosec = stamp // NANO, stamp % NANO
    return made


CUP, SCREEN, DOOR = Target('cup', radius=0.05), Target('screen', size=(0.4, 0.3)), Target('door')


def test_where_targets_are_at_the_stamp_of_the_image(made):
    places = made.targets.places([CUP, SCREEN], header(0.53))
    np.testing.assert_allclose(places['cup'].position, [0.53, 0.0, 1.0], atol=1e-6)
    np.testing.assert_allclose(places['screen'].position, [0.0, 0.5, 0.0], atol=1e-9)
    turned = places['screen'].rotation_camera_from_target
    np.testing.assert_allclose(turned, about('y', 90.0), atol=1e-9)
    assert made.targets.state == 'camera, cup, screen'
    assert made.log == []


def test_no_image_waits_for_a_target(made, monkeypatch):
    monkeypatch.setattr('headpose_ros.node.tf_reader.time.sleep', None)
    places = made.targets.places([CUP], header(1.08))
    np.testing.assert_allclose(places['cup'].position, [1.08, 0.0, 1.0], atol=1e-6)


def test_the_camera_needs_no_place(made):
    made.reader.refresh(False)
    assert made.targets.places([Target('camera', radius=0.1)], header(0.5)) == {}
    assert made.targets.state == 'camera'


@pytest.mark.parametrize(
    ('seconds', 'frame', 'words'),
    [
        (0.5, 'lens', "where 'door' is in 'lens'.*no transform of frame 'door'.*; start what"),
        (0.5, 'eye', "'door' is in 'eye'.*no transform"),
    ],
)
def test_a_missing_frame_is_told_once_and_left_out(made, seconds, frame, words):
    for _ in range(4):
        places = made.targets.places([CUP, DOOR], header(seconds, frame))
        assert 'door' not in places
        made.now[0] += TOLD_AFTER + 0.1
    told = [line for line in made.log if 'door' in line]
    (line,) = told
    assert re.search(words, line)
    assert 'door (not known from TF)' in made.targets.state


def test_a_frame_that_is_late_or_apart(made):
    made.source.add([transform('moon', 'door', 0, np.eye(3))], True)
    for _ in range(2):
        made.targets.places([CUP, DOOR], header(1.3))
        made.now[0] += TOLD_AFTER + 0.1
    assert re.search("'cup'.*newest transform is 0.30 s older.*tf_static", made.log[0])
    assert re.search("'door'.*no chain.*robot_state_publisher", made.log[1])


def test_what_is_missing_for_a_moment_is_not_told(made):
    for seconds in (0.5, 2.0, 0.5, 2.0):
        made.targets.places([CUP], header(seconds))
        made.now[0] += 0.9 * TOLD_AFTER
    assert made.log == []


def test_the_end_is_told_too(made):
    for _ in range(2):
        made.targets.places([DOOR], header(0.5))
        made.now[0] += TOLD_AFTER + 0.1
    made.source.add([transform('lens', 'door', 0, np.eye(3))], True)
    assert 'door' in made.targets.places([DOOR], header(0.5))
    assert made.log[1:] == [f'resolved: {made.log[0]}']


def test_transforms_have_time_to_arrive_after_each_start(made):
    made.targets.places([DOOR], header(0.5))
    made.reader.refresh(False)
    made.now[0] += 10.0
    made.reader.refresh(True)
    made.targets.places([DOOR], header(0.5))
    assert made.log == []


def test_a_target_that_is_taken_out_is_no_problem_any_more(made):
    for _ in range(2):
        made.targets.places([DOOR], header(0.5))
        made.now[0] += TOLD_AFTER + 0.1
    assert made.targets._problems.current()
    made.targets.places([CUP], header(0.5))
    assert made.targets._problems.current() == []
    assert made.targets.state == 'camera, cup'


def test_what_the_parameter_may_say():
    texts = ('cup:0.05', 'screen:0.4x0.3', 'door', 'camera:0.15', 'robot/head:0.2')
    assert parsed_targets(texts)[:3] == (CUP, SCREEN, DOOR)
    assert NodeConfig(attention_targets=['', ' door ']).attention_targets == ('door',)
    assert NodeConfig(attention_targets=('door',), principal_by='door').principal_by == 'door'


@pytest.mark.parametrize(
    ('given', 'words'),
    [
        (['cup:round'], "attention_targets: target 'cup:round': expected name, name:RADIUS or"),
        (['cup:-1'], 'attention_targets: target cup: radius: expected metres above 0'),
        (['cup:1x2x3'], 'expected name, name:RADIUS'),
        (['/cup'], "expected a TF frame with no / at the start.*got '/cup'"),
        (['my cup'], 'no spaces'),
        (['cup', 'cup:0.1'], 'cup is there twice'),
        ('cup', "attention_targets: expected a list of texts, got 'cup'"),
        ([1.0], 'expected a list of texts'),
    ],
)
def test_what_it_may_not(given, words):
    with pytest.raises(ValueError, match=words):
        NodeConfig(attention_targets=given)


def test_the_principal_head_follows_only_a_target_that_is_there():
    with pytest.raises(
        ValueError, match=r"principal_by: expected nearest, camera or .*'cup'.*'x'"
    ):
        NodeConfig(attention_targets=['cup'], principal_by='x')
