# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo camera over DDS, and the node in simulated time."""

import json
import signal

import cv2
import numpy as np
import pytest
from graph import Bench, Process, camera_info, fake_node, spots
from rclpy.qos import ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from headpose_ros.media.image_messages import to_bgr_compressed
from headpose_ros.msg import HeadPoseArray
from headpose_ros.node.images import to_bgr

CAMERA = ['-m', 'headpose_ros.node.demo_camera']


@pytest.fixture
def bench(domain):
    with Bench(domain) as made:
        yield made


@pytest.fixture
def folder(tmp_path):
    """Five pictures; the spot tells which one it is."""
    for k in range(5):
        cv2.imwrite(str(tmp_path / f'{k}.png'), spots((20 + 10 * k, 60)))
    return tmp_path


@pytest.mark.parametrize('compressed', [False, True])
def test_a_folder_becomes_images_and_camera_info(bench, domain, logs, folder, compressed):
    topic, kind = ('/image/compressed', CompressedImage) if compressed else ('/image', Image)
    report = folder / 'report.json'
    options = ['--input', folder, '--rate', '50', '--hfov', '90', '--report', report]
    options += ['--compressed'] if compressed else []
    with Process([*CAMERA, *options, '--frame-id', 'eye'], domain, logs) as camera:
        bench.until(lambda: camera.matching('waiting for a subscriber'), 'the camera')
        bench.listen(CameraInfo, '/camera_info')
        bench.until(lambda: bench.node.count_publishers('/camera_info'), 'camera_info')
        bench.spin(0.5)
        bench.listen(kind, topic)
        bench.until(lambda: len(bench.got[topic]) == 5, 'all five images')
        assert camera.process.wait(20) == 0, camera.output()
    decode = to_bgr_compressed if compressed else to_bgr
    for k, message in enumerate(bench.got[topic]):
        assert message.header.frame_id == 'eye'
        limit = 40 if compressed else 0
        difference = decode(message).astype(int) - spots((20 + 10 * k, 60))
        assert np.abs(difference).max() <= limit
    stamps = [m.header.stamp.sec * 10**9 + m.header.stamp.nanosec for m in bench.got[topic]]
    told = json.loads(report.read_text())
    assert told['stamps_ns'] == stamps == sorted(set(stamps))
    assert told['indices'] == [0, 1, 2, 3, 4]
    info = bench.got['/camera_info'][-1]
    assert (info.width, info.height) == (160, 120)
    np.testing.assert_allclose(
        np.reshape(info.k, (3, 3)), [[80, 0, 79.5], [0, 80, 59.5], [0, 0, 1]]
    )
    np.testing.assert_allclose(np.reshape(info.p, (3, 4))[:, :3], np.reshape(info.k, (3, 3)))


def test_it_loops_until_it_is_told_to_stop(bench, domain, logs, folder):
    options = ['--input', folder, '--rate', '50', '--hfov', '60', '--loop']
    with Process([*CAMERA, *options], domain, logs) as camera:
        bench.listen(Image, '/image', depth=100)
        bench.until(lambda: len(bench.got['/image']) > 12, 'more images than there are')
        assert camera.end(signal.SIGTERM) == 0
        assert 'Traceback' not in camera.output()


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        (['--input', '/nowhere.mp4'], '/nowhere.mp4: no such file'),
        (['--input', '{folder}', '--hfov', '200'], 'hfov: expected 1 to 179 degrees'),
        (['--input', '{folder}', '--rate', '-1'], 'rate: expected a positive'),
        (['--input', '{folder}', '--camera-info', '/no.yaml'], '/no.yaml'),
    ],
)
def test_wrong_arguments_get_one_line(domain, logs, folder, options, words):
    options = [option.format(folder=folder) for option in options]
    with Process([*CAMERA, *options], domain, logs) as camera:
        assert camera.process.wait(20) == 2
        camera._reader.join()
        assert len(camera.matching(words)) == 1, camera.output()
        assert len(camera.lines) == 1, camera.output()


