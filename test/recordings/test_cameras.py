# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics are cameras; which CameraInfo and which depth belong to an image."""

import numpy as np
import pytest
from made_archive import PERIOD_NS, START_NS, BagMaker, frames

from headpose_ros.recordings.bag import Bag
from headpose_ros.recordings.bag_shots import BagShots
from headpose_ros.recordings.cameras import base_topic, find_cameras, info_topic
from headpose_ros.recordings.finding import bag_recording

WIDTH, HEIGHT = 64, 48


def cameras(path, *topics, depth=''):
    with Bag(bag_recording(path, 'x')) as bag:
        return find_cameras(bag, topics or ('*',), depth)


def shots(path, lenses, given=False, depth='', **limits):
    (camera,) = cameras(path, depth=depth).chosen
    reader = BagShots(bag_recording(path, 'x'), camera, lenses, given, **limits)
    found = list(reader)
    reader.close()
    return found, reader.damage


def test_camera_info_is_beside_the_image_as_image_transport_has_it():
    assert info_topic('/cam/left/image_raw') == '/cam/left/camera_info'
    assert info_topic('/cam/left/image_raw/compressed') == '/cam/left/camera_info'
    assert info_topic('/image') == '/camera_info'
    assert base_topic('/compressed') == '/compressed'


def test_topics_are_chosen_by_pattern_and_each_image_once(tmp_path, images):
    with BagMaker(tmp_path / 'bag') as bag:
        for topic in ('/a/image_raw', '/b/image', '/b/depth'):
            encoding = '16UC1' if 'depth' in topic else 'bgr8'
            image = np.zeros((HEIGHT, WIDTH), np.uint16) if encoding == '16UC1' else images[0]
            bag.image(topic, image, START_NS, encoding=encoding)
        bag.compressed('/a/image_raw/compressed', images[0], START_NS)
        bag.compressed('/c/image_raw/compressed', images[0], START_NS)
        bag.info('/b/camera_info', START_NS)
    found = cameras(tmp_path / 'bag')
    assert [one.topic for one in found.chosen] == [
        '/a/image_raw', '/b/image', '/c/image_raw/compressed',
    ]  # fmt: skip
    assert [one.info for one in found.chosen] == ['', '/b/camera_info', '']
    assert found.left_out == {
        '/a/image_raw/compressed': 'is /a/image_raw once more',
        '/b/depth': 'holds depth, not pictures',
    }
    named = cameras(tmp_path / 'bag', '*/compressed').chosen
    assert [one.topic for one in named] == ['/a/image_raw/compressed', '/c/image_raw/compressed']
    assert cameras(tmp_path / 'bag', '/nothing').chosen == ()


def test_camera_info_that_comes_late_holds_from_the_first_image_on(tmp_path, images, lenses):
    with BagMaker(tmp_path / 'bag') as bag:
        for index, image in enumerate(images):
            bag.image('/a/image', image, START_NS + index * PERIOD_NS)
            if index == 4:
                bag.info('/a/camera_info', START_NS + index * PERIOD_NS + 1, WIDTH, HEIGHT, 70.0)
    found, damage = shots(tmp_path / 'bag', lenses)
    assert [one.camera.fx for one in found] == [70.0] * 6
    assert {one.source for one in found} == {'camera_info'}
    assert damage == []
    found, _ = shots(tmp_path / 'bag', lenses, given=True)
    assert {one.source for one in found} == {'assumed'}  # what the fixture calls it


def test_camera_info_may_change_and_may_be_unusable(tmp_path, images, lenses):
    with BagMaker(tmp_path / 'bag') as bag:
        for index, image in enumerate(images):
            stamp = START_NS + index * PERIOD_NS
            bag.info(
                '/a/camera_info', stamp, WIDTH, HEIGHT, (70.0, 70.0, 90.0, 0.0, 90.0, 90.0)[index]
            )
            bag.image('/a/image', image, stamp + 1)
    found, damage = shots(tmp_path / 'bag', lenses)
    assert [one.camera.fx for one in found] == [70, 70, 90, 90, 90, 90]
    assert any('changes while recording' in note for note in damage)
    assert any('focal lengths' in note for note in damage)


