# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages and pictures of faces (REP-155), without a graph."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('hri_msgs.msg')
from std_msgs.msg import Header

from headpose_ros.geometry import CameraModel
from headpose_ros.geometry.face_frame import FACE_CENTRE_IN_FACE, FACE_SPHERE_RADIUS
from headpose_ros.geometry.rotations import matrix_from_vector
from headpose_ros.heads import Head, Roi
from headpose_ros.node import faces
from headpose_ros.node.faces import (
    FaceImage,
    FaceTopics,
    face_picture,
    landmarks_message,
    roi_message,
)

LOOKING_BACK = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
CAMERAS = {
    'pinhole': CameraModel.from_fov(640, 480, np.radians(70)),
    'fisheye': CameraModel.from_fov(640, 480, np.radians(150), model='equidistant'),
}


def head_at(ray, distance=1.0, roll=0.0, **changes):
    """A head around a ray, turned by `roll` about it, looking at the camera."""
    ray = np.asarray(ray, float) / np.linalg.norm(ray)
    up = np.array([0.0, -1.0, 0.0])
    left = np.cross(up, -ray) / np.linalg.norm(np.cross(up, -ray))
    rotation = np.column_stack([-ray, left, np.cross(-ray, left)])
    rotation = matrix_from_vector(roll * ray) @ rotation
    position = distance * ray - rotation @ FACE_CENTRE_IN_FACE
    values = {'confidence': 0.75, 'roi': Roi(10, 20, 30, 40)} | changes
    return Head('f0001', rotation, position, np.eye(6), **values, off_axis_angle=0, facing_angle=0)


def painted(camera, head):
    """An image of a head: red at the top, green at the bottom, blue to the person's left."""
    rays = camera.rays(np.indices((camera.width, camera.height)).reshape(2, -1).T.astype(float))
    centre = head.position + head.rotation_camera_from_face @ FACE_CENTRE_IN_FACE
    along = rays @ (centre / np.linalg.norm(centre))
    seen = rays / np.maximum(along, 0.05)[:, None] * np.linalg.norm(centre) - centre
    _, left, up = (seen @ head.rotation_camera_from_face).T / FACE_SPHERE_RADIUS
    image = np.zeros((camera.width * camera.height, 3), np.uint8)
    for channel, where in ((2, up > 0.5), (1, up < -0.5), (0, left > 0.5)):
        image[where & (np.hypot(left, up) < 1), channel] = 255
    return np.ascontiguousarray(image.reshape(camera.width, camera.height, 3).transpose(1, 0, 2))


@pytest.mark.parametrize('lens', CAMERAS)
@pytest.mark.parametrize('ray', [(0, 0, 1), (0.4, 0.2, 1), (-0.4, -0.25, 1)])
@pytest.mark.parametrize('roll', [0.0, 0.6, -1.5, 3.1])
def test_aligned_pictures_hold_the_head_upright(lens, ray, roll):
    camera, head = CAMERAS[lens], head_at(ray, 0.6, roll)
    picture = face_picture(head, painted(camera, head), camera, 64, True)
    assert picture.shape == (64, 64, 3)
    assert picture[10, 32].tolist() == [0, 0, 255], 'the top of the head is not up'
    assert picture[54, 32].tolist() == [0, 255, 0]
    assert picture[32, 54].tolist() == [255, 0, 0], "the person's left is not to the right"
    assert picture[32, 32].tolist() == picture[2, 2].tolist() == [0, 0, 0]


@pytest.mark.parametrize('roll', [0.0, 0.6, -1.5])
def test_cropped_pictures_show_the_head_as_the_image_does(roll):
    camera, head = CAMERAS['pinhole'], head_at((0.1, 0, 1), 0.6, roll)
    picture = face_picture(head, painted(camera, head), camera, 64, False)
    down, right = np.array([-np.cos(roll), np.sin(roll)]) * 22  # of the top of the head
    assert picture[round(31.5 + down), round(31.5 + right)].tolist() == [0, 0, 255]


def test_the_size_is_as_asked_and_beyond_the_image_it_is_black():
    camera = CAMERAS['pinhole']
    head = head_at((camera.rays([[0.0, 240.0]])[0]), 0.5)
    white = np.full((480, 640, 3), 255, np.uint8)
    picture = face_picture(head, white, camera, 200, True)
    assert picture.shape == (200, 200, 3)
    assert picture[:, :90].max() == 0
    assert picture[:, 110:].min() == 255


