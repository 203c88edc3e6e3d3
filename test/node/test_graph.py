# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From an image to poses over DDS, the node in a process of its own."""

import fnmatch
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from graph import BEST_EFFORT, CX, CY, FX, FY, RELIABLE, ROOT, SPOT, Bench, fake_node, spots
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

from headpose_ros.geometry.rotations import matrix_from_quaternion
from headpose_ros.msg import HeadPoseArray
from headpose_ros.node.images import to_bgr
from headpose_ros.node.messages import compressed_message, image_message

LOOKING_BACK = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
"""Camera from face: x of the face towards the camera, its left to the image's right, z up."""
GAZE_LOOKING_BACK = np.diag([-1.0, 1.0, -1.0])
"""Camera from gaze (REP-155): z out of the face, x to the person's right, y down."""


@pytest.fixture(scope='module')
def running(domain, logs):
    with fake_node(domain, logs) as process:
        yield process
        assert process.alive, process.output()
        assert 'Traceback' not in process.output()


@pytest.fixture
def bench(domain, running):
    with Bench(domain) as made:
        yield made


def position(u, v):
    """The point at 1 m on the ray through a pixel, of a camera without distortion."""
    ray = np.array([(u - CX) / FX, (v - CY) / FY, 1.0])
    return ray / np.linalg.norm(ray)


def xyz(point):
    return np.array([point.x, point.y, point.z])


def matrix(turn):
    return matrix_from_quaternion(np.array([turn.x, turn.y, turn.z, turn.w]))


def stamp_of(header):
    return header.stamp.sec, header.stamp.nanosec


def by_stamp(messages):
    return {stamp_of(message.header): message for message in messages}


def test_image_to_heads_pose_and_tf(bench):
    bench.listen_to_all()
    bench.camera()
    sent = []

    def shoot():
        sent.append(stamp_of(bench.shoot().header))
        return True

    bench.heads_arrive()
    bench.until(lambda: shoot() and len(bench.got['/tf']) > 2, 'transforms')
    bench.spin(0.3)
    heads = by_stamp(bench.got['/headpose/heads'])
    poses = by_stamp(bench.got['/headpose/pose'])
    shared = set(sent) & set(heads)
    assert shared
    for stamp in shared:
        (head,) = heads[stamp].heads
        assert heads[stamp].header.frame_id == head.header.frame_id == 'camera'
        assert stamp_of(head.header) == stamp
        np.testing.assert_allclose(xyz(head.pose.pose.position), position(*SPOT), atol=1e-6)
        np.testing.assert_allclose(matrix(head.pose.pose.orientation), LOOKING_BACK, atol=1e-9)
        assert poses[stamp].pose == head.pose.pose
        assert poses[stamp].header == heads[stamp].header
        transforms = [m for m in bench.got['/tf'] if stamp_of(m.transforms[0].header) == stamp]
        (message,) = transforms  # one message an image
        face, gaze = message.transforms
        assert [face.child_frame_id, gaze.child_frame_id] == ['face_f0001', 'gaze_f0001']
        assert face.header == gaze.header == heads[stamp].header
        for transform, rotation in ((face, LOOKING_BACK), (gaze, GAZE_LOOKING_BACK)):
            np.testing.assert_allclose(
                xyz(transform.transform.translation), position(*SPOT), atol=1e-6
            )
            np.testing.assert_allclose(matrix(transform.transform.rotation), rotation, atol=1e-9)


def test_every_field_of_a_head(bench):
    bench.listen_to_all()
    bench.camera()
    head = bench.heads_arrive(image=spots((40, 30))).heads[0]
    assert head.id == 'f0001'
    np.testing.assert_array_equal(
        np.array(head.pose.covariance).reshape(6, 6), np.diag(np.arange(1.0, 7.0)) * 1e-4
    )
    assert head.confidence == pytest.approx(0.7)
    roi = head.roi
    assert (roi.x_offset, roi.y_offset, roi.width, roi.height) == (35, 25, 11, 11)
    assert head.off_axis_angle == pytest.approx(np.arccos(position(40, 30)[2]), abs=1e-6)
    assert head.facing_angle == pytest.approx(0.25)


