# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The drawn image: its size, its two topics, and that it delays nothing."""

import threading
from dataclasses import replace

import cv2
import numpy as np
import pytest
from std_msgs.msg import Header
from test_outputs import Node, Problems, head

from headpose_ros.geometry import CameraModel
from headpose_ros.heads import Roi
from headpose_ros.node import debug_image
from headpose_ros.node.debug_image import DebugImages, Drawing, drawn
from headpose_ros.node.images import to_bgr

RAW, JPEG = '~/debug_image', '~/debug_image/compressed'
CAMERA = CameraModel.from_fov(1280, 720, 1.2)


def drawing(width=0, reduction=1, principal=None):
    one = replace(head('f0001'), roi=Roi(600, 330, 80, 60))
    shape = (CAMERA.height // reduction, CAMERA.width // reduction, 3)
    image = np.full(shape, 90, np.uint8)
    return Drawing([one], principal, Header(frame_id='camera'), image, CAMERA, width)


@pytest.mark.parametrize(
    ('width', 'reduction', 'expected'),
    [(640, 1, (360, 640)), (0, 1, (720, 1280)), (4000, 1, (720, 1280)), (640, 2, (360, 640)),
     (640, 4, (360, 640)), (333, 1, (187, 333))],
)  # fmt: skip
def test_it_is_as_wide_as_wanted_and_the_head_is_where_it_is(width, reduction, expected):
    made = drawing(width, reduction)
    canvas = drawn(made)
    assert canvas.shape == (*expected, 3)
    assert (made.image == 90).all(), 'the image itself was drawn into'
    rows, columns = np.nonzero((canvas != 90).any(axis=2))
    scale = expected[1] / CAMERA.width
    # The box ends left and below; the label stands above, the axes point elsewhere.
    assert abs(columns.min() - 600 * scale) < 8
    assert abs(rows.max() - 390 * scale) < 8


@pytest.fixture
def made():
    node, problems, sent = Node(), Problems(), []
    arrived = threading.Event()

    def send(publisher, message):
        sent.append((publisher.topic_name, message))
        arrived.set()

    images = DebugImages(node, problems, send)
    yield images, node.made, problems, sent, arrived
    images.close()


@pytest.mark.parametrize('topics', [{RAW}, {JPEG}, {RAW, JPEG}])
def test_each_topic_is_made_for_its_own_subscribers(made, topics):
    images, publishers, _, sent, arrived = made
    for topic in topics:
        publishers[topic].listeners = 1
    images.put(drawing(640))
    assert arrived.wait(5.0)
    images.close()
    got = dict(sent)
    assert set(got) == topics
    pictures = []
    if RAW in got:
        pictures.append(to_bgr(got[RAW]))
    if JPEG in got:
        assert got[JPEG].format == 'bgr8; jpeg compressed bgr8'
        pictures.append(cv2.imdecode(np.frombuffer(got[JPEG].data, np.uint8), cv2.IMREAD_COLOR))
    for picture in pictures:
        assert picture.shape == (360, 640, 3)
        assert np.abs(picture.astype(int) - drawn(drawing(640))).mean() < 2.0


def test_drawing_does_not_hold_up_who_puts_it_and_keeps_the_newest(made, monkeypatch):
    images, publishers, _, sent, _ = made
    publishers[RAW].listeners = 1
    begun, go_on, seen = threading.Event(), threading.Event(), []

    def slow(one):
        begun.set()
        assert go_on.wait(10.0)
        seen.append(one.principal_id)
        return one.image

    monkeypatch.setattr(debug_image, 'drawn', slow)
    images.put(drawing(principal='first'))
    assert begun.wait(5.0)
    images.put(drawing(principal='second'))
    images.put(drawing(principal='third'))
    assert sent == []
    go_on.set()
    until(lambda: len(sent) == 2)
    assert seen == ['first', 'third']


def test_what_was_put_before_is_forgotten(made, monkeypatch):
    images, publishers, _, sent, _ = made
    publishers[RAW].listeners = 1
    begun, go_on = threading.Event(), threading.Event()

    def slow(one):
        begun.set()
        assert go_on.wait(10.0)
        return one.image

    monkeypatch.setattr(debug_image, 'drawn', slow)
    images.put(drawing())
    assert begun.wait(5.0)
    images.forget()
    images.put(drawing(principal='f0001'))
    go_on.set()
    until(lambda: sent)
    images.close()
    assert len(sent) == 1


def test_a_drawing_that_fails_is_reported_until_one_succeeds(made, monkeypatch):
    images, publishers, problems, sent, _ = made
    publishers[RAW].listeners = 1

    def fail(one):
        raise RuntimeError('no pencil')

    with monkeypatch.context() as broken:
        broken.setattr(debug_image, 'drawn', fail)
        images.put(drawing())
        until(lambda: problems.active)
    assert problems.active == {'output.drawing': '~/debug_image: RuntimeError: no pencil'}
    images.put(drawing())
    until(lambda: not problems.active)
    assert len(sent) == 1


def until(condition):
    waiting = threading.Event()
    for _ in range(500):
        if condition():
            return
        waiting.wait(0.02)
    raise AssertionError(condition)
