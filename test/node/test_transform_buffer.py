# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Transforms between frames at a time: chains, interpolation, static frames, time set back."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('rclpy')  # the folder's packages import it
from scipy.spatial.transform import Rotation

from headpose_ros.node.transform_buffer import (
    HISTORY_NS,
    SWEEP_ABOVE,
    TransformBuffer,
    TransformError,
    turn_on,
)

NANO = 1_000_000_000
START = 1_700_000_000 * NANO


def about(axis, degrees):
    return Rotation.from_euler(axis, degrees, degrees=True).as_matrix()


def transform(parent, child, stamp, rotation, scale=1.0, shift=(0.0, 0.0, 0.0)):
    x, y, z, w = (scale * Rotation.from_matrix(rotation).as_quat()).tolist()
    return SimpleNamespace(
        header=SimpleNamespace(
            frame_id=parent, stamp=SimpleNamespace(sec=stamp // NANO, nanosec=stamp % NANO)
        ),
        child_frame_id=child,
        transform=SimpleNamespace(
            rotation=SimpleNamespace(x=x, y=y, z=z, w=w),
            translation=SimpleNamespace(x=shift[0], y=shift[1], z=shift[2]),
        ),
    )


def rotation(buffer, target, source, stamp):
    return buffer.transform(target, source, stamp).rotation


@pytest.fixture
def buffer():
    """odom <- base (turns by 90 deg/s about z) <- head (static, -90 about x); map <- odom."""
    made = TransformBuffer()
    for tenth in range(11):
        stamp = START + tenth * NANO // 10
        made.add([transform('odom', 'base', stamp, about('z', 9.0 * tenth))])
    made.add([transform('base', 'head', 0, about('x', -90.0))], static=True)
    return made


def kind_of(call, *arguments):
    with pytest.raises(TransformError) as caught:
        call(*arguments)
    return caught.value.kind


@pytest.mark.parametrize('share', [0.0, 0.1, 0.25, 0.5, 0.99, 1.0])
def test_between_two_transforms_it_turns_evenly(buffer, share):
    found = rotation(buffer, 'odom', 'base', START + int(share * NANO / 10))
    np.testing.assert_allclose(found, about('z', 9.0 * share), atol=1e-9)


def test_along_a_chain_in_both_directions(buffer):
    expected = about('z', 45.0) @ about('x', -90.0)
    stamp = START + NANO // 2
    np.testing.assert_allclose(rotation(buffer, 'odom', 'head', stamp), expected, atol=1e-9)
    np.testing.assert_allclose(rotation(buffer, 'head', 'odom', stamp), expected.T, atol=1e-9)
    np.testing.assert_allclose(rotation(buffer, 'head', 'head', stamp), np.eye(3))


def test_between_two_branches_only_what_lies_between_counts(buffer):
    """What is above the common frame may be late, or old, or not there."""
    buffer.add([transform('base', 'tail', 0, about('y', 30.0))], static=True)
    expected = about('y', 30.0).T @ about('x', -90.0)
    np.testing.assert_allclose(rotation(buffer, 'tail', 'head', 5), expected, atol=1e-9)
    assert buffer.newest('tail', 'head') == 0


def test_the_newest_is_that_of_the_slowest_in_the_chain(buffer):
    buffer.add([transform('map', 'odom', START + NANO // 4, np.eye(3))])
    assert buffer.newest('odom', 'head') == START + NANO
    assert buffer.newest('map', 'head') == START + NANO // 4
    found = rotation(buffer, 'map', 'head', 0)
    np.testing.assert_allclose(found, about('z', 22.5) @ about('x', -90.0), atol=1e-9)


def test_why_there_is_none(buffer):
    buffer.add([transform('world', 'other', START, np.eye(3))])
    transform_at = buffer.transform
    assert kind_of(transform_at, 'nowhere', 'head', START) == 'unknown'
    assert kind_of(transform_at, 'odom', '', START) == 'unknown'
    assert kind_of(buffer.newest, 'odom', 'camera') == 'unknown'
    assert kind_of(transform_at, 'world', 'head', START) == 'apart'
    assert kind_of(transform_at, 'odom', 'head', START + NANO + 1) == 'late'
    assert kind_of(transform_at, 'odom', 'head', START - 1) == 'old'


def test_time_that_is_set_back_starts_anew(buffer):
    """A bag that loops: the history of before must not be mixed with that of now."""
    again = START - 60 * NANO
    buffer.add([transform('odom', 'base', again, about('z', 70.0))])
    assert buffer.newest('odom', 'head') == again
    np.testing.assert_allclose(
        rotation(buffer, 'odom', 'base', again), about('z', 70.0), atol=1e-9
    )
    assert kind_of(buffer.transform, 'odom', 'head', START) == 'late'


def test_transforms_out_of_order_are_put_in_order(buffer):
    buffer.add([transform('odom', 'base', START + 2 * NANO, about('z', 180.0))])
    buffer.add([transform('odom', 'base', START + 3 * NANO // 2, about('z', 100.0))])
    found = rotation(buffer, 'odom', 'base', START + 5 * NANO // 4)
    np.testing.assert_allclose(found, about('z', 95.0), atol=1e-9)


def test_cleared_it_knows_only_what_stands_still(buffer):
    buffer.clear()
    assert kind_of(buffer.transform, 'odom', 'base', START) == 'unknown'
    np.testing.assert_allclose(rotation(buffer, 'base', 'head', 7), about('x', -90.0), atol=1e-9)


def test_a_frame_that_gets_another_parent(buffer):
    buffer.add([transform('ship', 'base', START + NANO, about('y', 20.0))])
    found = rotation(buffer, 'ship', 'base', START + NANO)
    np.testing.assert_allclose(found, about('y', 20.0), atol=1e-9)
    assert kind_of(buffer.transform, 'odom', 'base', START) == 'unknown'


def test_leading_slashes_are_those_of_ros_1(buffer):
    buffer.add([transform('/head', '/camera', 0, about('z', 90.0))], static=True)
    np.testing.assert_allclose(rotation(buffer, 'head', 'camera', 1), about('z', 90.0), atol=1e-9)


@pytest.mark.parametrize('scale', [0.0, float('nan'), 7.0])
def test_what_is_no_rotation_is_ignored(buffer, scale):
    buffer.add([transform('odom', 'base', START + 2 * NANO, np.eye(3), scale)])
    assert buffer.newest('odom', 'base') == START + NANO


def test_a_loop_of_frames_ends():
    buffer = TransformBuffer()
    for parent, child in (('a', 'b'), ('b', 'a')):
        buffer.add([transform(parent, child, 0, np.eye(3))], static=True)
    buffer.add([transform('c', 'd', 0, np.eye(3))], static=True)
    assert kind_of(buffer.transform, 'c', 'a', START) == 'apart'


def test_the_history_is_bounded():
    """An hour at 50 Hz, and a face of its own each second."""
    buffer = TransformBuffer()
    for k in range(20_000):
        stamp = START + k * NANO // 50
        buffer.add([transform('odom', 'base', stamp, np.eye(3))])
        if k % 20 == 0:
            buffer.add([transform('base', f'face_{k}', stamp, np.eye(3))])
    assert len(buffer._edges) <= 2 * SWEEP_ABOVE
    assert len(buffer._edges['base'].stamps) <= 2 * HISTORY_NS * 50 // NANO + 2
    assert kind_of(buffer.transform, 'odom', 'base', START) == 'old'


def test_turning_on_beyond_the_second():
    found = turn_on(about('y', 10.0), about('y', 20.0), 3.0)
    np.testing.assert_allclose(found, about('y', 40.0), atol=1e-9)


def test_it_is_filled_and_read_at_the_same_time():
    buffer, faults = TransformBuffer(), []
    buffer.add([transform('odom', 'base', START, np.eye(3))])

    def read():
        try:
            for _ in range(500):
                rotation(buffer, 'odom', 'base', 0)
        except Exception as error:
            faults.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for k in range(3000):
        buffer.add([transform('odom', f'f{k}', START + k, np.eye(3))])
        buffer.add([transform('odom', 'base', START + k, np.eye(3))])
    reader.join()
    assert not faults


def test_positions_along_a_chain_in_both_directions():
    """A camera on a head that turns, on a base that drives; a table in the map."""
    buffer = TransformBuffer()
    for tenth in range(11):
        stamp = START + tenth * NANO // 10
        shift = (0.2 * tenth, 0.0, 0.0)
        buffer.add([transform('map', 'base', stamp, about('z', 9.0 * tenth), shift=shift)])
    buffer.add([transform('base', 'camera', 0, about('y', 90.0), shift=(0.1, 0.0, 1.0))], True)
    buffer.add([transform('map', 'table', 0, about('x', 10.0), shift=(3.0, 1.0, 0.7))], True)
    found = buffer.transform('camera', 'table', START + NANO // 2)
    base = about('z', 45.0)
    lens = np.array([1.0, 0.0, 0.0]) + base @ [0.1, 0.0, 1.0]
    turned = base @ about('y', 90.0)
    np.testing.assert_allclose(found.translation, turned.T @ ([3.0, 1.0, 0.7] - lens), atol=1e-9)
    np.testing.assert_allclose(found.rotation, turned.T @ about('x', 10.0), atol=1e-9)
    back = buffer.transform('table', 'camera', START + NANO // 2)
    both = back.after(found)
    np.testing.assert_allclose(both.rotation, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(both.translation, np.zeros(3), atol=1e-9)


@pytest.mark.parametrize('wrong', [float('nan'), float('inf')])
def test_what_is_no_position_is_ignored(buffer, wrong):
    buffer.add([transform('odom', 'base', START + 2 * NANO, np.eye(3), shift=(0.0, wrong, 0.0))])
    assert buffer.newest('odom', 'base') == START + NANO