def test_nobody_there_is_an_empty_message(bench):
    bench.listen_to_all()
    bench.camera()
    bench.heads_arrive()
    kept = bench.got['/headpose/heads']
    bench.shoot_until(lambda: not kept[-1].heads, 'an empty message', image=spots())
    poses, tf = len(bench.got['/headpose/pose']), len(bench.got['/tf'])
    for _ in range(3):
        bench.heads_arrive(image=spots())
    assert (len(bench.got['/headpose/pose']), len(bench.got['/tf'])) == (poses, tf)


def test_two_people_and_the_principal_one(bench):
    bench.listen_to_all()
    bench.camera()
    image = spots((40, 60))
    image[50:71, 100:131] = 255
    message = bench.heads_arrive(image=image)
    assert [head.id for head in message.heads] == ['f0001', 'f0002']
    bench.until(lambda: bench.got['/headpose/pose'], 'the principal head')
    principal = by_stamp(bench.got['/headpose/pose'])
    shared = [m for m in bench.got['/headpose/heads'] if stamp_of(m.header) in principal]
    assert shared
    for heads in shared:
        pose = principal[stamp_of(heads.header)].pose
        assert pose == heads.heads[1].pose.pose
        assert heads.principal_id == 'f0002'


@pytest.mark.parametrize('reliability', [RELIABLE, BEST_EFFORT])
def test_reliability_follows_the_publisher(bench, reliability):
    bench.listen_to_all()
    bench.camera(reliability=reliability)
    bench.heads_arrive()
    offered = bench.node.get_subscriptions_info_by_topic('/image')
    assert [info.qos_profile.reliability for info in offered] == [reliability]


def test_subscribed_only_while_somebody_listens(bench):
    bench.camera()
    subscriptions = bench.publishers['image'].get_subscription_count
    bench.spin(0.6)
    assert subscriptions() == 0
    listener = bench.listen(HeadPoseArray, '/headpose/heads')
    bench.heads_arrive()
    bench.node.destroy_subscription(listener)
    bench.until(lambda: subscriptions() == 0, 'the node to leave the topic')


def test_a_camera_that_stops_leaves_nobody_behind(bench):
    """Published once, empty, on the time of the images; the camera is there, but sends nothing."""
    bench.listen_to_all()
    bench.camera()
    last = bench.heads_arrive()
    kept = bench.got['/headpose/heads']
    bench.until(lambda: not kept[-1].heads, 'an empty message')
    count, empty = len(kept), kept[-1]
    assert stamp_of(empty.header) > stamp_of(last.header)
    assert (empty.header.frame_id, empty.principal_id) == ('camera', '')
    bench.spin(1.0)
    assert len(kept) == count
    bench.heads_arrive()


def test_a_frame_with_a_leading_slash_is_published_without(bench, running):
    bench.listen_to_all()
    bench.camera()
    start = len(running.lines)

    def image():
        return image_message(spots(SPOT), 'bgr8', bench.header('/camera'))

    message = bench.heads_arrive(image=image)
    assert message.header.frame_id == message.heads[0].header.frame_id == 'camera'
    bench.until(lambda: bench.got['/tf'], 'transforms')
    assert bench.got['/tf'][-1].transforms[0].header.frame_id == 'camera'
    pattern = r"/image: frame_id '/camera' starts with a slash.*'camera' is published"
    bench.until(lambda: running.matching(pattern, start), pattern)
    assert not running.matching('differs from that of the image', start)


