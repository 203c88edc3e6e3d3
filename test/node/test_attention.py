# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A REP-155 consumer that knows only /tf sees who turns towards the robot."""

import json

import cv2
import numpy as np
import pytest
from geometry_msgs.msg import TransformStamped
from graph import Bench, Process
from tf2_msgs.msg import TFMessage

from headpose_ros.geometry.rotations import matrix_from_quaternion
from headpose_ros.node.demo_camera import CLIP
from headpose_ros.node.demo_tables import read_truth

SHOWN = range(140, 300, 4)
"""Images of the clip in which one after the other looks at the camera."""
RATE = '6'
CLEAR = np.radians(20.0)
"""The truth says clearly who looks at the camera when the next person is that much farther off."""

pytestmark = pytest.mark.skipif(not CLIP.exists(), reason='the packaged clip is not made yet')


def facing(rotation, position):
    """Angle between the face's x axis and the direction to the camera."""
    cosine = -rotation[:, 0] @ position / np.linalg.norm(position)
    return float(np.arccos(np.clip(cosine, -1.0, 1.0)))


def from_transform(transform: TransformStamped):
    """(rotation, position) of a face in the camera's frame."""
    shift, turn = transform.transform.translation, transform.transform.rotation
    rotation = matrix_from_quaternion(np.array([turn.x, turn.y, turn.z, turn.w]))
    return rotation, np.array([shift.x, shift.y, shift.z])


@pytest.fixture
def folder(tmp_path):
    """The images of `SHOWN` as files."""
    video = cv2.VideoCapture(str(CLIP))
    made = tmp_path / 'images'
    made.mkdir()
    for index in range(SHOWN.stop):
        image = video.read()[1]
        if index in SHOWN:
            cv2.imwrite(str(made / f'{index:06d}.png'), image)
    return made


def test_the_one_who_looks_at_the_robot(domain, logs, tmp_path, folder):
    report = tmp_path / 'camera.json'
    info = CLIP.with_name('clip_camera.yaml')
    camera = ['-m', 'headpose_ros.node.demo_camera', '--input', folder, '--camera-info', info]
    with (
        Bench(domain) as bench,
        Process(['-m', 'headpose_ros.node.main'], domain, logs) as node,
        Process([*camera, '--rate', RATE, '--report', report], domain, logs) as player,
    ):
        bench.listen(TFMessage, '/tf')
        bench.until(lambda: not player.alive, 'the end of the clip', 90)
        assert node.end() == 0
    told = json.loads(report.read_text())
    index_of = dict(zip(told['stamps_ns'], SHOWN, strict=True))
    truth = read_truth(CLIP.with_name('clip_truth.csv'))
    errors, clear, right = [], 0, 0
    for message in bench.got['/tf']:
        faces = [t for t in message.transforms if t.child_frame_id.startswith('face_')]
        stamp = faces[0].header.stamp
        there = truth[index_of[stamp.sec * 10**9 + stamp.nanosec]]
        seen = {}
        for rotation, position in map(from_transform, faces):
            nearest = max(there, key=lambda p: p.ray @ position / np.linalg.norm(position))
            seen[nearest.id] = facing(rotation, position)
            errors.append(abs(seen[nearest.id] - facing(nearest.rotation, nearest.position)))
        true = sorted((facing(p.rotation, p.position), p.id) for p in there)
        if len(seen) == len(there) and true[1][0] - true[0][0] > CLEAR:
            clear += 1
            right += min(seen, key=seen.get) == true[0][1]
    assert len(errors) > len(SHOWN)
    assert np.degrees(np.median(errors)) < 8.0
    assert clear >= 3
    assert right / clear > 0.9, (right, clear)
