# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quaternions in messages: the same by tf_transformations as by the core library."""

import sys
import types
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('headpose_ros.msg')
from scipy.spatial.transform import Rotation
from std_msgs.msg import Header

from headpose_ros.geometry.rotations import quaternion_from_matrix
from headpose_ros.heads import Head, Roi
from headpose_ros.node import messages
from headpose_ros.node.messages import head_from_message, head_message, transforms

HEAD = Head('f0001', np.eye(3), np.ones(3), np.eye(6), 0.5, Roi(0, 0, 5, 5), 0.0, 0.0)
HALF_TURNS = [np.diag([1.0, -1, -1]), np.diag([-1.0, 1, -1]), np.diag([-1.0, -1, 1])]
ROTATIONS = [np.eye(3), *HALF_TURNS, *Rotation.random(200, random_state=0).as_matrix()]


@pytest.fixture(autouse=True)
def _fresh():
    converter, quaternions = messages.tf_converter, messages._quaternion_of
    for cached in (converter, quaternions):
        cached.cache_clear()
    yield
    for cached in (converter, quaternions):
        cached.cache_clear()


def stand_in(asked):
    """tf_transformations, by its public interface: (4,4) in; x, y, z, w of either sign out."""

    def convert(matrix):
        assert matrix.shape == (4, 4)
        asked.append(matrix)
        return Rotation.from_matrix(matrix[:3, :3]).as_quat() * (-1) ** len(asked)

    return types.SimpleNamespace(quaternion_from_matrix=convert)


def sent(rotation):
    q = head_message(replace(HEAD, rotation_camera_from_face=rotation), Header()).pose.pose
    return [q.orientation.x, q.orientation.y, q.orientation.z, q.orientation.w]


def check_all():
    for rotation in ROTATIONS:
        got, own = np.array(sent(rotation)), quaternion_from_matrix(rotation)
        sign = 1.0 if abs(own[3]) > 1e-9 else np.sign(got @ own)  # a half turn has two
        np.testing.assert_allclose(got, sign * own, atol=1e-9)
        assert got[3] >= 0.0


def test_tf_transformations_is_used_where_it_is_installed(monkeypatch):
    asked = []
    monkeypatch.setitem(sys.modules, 'tf_transformations', stand_in(asked))
    check_all()
    assert len(asked) == len(ROTATIONS)
    transforms([HEAD], Header(frame_id='camera'))
    assert len(asked) == len(ROTATIONS), 'a head is converted once for all messages'


def test_the_real_tf_transformations_gives_the_same():
    pytest.importorskip('tf_transformations')
    assert messages.tf_converter() is not None
    check_all()


def test_without_it_or_with_a_broken_one_the_core_library_converts(monkeypatch):
    class Broken(types.ModuleType):
        def __getattr__(self, name):
            raise AttributeError("module 'numpy' has no attribute 'float'")

    for module in (None, Broken('tf_transformations')):
        monkeypatch.setitem(sys.modules, 'tf_transformations', module)
        messages.tf_converter.cache_clear()
        messages._quaternion_of.cache_clear()
        assert messages.tf_converter() is None
        check_all()


def test_a_head_comes_back_from_its_message():
    for rotation in ROTATIONS[:20]:
        head = replace(HEAD, rotation_camera_from_face=rotation)
        back = head_from_message(head_message(head, Header()))
        np.testing.assert_allclose(back.rotation_camera_from_face, rotation, atol=1e-9)
