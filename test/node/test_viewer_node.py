# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""headpose_viewer: what it makes of the messages that come."""

import numpy as np
import pytest
import rclpy
import rerun  # noqa: F401 - skipped without
from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from graph import camera_info, spots
from rclpy.parameter import Parameter
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header
from viewer_shots import made_head

from headpose_ros.msg import Attention, AttentionArray, HeadEvent
from headpose_ros.node import viewer_node
from headpose_ros.node.messages import heads_message, image_message
from headpose_ros.node.viewer_node import KEPT_IMAGES, Viewer

STEP = 0.1


class FakeLive:
    """Keeps the shots in place of showing them."""

    def __init__(self, host, port, max_rate_hz):
        self.url, self.port = f'http://{host}:{port}/', port
        self.asked = (host, port, max_rate_hz)
        self.shots = []
        self.closed = False

    def put(self, shot):
        self.shots.append(shot)

    def close(self):
        self.closed = True


@pytest.fixture
def make(domain, monkeypatch):
    """Make a viewer with parameters, whose clock stands still unless it is moved."""
    monkeypatch.setattr('headpose_ros.viewer.feeds.LiveView', FakeLive)
    made = []

    def make(**parameters):
        values = [f'{name}:={value}' for name, value in parameters.items()]
        arguments = [word for value in values for word in ('-p', value)]
        rclpy.init(args=['--ros-args', *arguments])
        viewer = Viewer()
        made.append(viewer)
        viewer._cameras.update(camera_info())
        return viewer

    yield make
    for viewer in made:
        viewer.close()
        assert viewer._live.closed
    rclpy.try_shutdown()


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(viewer_node, 'time', clock)
    return clock


def header(number, frame='camera'):
    return Header(stamp=Time(sec=1_790_000_000, nanosec=int(1e8 * number)), frame_id=frame)


def image(number):
    return image_message(spots((80, 60)), 'bgr8', header(number))


def heads(number, *ids):
    return heads_message([made_head(id_) for id_ in ids], header(number), ids[0] if ids else '')


def shown(viewer):
    return [
        (shot.stamp_ns // 10**8 % 100, [h.id for h in shot.result]) for shot in viewer._live.shots
    ]


def test_an_image_is_shown_with_its_own_heads_in_whatever_order_they_come(make, clock):
    viewer = make()
    viewer._on_image(image(0))
    assert shown(viewer) == []
    viewer._on_heads(heads(0, 'a'))
    clock.now += STEP
    viewer._on_heads(heads(1, 'a', 'b'))
    viewer._on_image(image(1))
    assert shown(viewer) == [(0, ['a']), (1, ['a', 'b'])]
    shot = viewer._live.shots[1]
    assert shot.result.principal_id == 'a'
    assert (shot.camera.width, shot.camera.fx) == (160, 100.0)
    np.testing.assert_array_equal(shot.image, spots((80, 60)))
    assert shot.values['camera to viewer'] != 0


def test_the_rate_is_bounded_before_images_are_converted(make, clock, monkeypatch):
    viewer = make(max_rate='5.0')
    converted = []
    monkeypatch.setattr(
        'headpose_ros.node.images.to_bgr',
        lambda message: converted.append(message) or spots((80, 60)),
    )
    for number in range(60):
        viewer._on_image(image(number))
        viewer._on_heads(heads(number, 'a'))
        clock.now += 1 / 30
    assert len(viewer._live.shots) == pytest.approx(10, abs=2)
    assert len(converted) == len(viewer._live.shots)
    assert viewer._live.asked[2] == 5.0


def test_memory_is_bounded_where_no_heads_come(make, clock):
    viewer = make()
    for number in range(5 * KEPT_IMAGES):
        viewer._on_image(image(number))
    assert len(viewer._images) == KEPT_IMAGES
    clock.now += 2.0
    viewer._tick()
    assert shown(viewer) == [(5 * KEPT_IMAGES - 1, [])]  # the newest, without heads
    assert not viewer._images


def test_heads_without_images_are_shown_all_the_same(make, clock):
    viewer = make()
    viewer._on_heads(heads(3, 'a'))
    clock.now += 0.5
    viewer._tick()
    assert shown(viewer) == [(3, ['a'])]
    assert viewer._live.shots[0].image is None
    assert viewer._live.shots[0].camera.width == 160


def test_without_camera_info_nothing_is_shown_and_it_is_said(make, clock):
    viewer = make()
    viewer._cameras.update(camera_info(k=[0.0] * 9))
    viewer._on_image(image(0))
    viewer._on_heads(heads(0, 'a'))
    assert shown(viewer) == []


def test_a_bag_that_begins_anew_is_shown_again(make, clock):
    viewer = make()
    for number in (50, 51, 0, 1):
        viewer._on_image(image(number))
        viewer._on_heads(heads(number, 'a'))
        clock.now += STEP
    assert [number for number, _ in shown(viewer)] == [50, 51, 0, 1]


def test_attention_and_events_come_with_their_image(make, clock):
    viewer = make()
    for number in range(2):
        viewer._on_image(image(number))
        if number:
            viewer._on_event(HeadEvent(header=header(1), id='a', type=HeadEvent.NODDED))
        look = Attention(id='a', target='camera', looking=True, probability=0.75)
        viewer._on_attention(AttentionArray(header=header(number), attention=[look]))
        viewer._on_heads(heads(number, 'a'))
        clock.now += STEP
    first, second = (shot.attention for shot in viewer._live.shots)
    assert [(look.id, look.probability) for look in first.looks] == [('a', 0.75)]
    assert first.events == ()
    assert [(event.id, event.type.name) for event in second.events] == [('a', 'NODDED')]


def test_compressed_images_are_passed_on_as_they_are(make, clock):
    import cv2

    viewer = make(image_transport='compressed')
    data = cv2.imencode('.jpg', spots((80, 60)))[1].tobytes()
    viewer._on_image(CompressedImage(header=header(0), format='jpeg', data=data))
    viewer._on_heads(heads(0, 'a'))
    assert viewer._live.shots[0].image == data


def test_the_camera_is_placed_in_the_fixed_frame(make, clock):
    viewer = make(fixed_frame='odom')
    transform = TransformStamped(header=header(0, 'odom'), child_frame_id='camera')
    transform.transform.translation.x = 2.5
    transform.transform.rotation.w = 1.0
    viewer._on_image(image(0))
    viewer._on_heads(heads(0, 'a'))
    assert viewer._live.shots[0].place is None
    viewer._tf.add([transform])
    clock.now += STEP
    viewer._on_image(image(1))
    viewer._on_heads(heads(1, 'a'))
    assert viewer._live.shots[1].place.position[0] == 2.5


@pytest.mark.parametrize('rate', ['0.0', '-1.0'])
def test_a_rate_that_makes_no_sense_is_refused(domain, rate, capsys, monkeypatch):
    monkeypatch.setattr('sys.argv', ['headpose_viewer', '--ros-args', '-p', f'max_rate:={rate}'])
    assert viewer_node._run(None) == 2
    assert 'max_rate: expected above 0' in capsys.readouterr().err


def test_parameters_have_texts(make):
    viewer = make()
    for name in ('port', 'host', 'max_rate', 'image_transport', 'rectified_input', 'fixed_frame'):
        assert viewer.node.describe_parameter(name).description
    result = viewer.node.set_parameters([Parameter('max_rate', value=1.0)])
    assert not result[0].successful  # said to be read only, and it is
