# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Attention and events over DDS: node, camera and consumer in processes of their own."""

import json
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from event_consumer import stamp_ns
from geometry_msgs.msg import TransformStamped
from graph import Bench, Process, change, fake_node, get, set_parameters, spots, until_active
from lifecycle_msgs.msg import Transition
from rclpy.qos import DurabilityPolicy
from rclpy.time import Time
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from headpose_ros.attention import Attention, HeadEventType
from headpose_ros.attention.gaze import ELSEWHERE, EYE_SIGMA_SIDEWAYS, EYE_SIGMA_UPWARDS
from headpose_ros.geometry import CameraModel
from headpose_ros.msg import AttentionArray, HeadEvent, HeadPoseArray
from headpose_ros.node.demo_camera import CLIP
from headpose_ros.node.demo_tables import read_truth
from headpose_ros.node.messages import camera_info_message, image_message
from headpose_ros.pipeline import HeadPosePipeline

CONSUMER = Path(__file__).with_name('event_consumer.py')
NANO = 1_000_000_000  # not 1e9: by that the stamp would be rounded twice
START_NS = 1_764_000_000_123_456_789
FPS = 30
LOOPS = (210, 100, 50)
"""Images of the clip that are shown: once, again from a bag that loops, after a restart."""
ENTERED, LEFT, STARTED, STOPPED = (
    HeadEvent.ENTERED,
    HeadEvent.LEFT,
    HeadEvent.STARTED_LOOKING,
    HeadEvent.STOPPED_LOOKING,
)
EVENTS, ATTENTION = '/headpose/events', '/headpose/attention'


@pytest.fixture
def bench(domain):
    with Bench(domain) as made:
        yield made


@pytest.fixture
def running():
    """In place of the node that all other files share."""


def stamp_of(index):
    return START_NS + round(index * 1e9 / FPS)


@pytest.fixture(scope='module')
def clip():
    """The images of the packaged clip, and its camera."""
    if not CLIP.exists():
        pytest.skip('the packaged clip is not made yet')
    video = cv2.VideoCapture(str(CLIP))
    images = [video.read()[1] for _ in range(max(LOOPS))]
    return images, CameraModel.from_yaml(str(CLIP.with_name('clip_camera.yaml')))


@pytest.fixture(scope='module')
def expected(clip):
    """What the library, without ROS, finds in each showing: (type, id, target, stamp in ns)."""
    images, camera = clip
    pipeline, found = HeadPosePipeline(), []
    for count in LOOPS:
        pipeline.reset()
        attention, events = Attention(), []
        for index in range(count):
            result = pipeline.process(images[index], camera, stamp_of(index) / NANO)
            events += [(one, index) for one in attention.update(result).events]
        events += [(one, count - 1) for one in attention.close()]
        found.append([(int(e.type), e.id, e.target, stamp_of(index)) for e, index in events])
    return found


class Consumer(Process):
    """The consumer's process and what it has printed."""

    def __init__(self, domain, logs):
        super().__init__([CONSUMER], domain, logs)

    def got(self, what):
        told = [json.loads(line) for line in list(self.lines) if line.startswith('{')]
        return [one[what] for one in told if what in one]

    def events(self):
        return [tuple(event[:4]) for event in self.got('event')]


class ClipBench(Bench):
    """Plays images one by one: the next one when the result of the last one is there."""

    def __init__(self, domain, clip):
        super().__init__(domain, 'camera')
        self.images, camera = clip
        self.info = camera_info_message(camera)
        self.info.header.frame_id = 'lens'
        self.listen(HeadPoseArray, '/headpose/heads')
        self.camera()

    def picture(self, image, stamp):
        header = Header(frame_id='lens', stamp=Time(nanoseconds=stamp).to_msg())
        return image_message(image, 'bgr8', header)

    def warm_up(self, condition):
        """Show nobody, with stamps from after the clip, until `condition()`."""
        nobody, count = np.zeros_like(self.images[0]), [10_000]

        def later():
            count[0] += 1
            return self.picture(nobody, stamp_of(count[0]))

        self.shoot_until(condition, 'the warm-up', image=later, info=self.info, timeout=60.0)
        self.spin(0.5)

    def play(self, count):
        for index in range(count):
            seen, stamp = len(self.got['/headpose/heads']), stamp_of(index)
            self.shoot(self.picture(self.images[index], stamp), self.info)
            self.until(lambda at=(seen, stamp): self._has_arrived(*at), f'image {index}')

    def _has_arrived(self, seen, stamp):
        heads = self.got['/headpose/heads'][seen:]
        return stamp in [stamp_ns(message.header.stamp) for message in heads]


