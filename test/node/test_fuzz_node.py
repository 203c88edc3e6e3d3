# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Random and mutated messages to the node over DDS: it lives, logs no exception, does not grow.

HEADPOSE_FUZZ=10000 makes it 10,000 images of each kind and as many CameraInfo; test_fuzz.py looks
at single functions.
"""

import array
import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from graph import SPOT, Bench, Process, camera_info, fake_node, spots
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from headpose_ros.media.image_messages import ENCODINGS
from headpose_ros.msg import HeadPoseArray
from headpose_ros.node.messages import compressed_message, image_message

COUNT = int(os.environ.get('HEADPOSE_FUZZ', '200'))
WARM = COUNT // 4
MAX_GROWTH_MB = 3.0
ODD_NUMBERS = (0, 1, 2, 3, 119, 121, 2**16, 2**31, 2**32 - 1)
ODD_FLOATS = (0.0, -1.0, 1e300, -1e-300, float('nan'), float('inf'), float('-inf'))
ODD_TEXTS = ('', 'jpeg', 'bgr8', 'ünsinn', '\x00', '/', 'a' * 3000, *ENCODINGS, '16UC1', '32FC1')
START_OF_FRAME = b'\xff\xc0'
"""Of a JPEG; five bytes later come its height and width."""
EXCEPTION = r'Traceback|a callback failed|/image\S*: [A-Za-z]*(Error|Exception|Handle):'
"""In the log: an error that nothing had foreseen."""


def status_mb(pid, name):
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise ValueError(f'no {name}')


ODD_MODELS = (
    '', 'equidistant', 'magic', '\x00', 'fisheye', 'radtan', 'PLUMB_BOB ', 'pinhole', 'f-theta',
    'rational_polynomial', 'Inverse Brown Conrady',
)  # fmt: skip


class Mutator:
    """Breaks good messages at random: fields that do not fit, bytes that are wrong or cut off."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def one_of(self, values):
        return values[self.random.integers(len(values))]

    def bytes_of(self, data):
        data = np.frombuffer(data, np.uint8).copy()
        for place in self.random.integers(0, max(1, len(data)), self.random.integers(0, 30)):
            data[place : place + 1] = self.random.integers(256)
        if self.random.random() < 0.5:
            data = data[: self.random.integers(0, len(data) + 1)]
        return array.array('B', data.tobytes())

    def header(self, header):
        what = self.random.integers(5)
        if what == 0:
            header.frame_id = self.one_of(ODD_TEXTS)
        elif what == 1:
            header.stamp.sec = int(self.random.integers(-(2**31), 2**31))
        elif what == 2:
            header.stamp.nanosec = int(self.random.integers(0, 2**32))

    def image(self, message):
        for _ in range(self.random.integers(1, 4)):
            name = self.one_of(('width', 'height', 'step', 'encoding', 'data', 'is_bigendian'))
            if name == 'encoding':
                message.encoding = self.one_of(ODD_TEXTS)
            elif name == 'data':
                message.data = self.bytes_of(message.data)
            elif name == 'is_bigendian':
                message.is_bigendian = int(self.random.integers(256))
            else:
                setattr(message, name, self.one_of(ODD_NUMBERS))
        return message

    def compressed(self, message):
        before = bytes(message.data)
        message.data = self.bytes_of(before)
        size = slice(before.index(START_OF_FRAME), before.index(START_OF_FRAME) + 9)
        message.data[size] = array.array('B', before[size])  # huge ones have a test of their own
        message.format = self.one_of(('jpeg', 'png', '', '16UC1; compressedDepth', 'ünsinn'))
        return message

    def info(self, message):
        for _ in range(self.random.integers(1, 4)):
            name = self.one_of(('width', 'height', 'k', 'p', 'd', 'model', 'binning', 'roi'))
            if name in ('width', 'height'):
                setattr(message, name, self.one_of(ODD_NUMBERS))
            elif name in ('k', 'p'):
                getattr(message, name)[self.random.integers(9)] = self.one_of(ODD_FLOATS)
            elif name == 'd':
                message.d = [self.one_of(ODD_FLOATS) for _ in range(self.random.integers(0, 15))]
            elif name == 'model':
                message.distortion_model = self.one_of(ODD_MODELS)
            elif name == 'binning':
                message.binning_x = self.one_of(ODD_NUMBERS)
            else:
                message.roi.width = message.roi.x_offset = self.one_of(ODD_NUMBERS)
        return message


