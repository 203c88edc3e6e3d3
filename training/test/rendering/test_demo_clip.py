# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The packaged clip, and making it again."""

import csv
from pathlib import Path

import cv2
import made_head
import numpy as np
import pytest

import headpose_ros
from headpose_ros.geometry import CameraModel
from headpose_training.rendering import clip
from headpose_training.rendering.clip import CAMERA, RATE, ROLES, SECONDS

DEMO = Path(headpose_ros.__file__).parent / 'demo'
FRAMES = round(RATE * SECONDS)


@pytest.fixture(scope='module')
def rows():
    with (DEMO / 'clip_truth.csv').open(newline='') as file:
        return list(csv.DictReader(file))


def poses(rows, person):
    of = [r for r in rows if int(r['person']) == person]
    R = np.array([[float(r[f'r{i}{j}']) for i in range(3) for j in range(3)] for r in of])
    t = np.array([[float(r[k]) for k in ('tx', 'ty', 'tz')] for r in of])
    return R.reshape(-1, 3, 3), t


def test_clip_is_small_and_can_be_read():
    assert (DEMO / 'clip.mp4').stat().st_size <= 3_000_000
    video = cv2.VideoCapture(str(DEMO / 'clip.mp4'))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(RATE)
    count = 0
    while video.grab():
        count += 1
    assert count == FRAMES


def test_camera_file_is_the_lens(rows):
    camera = CameraModel.from_yaml(DEMO / 'clip_camera.yaml')
    assert (camera.width, camera.height) == (640, 480)
    assert camera.matrix == pytest.approx(CAMERA.matrix)
    assert camera.distortion == pytest.approx(CAMERA.distortion)
    assert 95 <= np.degrees(camera.field_of_view[0]) <= 100
    assert {(r['distortion_model'], float(r['fx'])) for r in rows} == {('plumb_bob', camera.fx)}


def test_truth_moves_smoothly_and_reaches_the_sides(rows):
    assert len(rows) == FRAMES * len(ROLES)
    assert rows[-1]['file'] == f'{FRAMES - 1:06d}'
    assert float(rows[-1]['time']) == pytest.approx((FRAMES - 1) / RATE)
    for person in range(len(ROLES)):
        R, t = poses(rows, person)
        assert np.allclose(R @ R.transpose(0, 2, 1), np.eye(3), atol=1e-6)
        step = np.arccos(np.clip((np.einsum('nij,nij->n', R[1:], R[:-1]) - 1) / 2, -1, 1))
        assert np.degrees(step).max() * RATE < 120
        assert np.linalg.norm(np.diff(t, axis=0), axis=1).max() * RATE < 0.6
    assert max(float(r['off_axis_deg']) for r in rows) > 38


def test_truth_agrees_with_the_pixels(rows):
    """Where faces are said to be the picture changes as they move; the room stands still."""
    video = cv2.VideoCapture(str(DEMO / 'clip.mp4'))
    images = np.stack([cv2.cvtColor(video.read()[1], cv2.COLOR_BGR2GRAY) for _ in range(120)])
    motion = images.astype(np.float32).std(axis=0)
    for person in range(len(ROLES)):
        R, t = poses(rows, person)
        at, valid = CAMERA.pixels(t[:120] + R[:120] @ [-0.03, 0, -0.035])
        assert valid.all()
        u, v = np.rint(at).astype(int).T
        assert np.median(motion[v, u]) > 8
    assert np.median(motion) < 2


def test_clip_can_be_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(clip, 'SECONDS', 2 / RATE)
    made_head.save(tmp_path / 'head.npz')
    for name in 'ab':
        clip.write_clip(tmp_path / name, str(tmp_path / 'head.npz'), progress=False)
    for file in ('clip.mp4', 'clip_truth.csv', 'clip_camera.yaml'):
        assert (tmp_path / 'a' / file).read_bytes() == (tmp_path / 'b' / file).read_bytes()
    video = cv2.VideoCapture(str(tmp_path / 'a' / 'clip.mp4'))
    assert video.read()[1].shape == (480, 640, 3)
