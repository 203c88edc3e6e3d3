# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that are wrong: one line that names topic, cause and fix; then recovery.

The node runs in its own process; each case breaks one thing over DDS, waits for the line, checks
that it comes once in its period, and that good images bring results again. What the graph shows
is in test_faults_graph.py, what cannot be loaded in test_faults_loading.py.
"""

import array
import re
import time
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from graph import SPOT, Bench, camera_info, fake_node, good_image, spots
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from headpose_ros.msg import HeadPoseArray
from headpose_ros.node.depth import nanoseconds
from headpose_ros.node.messages import compressed_message, image_message

NAN, STARTED = float('nan'), time.time()


def with_frame(bench, frame):
    return image_message(spots(SPOT), 'bgr8', bench.header(frame))


def plain(bench, colour):
    return image_message(np.full((120, 160, 3), colour, np.uint8), 'bgr8', bench.header())


def with_stamp(bench, seconds):
    message = good_image(bench)
    message.header.stamp.sec += int(seconds)
    return message


def zero_stamp(bench):
    message = good_image(bench)
    message.header.stamp.sec = message.header.stamp.nanosec = 0
    return message


def still_stamp(bench):
    message = good_image(bench)
    message.header.stamp.sec, message.header.stamp.nanosec = int(STARTED), 0
    return message


def endian(bench):
    """Sixteen bits declared big-endian that are not: a wrong picture, which nobody can tell."""
    data = (np.full((120, 160), 3, np.uint16) << 8).astype('<u2')
    return good_image(
        bench, encoding='mono16', step=320, is_bigendian=1, data=array.array('B', data.tobytes())
    )


@dataclass
class Fault:
    """What is broken, the line that tells, and whether results come all the same.

    `is_fault`: it is told as such, and not mentioned by the way.
    """

    name: str
    line: str
    image: Any = None
    info: Any = True
    works: bool = False
    is_fault: bool = True


K = [100.0, 0.0, 80.0, 0.0, 110.0, 60.0, 0.0, 0.0, 1.0]

FAULTS = [
    Fault('K zero', r'/camera_info: .*(zero|uncalibrated).*calibrate', info={'k': [0.0] * 9}),
    Fault('K NaN', r'/camera_info: .*finite', info={'k': [NAN, *K[1:]]}),
    Fault('K infinite', r'/camera_info: .*finite', info={'k': [float('inf'), *K[1:]]}),
    Fault('D NaN', r'/camera_info: .*finite', info={'d': [NAN] * 5}),
    Fault('D of wrong length', r'/camera_info: .*plumb_bob', info={'d': [0.1] * 3}),
    Fault('model', r"/camera_info: .*'magic'", info={'distortion_model': 'magic', 'd': [0.1] * 5}),
    Fault('a synonym', r"/camera_info: distortion model 'fisheye' is taken for 'equidistant'",
          info={'distortion_model': 'fisheye', 'd': [0.01, 0.0, 0.0, 0.0]}, works=True,
          is_fault=False),
    Fault('eight of plumb_bob', r"/camera_info: .*'plumb_bob' with 8 .*'rational_polynomial'",
          info={'d': [0.01] * 8}, works=True, is_fault=False),
    Fault('K normalised', r'/camera_info: .*divided by its size: multiply fx and cx',
          info={'k': [0.6, 0.0, 0.5, 0.0, 0.9, 0.5, 0.0, 0.0, 1.0]}),
    Fault('K in millimetres', r'/camera_info: .*are they in millimetres',
          info={'k': [2.0, 0.0, 1.6, 0.0, 2.0, 1.6, 0.0, 0.0, 1.0]}),
    Fault('focal length too long', r'/camera_info: the field of view is only 0.51 degrees.*pixels',
          info={'k': [18000.0, 0.0, 80.0, 0.0, 18000.0, 60.0, 0.0, 0.0, 1.0]}, works=True),
    Fault('K of another size', r'/camera_info: .*outside the image.*of about 801x601',
          info={'k': [500.0, 0.0, 400.0, 0.0, 500.0, 300.0, 0.0, 0.0, 1.0]}, works=True),
    Fault('folds', r'/camera_info: the lens model ends \d+ degrees off .*% of .* has no ray',
          info={'d': [-0.9, 0.0, 0.0, 0.0, 0.0]}, works=True),
    Fault('K zero, P filled', r'/camera_info: K is all zero or missing: P is taken', works=True,
          is_fault=False,
          info={'k': [0.0] * 9, 'p': [100.0, 0, 80.0, 0, 0, 110.0, 60.0, 0, 0, 0, 1.0, 0]}),
    Fault('size', r'/camera_info: the image is 160x120, CameraInfo is for 320x240.*same view',
          info={'width': 320, 'height': 240}, works=True),
    Fault('aspect', r'/camera_info: the image is 160x120, CameraInfo is for 160x90.*remap',
          info={'height': 90}),
    Fault('size zero', r'/camera_info: width and height are 0x0: those of the image are taken',
          info={'width': 0, 'height': 0}, works=True, is_fault=False),
    Fault('encoding', r"/image: encoding 'jpeg'.*set the driver", image={'encoding': 'jpeg'}),
    Fault('step', r'/image: step is 10 bytes', image={'step': 10}),
    Fault('short data', r'/image: data holds 999 bytes.*truncated',
          image={'data': array.array('B', bytes(999))}),
    Fault('no pixels', r'/image: the image is empty', image={'width': 0, 'height': 0}),
    Fault('zero stamp', r'/image: the stamp is zero.*driver', image=zero_stamp, works=True),
    Fault('still stamp', r'/image: several images have the same stamp.*driver', image=still_stamp,
          works=True),
    Fault('future', r'/image: stamps are \d+\.\d s in the future.*chrony',
          image=lambda bench: with_stamp(bench, 100), works=True),
    Fault('past', r'/image: stamps are \d+ s old.*use_sim_time',
          image=lambda bench: with_stamp(bench, -1000), works=True),
    Fault('no frame', r'image: header.frame_id is empty.*set it in the camera',
          image=lambda bench: with_frame(bench, ''), works=True),
    Fault('other frame', r"/camera_info: frame_id 'camera' differs from .* the image, 'other'",
          image=lambda bench: with_frame(bench, 'other'), works=True),
    Fault('black', r'/image: the images are black .*lens cap', works=True,
          image=lambda bench: plain(bench, (7, 7, 7))),
    Fault('byte order', '', image=endian, works=True),
    Fault('crash inside', r'/image: RuntimeError: the picture of doom',
          image=lambda bench: plain(bench, (1, 2, 3))),
    Fault('GPU memory', r'device cuda:0: out of memory; batches of 2', works=True,
          image=lambda bench: plain(bench, (4, 5, 6))),
    Fault('max_heads', r'3 more faces than max_heads 2.*raise max_heads', works=True,
          image=lambda bench: plain(bench, (4, 5, 7))),
    Fault('rate', r'images come at 2.0 Hz, too slowly', works=True,
          image=lambda bench: plain(bench, (4, 5, 8))),
]  # fmt: skip


@pytest.mark.parametrize('fault', FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_logged_once_and_survived(bench, running, fault):
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
        assert ('[WARN]' in line or '[ERROR]' in line) == fault.is_fault
    if fault.line and fault.is_fault:
        resolved = lambda: running.matching(f'resolved: {fault.line}', start)  # noqa: E731
        bench.shoot_until(resolved, 'the end of the problem')
    bench.heads_arrive()


def test_time_going_back_starts_anew(bench, running):
    """A bag that loops: results go on, with the stamps of the images; one line, not one a loop."""
    bench.camera()
    bench.heads_arrive()
    start = len(running.lines)
    results = bench.got['/headpose/heads']
    for _ in range(3):
        image = with_stamp(bench, -5)
        bench.shoot_until(
            lambda image=image: any(m.header.stamp == image.header.stamp for m in results),
            image=image,
        )
        bench.heads_arrive()
    pattern = r'\[WARN\].*/image: stamps went back by \d\.\d s.*bag.*second publisher'
    bench.until(lambda: running.matching(pattern, start), pattern)
    assert len(running.matching('stamps went back', start)) == 1


def test_simulated_time_without_a_clock(domain, logs):
    """Results come all the same, on the time of the images."""
    names = {'topic': '/sim/image', 'info_topic': '/sim/camera_info'}
    arguments = ['-r', '__ns:=/sim', '-p', 'use_sim_time:=true', '-p', 'log_repeat_period:=30.0']
    with fake_node(domain, logs, *arguments) as sim, Bench(domain, 'other') as other:
        other.listen(HeadPoseArray, '/sim/headpose/heads')
        other.advertise(Image, '/sim/image')
        other.advertise(CameraInfo, '/sim/camera_info')
        pattern = '/sim/image: use_sim_time is set but nothing arrives on /clock; play the bag'
        other.shoot_until(lambda: sim.matching(pattern), pattern, **names)
        other.heads_arrive('/sim/headpose/heads', **names)
        assert len(sim.matching(pattern)) == 1
        clock = other.advertise(Clock, '/clock')

        def tick():
            clock.publish(Clock(clock=other.stamp()))
            return bool(sim.matching(f'resolved: {pattern}'))

        other.shoot_until(tick, 'the end', **names)
        other.heads_arrive('/sim/headpose/heads', **names)


def test_a_bag_that_is_paused_is_told_as_such(domain, logs):
    names = {'topic': '/bag/image', 'info_topic': '/bag/camera_info'}
    arguments = ['-r', '__ns:=/bag', '-p', 'use_sim_time:=true', '-p', 'silence_timeout:=0.6']
    with fake_node(domain, logs, *arguments) as node, Bench(domain, 'player') as player:
        player.listen(HeadPoseArray, '/bag/headpose/heads')
        player.advertise(Image, '/bag/image')
        player.advertise(CameraInfo, '/bag/camera_info')
        clock = player.advertise(Clock, '/clock')

        def played():
            clock.publish(Clock(clock=player.stamp()))
            return player.got['/bag/headpose/heads']

        player.shoot_until(played, 'results', **names)
        unarrived = 'publishes but no message arrives'
        before = node.matching(unarrived)  # while the two did not know each other yet
        pattern = '/bag/image: no message arrives and /clock stands still: a bag that is paused'
        player.until(lambda: node.matching(pattern), 'the pause to be told')
        player.got['/bag/headpose/heads'].clear()
        player.shoot_until(played, 'results again', **names)
        player.until(lambda: node.matching(f'resolved: {pattern}'), 'the end')
        assert node.matching(unarrived) == before


def test_what_limits_following_is_in_the_diagnostics_by_itself(bench):
    bench.listen(DiagnosticArray, '/diagnostics')
    bench.camera()

    def told(level, words):
        newest = [status for m in bench.got['/diagnostics'][-1:] for status in m.status]
        return newest and newest[0].level == level and any(
            item.key == 'following' and re.search(words, item.value) for item in newest[0].values
        )  # fmt: skip

    many = lambda: plain(bench, (4, 5, 7))  # noqa: E731
    bench.shoot_until(lambda: told(DiagnosticStatus.WARN, '^3 more faces.*max_heads$'), image=many)
    bench.shoot_until(lambda: told(DiagnosticStatus.OK, '^OK$'))


def test_a_late_image_is_left_out_and_a_repeated_stamp_is_not(bench):
    bench.camera()
    bench.heads_arrive()
    results = bench.got['/headpose/heads']
    bench.spin(0.3)
    image = bench.shoot()
    bench.until(lambda: results[-1].header.stamp == image.header.stamp, 'the image')
    bench.spin(0.2)
    count = len(results)
    bench.shoot(image)
    bench.until(lambda: len(results) == count + 1, 'the image with the same stamp')
    late = nanoseconds(image.header) - 200_000_000
    image.header.stamp.sec, image.header.stamp.nanosec = divmod(late, 10**9)
    bench.shoot(image)
    bench.spin(0.5)
    assert len(results) == count + 1


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
    arguments = ['-r', '__ns:=/deep', '-p', 'use_depth:=true', '-p', 'log_repeat_period:=30.0']
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
        assert len(node.matching(pattern)) == 1
        whole = cv2.imencode('.png', spots(SPOT))[1]
        other.heads_arrive(
            '/zip/headpose/heads',
            image=lambda: compressed_message(whole, 'png', other.header()),
            topic='/zip/image/compressed',
            info_topic='/zip/camera_info',
        )
        other.until(lambda: node.matching(f'resolved: {pattern}'), 'the end')
