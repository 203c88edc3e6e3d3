# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Transforms at a time: nobody waits who does not ask to, positions go on as before."""

import numpy as np
import pytest

pytest.importorskip('rclpy')
from test_transform_buffer import NANO, START, about, transform

from headpose_ros.node.tf_reader import TOLD_AFTER, Lasting, TfReader
from headpose_ros.node.transform_buffer import TransformBuffer, TransformError


class Source(TransformBuffer):
    def close(self):
        pass


@pytest.fixture
def reader():
    """A table that is carried along x at 1 m/s, for a second."""
    source = Source()
    for tenth in range(11):
        shift = (tenth / 10, 0.0, 2.0)
        stamp = START + tenth * NANO // 10
        source.add([transform('camera', 'table', stamp, about('z', 9.0 * tenth), shift=shift)])
    made = TfReader(None, lambda node: source)
    made.refresh(True)
    return made


def test_motion_goes_on_for_a_moment_without_waiting(reader, monkeypatch):
    monkeypatch.setattr('headpose_ros.node.tf_reader.time.sleep', None)
    found = reader.transform('camera', 'table', START + NANO + NANO // 20)
    np.testing.assert_allclose(found.translation, [1.05, 0.0, 2.0], atol=1e-6)
    np.testing.assert_allclose(found.rotation, about('z', 94.5), atol=1e-6)


def test_but_not_for_long(reader):
    with pytest.raises(TransformError, match=r'newest transform is 0\.20 s older'):
        reader.transform('camera', 'table', START + NANO + NANO // 5)


def test_it_says_nothing_while_it_does_not_listen(reader):
    reader.refresh(False)
    assert reader.transform('camera', 'table', START) is None
    assert reader.generation == 2


def test_what_lasts_is_told_from_what_is_missing_for_a_moment():
    now = [0.0]
    missing = Lasting(lambda: now[0])
    assert not missing.lasts('late')
    now[0] += TOLD_AFTER + 0.1
    assert missing.lasts('late')
    assert not missing.lasts('old')
    now[0] += TOLD_AFTER + 0.1
    missing.over()
    assert not missing.lasts('old')
