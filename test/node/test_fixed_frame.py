# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Transforms at the stamps of images: exact, extrapolated, missing; with either source of them."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('tf2_msgs')
from std_msgs.msg import Header
from test_transform_buffer import NANO, START, about, transform

from headpose_ros.node import transform_source
from headpose_ros.node.fixed_frame import MAX_WAIT, FixedFrame
from headpose_ros.node.problems import ProblemLog
from headpose_ros.node.tf_reader import TOLD_AFTER, TfReader
from headpose_ros.node.transform_buffer import TransformBuffer, TransformError
from headpose_ros.node.transform_source import Tf2Source


class Log(list):
    def info(self, text):
        self.append(text)

    warning = error = info


class Source(TransformBuffer):
    """`on_ask` may add a transform, as the executor's thread does while the worker waits."""

    def __init__(self):
        super().__init__()
        self.asked = self.closed = 0
        self.on_ask = lambda asked: None

    def transform(self, target, source, stamp):
        self.asked += 1
        self.on_ask(self.asked)
        return super().transform(target, source, stamp)

    def close(self):
        self.closed += 1


@pytest.fixture
def made():
    """A fixed frame 'odom' with transforms of a second, 90 deg/s; `now` is set by a test."""
    source, now, log = Source(), [0.0], Log()
    for hundredth in range(0, 101, 2):
        stamp = START + hundredth * NANO // 100
        source.add([transform('odom', 'camera', stamp, about('z', 0.9 * hundredth))])
    reader = TfReader(None, lambda node: source)
    problems = ProblemLog(log, 10.0, lambda: now[0])
    fixed = FixedFrame('odom', reader, problems, lambda: now[0])
    reader.refresh(True)
    return SimpleNamespace(fixed=fixed, reader=reader, source=source, now=now, log=log)


def header(seconds, frame='camera'):
    stamp = START + round(seconds * NANO)
    made = Header(frame_id=frame)
    made.stamp.sec, made.stamp.nanosec = stamp // NANO, stamp % NANO
    return made


def test_at_the_stamp_of_the_image(made):
    np.testing.assert_allclose(
        made.fixed.rotation(header(0.513)), about('z', 0.513 * 90), atol=1e-6
    )
    assert made.source.asked == 1
    assert made.fixed.state == 'odom: known'