def test_no_picture_from_inside_a_head():
    head = head_at((0, 0, 1), 0.05)
    image = np.zeros((480, 640, 3), np.uint8)
    assert face_picture(head, image, CAMERAS['pinhole'], 64, True) is None


def test_regions_stay_within_the_image():
    camera = CAMERAS['pinhole']
    image = FaceImage(Header(frame_id='camera'), camera, None)
    message = roi_message(head_at((0, 0, 1), roi=Roi(600, 0, 40, 480), confidence=1.25), image)
    corners = (message.xmin, message.ymin, message.xmax, message.ymax)
    assert corners == pytest.approx((600 / 640, 0, 1, 1))
    assert message.c == 1.0
    assert message.header.frame_id == 'camera'


def test_landmarks_outside_the_image_have_no_confidence():
    camera = CAMERAS['pinhole']
    image = FaceImage(Header(), camera, None)
    assert landmarks_message(head_at((0, 0, 1)), image) is None
    points = np.tile([319.5, 239.5], (68, 1))
    points[3], points[4], points[5] = (-9, 100), (np.nan, np.nan), (639.5, 0)
    message = landmarks_message(head_at((0, 0, 1), landmarks=points), image)
    got = np.array([(p.x, p.y, p.c) for p in message.landmarks])
    assert got.shape == (70, 3)
    assert got[0].tolist() == [0.5, 0.5, 0.75]
    assert got[5] == pytest.approx([1.0, 0.5 / 480, 0.75])
    assert np.flatnonzero(got[:, 2] == 0).tolist() == [3, 4, 68, 69]


class Node:
    def __init__(self):
        self.made = {}

    def create_publisher(self, kind, topic, qos, event_callbacks):
        assert topic not in self.made
        self.made[topic] = SimpleNamespace(topic=topic, listeners=0)
        self.made[topic].get_subscription_count = lambda: self.made[topic].listeners
        return self.made[topic]

    def destroy_publisher(self, publisher):
        del self.made[publisher.topic]


@pytest.fixture
def topics():
    node, sent = Node(), []
    made = FaceTopics(node, lambda publisher, message: sent.append(publisher.topic))
    return SimpleNamespace(node=node, sent=sent, faces=made)


def test_nothing_is_made_that_nobody_subscribes_to(topics, monkeypatch):
    monkeypatch.setattr(faces, 'sample_crops', None)  # a call would fail
    image = FaceImage(Header(), CAMERAS['pinhole'], np.zeros((480, 640, 3), np.uint8))
    people = [head_at((0, 0, 1)), replace(head_at((0.2, 0, 1)), id='f0002')]
    topics.faces.follow(['f0001', 'f0002'])
    assert not topics.faces.have_subscribers()
    topics.faces.publish(people, image, 64)
    assert topics.sent == []
    for name in ('roi', 'landmarks'):
        topics.node.made[f'/humans/faces/f0002/{name}'].listeners = 1
    topics.faces.publish(people, image, 64)
    assert topics.sent == ['/humans/faces/f0002/roi']  # there are no landmarks
    assert topics.faces.have_subscribers()
    assert not topics.faces.have_subscribers(faces.PICTURES)


def test_pictures_wait_for_an_image_with_all_its_pixels(topics):
    topics.faces.follow(['f0001'])
    topics.node.made['/humans/faces/f0001/aligned'].listeners = 1
    assert topics.faces.have_subscribers(faces.PICTURES)
    image = FaceImage(Header(), CAMERAS['pinhole'], None)
    topics.faces.publish([head_at((0, 0, 1))], image, 64)
    assert topics.sent == []
    full = image._replace(pixels=np.zeros((480, 640, 3), np.uint8))
    topics.faces.publish([head_at((0, 0, 1))], full, 64)
    assert topics.sent == ['/humans/faces/f0001/aligned']


def test_topics_come_and_go_with_the_face(topics):
    topics.faces.follow(['f0001'])
    topics.faces.follow(['f0001', 'f0002'])
    assert len(topics.node.made) == 8
    topics.faces.follow(['f0002'])
    assert {topic.split('/')[3] for topic in topics.node.made} == {'f0002'}
    topics.faces.follow([])
    assert topics.node.made == {}