@pytest.fixture(scope='module')
def told(domain, logs, clip, expected):
    """What a consumer is told of the clip: once, as the bag loops, after a restart, at the end."""
    with (
        ClipBench(domain, clip) as bench,
        Consumer(domain, logs) as consumer,
        Process(['-m', 'headpose_ros.node.main'], domain, logs) as node,
    ):
        until_active(bench)
        bench.warm_up(lambda: consumer.got('attention'))
        for count in LOOPS[:2]:  # time goes back between them
            bench.play(count)
        assert change(bench, Transition.TRANSITION_DEACTIVATE)
        wanted = len(expected[0]) + len(expected[1])
        bench.until(lambda: len(consumer.events()) >= wanted, 'that all have left')
        assert change(bench, Transition.TRANSITION_ACTIVATE)
        seen = len(consumer.got('attention'))
        bench.warm_up(lambda: len(consumer.got('attention')) > seen)
        bench.play(LOOPS[2])
        assert node.end() == 0
        wanted += len(expected[2])
        bench.until(lambda: len(consumer.events()) >= wanted, 'the last events')
        assert 'Traceback' not in node.output()
        return consumer.got('event'), consumer.got('attention')


def test_a_consumer_is_told_the_same_as_the_library_finds(told, expected):
    """In the same order, with the stamps of the images: looped, restarted and ended."""
    events, _ = told
    assert [tuple(event[:4]) for event in events] == list(chain(*expected))
    assert {event[4] for event in events} == {'lens'}


def test_everybody_who_enters_leaves(told):
    events, _ = told
    inside = set()
    for kind, name, *_ in events:
        if kind == ENTERED:
            assert name not in inside
            inside.add(name)
        elif kind == LEFT:
            inside.remove(name)
        else:
            assert name in inside
    assert inside == set()
    assert [event[0] for event in events].count(LEFT) >= 9  # three people, three times


def test_since_is_the_stamp_of_the_event(told):
    events, attention = told
    changes = {(e[1], e[2], e[3]) for e in events if e[0] in (STARTED, STOPPED)}
    looking = [
        (name, target, since)
        for _, looks in attention
        for name, target, looks_at, since in looks
        if looks_at
    ]
    assert len(looking) > 100
    assert set(looking) <= changes