def test_an_image_waits_a_little_for_its_transform(made):
    def arrives(asked):
        if asked == 3:
            made.source.add([transform('odom', 'camera', START + 6 * NANO // 5, about('z', 10.0))])

    made.source.on_ask = arrives
    expected = about('z', 50.0)  # half way from 90 to 10
    np.testing.assert_allclose(made.fixed.rotation(header(1.1)), expected, atol=1e-6)


@pytest.mark.parametrize('late', [0.001, 0.03, 0.099])
def test_else_the_camera_is_taken_to_turn_on_as_before(made, late):
    found = made.fixed.rotation(header(1.0 + late))
    np.testing.assert_allclose(found, about('z', 90.0 * (1.0 + late)), atol=1e-6)
    assert made.log == []


def test_with_a_single_transform_it_is_taken_to_stand_still(made):
    made.source.clear()
    made.source.add([transform('odom', 'camera', START, about('z', 5.0))])
    np.testing.assert_allclose(made.fixed.rotation(header(0.05)), about('z', 5.0), atol=1e-9)


def test_an_image_without_a_stamp_takes_the_newest(made):
    np.testing.assert_allclose(
        made.fixed.rotation(Header(frame_id='camera')), about('z', 90.0), atol=1e-6
    )


@pytest.mark.parametrize(
    ('seconds', 'frame', 'words'),
    [
        (0.5, 'lens', "no transform of frame 'lens'.*own turning.*; start what publishes it"),
        (0.5, '', "no transform of frame ''"),
        (0.5, 'far', "no chain from 'far' to 'odom'.*robot_state_publisher"),
        (1.2, 'camera', 'newest transform is 0.20 s older.*20 Hz.*chrony'),
        (-1.0, 'camera', 'the oldest transform is newer.*synchronise the clocks'),
    ],
)
def test_what_lasts_is_told_once_and_nobody_waits_for_it(made, monkeypatch, seconds, frame, words):
    monkeypatch.setattr('headpose_ros.node.tf_reader.time.sleep', None)
    made.source.add([transform('moon', 'far', START, np.eye(3))])
    assert made.fixed.rotation(header(seconds, frame)) is None
    assert made.log == []  # transforms need a moment to arrive
    for _ in range(3):
        made.now[0] += TOLD_AFTER + 0.1
        assert made.fixed.rotation(header(seconds, frame)) is None
    (line,) = made.log
    assert re.search(words, line), line
    assert line.startswith(f"fixed_frame: how '{frame}' is turned in 'odom'")
    assert made.fixed.state == 'odom: not known'
    assert made.fixed.rotation(header(0.5)) is not None
    assert made.log[1:] == [f'resolved: {line}']


def test_single_images_without_it_are_not_told(made):
    for k in range(50):
        made.now[0] += 0.1
        made.fixed.rotation(header(0.5, 'lens' if k % 5 else 'camera'))
    assert made.log == []


def test_another_reason_is_told_only_where_it_lasts(made):
    for seconds, frame, count in ((0.5, 'lens', 3), (-1.0, 'camera', 1), (0.5, 'camera', 1)):
        for _ in range(count):
            made.fixed.rotation(header(seconds, frame))
            made.now[0] += TOLD_AFTER + 0.1
    first, second = made.log
    assert 'no transform' in first
    assert second == f'resolved: {first}'
    made.now[0] += 20.0
    for frame in ('lens', 'lens', 'camera'):
        made.fixed.rotation(header(-1.0, frame))
        made.now[0] += TOLD_AFTER + 0.1
    made.fixed.rotation(header(-1.0))
    assert 'no transform' in made.log[2]
    assert 'oldest' in made.log[3]
    assert [text for text, _ in made.fixed._problems.current()] == [made.log[3]]


def test_time_set_back_forgets_the_transforms(made):
    made.reader.clear()
    assert made.fixed.rotation(header(0.5)) is None
    assert made.log == []


def test_it_listens_only_while_it_is_wanted(made):
    made.reader.refresh(True)
    assert made.source.closed == 0
    made.reader.refresh(False)
    made.reader.refresh(False)
    assert made.source.closed == 1
    assert made.fixed.rotation(header(0.5)) is None


def test_the_wait_is_short():
    assert MAX_WAIT <= 0.02


class FakeTf2:
    """The part of tf2_ros that is used, as of Humble to Kilted, around our buffer."""

    class TransformException(Exception):
        pass

    class LookupException(TransformException):
        pass

    class ConnectivityException(TransformException):
        pass

    class ExtrapolationException(TransformException):
        pass

    class Buffer:
        def __init__(self, cache_time):
            self.inner = TransformBuffer()
            self.clear = self.inner.clear

        def lookup_transform(self, target_frame, source_frame, time):
            try:
                stamp = time.nanoseconds or self.inner.newest(target_frame, source_frame)
                value = self.inner.transform(target_frame, source_frame, stamp)
            except TransformError as error:
                kind = {
                    'unknown': FakeTf2.LookupException, 'apart': FakeTf2.ConnectivityException
                }.get(error.kind, FakeTf2.ExtrapolationException)  # fmt: skip
                raise kind('tf2\nsays no') from error
            found = transform(
                target_frame, source_frame, stamp, value.rotation, shift=value.translation
            )
            found.header.stamp = transform_source.Time(nanoseconds=stamp).to_msg()
            return found

    class TransformListener:
        def __init__(self, buffer, node):
            self.registered = True

        def unregister(self):
            self.registered = False


def test_tf2_is_asked_in_its_own_words(monkeypatch):
    monkeypatch.setattr(transform_source, 'tf2_ros', FakeTf2)
    source = transform_source.open_source(None)
    assert isinstance(source, Tf2Source)
    inner = source._buffer.inner
    for stamp, degrees in ((START, 0.0), (START + NANO, 90.0)):
        shift = (0.0, degrees / 30.0, 0.0)
        inner.add([transform('odom', 'camera', stamp, about('z', degrees), shift=shift)])
    inner.add([transform('moon', 'far', START, np.eye(3))])
    found = source.transform('odom', 'camera', START + NANO // 3)
    np.testing.assert_allclose(found.rotation, about('z', 30.0), atol=1e-6)
    np.testing.assert_allclose(found.translation, [0.0, 1.0, 0.0], atol=1e-6)
    newest = source.transform('odom', 'camera', 0)
    np.testing.assert_allclose(newest.rotation, about('z', 90.0), atol=1e-6)
    assert source.newest('odom', 'camera') == START + NANO
    for target, frame, stamp, kind in (
        ('odom', 'lens', START, 'unknown'),
        ('moon', 'camera', START, 'apart'),
        ('odom', 'camera', START + NANO + 1, 'late'),
        ('odom', 'camera', START - 1, 'old'),
    ):
        with pytest.raises(TransformError, match='tf2 says no') as caught:
            source.transform(target, frame, stamp)
        assert caught.value.kind == kind
    source.clear()
    with pytest.raises(TransformError):
        source.newest('odom', 'camera')
    source.close()
    assert not source._listener.registered