def test_why_nothing_is_processed_is_told_without_subscribers(domain, logs):
    arguments = ['-r', '__ns:=/idle', '-p', 'silence_timeout:=0.5']
    with Bench(domain, 'other') as other:
        other.advertise(Image, '/idle/camera/image_raw')
        other.advertise(CameraInfo, '/idle/camera_info')
        with fake_node(domain, logs, *arguments) as node:
            pattern = (
                r'\[WARN\].*no subscriber on any output: not processing; /idle/image: nobody '
                r'publishes .*it is published on /idle/camera/image_raw'
            )
            other.until(lambda: node.matching(pattern), pattern)
            other.advertise(Image, '/idle/image')
        with fake_node(domain, logs, *arguments) as node:
            pattern = r'\[INFO\].*no subscriber on any output: .*always_on:=true'
            other.until(lambda: node.matching(pattern), pattern)
            other.spin(1.5)
            assert len(node.matching('no subscriber')) == 1


def test_a_bridge_that_publishes_only_once_there_is_a_subscriber(domain, logs):
    """Seen of ros1_bridge and domain_bridge: publisher and node would wait for each other."""
    arguments = ['-r', '__ns:=/bridged', '-p', 'silence_timeout:=0.5']
    with fake_node(domain, logs, *arguments), Bench(domain, 'other') as other:
        other.listen(HeadPoseArray, '/bridged/headpose/heads')
        for kind, topic in ((Image, '/bridged/image'), (CameraInfo, '/bridged/camera_info')):
            other.until(lambda topic=topic: other.node.count_subscribers(topic), 'a subscription')
            other.advertise(kind, topic)
        other.heads_arrive(
            '/bridged/headpose/heads', topic='/bridged/image', info_topic='/bridged/camera_info'
        )


@pytest.mark.parametrize(
    ('topic', 'kind'),
    [
        ('/tf', TFMessage),
        ('/headpose/markers', MarkerArray),
        ('/headpose/debug_image', Image),
        ('/headpose/debug_image/compressed', CompressedImage),
    ],
)
def test_each_output_wakes_the_node(bench, topic, kind):
    bench.listen(kind, topic)
    bench.camera()
    assert bench.heads_arrive(topic) is not None


def test_markers_come_and_go(bench):
    bench.listen(MarkerArray, '/headpose/markers')
    bench.camera()

    def of_heads(action):
        # Those of attention come in messages of their own.
        found = ([m for m in a.markers if m.ns != 'look'] for a in bench.got['/headpose/markers'])
        return [markers for markers in found if any(m.action == action for m in markers)]

    bench.shoot_until(lambda: of_heads(Marker.ADD), 'markers')
    bench.shoot_until(lambda: of_heads(Marker.DELETE), 'deletion', image=spots())
    first, last = of_heads(Marker.ADD)[0], of_heads(Marker.DELETE)[-1]
    added = {(m.ns, m.id) for m in first if m.action == Marker.ADD}
    assert {name for name, _ in added} == {'axes', 'face', 'sight', 'label'}
    assert {(m.ns, m.id) for m in last} == added
    label = next(m for m in first if m.ns == 'label')
    assert label.text == 'f0001  1.00 m'
    assert label.header.frame_id == 'camera'


def test_debug_image_is_the_image_with_drawings(bench):
    bench.listen(Image, '/headpose/debug_image')
    bench.camera()
    drawn = bench.heads_arrive('/headpose/debug_image')
    difference = (to_bgr(drawn) != spots(SPOT)).any(axis=2)
    assert 0 < difference.sum() < difference.size / 2


def test_diagnostics(bench):
    bench.listen_to_all()
    bench.listen(DiagnosticArray, '/diagnostics')
    bench.camera()

    def working():
        statuses = [s for m in bench.got['/diagnostics'] for s in m.status]
        return [
            s
            for s in statuses
            if (s.level, s.message) == (DiagnosticStatus.OK, 'processing')
            and any(item.key == 'latency p95 (ms)' for item in s.values)
        ]

    bench.shoot_until(working, 'an OK status')
    last = working()[-1]
    assert last.name == 'headpose: head poses'
    assert last.hardware_id == 'camera'
    values = {item.key: item.value for item in last.values}
    assert values['device'] == 'cpu'
    assert values['state'] == 'active'
    assert values['CameraInfo'] == '160x120 plumb_bob'
    assert float(values['latency p95 (ms)']) > 0