def test_simulated_time(bench, domain, logs):
    """A bag with its own clock: no problem about old stamps, and none is made up."""
    arguments = ['-r', '__ns:=/sim', '-p', 'use_sim_time:=true']
    with fake_node(domain, logs, *arguments) as node:
        bench.listen(HeadPoseArray, '/sim/headpose/heads')
        bench.advertise(Image, '/sim/image')
        bench.advertise(CameraInfo, '/sim/camera_info')
        clock = bench.advertise(Clock, '/clock')
        seconds = [1000.0]

        def tick():
            seconds[0] += 0.05
            made = Clock()
            made.clock.sec, made.clock.nanosec = divmod(int(seconds[0] * 1e9), 10**9)
            return made

        def image():
            from headpose_ros.node.messages import image_message

            now = tick()
            clock.publish(now)
            message = image_message(spots((80, 60)), 'bgr8', bench.header())
            message.header.stamp = now.clock
            return message

        kept = bench.got['/sim/headpose/heads']
        names = {'topic': '/sim/image', 'info_topic': '/sim/camera_info', 'info': camera_info()}
        bench.shoot_until(lambda: len(kept) > 5, 'results', image=image, **names)
        assert all(1000 <= m.header.stamp.sec < 2000 for m in kept)
        seconds[0] = 1000.0  # the bag loops
        count = len(kept)
        bench.shoot_until(lambda: len(kept) > count + 3, 'results', image=image, **names)
        bench.shoot_until(lambda: kept[-1].header.stamp.sec < 1002, image=image, **names)
        assert not node.matching(r'stamps are .* old')


@pytest.mark.parametrize('clock', [True, False])
def test_a_bag_becomes_a_camera_in_its_own_time(bench, domain, logs, tmp_path, clock):
    made_archive = pytest.importorskip('made_archive', reason='needs rosbags')
    images = [spots((20 + 10 * k, 60)) for k in range(6)]
    height, width = images[0].shape[:2]
    with made_archive.BagMaker(tmp_path / 'run') as bag:
        for k, image in enumerate(images):
            stamp = made_archive.START_NS + k * 100_000_000
            bag.info('/eye/camera_info', stamp, width, height, 111.0, 'eye')
            bag.image('/eye/image_raw', image, stamp, 'eye', encoding='rgb8')
    options = ['--input', tmp_path / 'run', *([] if clock else ['--no-clock'])]
    with Process([*CAMERA, *options], domain, logs) as camera:
        bench.until(lambda: camera.matching('waiting for a subscriber'), 'the camera')
        bench.listen(CameraInfo, '/camera_info')
        bench.listen(Clock, '/clock', reliability=ReliabilityPolicy.BEST_EFFORT)
        bench.until(lambda: bench.node.count_publishers('/camera_info'), 'camera_info')
        bench.spin(0.5)
        bench.listen(Image, '/image')
        bench.until(lambda: len(bench.got['/image']) == 6, 'all images')
        assert camera.process.wait(20) == 0, camera.output()
    assert np.array_equal(to_bgr(bench.got['/image'][3]), images[3])
    stamps = [m.header.stamp.sec * 10**9 + m.header.stamp.nanosec for m in bench.got['/image']]
    own = [made_archive.START_NS + k * 100_000_000 for k in range(6)]
    assert (stamps == own) is clock
    assert bench.got['/camera_info'][-1].k[0] == 111.0
    assert {m.header.frame_id for m in bench.got['/image']} == {
        'eye' if clock else 'camera_optical_frame'
    }
    times = [m.clock.sec * 10**9 + m.clock.nanosec for m in bench.got['/clock']]
    if not clock:
        assert times == []
        return
    assert times == sorted(times)
    assert own[0] <= times[0] < times[-1] <= own[-1] + 10**9
    assert len(times) > 15  # 40 Hz over half a second, some lost
