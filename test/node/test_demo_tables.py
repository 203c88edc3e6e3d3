# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's figures, on heads whose errors are known by construction."""

import numpy as np
import pytest

pytest.importorskip('headpose_ros.msg')
from scipy.spatial.transform import Rotation
from std_msgs.msg import Header

from headpose_ros.heads import Head, Roi
from headpose_ros.node.demo_summary import problems
from headpose_ros.node.demo_tables import Pose, compare, read_heads, read_truth, write_heads
from headpose_ros.node.messages import head_from_message, head_message, heads_message

LOOKING_BACK = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])


def pose(name, x, turn_deg=0.0, shift=0.0):
    rotation = Rotation.from_rotvec([0.0, np.radians(turn_deg), 0.0]).as_matrix() @ LOOKING_BACK
    return Pose(name, rotation, np.array([x, 0.0, 2.0 + shift]))


def test_heads_are_matched_by_ray_and_measured():
    truth = {0: [pose('anna', -0.5), pose('bert', 0.5)], 1: [pose('anna', -0.5)], 2: []}
    heads = {
        0: [pose('f2', 0.5, 10.0, 0.2), pose('f1', -0.5, 4.0, 0.1)],
        1: [],
        2: [pose('f9', 0.0)],
    }
    result = compare(heads, truth)
    np.testing.assert_allclose(np.sort(np.degrees(result.geodesic)), [4.0, 10.0], atol=1e-6)
    np.testing.assert_allclose(np.sort(result.position), [0.1, 0.2], atol=1e-9)
    assert (result.missed, result.spurious, result.id_switches) == (1, 1, 0)
    figures = result.figures()
    assert figures['geodesic_deg']['mean'] == pytest.approx(7.0)
    assert figures['position_m']['mean'] == pytest.approx(0.15)
    assert figures['truth_matched'] == 2


def test_a_head_far_off_is_not_matched():
    result = compare({0: [pose('f1', 0.5)]}, {0: [pose('anna', -0.5)]})
    assert (len(result.geodesic), result.missed, result.spurious) == (0, 1, 1)


def test_changed_ids_are_counted():
    truth = {i: [pose('anna', 0.1)] for i in range(4)}
    heads = {i: [pose(name, 0.1)] for i, name in enumerate(['f1', 'f1', 'f2', 'f2'])}
    assert compare(heads, truth).id_switches == 1


def head():
    return Head(
        id='f0007',
        rotation_camera_from_face=Rotation.from_rotvec([0.3, -0.2, 1.1]).as_matrix(),
        position=np.array([0.1, -0.2, 1.5]),
        covariance=np.arange(36.0).reshape(6, 6),
        confidence=0.75,
        roi=Roi(3, 4, 50, 60),
        off_axis_angle=0.125,
        facing_angle=0.5,
    )


def test_a_head_survives_its_message():
    sent, got = head(), head_from_message(head_message(head(), Header()))
    assert (got.id, got.roi) == (sent.id, sent.roi)
    for name in ('confidence', 'off_axis_angle', 'facing_angle'):
        assert getattr(got, name) == getattr(sent, name)
    for name in ('rotation_camera_from_face', 'position', 'covariance'):
        np.testing.assert_allclose(getattr(got, name), getattr(sent, name), atol=1e-12)


def test_tables_are_read_as_written(tmp_path):
    header = Header()
    header.stamp.sec, header.stamp.nanosec = 12, 34
    write_heads(tmp_path / 'heads.csv', [heads_message([head()], header)])
    (got,) = read_heads(tmp_path / 'heads.csv')[12_000_000_034]
    assert got.id == 'f0007'
    np.testing.assert_allclose(got.rotation, head().rotation_camera_from_face, atol=1e-8)
    np.testing.assert_allclose(got.position, head().position, atol=1e-6)


def test_truth_file(tmp_path):
    names = ','.join(f'r{i}{j}' for i in range(3) for j in range(3))
    rows = ','.join(str(v) for v in LOOKING_BACK.ravel())
    (tmp_path / 'truth.csv').write_text(f'file,{names},tx,ty,tz,person\n000007,{rows},1,2,3,a\n')
    (got,) = read_truth(tmp_path / 'truth.csv')[7]
    assert got.id == 'a'
    np.testing.assert_array_equal(got.rotation, LOOKING_BACK)
    np.testing.assert_array_equal(got.position, [1, 2, 3])


def summary(**changes):
    return {
        'frames_published': 100,
        'frames_processed': 98,
        'frames_dropped': 2,
        'truth_matched': 95,
        'truth_missed': 5,
        'geodesic_deg': {'mean': 4.0},
        'position_m': {'mean': 0.05},
        **changes,
    }


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({}, None),
        ({'frames_processed': 0}, 'published nothing'),
        ({'frames_dropped': 11}, 'dropped'),
        ({'geodesic_deg': {'mean': 40.0}}, 'mean error'),
        ({'position_m': {'mean': 0.5}}, 'position error'),
        ({'truth_missed': 60}, 'not found'),
    ],
)
def test_what_is_out_of_bounds(changes, words):
    found = problems(summary(**changes))
    assert (found == []) if words is None else (len(found) == 1 and words in found[0])