def test_compressed_with_remaps_in_a_namespace(domain, logs):
    arguments = [
        '-r', '__ns:=/robot', '-r', '__node:=faces', '-r', 'image:=/eye/image_raw',
        '-r', 'camera_info:=/eye/info', '-p', 'image_transport:=compressed',
        '-p', 'id_prefix:=robot/',
    ]  # fmt: skip
    with fake_node(domain, logs, *arguments) as process, Bench(domain, 'other') as bench:
        bench.listen_to_all('/robot/faces')
        bench.advertise(CompressedImage, '/eye/image_raw/compressed')
        bench.advertise(CameraInfo, '/eye/info')

        def image():
            import cv2

            data = cv2.imencode('.png', spots(SPOT))[1]
            return compressed_message(data, 'bgr8; png compressed bgr8', bench.header())

        message = bench.heads_arrive(
            '/robot/faces/heads',
            image=image,
            topic='/eye/image_raw/compressed',
            info_topic='/eye/info',
        )
        np.testing.assert_allclose(
            xyz(message.heads[0].pose.pose.position), position(*SPOT), atol=1e-6
        )
        bench.until(lambda: bench.got['/tf'], 'transforms')
        names = {t.child_frame_id for m in bench.got['/tf'] for t in m.transforms}
        assert message.heads[0].id == message.principal_id == 'robot_f0001'
        assert names == {'face_robot_f0001', 'gaze_robot_f0001'}
        assert process.end() == 0


def test_two_nodes_for_two_cameras(domain, logs):
    with (
        fake_node(domain, logs, '-r', '__ns:=/left') as left,
        fake_node(domain, logs, '-r', '__ns:=/right') as right,
        Bench(domain, 'other') as bench,
    ):
        results = {}
        for side, spot in (('left', (30, 40)), ('right', (120, 80))):
            bench.listen_to_all(f'/{side}/headpose')
            bench.advertise(Image, f'/{side}/image')
            bench.advertise(CameraInfo, f'/{side}/camera_info')
            message = bench.heads_arrive(
                f'/{side}/headpose/heads',
                image=spots(spot),
                topic=f'/{side}/image',
                info_topic=f'/{side}/camera_info',
            )
            results[side] = xyz(message.heads[0].pose.pose.position)
        np.testing.assert_allclose(results['left'], position(30, 40), atol=1e-6)
        np.testing.assert_allclose(results['right'], position(120, 80), atol=1e-6)
        assert left.end() == right.end() == 0


def test_the_security_policy_grants_what_the_node_uses_and_no_more(bench):
    bench.listen_to_all()
    bench.camera()
    bench.heads_arrive()
    profile = ElementTree.parse(ROOT / 'config' / 'sros2_policy.xml').find('.//profile')

    def granted(tag, right):
        names = [item.text for group in profile.findall(f'{tag}[@{right}]') for item in group]
        return {re.sub('^/~', '/headpose', f'/{name}') for name in names}

    node = bench.node
    used = {
        'publish': node.get_publisher_names_and_types_by_node('headpose', '/'),
        'subscribe': node.get_subscriber_names_and_types_by_node('headpose', '/'),
        'reply': node.get_service_names_and_types_by_node('headpose', '/'),
    }
    used = {right: {name for name, _ in found} for right, found in used.items()}
    optional = {'/image/compressed', '/depth', '/clock', '/tf_static', '/tf', '/headpose/enable'}
    for right, tag in (('publish', 'topics'), ('subscribe', 'topics'), ('reply', 'services')):
        names = granted(tag, right)
        unneeded = {name for name in names if not fnmatch.filter(used[right], name)}
        assert {n for n in used[right] if not any(fnmatch.fnmatch(n, g) for g in names)} == set()
        assert {n for n in unneeded if not n.startswith('/humans/')} <= optional, right
