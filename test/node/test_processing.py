# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From an image message to what is published and reported, without a graph."""

import time
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('headpose_ros.msg')
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from headpose_ros.node.camera_source import CameraSource
from headpose_ros.node.depth import DepthBuffer
from headpose_ros.node.diagnostics import Statistics
from headpose_ros.node.messages import image_message
from headpose_ros.node.parameters import NodeConfig
from headpose_ros.node.problems import ProblemLog
from headpose_ros.node.processing import Job, Processor, Topics
from headpose_ros.result import FrameResult

NANO = 10**9
START = 1_700_000_000 * NANO
WIDTH, HEIGHT = 32, 24


class Log(list):
    def info(self, text):
        self.append(text)

    warning = error = info


class Pipeline:
    def __init__(self):
        self.warnings, self.depths, self.resets = {}, [], 0

    def process(self, image, camera, stamp, depth, reduction, *, rotation_fixed_from_camera):
        self.depths.append(depth)
        return FrameResult((), None, stamp)

    def reset(self):
        self.resets += 1


class Outputs(SimpleNamespace):
    def publish(self, *_):
        pass

    publish_debug_image = forget_debug_image = publish_faces = publish_attention = publish

    def debug_image_wanted(self):
        return False

    pixels_wanted = debug_image_wanted


@pytest.fixture
def made():
    """A processor and its parts; `now_ns` is the time that its clock shows."""
    parts = SimpleNamespace(
        pipeline=Pipeline(),
        cameras=CameraSource(rectified=False),
        depths=DepthBuffer(),
        tf=SimpleNamespace(clears=0),
        fixed_frame=SimpleNamespace(rotation=lambda header: None),
        problems=ProblemLog(Log(), 10.0),
        statistics=Statistics(),
        options=NodeConfig(use_depth=True),
        now_ns=START,
    )

    def clear():
        parts.tf.clears += 1

    parts.tf.clear = clear
    parts.processor = Processor(
        parts.pipeline,
        parts.cameras,
        parts.depths,
        parts.tf,
        parts.fixed_frame,
        SimpleNamespace(places=lambda targets, header: {}),
        Outputs(attention=SimpleNamespace(leave=lambda: None, last=None)),
        parts.problems,
        parts.statistics,
        Topics('/image', '/camera_info', '/depth'),
        lambda: parts.options,
        lambda: parts.now_ns,
    )
    parts.cameras.update(info())
    return parts


def info(width=WIDTH, height=HEIGHT):
    message = CameraInfo(width=width, height=height, distortion_model='plumb_bob', d=[0.0] * 5)
    message.k = [30.0, 0.0, width / 2, 0.0, 30.0, height / 2, 0.0, 0.0, 1.0]
    message.header.frame_id = 'camera'
    return message


def header(stamp_ns):
    made = Header(frame_id='camera')
    made.stamp.sec, made.stamp.nanosec = divmod(stamp_ns, NANO)
    return made


def image(stamp_ns, width=WIDTH, height=HEIGHT):
    return image_message(np.zeros((height, width, 3), np.uint8), 'bgr8', header(stamp_ns))


def handle(parts, message, ago=0.0):
    parts.processor.handle(Job(message, time.monotonic() - ago))


@pytest.mark.parametrize('latency', [0.02, 0.3, 4.0])
def test_latency_counts_from_the_stamp(made, latency):
    """Not from the reception, which was a second ago."""
    made.now_ns = START + round(latency * NANO)
    handle(made, image(START), ago=1.0)
    assert made.statistics.latency_p95() == pytest.approx(latency)


@pytest.mark.parametrize('ahead', [5.0, -20.0])
def test_latency_counts_from_the_reception_where_the_stamp_is_of_another_clock(made, ahead):
    handle(made, image(START + round(ahead * NANO)), ago=1.0)
    assert 1.0 <= made.statistics.latency_p95() < 4.9


def depth(stamp_ns):
    return Image(
        header=header(stamp_ns), width=WIDTH, height=HEIGHT, encoding='32FC1', step=4 * WIDTH,
        data=np.full((HEIGHT, WIDTH), 2.0, np.float32).tobytes(),
    )  # fmt: skip


def test_a_jump_of_time_forgets_the_depth_images_from_before(made):
    """One from before the jump back would be taken for the image of the same stamp after it."""
    made.depths.put(depth(START))
    handle(made, image(START))
    made.depths.put(depth(START + NANO))
    handle(made, image(START + 60 * NANO))
    assert [given is None for given in made.pipeline.depths] == [False, True]
    resets, clears = made.pipeline.resets, made.tf.clears
    handle(made, image(START + NANO))
    assert made.pipeline.depths[-1] is None
    assert (made.pipeline.resets, made.tf.clears) == (resets + 1, clears + 1)


def test_a_view_that_is_only_resized_ends_what_was_wrong_with_the_camera_info(made):
    handle(made, image(START, WIDTH, WIDTH))  # another aspect ratio
    assert made.problems.texts('camera_info.size')
    handle(made, image(START + NANO, 2 * WIDTH, 2 * HEIGHT))
    assert not made.problems.texts('camera_info.size')
    assert made.problems.texts('camera_info.resized')
    handle(made, image(START + 2 * NANO))
    assert not made.problems.texts('camera_info')