def test_an_uncalibrated_camera_is_as_one_without_camera_info(tmp_path, images, lenses):
    with BagMaker(tmp_path / 'bag') as bag:
        bag.info('/a/camera_info', START_NS, WIDTH, HEIGHT, 0.0)
        bag.image('/a/image', images[0], START_NS)
    (found,), damage = shots(tmp_path / 'bag', lenses)
    assert found.source == 'assumed'
    assert damage


def test_rectified_images_take_p(tmp_path, images, lenses):
    with BagMaker(tmp_path / 'bag') as bag:
        bag.info('/a/camera_info', START_NS, WIDTH, HEIGHT, 70.0)
        bag.image('/a/image_rect', images[0], START_NS)
    (found,), _ = shots(tmp_path / 'bag', lenses)
    assert found.camera.fx == 70.0
    assert found.camera.distortion_model == ''  # P has none; K and D are plumb_bob


def test_images_that_cannot_be_used_are_told_one_by_one(tmp_path, images, lenses):
    with BagMaker(tmp_path / 'bag') as bag:
        bag.image('/a/image', images[0], START_NS)
        bag.raw('/a/image', START_NS + 1, b'\0\1\0\0nonsense')
        bag.image('/a/image', images[1], START_NS + 2, encoding='purple')
        bag.image('/a/image', images[2], START_NS + 3)
    found, _ = shots(tmp_path / 'bag', lenses)
    assert [one.image is not None for one in found] == [True, False, False, True]
    assert 'sensor_msgs/msg/Image' in found[1].problem
    assert 'purple' in found[2].problem


def test_images_without_a_stamp_have_the_time_of_recording(tmp_path, images, lenses):
    with BagMaker(tmp_path / 'bag') as bag:
        bag.image('/a/image', images[0], 0, time_ns=START_NS)
    (found,), damage = shots(tmp_path / 'bag', lenses)
    assert found.place.stamp_ns == START_NS
    assert 'without a stamp' in damage[0]


@pytest.mark.parametrize('late', [0, 3])
def test_depth_that_is_aligned_goes_with_its_image(tmp_path, lenses, late):
    colours = frames(8, size=(WIDTH, HEIGHT))
    with BagMaker(tmp_path / 'bag') as bag:
        messages = []
        for index, image in enumerate(colours):
            stamp = START_NS + index * PERIOD_NS
            depth = np.full((HEIGHT, WIDTH), 1000 + index, np.uint16)
            messages.append((stamp, '/a/image', image, 'bgr8', stamp))
            messages.append(
                (stamp + late * PERIOD_NS + 1, '/a/depth', depth, '16UC1', stamp + 5_000_000)
            )
        for time_ns, topic, image, encoding, stamp in sorted(messages, key=lambda one: one[0]):
            bag.image(topic, image, stamp, encoding=encoding, time_ns=time_ns)
        bag.image('/a/small', np.ones((4, 4), np.uint16), START_NS, encoding='16UC1')
    found, damage = shots(tmp_path / 'bag', lenses, depth='/a/*')
    metres = [float(one.depth[0, 0]) for one in found]
    assert metres == pytest.approx([1.0 + 0.001 * i for i in range(8)])
    assert damage == []
    found, _ = shots(tmp_path / 'bag', lenses)
    assert {one.depth is None for one in found} == {True}


def test_the_lead_of_a_part_is_marked(tmp_path, images, lenses):
    with BagMaker(tmp_path / 'bag') as bag:
        for index, image in enumerate(images):
            bag.image('/a/image', image, START_NS + index)
    found, _ = shots(
        tmp_path / 'bag', lenses, start_ns=START_NS + 1, stop_ns=START_NS + 5,
        lead_until_ns=START_NS + 3,
    )  # fmt: skip
    assert [one.is_lead for one in found] == [True, True, False, False]
