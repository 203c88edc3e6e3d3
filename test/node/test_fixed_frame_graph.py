# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot that pans its camera, over DDS: node, robot and camera in processes of their own."""

import time
from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from graph import FX, FY, HEIGHT, WIDTH, Bench, Process, following_node, spots
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage
from turning_camera import rotation_odom_from_camera

from headpose_ros.msg import HeadPoseArray
from headpose_ros.node.messages import image_message
from headpose_ros.node.stamps import NANO

ROBOT = Path(__file__).with_name('turning_camera.py')
PLACES = {'left': np.array([1.0, 0.11, 0.0]), 'right': np.array([1.0, -0.11, 0.0])}
"""Two who stand side by side, in odom: as far apart as the camera turns from image to image."""
PERIOD = 0.25
TRANSPORT = 0.3
"""Seconds from an image's stamp to its publishing, as of a camera over a network."""
HEADS, IMAGE = '/follow/headpose/heads', '/follow/image'


class TurningBench(Bench):
    """A camera on the robot."""

    def __init__(self, domain):
        super().__init__(domain, 'camera')
        self.listen(HeadPoseArray, HEADS)
        self.listen(DiagnosticArray, '/diagnostics')
        self.advertise(Image, IMAGE)
        self.advertise(CameraInfo, '/follow/camera_info')

    def picture(self):
        stamp = time.time_ns() - int(TRANSPORT * NANO)
        camera_from_odom = rotation_odom_from_camera(stamp).T
        image = spots(*(self._pixel(camera_from_odom @ p) for p in PLACES.values()), radius=7)
        header = Header(stamp=Time(nanoseconds=stamp).to_msg(), frame_id='camera')
        return image_message(image, 'bgr8', header)

    def film(self, count):
        """Publish images at 1 / PERIOD until there are results of so many more."""
        kept = self.got[HEADS]
        end = len(kept) + count
        while len(kept) < end:
            self.shoot(self.picture(), topic=IMAGE, info_topic='/follow/camera_info')
            self.spin(PERIOD)
        return kept[-count:]

    @staticmethod
    def _pixel(point):
        return (
            round(FX * point[0] / point[2] + WIDTH / 2),
            round(FY * point[1] / point[2] + HEIGHT / 2),
        )


def whose(message):
    """Return {name: id}, by where the heads are in odom."""
    turned = rotation_odom_from_camera(Time.from_msg(message.header.stamp).nanoseconds)
    ids = {}
    for head in message.heads:
        place = head.pose.pose.position
        ray = turned @ np.array([place.x, place.y, place.z])
        ray /= np.linalg.norm(ray)
        name = min(
            PLACES, key=lambda n: np.linalg.norm(PLACES[n] / np.linalg.norm(PLACES[n]) - ray)
        )
        assert np.linalg.norm(PLACES[name] / np.linalg.norm(PLACES[name]) - ray) < 0.04
        ids[name] = head.id
    return ids


@pytest.fixture
def bench(domain):
    with TurningBench(domain) as made:
        yield made


@pytest.fixture
def running():
    """In place of the node that all other files share."""


def node(domain, logs, **parameters):
    given = {'log_repeat_period': 30.0, 'publish_tf': False, **parameters}
    arguments = [word for name, value in given.items() for word in ('-p', f'{name}:={value}')]
    return following_node(domain, logs, '-r', '__ns:=/follow', *arguments)


def values_of(bench):
    """Return the newest diagnostics of the node."""
    status = bench.got['/diagnostics'][-1].status[0]
    return status, {item.key: item.value for item in status.values}


def test_the_robots_turning_is_not_the_peoples(bench, domain, logs):
    with Process([ROBOT], domain, logs), node(domain, logs, fixed_frame='odom') as process:
        bench.film(8)
        seen = [whose(message) for message in bench.film(24)]
        both = [ids for ids in seen if len(ids) == 2]
        assert len(both) >= 20
        assert all(ids == both[0] for ids in both)
        bench.until(lambda: values_of(bench)[1].get('fixed frame') == 'odom: known')
        assert not process.matching('fixed_frame')
        assert 'Traceback' not in process.output()


def test_a_frame_that_is_not_there_is_told_once_and_later_used(bench, domain, logs):
    with node(domain, logs, fixed_frame='odom') as process:
        line = r"\[WARN\].*fixed_frame: how 'camera' is turned in 'odom' is not known from TF"
        bench.film(1)
        bench.shoot_until(
            lambda: process.matching(line),
            image=bench.picture,
            topic=IMAGE,
            info_topic='/follow/camera_info',
        )
        bench.until(lambda: 'not known from TF' in values_of(bench)[0].message, 'diagnostics')
        assert values_of(bench)[1]['fixed frame'] == 'odom: not known'
        bench.film(3)
        with Process([ROBOT], domain, logs):
            bench.shoot_until(
                lambda: process.matching('resolved: fixed_frame'),
                image=bench.picture,
                topic=IMAGE,
                info_topic='/follow/camera_info',
            )
        assert len(process.matching(line)) == 1
        assert 'Traceback' not in process.output()


def test_its_own_listening_to_tf_does_not_keep_it_awake(bench, domain, logs):
    """With publish_tf a subscriber to /tf is a reason to process: others only."""
    with node(domain, logs, fixed_frame='odom', publish_tf=True, silence_timeout=0.5) as process:
        bench.film(2)
        bench.node.destroy_subscription(
            next(s for s in bench.node.subscriptions if s.topic_name == HEADS)
        )
        idle = 'no subscriber on any output: not processing'
        bench.until(lambda: process.matching(idle), idle)
        listener = bench.listen(TFMessage, '/tf')
        bench.shoot_until(
            lambda: bench.got['/tf'],
            image=bench.picture,
            topic=IMAGE,
            info_topic='/follow/camera_info',
        )
        seen = len(process.matching(idle))
        bench.node.destroy_subscription(listener)
        bench.until(lambda: len(process.matching(idle)) > seen, 'idle again')
