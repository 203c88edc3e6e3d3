# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""REP-155 over DDS: what a consumer that does as libhri does gets of one camera, and of two."""

import signal

import numpy as np
import pytest

pytest.importorskip('hri_msgs.msg')
from face_listener import FaceListener
from graph import HEIGHT, SPOT, WIDTH, Bench, fake_node, spots, until_active
from hri_msgs.msg import FacialLandmarks, IdsList
from sensor_msgs.msg import CameraInfo, Image

from headpose_ros.media.image_messages import to_bgr
from headpose_ros.msg import HeadPoseArray

SPOTS = {'left': [(40, 50)], 'right': [(60, 70), (120, 40)]}


def shoot_both(bench, sides=SPOTS):
    for side in sides:
        bench.shoot(spots(*SPOTS[side]), topic=f'/{side}/image', info_topic=f'/{side}/camera_info')
    bench.spin(0.05)


def advertise_both(bench):
    for side in SPOTS:
        bench.advertise(Image, f'/{side}/image')
        bench.advertise(CameraInfo, f'/{side}/camera_info')


def test_a_face_has_its_region_and_its_pictures(bench):
    bench.camera()
    listener = FaceListener(bench.node)
    pictures = ('roi', 'cropped', 'aligned')
    bench.shoot_until(
        lambda: (
            all(topic in face.newest for face in listener.faces.values() for topic in pictures)
            and listener.faces
        ),
        'all of a face',
    )
    (face,) = listener.faces.values()
    assert set(listener.faces) == {'f0001'}
    roi = face.newest['roi']
    x, y = SPOT
    assert (roi.xmin, roi.xmax) == pytest.approx(((x - 5) / WIDTH, (x + 6) / WIDTH))
    assert (roi.ymin, roi.ymax) == pytest.approx(((y - 5) / HEIGHT, (y + 6) / HEIGHT))
    assert roi.c == pytest.approx(0.7)
    for topic in ('cropped', 'aligned'):
        message = face.newest[topic]
        picture = to_bgr(message)
        assert picture.shape == (128, 128, 3)
        assert message.encoding == 'bgr8'
        assert (picture[56:72, 56:72] > 0).any(), 'the spot is not in the middle'
        assert picture[:8].max() < 30
        assert message.header.frame_id == roi.header.frame_id == 'camera'
    assert 'landmarks' not in face.newest  # an estimator that reads none
    assert listener.looks_at_the_camera('f0001')
    assert {'face_f0001', 'gaze_f0001'} <= listener.transforms.keys()


def test_stamps_are_those_of_the_images(bench):
    bench.camera()
    listener = FaceListener(bench.node, ['roi'])
    bench.shoot_until(lambda: any(f.got['roi'] for f in listener.faces.values()), 'a region')
    sent = bench.shoot()
    (face,) = listener.faces.values()
    bench.until(lambda: face.newest['roi'].header == sent.header, 'the region in that image')


def test_a_face_topic_alone_keeps_the_node_working_while_the_face_is_there(domain, bench):
    """`ros2 topic echo /humans/faces/f0001/roi`: nothing else is subscribed to."""
    bench.camera()
    bench.heads_arrive()
    with Bench(domain, 'alone') as alone:
        listener = FaceListener(bench.node, ['roi'])
        bench.shoot_until(lambda: any(f.got['roi'] for f in listener.faces.values()), 'a region')
        bench.shoot_until(
            lambda: alone.node.count_publishers('/humans/faces/f0001/roi') == 1, 'its discovery'
        )
        bench.shoot_until(
            lambda: not alone.node.count_publishers('/humans/faces/f0001/roi'),
            'the topics to go with the face',
            image=spots,
        )


def test_faces_are_lost_when_images_stop(bench):
    bench.camera()
    listener = FaceListener(bench.node)
    bench.shoot_until(lambda: listener.faces, 'a face')
    bench.until(lambda: not listener.faces, 'the face to be lost', timeout=10)
    assert listener.lists[-1] == []
    bench.until(lambda: not bench.node.count_publishers('/humans/faces/f0001/roi'), 'its topics')


def test_landmarks_are_those_of_the_estimator(domain, logs):
    arguments = ['-r', '__ns:=/points', '-p', 'estimator:=landmarks', '-r', 'image:=/points/image']
    with fake_node(domain, logs, *arguments) as process, Bench(domain, 'other') as bench:
        until_active(bench, '/points/headpose')
        bench.advertise(Image, '/points/image')
        bench.advertise(CameraInfo, '/points/camera_info')
        listener = FaceListener(bench.node)
        topics = {'topic': '/points/image', 'info_topic': '/points/camera_info'}
        bench.shoot_until(
            lambda: any('landmarks' in f.newest for f in listener.faces.values()),
            'landmarks',
            **topics,
        )
        (face,) = listener.faces.values()
        message = face.newest['landmarks']
        assert (message.width, message.height) == (WIDTH, HEIGHT)
        points = np.array([(p.x, p.y, p.c) for p in message.landmarks])
        x, y = SPOT
        places = (np.array([x, y]) + np.arange(68)[:, None] * (0.5, -1.0) + 0.5) / (WIDTH, HEIGHT)
        inside = places[:, 1] >= 0
        assert 40 < inside.sum() < 68
        np.testing.assert_allclose(points[:68][inside, :2], places[inside], atol=1e-6)
        np.testing.assert_allclose(points[:68, 2], 0.7 * inside, atol=1e-6)
        assert points[FacialLandmarks.RIGHT_PUPIL, 2] == points[FacialLandmarks.LEFT_PUPIL, 2] == 0
        assert process.end() == 0


