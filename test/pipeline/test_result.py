# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heads and results as values: angles, tables, equality, copies."""

import copy
import json
import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from headpose_ros.geometry.euler import matrix_from_euler
from headpose_ros.geometry.rotations import matrix_from_quaternion
from headpose_ros.heads import Head, Roi
from headpose_ros.result import Candidate, FrameResult


def head(id='f0001', yaw=0.3, pitch=-0.2, roll=0.1, **changes):
    covariance = np.diag([1e-4] * 3 + [0.01, 0.02, 0.03])
    values = {
        'id': id,
        'rotation_camera_from_face': matrix_from_euler(yaw, pitch, roll),
        'position': np.array([0.3, 0.4, 1.2]),
        'covariance': covariance,
        'confidence': 0.9,
        'roi': Roi(1, 2, 30, 40),
        'off_axis_angle': 0.4,
        'facing_angle': 0.25,
    }
    return Head(**{**values, **changes})


def test_angles_distance_and_quaternion():
    one = head()
    assert (one.yaw, one.pitch, one.roll) == pytest.approx((0.3, -0.2, 0.1))
    assert one.distance == pytest.approx(1.3)
    assert one.quaternion[3] >= 0
    np.testing.assert_allclose(
        matrix_from_quaternion(one.quaternion), one.rotation_camera_from_face, atol=1e-12
    )
    assert one.rotation_sigma == pytest.approx(np.sqrt(0.02))


def test_the_row_of_a_table_is_plain_python():
    row = head().to_dict()
    assert list(row) == [
        'id', 'confidence', 'x', 'y', 'z', 'qx', 'qy', 'qz', 'qw', 'yaw_deg', 'pitch_deg',
        'roll_deg', 'azimuth_deg', 'elevation_deg', 'tilt_deg', 'distance', 'facing_deg',
        'off_axis_deg', 'sigma_deg', 'roi_x', 'roi_y', 'roi_width', 'roi_height',
    ]  # fmt: skip
    assert {type(value) for value in row.values()} == {str, float, int}
    assert json.loads(json.dumps(row)) == row
    assert row['yaw_deg'] == pytest.approx(np.degrees(0.3))
    assert (row['z'], row['facing_deg']) == (1.2, pytest.approx(np.degrees(0.25)))


def test_a_head_is_a_value():
    assert head() == head()
    assert hash(head()) == hash(head())
    assert head() != head(yaw=0.31)
    assert head() != head(confidence=0.8)
    assert head() != 'f0001'
    assert len({head(), head(), head('f0002')}) == 2
    zero = head(position=np.array([0.0, 0.0, 1.0]))
    minus = head(position=np.array([-0.0, 0.0, 1.0]))
    assert zero == minus
    assert hash(zero) == hash(minus)


@pytest.mark.parametrize('copied', [copy.copy, copy.deepcopy, lambda h: replace(h, id='f0001'),
                                    lambda h: pickle.loads(pickle.dumps(h))])  # fmt: skip
def test_nothing_of_a_head_can_be_changed_nor_of_its_copies(copied):
    source = np.array([0.3, 0.4, 1.2])
    one = copied(head(position=source))
    assert one == head()
    source[0] = 9.0
    assert one.position[0] == 0.3
    for name in ('rotation_camera_from_face', 'position', 'covariance', 'quaternion'):
        with pytest.raises(ValueError, match='read-only'):
            getattr(one, name)[0] = 1.0
    with pytest.raises(FrozenInstanceError):
        one.id = 'f0002'


@pytest.mark.parametrize(
    ('name', 'value'),
    [('position', [1, 2]), ('covariance', np.eye(3)), ('rotation_camera_from_face', np.eye(4))],
)
def test_arrays_of_another_shape_are_refused(name, value):
    with pytest.raises(ValueError, match=f'{name}: expected shape'):
        head(**{name: value})


def test_one_line_tells_a_head():
    assert repr(head()) == (
        "Head('f0001', 1.30 m, yaw +17 pitch -11 roll +6 deg, confidence 0.90)"
    )


class TestFrameResult:
    def result(self, **changes):
        values = {
            'heads': [head(), head('f0002')], 'principal_id': 'f0002', 'stamp': 1.5,
            'timings': {'total': 2.0}, 'candidates': (Candidate(3, head('')),), 'tracks': (1, 2),
        }  # fmt: skip
        return FrameResult(**{**values, **changes})

    def test_it_is_a_sequence_of_heads(self):
        result = self.result()
        assert [one.id for one in result] == ['f0001', 'f0002']
        assert (len(result), result[-1].id, result[:1]) == (2, 'f0002', (head(),))
        assert head() in result
        assert result.index(head('f0002')) == 1
        assert bool(result)
        assert not FrameResult()
        _first, second = result
        assert second == result.principal

    def test_it_equals_a_list_of_the_same_heads(self):
        assert FrameResult() == []
        assert self.result() == [head(), head('f0002')]
        assert self.result() != [head()]
        assert self.result() != 3

    def test_two_are_equal_where_the_heads_principal_and_stamp_are(self):
        assert self.result(timings={}) == self.result()
        assert hash(self.result(timings={})) == hash(self.result())
        assert self.result(stamp=1.6) != self.result()
        assert self.result(principal_id=None) != self.result()

    def test_the_principal_may_be_lost_for_the_moment(self):
        assert self.result(principal_id='f0009').principal is None
        assert self.result(principal_id=None).principal is None

    def test_nothing_of_it_can_be_changed(self):
        result = self.result()
        with pytest.raises(TypeError):
            result.timings['total'] = 0.0
        with pytest.raises(TypeError):
            result[0] = head()
        with pytest.raises(FrozenInstanceError):
            result.stamp = 0.0

    def test_it_can_be_sent_to_another_process(self):
        result = self.result()
        sent = pickle.loads(pickle.dumps(result))
        assert sent == result
        assert (sent.timings, sent.candidates) == (result.timings, result.candidates)
        assert copy.deepcopy(result) == result

    def test_rows(self):
        rows = self.result().to_dicts()
        assert list(rows[0])[:4] == ['stamp_ns', 'id', 'principal', 'confidence']
        assert [row['principal'] for row in rows] == [False, True]
        assert rows[0]['stamp_ns'] == 1_500_000_000
        assert 'stamp_ns' not in self.result(stamp=None).to_dicts()[0]

    def test_one_line_tells_it(self):
        assert repr(self.result()) == 'FrameResult(2 heads, principal f0002, stamp 1.500)'
        assert repr(FrameResult()) == 'FrameResult(0 heads, principal None)'
        assert repr(FrameResult(dropped=True)).endswith(', dropped)')
