# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every way nothing arrives: one line that names topic, cause and fix; then recovery.

The node runs in its own process; each case breaks one thing over DDS, waits for the line, checks
that it comes once in its period, and that good images bring results again.
"""

import array
import time
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from graph import BEST_EFFORT, RELIABLE, SPOT, Bench, Process, camera_info, fake_node, spots
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.qos import DurabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from headpose_ros.msg import HeadPoseArray
from headpose_ros.node.messages import image_message
from headpose_ros.node.private_graph import PROFILE_VARIABLES

NAN = float('nan')


@pytest.fixture(scope='module')
def running(domain, logs):
    arguments = ['-p', 'silence_timeout:=0.6', '-p', 'complaint_period:=30.0']
    with fake_node(domain, logs, *arguments) as process:
        yield process
        assert process.alive, process.output()
        assert 'Traceback' not in process.output()


@pytest.fixture
def bench(domain, running):
    """A bench that listens; a new period forgets what the test before made it log."""
    with Bench(domain) as made:
        for period in (0.1, 30.0):
            _set(made, 'complaint_period', period)
        made.listen(HeadPoseArray, '/headpose/heads')
        yield made


def _set(bench, name, value):
    kind = ParameterType.PARAMETER_DOUBLE
    parameter = Parameter(name=name, value=ParameterValue(type=kind, double_value=value))
    request = SetParameters.Request(parameters=[parameter])
    return bench.call(SetParameters, '/headpose/set_parameters', request)


def good_image(bench, **changes):
    message = image_message(spots(SPOT), 'bgr8', bench.header())
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def with_frame(bench, frame):
    return image_message(spots(SPOT), 'bgr8', bench.header(frame))


def with_stamp(bench, seconds):
    message = good_image(bench)
    message.header.stamp.sec += int(seconds)
    return message


def zero_stamp(bench):
    message = good_image(bench)
    message.header.stamp.sec = message.header.stamp.nanosec = 0
    return message


def endian(bench):
    """Sixteen bits declared big-endian that are not: a wrong picture, which nobody can tell."""
    data = (np.full((120, 160), 3, np.uint16) << 8).astype('<u2')
    return good_image(
        bench, encoding='mono16', step=320, is_bigendian=1, data=array.array('B', data.tobytes())
    )


@dataclass
class Fault:
    """What is broken, the line that tells, and whether results come all the same."""

    name: str
    line: str
    image: Any = None
    info: Any = True
    works: bool = False


K = [100.0, 0.0, 80.0, 0.0, 110.0, 60.0, 0.0, 0.0, 1.0]

FAULTS = [
    Fault('K zero', r'/camera_info: .*(zero|uncalibrated).*calibrate', info={'k': [0.0] * 9}),
    Fault('K NaN', r'/camera_info: .*finite', info={'k': [NAN, *K[1:]]}),
    Fault('K infinite', r'/camera_info: .*finite', info={'k': [float('inf'), *K[1:]]}),
    Fault('D NaN', r'/camera_info: .*finite', info={'d': [NAN] * 5}),
    Fault('D of wrong length', r'/camera_info: .*plumb_bob', info={'d': [0.1] * 3}),
    Fault('model', r"/camera_info: .*'magic'", info={'distortion_model': 'magic', 'd': [0.1] * 5}),
    Fault('size', r'/camera_info: the image is 160x120, CameraInfo is for 320x240',
          info={'width': 320, 'height': 240}),
    Fault('aspect', r'/camera_info: the image is 160x120, CameraInfo is for 160x90.*remap',
          info={'height': 90}),
    Fault('size zero', r'/camera_info: .*(0x0|size|width)', info={'width': 0, 'height': 0}),
    Fault('encoding', r"/image: encoding 'jpeg'.*set the driver", image={'encoding': 'jpeg'}),
    Fault('step', r'/image: step is 10 bytes', image={'step': 10}),
    Fault('short data', r'/image: data holds 999 bytes.*truncated',
          image={'data': array.array('B', bytes(999))}),
    Fault('no pixels', r'/image: the image is empty', image={'width': 0, 'height': 0}),
    Fault('zero stamp', r'/image: the stamp is zero.*driver', image=zero_stamp, works=True),
    Fault('future', r'/image: stamps are \d+\.\d s in the future.*chrony',
          image=lambda bench: with_stamp(bench, 100), works=True),
    Fault('past', r'/image: stamps are \d+ s old.*use_sim_time',
          image=lambda bench: with_stamp(bench, -1000), works=True),
    Fault('no frame', r'image: header.frame_id is empty.*set frame_id',
          image=lambda bench: with_frame(bench, ''), works=True),
    Fault('other frame', r"/camera_info: frame_id 'camera' is not the image's 'other'",
          image=lambda bench: with_frame(bench, 'other'), works=True),
    Fault('byte order', '', image=endian, works=True),
    Fault('crash inside', r'/image: RuntimeError: the picture of doom',
          image=lambda bench: image_message(
              np.full((120, 160, 3), (1, 2, 3), np.uint8), 'bgr8', bench.header())),
    Fault('GPU memory', r'device cuda:0: out of memory; batches of 2', works=True,
          image=lambda bench: image_message(
              np.full((120, 160, 3), (4, 5, 6), np.uint8), 'bgr8', bench.header())),
]  # fmt: skip


@pytest.mark.parametrize('fault', FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_told_once_and_survived(bench, running, fault):
    bench.camera()
    bench.heads_arrive()
    kept, start = bench.got['/headpose/heads'], len(running.lines)
    image, info = fault.image, fault.info
    if isinstance(image, dict):
        image = lambda: good_image(bench, **fault.image)  # noqa: E731
    elif image is not None:
        image = lambda: fault.image(bench)  # noqa: E731
    if isinstance(info, dict):
        info = camera_info(**info)
    told = lambda: running.matching(fault.line, start)  # noqa: E731
    if fault.line:
        bench.shoot_until(told, f'the line {fault.line!r}', image, info)
    if fault.works:
        bench.heads_arrive(image=image, info=info)
    else:
        bench.spin(0.2)
        before = len(kept)
        for _ in range(5):
            bench.shoot(image() if image else None, info)
            bench.spin(0.05)
        assert len(kept) == before
    if fault.line:
        (line,) = told()  # once, however many images
        assert '[WARN]' in line or '[ERROR]' in line
        solved = lambda: running.matching(f'solved: {fault.line}', start)  # noqa: E731
        bench.shoot_until(solved, 'the end of the complaint')
    bench.heads_arrive()


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
    bench.shoot_until(lambda: running.matching('solved: /image: nobody', start), 'the end')


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
        said_and_solved = 2
        other.until(lambda: len(fresh.matching(pattern)) == said_and_solved, 'the end')


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
    pattern = r'/image: /bench is there but sends nothing'
    bench.until(lambda: running.matching(pattern, start), pattern)
    bench.shoot_until(lambda: running.matching('solved:.*sends nothing', start), 'the end')
    bench.heads_arrive()


def test_two_cameras_on_one_topic(bench, running, domain):
    bench.camera()
    bench.heads_arrive()
    start = len(running.lines)
    pattern = r'/image: /(bench, /other|other, /bench) all publish on it'
    with Bench(domain, 'other') as other:
        other.advertise(Image, 'image')
        bench.shoot_until(lambda: running.matching(pattern, start), pattern)
    bench.shoot_until(lambda: running.matching(f'solved: {pattern}', start), 'the end')


def test_a_camera_that_was_killed_and_came_back_is_no_crowd(bench, running):
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
        other.withdraw('/strict/image')
        other.advertise(Image, '/strict/image', reliability=RELIABLE)
        other.heads_arrive(
            '/strict/headpose/heads', topic='/strict/image', info_topic='/strict/camera_info'
        )


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
    """Best effort, large, and buffers that hold a part of one: then reliable, and it is solved."""
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
            other.until(lambda: node.matching(f'solved: {pattern}'), 'the end', 60)
        assert node.alive


def test_time_going_back_starts_anew(bench):
    """A bag that loops: results go on, with the stamps of the images."""
    bench.camera()
    bench.heads_arrive()
    image = with_stamp(bench, -5)
    results = bench.got['/headpose/heads']
    bench.shoot_until(
        lambda: any(m.header.stamp == image.header.stamp for m in results), image=image
    )
    bench.heads_arrive()


def test_late_and_repeated_images_are_left_out(bench):
    bench.camera()
    bench.heads_arrive()
    results = bench.got['/headpose/heads']
    bench.spin(0.3)
    image = bench.shoot()
    bench.until(lambda: results[-1].header.stamp == image.header.stamp, 'the image')
    bench.spin(0.2)
    count = len(results)
    bench.shoot(image)
    bench.spin(0.5)
    assert len(results) == count


def test_depth_that_is_not_aligned(domain, logs):
    def depth(other, stamp, width=160, frame='camera', metres=2.5):
        data = np.full((120, width), metres * 1000, '<u2')
        message = Image(
            width=width, height=120, encoding='16UC1', step=2 * width,
            data=array.array('B', data.tobytes()),
        )  # fmt: skip
        message.header.stamp, message.header.frame_id = stamp, frame
        return message

    names = {'topic': '/deep/image', 'info_topic': '/deep/camera_info'}
    arguments = ['-r', '__ns:=/deep', '-p', 'use_depth:=true', '-p', 'complaint_period:=30.0']
    with fake_node(domain, logs, *arguments) as deep, Bench(domain, 'other') as other:
        other.listen(HeadPoseArray, '/deep/headpose/heads')
        other.advertise(Image, '/deep/image')
        other.advertise(CameraInfo, '/deep/camera_info')
        other.advertise(Image, '/deep/depth')
        results = other.got['/deep/headpose/heads']

        def shoot(**how):
            image = good_image(other)
            other.publishers['/deep/depth'].publish(depth(other, image.header.stamp, **how))
            other.spin(0.02)
            return image

        def distance():
            position = results[-1].heads[0].pose.pose.position
            return np.linalg.norm([position.x, position.y, position.z])

        other.shoot_until(lambda: results and abs(distance() - 2.5) < 1e-3, image=shoot, **names)
        for how, pattern in (
            ({'width': 320}, r'/deep/depth: depth is 320x120, the image 160x120: not aligned'),
            ({'frame': 'other'}, r"/deep/depth: depth is in frame 'other'.*not aligned"),
        ):
            other.shoot_until(
                lambda pattern=pattern: deep.matching(pattern),
                pattern,
                image=lambda how=how: shoot(**how),
                **names,
            )
            assert len(deep.matching(pattern)) == 1
            other.shoot_until(lambda: abs(distance() - 1.0) < 1e-3, 'falling back', **names)
            other.shoot_until(lambda: abs(distance() - 2.5) < 1e-3, 'depth', image=shoot, **names)


def test_compressed_that_is_none(domain, logs):
    arguments = ['-r', '__ns:=/zip', '-p', 'image_transport:=compressed']
    with fake_node(domain, logs, *arguments) as node, Bench(domain, 'other') as other:
        other.listen(HeadPoseArray, '/zip/headpose/heads')
        other.advertise(CompressedImage, '/zip/image/compressed')
        other.advertise(CameraInfo, '/zip/camera_info')

        def rubbish():
            return CompressedImage(
                header=other.header(), format='jpeg', data=array.array('B', b'rubbish')
            )

        pattern = r'/zip/image/compressed: 7 bytes in format .*cannot be decoded'
        other.shoot_until(
            lambda: node.matching(pattern),
            pattern,
            image=rubbish,
            topic='/zip/image/compressed',
            info_topic='/zip/camera_info',
        )
        assert node.alive


def test_missing_weights_are_told_and_found_later(domain, logs, tmp_path):
    weights = tmp_path / 'network.safetensors'
    arguments = ['-r', '__ns:=/bare', '-p', f'weights:={weights}']
    with fake_node(domain, logs, *arguments) as bare, Bench(domain, 'other') as other:
        pattern = r'configure: weights: no file .*network\.safetensors'
        other.until(lambda: bare.matching(pattern), pattern)
        other.listen(DiagnosticArray, '/diagnostics')
        name = 'bare/headpose: head poses'

        def levels():
            found = [s for m in other.got['/diagnostics'] for s in m.status if s.name == name]
            return {s.level for s in found if 'no file' in s.message}

        other.until(lambda: levels() == {DiagnosticStatus.ERROR}, 'an ERROR in diagnostics')
        weights.write_bytes(b'')
        other.until(lambda: bare.matching('active: waiting'), 'the node to try again')


@pytest.mark.parametrize(
    ('argument', 'words'),
    [
        ('detector:=magic', 'expected one of mtcnn'),
        ('score_threshold:=1.5', 'score_threshold.*0.0 to 1.0'),
        ('max_heads:=many', 'max_heads: expected int'),
        ('image_transport:=carrier_pigeon', 'raw, compressed'),
    ],
)
def test_a_wrong_parameter_at_start_ends_with_one_line(domain, logs, argument, words):
    with fake_node(domain, logs, '-r', '__ns:=/wrong', '-p', argument) as wrong:
        assert wrong.process.wait(20) == 2
        wrong._reader.join()
        assert len(wrong.matching(words)) == 1
        assert len(wrong.lines) == 1, wrong.output()


REAL_NODE = ['-m', 'headpose_ros.node.main', '--ros-args', '-r', '__ns:=/real']


@pytest.mark.parametrize(
    ('option', 'content', 'line'),
    [
        ('device:=cuda:7', None, r'configure: .*cuda:7'),
        ('device:=abacus', None, r'configure: .*abacus'),
        ('weights:=/nowhere.safetensors', None, r'configure: .*/nowhere\.safetensors'),
        ('weights:={file}', b'', r'configure: .*network\.safetensors'),
        ('weights:={file}', b'\x10' + bytes(7) + b'{"a": "truncated', r'configure: .*network'),
        ('detector_weights:={file}', bytes(100), r'configure: .*network\.safetensors'),
        ('detector:=yunet', None, r'configure: .*yunet'),
    ],
)
def test_what_the_real_models_refuse(domain, logs, tmp_path, option, content, line):
    file = tmp_path / 'network.safetensors'
    if content is not None:
        file.write_bytes(content)
    option = option.format(file=file)
    with (
        Process([*REAL_NODE, '-p', option], domain, logs) as real,
        Bench(domain, 'other') as other,
    ):
        other.until(lambda: real.matching('configure: ') or not real.alive, 'a complaint', 60)
        other.spin(0.3)
        assert real.alive, real.output()
        assert len(real.matching(line)) == 1, real.output()
        assert 'Traceback' not in real.output()
        assert real.end() == 0
