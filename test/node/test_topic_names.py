# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics are meant, by remaps: one of `image` serves all that belongs to it."""

import pytest
import rclpy
from graph import Bench, Process, fake_node
from rclpy.context import Context
from sensor_msgs.msg import CameraInfo, Image

from headpose_ros.msg import HeadPoseArray
from headpose_ros.node.subscriptions import camera_info_topic, compressed_topic


@pytest.mark.parametrize(
    ('remaps', 'compressed', 'info'),
    [
        ([], '/robot/image/compressed', '/robot/camera_info'),
        (['image:=/eye/image_raw'], '/eye/image_raw/compressed', '/eye/camera_info'),
        (['image:=eye/left/image'], '/robot/eye/left/image/compressed',
         '/robot/eye/left/camera_info'),
        (['image:=/image'], '/image/compressed', '/camera_info'),
        (['image/compressed:=/eye/small'], '/eye/small', '/robot/camera_info'),
        (['image:=/eye/image_raw', 'camera_info:=/info'], '/eye/image_raw/compressed', '/info'),
        (['camera_info:=/info'], '/robot/image/compressed', '/info'),
    ],
)  # fmt: skip
def test_names(domain, remaps, compressed, info):
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    arguments = ['--ros-args', *(word for remap in remaps for word in ('-r', remap))]
    node = rclpy.create_node('namer', context=context, namespace='robot', cli_args=arguments)
    try:
        image = node.resolve_topic_name('image')
        assert compressed_topic(node) == compressed
        assert camera_info_topic(node, image) == info
        if compressed == f'{image}/compressed':
            assert camera_info_topic(node, compressed) == info
    finally:
        node.destroy_node()
        context.try_shutdown()


def test_one_remap_serves_the_node(domain, logs):
    with fake_node(domain, logs, '-r', 'image:=/eye/image_raw'), Bench(domain) as bench:
        bench.listen(HeadPoseArray, '/headpose/heads')
        bench.advertise(Image, '/eye/image_raw')
        bench.advertise(CameraInfo, '/eye/camera_info')
        bench.heads_arrive(topic='/eye/image_raw', info_topic='/eye/camera_info')


def test_one_remap_serves_our_camera(domain, logs):
    command = ['-m', 'headpose_ros.node.demo_camera', '--loop', '--wait', '0']
    with (
        Process([*command, '--ros-args', '-r', 'image:=/eye/image_raw'], domain, logs),
        Bench(domain) as bench,
    ):
        infos = bench.listen(CameraInfo, '/eye/camera_info')
        bench.until(lambda: bench.got['/eye/camera_info'], 'CameraInfo')
        assert infos.topic_name == '/eye/camera_info'