def test_two_cameras_share_one_list_and_no_id(domain, logs):
    arguments = {side: ['-r', f'__ns:=/{side}', '-p', f'id_prefix:={side}/'] for side in SPOTS}
    everybody = {'left_f0001', 'right_f0001', 'right_f0002'}
    with (
        fake_node(domain, logs, *arguments['left'], '-p', 'silence_timeout:=0.6') as left,
        fake_node(domain, logs, *arguments['right']) as right,
        Bench(domain, 'other') as bench,
    ):
        advertise_both(bench)
        for side in SPOTS:
            bench.listen(HeadPoseArray, f'/{side}/headpose/heads')
        listener = FaceListener(bench.node, ['roi'])

        def all_are_there():
            shoot_both(bench)
            regions = [face.got['roi'] for face in listener.faces.values()]
            # Both nodes know of each other when lists of both, which take turns, name all.
            newest = {frozenset(some) for some in listener.lists[-6:]}
            return newest == {frozenset(everybody)} and all(regions)

        bench.until(all_are_there, 'all faces of both')
        listener.lists.clear()
        listener.lost.clear()
        for _ in range(40):
            shoot_both(bench)
        assert len(listener.lists) > 40
        assert {frozenset(some) for some in listener.lists} == {frozenset(everybody)}
        assert listener.lost == []
        for side, count in (('left', 1), ('right', 2)):
            ids = {head.id for head in bench.got[f'/{side}/headpose/heads'][-1].heads}
            assert ids == {f'{side}_f000{i + 1}' for i in range(count)}
            assert all(f'face_{name}' in listener.transforms for name in ids)

        # One camera stops: its faces go, and those of the other stay.
        def left_are_gone():
            shoot_both(bench, ['right'])
            return set(listener.faces) == everybody - {'left_f0001'}

        bench.until(left_are_gone, 'the faces of the left camera to go')
        assert set(listener.lost) == {'left_f0001'}
        # So does a node: ended in good order, and killed.
        assert left.end() == right.end() == 0
        bench.until(lambda: not listener.faces, 'all faces to go')
        text = left.output() + right.output()
        assert 'same ids' not in text
        assert 'its own list' not in text


def own_topic(topic, side):
    return ['-r', f'{topic}:=/{side}{topic}']


@pytest.mark.parametrize(
    ('arguments', 'told'),
    [
        pytest.param(lambda side: own_topic('/humans/faces/tracked', side), True, id='frames'),
        pytest.param(lambda side: ['-p', 'publish_tf:=false'], True, id='list'),
        pytest.param(
            lambda side: own_topic('/humans/faces/tracked', side) + own_topic('/tf', side),
            False,
            id='two robots',
        ),
    ],
)
def test_nodes_that_use_the_same_ids_are_told(domain, logs, arguments, told):
    same = ['-p', 'id_prefix:=twin_']  # another one than the module's node has
    with (
        fake_node(domain, logs, '-r', '__ns:=/left', *same, *arguments('left')) as left,
        fake_node(domain, logs, '-r', '__ns:=/right', *same, *arguments('right')) as right,
        Bench(domain, 'other') as bench,
    ):
        advertise_both(bench)
        for side in SPOTS:
            bench.listen(HeadPoseArray, f'/{side}/headpose/heads')
        words = '.*: publishes the same ids and TF frames.*set id_prefix'

        def both(words):
            shoot_both(bench)
            return all(
                process.matching(f'{other}{words}')
                for process, other in ((left, '/right/headpose'), (right, '/left/headpose'))
            )

        if told:
            bench.until(lambda: both(words), 'both to be told')
            left.end(signal.SIGINT)
            bench.until(lambda: right.matching('resolved:.*same ids'), 'the end of it')
            return
        bench.until(lambda: not both(words) and all(bench.got.values()), 'results of both')
        for _ in range(60):
            assert not both(words)


def test_another_list_of_faces_is_told(bench, running):
    bench.camera()
    bench.listen(HeadPoseArray, '/headpose/heads')
    before = len(running.lines)
    bench.advertise(IdsList, '/humans/faces/tracked')
    bench.shoot_until(
        lambda: running.matching('/humans/faces/tracked: /bench publishes its own list', before),
        'the complaint',
    )
    bench.withdraw('/humans/faces/tracked')
    bench.shoot_until(lambda: running.matching('resolved: /humans/faces', before), 'its end')
