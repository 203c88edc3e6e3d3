# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Missing data whose cause the graph shows: one line with topic, cause and fix; then recovery."""

import time

import cv2
import numpy as np
from graph import BEST_EFFORT, RELIABLE, Bench, Process, camera_info, fake_node
from rclpy.qos import DurabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from headpose_ros.msg import HeadPoseArray
from headpose_ros.node.middleware import PROFILE_VARIABLES


def test_no_image_names_where_images_are(bench, running):
    bench.advertise(Image, '/cam/image_raw')
    start = len(running.lines)
    pattern = (
        r'/image: nobody publishes sensor_msgs/msg/Image; it is published on .*/cam/image_raw'
    )
    bench.until(lambda: running.matching(pattern, start), 'the hint')
    bench.spin(1.0)
    assert len(running.matching('nobody publishes', start)) == 1
    bench.camera()
    bench.heads_arrive()
    bench.shoot_until(lambda: running.matching('resolved: /image: nobody', start), 'the end')


def test_images_without_camera_info(bench, running, domain, logs):
    """A node of its own, which has never seen a CameraInfo."""
    arguments = ['-r', '__ns:=/new', '-p', 'silence_timeout:=0.5']
    with fake_node(domain, logs, *arguments) as fresh, Bench(domain, 'other') as other:
        other.listen(HeadPoseArray, '/new/headpose/heads')
        other.advertise(Image, '/new/image')
        other.advertise(CameraInfo, '/new/info')
        pattern = r'/new/camera_info: nobody publishes .*CameraInfo; it is published on /new/info'
        other.shoot_until(lambda: fresh.matching(pattern), pattern, topic='/new/image', info=None)
        assert other.got['/new/headpose/heads'] == []
        other.advertise(CameraInfo, '/new/camera_info')
        other.heads_arrive(
            '/new/headpose/heads', topic='/new/image', info_topic='/new/camera_info'
        )
        reported_and_resolved = 2
        other.until(lambda: len(fresh.matching(pattern)) == reported_and_resolved, 'the end')


def test_a_latched_camera_info_is_heard(domain, logs):
    with Bench(domain, 'other') as other:
        other.advertise(Image, '/late/image')
        other.advertise(
            CameraInfo, '/late/camera_info', durability=DurabilityPolicy.TRANSIENT_LOCAL
        )
        other.publishers['/late/camera_info'].publish(camera_info())
        with fake_node(domain, logs, '-r', '__ns:=/late'):
            other.listen(HeadPoseArray, '/late/headpose/heads')
            other.heads_arrive('/late/headpose/heads', topic='/late/image', info=None)


def test_a_latched_camera_info_is_heard_beside_a_volatile_publisher(domain, logs):
    """A bag player or relay advertises the topic too, and sends nothing."""
    latched = {'durability': DurabilityPolicy.TRANSIENT_LOCAL}
    with Bench(domain, 'other') as other, Bench(domain, 'relay') as relay:
        relay.advertise(CameraInfo, '/both/camera_info')
        other.advertise(Image, '/both/image')
        other.advertise(CameraInfo, '/both/camera_info', **latched)
        other.publishers['/both/camera_info'].publish(camera_info())
        with fake_node(domain, logs, '-r', '__ns:=/both') as node:
            other.until(lambda: node.matching('active: waiting'), 'the node')
            other.spin(1.0)  # it has discovered both publishers before it subscribes
            other.listen(HeadPoseArray, '/both/headpose/heads')
            other.heads_arrive('/both/headpose/heads', topic='/both/image', info=None)


def test_another_type_on_the_topic(bench, running):
    start = len(running.lines)
    bench.advertise(CompressedImage, 'image')
    pattern = r'/image: carries sensor_msgs/msg/CompressedImage, expected .*image_transport'
    bench.until(lambda: running.matching(pattern, start), pattern)
    bench.withdraw('image')
    bench.camera()
    bench.heads_arrive()


def test_a_publisher_that_sends_nothing(bench, running):
    bench.camera()
    start = len(running.lines)
    pattern = r'/image: /bench publishes but no message arrives'
    bench.until(lambda: running.matching(pattern, start), pattern)
    bench.shoot_until(lambda: running.matching('resolved:.*no message arrives', start), 'the end')
    bench.heads_arrive()


def test_two_cameras_on_one_topic(bench, running, domain):
    bench.camera()
    bench.heads_arrive()
    start = len(running.lines)
    pattern = r'/image: /(bench, /other|other, /bench) all publish on it'
    with Bench(domain, 'other') as other:
        other.advertise(Image, 'image')
        bench.shoot_until(lambda: running.matching(pattern, start), pattern)
    bench.shoot_until(lambda: running.matching(f'resolved: {pattern}', start), 'the end')