@pytest.mark.parametrize('kind', ['raw', 'compressed'])
def test_ten_thousand_bad_messages(domain, logs, kind):
    """Images, three of four broken; as many CameraInfo, every second broken."""
    topic = '/fuzz/image' if kind == 'raw' else '/fuzz/image/compressed'
    names = {'topic': topic, 'info_topic': '/fuzz/camera_info'}
    arguments = ['-r', '__ns:=/fuzz', '-p', f'image_transport:={kind}', '-p', 'warn_rate:=0.0']
    mutate = Mutator(len(kind))
    jpeg = cv2.imencode('.jpg', spots(SPOT))[1]
    with fake_node(domain, logs, *arguments) as node, Bench(domain, 'other') as other:

        def good():
            if kind == 'raw':
                return image_message(spots(SPOT), 'bgr8', other.header())
            return compressed_message(jpeg, 'jpeg', other.header())

        other.listen(HeadPoseArray, '/fuzz/headpose/heads')
        other.advertise(Image if kind == 'raw' else CompressedImage, topic)
        other.advertise(CameraInfo, '/fuzz/camera_info')
        other.heads_arrive('/fuzz/headpose/heads', image=good, **names)
        heap = 0.0
        for number in range(COUNT):
            info = mutate.info(camera_info()) if number % 2 else camera_info()
            image = good()
            if number % 4 != 3:  # the others show what wrong CameraInfo does to good images
                image = mutate.image(image) if kind == 'raw' else mutate.compressed(image)
                mutate.header(image.header)
            other.shoot(image, info, **names)
            other.spin(0.004)
            if number == WARM:
                heap = status_mb(node.process.pid, 'RssAnon')
        assert node.alive, node.output()
        other.heads_arrive('/fuzz/headpose/heads', image=good, **names)
        growth = status_mb(node.process.pid, 'RssAnon') - heap
        print(f'{kind}: {COUNT} images, heap {heap:.1f} MB, then {growth:+.1f} MB')
        assert growth < MAX_GROWTH_MB
        assert not node.matching(EXCEPTION), node.output()
        assert node.end() == 0


def test_a_jpeg_that_claims_to_be_huge(domain, logs):
    """900 million pixels in its header, and OpenCV would take 2.7 GB for them."""
    names = {'topic': '/huge/image/compressed', 'info_topic': '/huge/camera_info'}
    data = bytearray(cv2.imencode('.jpg', spots(SPOT))[1])
    at = data.index(START_OF_FRAME) + 5
    data[at : at + 4] = struct.pack('>HH', 30000, 30000)
    huge = np.frombuffer(bytes(data), np.uint8)
    command = ['-m', 'headpose_ros.node.main', '--ros-args', '-r', '__ns:=/huge']
    command += ['-p', 'image_transport:=compressed', '-p', 'always_on:=true']
    with Process(command, domain, logs) as node, Bench(domain, 'other') as other:
        other.advertise(CompressedImage, names['topic'])
        other.advertise(CameraInfo, names['info_topic'])
        pattern = r'/huge/image/compressed: \d+ bytes in format .jpeg. cannot be decoded'
        other.shoot_until(
            lambda: node.matching(pattern),
            pattern,
            image=lambda: compressed_message(huge, 'jpeg', other.header()),
            timeout=60,
            **names,
        )
        assert status_mb(node.process.pid, 'VmHWM') < 1000
        assert node.end() == 0