def test_they_look_when_they_truly_do(expected):
    """Who is told to look had the face turned to the camera just before, and so the other way."""
    truth = read_truth(CLIP.with_name('clip_truth.csv'))

    def nearest_to_the_camera(stamp):
        index = round((stamp - START_NS) * FPS / 1e9)
        before = [p for k in range(max(0, index - FPS // 2), index + 1) for p in truth[k]]
        cosines = [-p.rotation[:, 0] @ p.position / np.linalg.norm(p.position) for p in before]
        return np.degrees(np.arccos(max(cosines)))

    started = [event[3] for event in expected[0] if event[0] == STARTED]
    assert len(started) >= 8
    # So far above the camera, of all directions, a head has even odds to look at it.
    odds = ELSEWHERE / (2.0 * np.pi * EYE_SIGMA_SIDEWAYS * EYE_SIGMA_UPWARDS)
    widest = np.degrees(EYE_SIGMA_UPWARDS * np.sqrt(2.0 * np.log(odds)))
    assert max(map(nearest_to_the_camera, started)) < widest


def transform(parent, child, x, y, z):
    made = TransformStamped(child_frame_id=child)
    made.header.frame_id = parent
    shift = made.transform.translation
    shift.x, shift.y, shift.z = x, y, z
    made.transform.rotation.w = 1.0
    return TFMessage(transforms=[made])


class SpotBench(Bench):
    """A camera before which spots are heads that look at it."""

    def __init__(self, domain):
        super().__init__(domain)
        self.camera()

    def listen_to_attention(self):
        self.listen(AttentionArray, ATTENTION)
        self.listen(HeadEvent, EVENTS)

    def told(self):
        return [(HeadEventType(m.type).name, m.id) for m in self.got[EVENTS]]

    def targets(self):
        kept = self.got[ATTENTION]
        return {one.target for one in kept[-1].attention} if kept else set()


@pytest.fixture
def spot_bench(domain):
    with SpotBench(domain) as made:
        yield made


def test_a_listener_to_events_alone_is_a_reason_to_process(spot_bench, domain, logs):
    bench = spot_bench
    with fake_node(domain, logs, '-p', 'publish_tf:=false', '-p', 'silence_timeout:=0.6') as node:
        bench.listen(HeadEvent, EVENTS)
        bench.shoot_until(lambda: len(bench.told()) >= 2, 'two events')
        assert bench.told() == [('ENTERED', 'f0001'), ('STARTED_LOOKING', 'f0001')]
        last = bench.shoot().header.stamp
        # images end
        bench.until(lambda: len(bench.told()) >= 4, 'the last events')
        assert bench.told()[2:] == [('STOPPED_LOOKING', 'f0001'), ('LEFT', 'f0001')]
        assert bench.got[EVENTS][-1].header.stamp == last
        assert node.end() == 0
        assert 'Traceback' not in node.output()


def test_who_listens_later_gets_the_state_and_no_old_events(spot_bench, domain, logs):
    bench = spot_bench
    with fake_node(domain, logs) as node:
        bench.listen(HeadPoseArray, '/headpose/heads')
        first = bench.heads_arrive().header.stamp
        for _ in range(10):
            bench.heads_arrive()
        bench.listen_to_attention()
        kept = bench.got[ATTENTION]
        bench.shoot_until(lambda: kept, 'attention')
        (look,) = kept[0].attention
        assert look.looking
        since = stamp_ns(look.since)
        assert stamp_ns(first) < since < stamp_ns(kept[0].header.stamp) - 100_000_000
        assert bench.told() == []
        bench.shoot_until(lambda: bench.told(), 'an event', image=spots())
        assert bench.told() == [('STOPPED_LOOKING', 'f0001'), ('LEFT', 'f0001')]
        assert kept[-1].attention == []
        assert node.alive


def test_targets_change_while_it_runs(spot_bench, domain, logs):
    bench = spot_bench
    bench.listen_to_attention()
    bench.listen(DiagnosticArray, '/diagnostics')
    static = bench.advertise(TFMessage, '/tf_static', durability=DurabilityPolicy.TRANSIENT_LOCAL)
    static.publish(transform('camera', 'cup', 0.3, 0.0, 0.5))
    line = r"\[WARN\].*attention_targets: where 'door' is in 'camera' is not known from TF"
    with fake_node(domain, logs, '-p', 'log_repeat_period:=60.0') as node:
        bench.shoot_until(lambda: bench.targets() == {'camera'}, 'attention')
        result = set_parameters(bench, attention_targets=['cup:0.05', 'door'])
        assert result.successful, result.reason
        bench.shoot_until(lambda: bench.targets() == {'camera', 'cup'}, 'the cup')
        bench.shoot_until(lambda: node.matching(line), line)

        def values():
            kept = bench.got['/diagnostics']
            return {v.key: v.value for m in kept[-1:] for v in m.status[0].values}

        state = 'camera, cup, door (not known from TF)'
        bench.shoot_until(lambda: values().get('attention targets') == state, state)
        static.publish(transform('cup', 'door', 1.0, 0.0, 0.0))
        bench.shoot_until(lambda: bench.targets() == {'camera', 'cup', 'door'}, 'the door')
        look = {one.target: one for one in bench.got[ATTENTION][-1].attention}
        assert look['door'].distance > look['cup'].distance > 0.3
        assert len(node.matching(line)) == 1
        wrong = set_parameters(bench, attention_targets=['cup:round'])
        assert not wrong.successful
        assert wrong.reason.startswith("attention_targets: target 'cup:round': expected name")
        assert set_parameters(bench, attention_targets=[]).successful
        bench.shoot_until(lambda: bench.targets() == {'camera'}, 'the camera alone')
        assert get(bench, 'attention_targets') == [[]]
        assert 'Traceback' not in node.output()


def test_the_principal_head_is_who_looks_at_the_robot(spot_bench, domain, logs):
    """Two who look straight ahead: the wider one past the robot's face, the other one at it."""
    bench = spot_bench
    bench.listen(HeadPoseArray, '/headpose/heads')
    kept = bench.got['/headpose/heads']
    image = spots((40, 60), radius=12)
    image[55:66, 125:136] = 255
    static = bench.advertise(TFMessage, '/tf_static', durability=DurabilityPolicy.TRANSIENT_LOCAL)
    static.publish(transform('camera', 'robot_face', 0.45, 0.0, 0.0))

    def principal():
        return kept[-1].principal_id if kept else ''

    with fake_node(domain, logs, '-p', 'attention_targets:=["robot_face:0.05"]'):
        bench.shoot_until(lambda: principal() == 'f0001', 'the wider one', image=image)
        assert set_parameters(bench, principal_by='robot_face').successful
        bench.shoot_until(lambda: principal() == 'f0002', 'the one who looks', image=image)
        refused = set_parameters(bench, attention_targets=[''])
        assert refused.reason.startswith('principal_by: expected nearest')
        assert set_parameters(bench, principal_by='nearest').successful
        bench.shoot_until(lambda: principal() == 'f0001', 'the wider one again', image=image)