def test_calibrations_of_two_cameras_on_one_topic(bench, running, domain):
    bench.camera()
    bench.heads_arrive()
    start = len(running.lines)
    both = r'/camera_info: (/bench, /other|/other, /bench) all publish on it'
    turns = r'/camera_info: two calibrations take turns, 160x120 with fx (90|100) and 160x120'
    other_info = camera_info(k=[90.0, 0.0, 80.0, 0.0, 99.0, 60.0, 0.0, 0.0, 1.0])
    with Bench(domain, 'other') as other:
        published = other.advertise(CameraInfo, 'camera_info')

        def told():
            published.publish(other_info)
            other.spin(0.05)
            return running.matching(both, start) and running.matching(turns, start)

        bench.shoot_until(told, 'both lines')
    bench.shoot_until(lambda: running.matching(f'resolved: {turns}', start), 'the end', timeout=30)
    assert running.matching(f'resolved: {both}', start)
    assert len(running.matching(f'^(?!.*resolved).*{turns}', start)) == 1, (
        'told once, not image by image'
    )


def test_a_drawing_of_another_node_is_no_camera(domain, logs):
    arguments = ['-p', 'always_on:=true', '-p', 'silence_timeout:=0.6']
    with fake_node(domain, logs, '-r', '__ns:=/right') as right, Bench(domain, 'other') as other:
        other.advertise(Image, '/cam/image_raw')
        other.until(lambda: right.matching('active: waiting'), 'the node with a drawing')
        with fake_node(domain, logs, '-r', '__ns:=/left', *arguments) as left:
            pattern = '/left/image: nobody publishes .*; it is published on (.*): remap'
            other.until(lambda: left.matching(pattern), 'the hint')
            (line,) = left.matching(pattern)
            assert '/cam/image_raw' in line
            assert 'debug_image' not in line


def test_a_camera_that_was_killed_and_came_back_is_not_a_second_camera(bench, running):
    """DDS lists the dead one for some time; two publishers of one node look the same."""
    bench.camera()
    bench.heads_arrive()
    start = len(running.lines)
    second = bench.node.create_publisher(Image, 'image', 5)
    end = time.monotonic() + 2.0
    bench.shoot_until(lambda: time.monotonic() > end)
    assert not running.matching('all publish on it', start)
    bench.node.destroy_publisher(second)


def test_incompatible_qos_is_named_and_auto_mends_it(domain, logs):
    arguments = ['-p', 'image_reliability:=reliable', '-p', 'silence_timeout:=0.5']
    with (
        fake_node(domain, logs, '-r', '__ns:=/strict', *arguments) as strict,
        Bench(domain, 'other') as other,
    ):
        other.listen(HeadPoseArray, '/strict/headpose/heads')
        other.advertise(Image, '/strict/image', reliability=BEST_EFFORT)
        other.advertise(CameraInfo, '/strict/camera_info')
        pattern = r'/strict/image: /other offers QoS \(best_effort.*set image_reliability to auto'
        other.shoot_until(
            lambda: strict.matching(pattern),
            pattern,
            topic='/strict/image',
            info_topic='/strict/camera_info',
        )
        assert len(strict.matching(pattern)) == 1
        other.withdraw('/strict/image')
        other.advertise(Image, '/strict/image', reliability=RELIABLE)
        names = {'topic': '/strict/image', 'info_topic': '/strict/camera_info'}
        other.heads_arrive('/strict/headpose/heads', **names)
        other.shoot_until(lambda: strict.matching(f'resolved: {pattern}'), 'the end', **names)


def test_a_camera_that_comes_back_with_another_reliability(bench):
    bench.camera(reliability=RELIABLE)
    bench.heads_arrive()
    bench.withdraw('image', 'camera_info')
    bench.spin(0.5)
    bench.camera(reliability=BEST_EFFORT)
    bench.heads_arrive()


def test_a_subscriber_that_never_takes_holds_nobody_up(bench, running, domain):
    """Its queue is full, and it is reliable; the others' results go on."""
    with Bench(domain, 'stuck') as stuck:
        stuck.listen(HeadPoseArray, '/headpose/heads', depth=1)
        bench.camera()
        bench.heads_arrive()
        kept = bench.got['/headpose/heads']
        before, start = len(kept), len(running.lines)
        bench.shoot_until(lambda: len(kept) > before + 20, 'twenty more results')
        assert not running.matching('publishing took', start)


def test_images_that_are_lost_on_their_way(domain, logs, tmp_path):
    """Large best-effort images and small buffers; then reliable ones, which resolves it."""
    cv2.imwrite(str(tmp_path / 'large.png'), np.zeros((960, 1280, 3), np.uint8))
    narrow = dict.fromkeys(PROFILE_VARIABLES, '') | {
        'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4?sockets_size=64KB'
    }
    camera = ['-m', 'headpose_ros.node.demo_camera', '--input', tmp_path / 'large.png', '--loop']
    camera += ['--hfov', '60', '--rate', '20']
    lossy = ['--best-effort', '--ros-args', '-r', '__ns:=/lossy']
    arguments = ['-r', '__ns:=/lossy', '-p', 'always_on:=true']
    pattern = r'/lossy/image: \d+ of \d+ images were lost in transport; set .*fastdds_images.xml'
    with Bench(domain, 'other') as other, fake_node(domain, logs, *arguments, **narrow) as node:
        with Process([*camera, *lossy], domain, logs, **narrow):
            other.until(lambda: node.matching(pattern), pattern, 60)
        with Process([*camera, *lossy[1:]], domain, logs, **narrow):
            other.until(lambda: node.matching(f'resolved: {pattern}'), 'the end', 60)
        assert node.alive
