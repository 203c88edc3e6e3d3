# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_face import drawn_face

from headpose_ros.config import PipelineConfig
from headpose_ros.detection import create_detector
from headpose_ros.detection.mtcnn import Mtcnn, mosaic_of
from headpose_ros.detection.mtcnn_stages import (
    corrected,
    intersection_over_union,
    patches,
    squared,
    suppress,
)
from headpose_ros.inference.networks import PNET
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.inference.weights import WeightsError, load

DATA = Path(os.environ.get('HEADPOSE_DATA', Path(__file__).parents[3] / 'shared' / 'data'))
PICTURES = json.loads((Path(__file__).parent / 'mtcnn_reference.json').read_text())['pictures']
MIN_FACE_PX = 20  # of the reference


@pytest.fixture(scope='module')
def mtcnn():
    """With the thresholds of the mtcnn package."""
    return Mtcnn(create_runtime('cpu'), load('', 'mtcnn', (PNET,)))


def picture(name):
    if name.startswith('drawn_face'):
        return drawn_face(int(name.split()[1]))
    path, _, frame = name.partition('#')
    if not (DATA / path).is_file():
        pytest.skip(f'no {DATA / path}')
    if not frame:
        return cv2.imread(str(DATA / path))
    clip = cv2.VideoCapture(str(DATA / path))
    for _ in range(int(frame)):
        clip.grab()
    return clip.read()[1]


def overlaps(a, b):
    """Intersection over union (len(a),len(b))."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.maximum(high - low, 0).prod(2)
    area_a, area_b = ((box[:, 2:] - box[:, :2]).prod(1) for box in (a, b))
    return common / (area_a[:, None] + area_b - common)


@pytest.mark.parametrize('name', PICTURES)
def test_finds_the_boxes_of_the_mtcnn_package(mtcnn, name):
    image = picture(name)
    expected = np.array(PICTURES[name]['boxes']).reshape(-1, 4)
    found = mtcnn.detect(image, MIN_FACE_PX)
    height, width = image.shape[:2]
    clipped = np.clip(found.corners, 0, [width - 1, height - 1] * 2)
    assert len(found) == len(expected)
    if len(expected) == 0:
        return
    iou = overlaps(expected, clipped)
    match = iou.argmax(1)
    assert sorted(match) == list(range(len(expected)))
    assert iou.max(1).min() >= 0.95
    np.testing.assert_allclose(found.scores[match], PICTURES[name]['scores'], atol=0.02)
    side = (expected[:, 2] - expected[:, 0])[:, None, None]
    landmarks = np.array(PICTURES[name]['landmarks'])
    assert (np.abs(found.landmarks[match] - landmarks) / side).max() < 0.02


@pytest.mark.parametrize('face', [60, 100])
def test_both_runtimes_find_the_same(mtcnn, face):
    backend = pytest.importorskip('headpose_ros.inference.torch_runtime')
    other = Mtcnn(backend.TorchRuntime('cpu'), load('', 'mtcnn', (PNET,)))
    image = drawn_face(face)
    a, b = mtcnn.detect(image, 24), other.detect(image, 24)
    np.testing.assert_allclose(a.corners, b.corners, atol=0.01)
    np.testing.assert_allclose(a.landmarks, b.landmarks, atol=0.01)
    np.testing.assert_allclose(a.scores, b.scores, atol=1e-5)


def test_landmarks_are_where_they_are_drawn(mtcnn):
    (points,) = mtcnn.detect(drawn_face(100), 24).landmarks
    drawn = np.array([[85, 74], [115, 74], [100, 90], [89, 108], [111, 108]])
    assert np.abs(points - drawn).max() < 8


def test_the_smallest_face_is_kept_to(mtcnn):
    image = drawn_face(60)  # its box is 42 x 57 px
    assert len(mtcnn.detect(image, 30)) == 1
    assert len(mtcnn.detect(image, 120)) == 0


@pytest.mark.parametrize('size', [(1, 1), (5, 400), (13, 13), (24, 300)])
def test_tiny_images_hold_no_face(mtcnn, size):
    found = mtcnn.detect(np.zeros((*size, 3), np.uint8), 24)
    assert found.corners.shape == (0, 4)
    assert found.landmarks.shape == (0, 5, 2)


def test_boxes_of_faces_half_outside_reach_out_of_the_image(mtcnn):
    found = mtcnn.detect(drawn_face(100, at=(22, 80)), 24)
    assert len(found) == 1
    assert found.corners[0, 0] < 0


def test_views_that_are_not_contiguous_give_the_same(mtcnn):
    image = drawn_face(100)
    wide = np.concatenate([image, image], axis=1)[:, :200]
    assert not wide.flags.c_contiguous
    np.testing.assert_array_equal(mtcnn.detect(wide, 24).corners, mtcnn.detect(image, 24).corners)


@pytest.mark.parametrize('size', [(640, 480), (480, 640), (1024, 1024), (100, 70)])
def test_levels_lie_apart_on_even_places(size):
    mosaic = mosaic_of(*size, 24.0)
    used = np.zeros((mosaic.height, mosaic.width), int)
    for level in mosaic.levels:
        assert level.x % 2 == level.y % 2 == 0
        used[level.y : level.y + level.height, level.x : level.x + level.width] += 1
    assert used.max() == 1
    assert used.sum() == sum(level.width * level.height for level in mosaic.levels)
    assert used.mean() > 0.75


def test_suppressed_boxes_suppress_too():
    # Each overlaps its neighbour by 0.6 of the union, the outer two by 0.33.
    boxes = np.array([[0, 0, 10, 10], [2.5, 0, 12.5, 10], [5, 0, 15, 10.0]])
    np.testing.assert_array_equal(suppress(boxes, np.array([0.7, 0.9, 0.8]), 0.5), [1])
    np.testing.assert_array_equal(suppress(boxes, np.array([0.9, 0.8, 0.7]), 0.5), [0])
    np.testing.assert_array_equal(suppress(boxes, np.array([0.7, 0.9, 0.8]), 0.7), [1, 2, 0])


def test_intersection_over_union_by_hand():
    a, b = (
        np.array([[0, 0, 10, 10.0]]),
        np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 0, 30, 9.0]]),
    )
    assert intersection_over_union(a, b) == pytest.approx(np.array([[1.0, 1 / 3, 0.0]]))


def test_overlap_with_the_smaller_box():
    boxes = np.array([[0, 0, 10, 10], [2, 2, 6, 6.0]])
    scores = np.array([0.9, 0.8])
    assert len(suppress(boxes, scores, 0.7)) == 2
    assert len(suppress(boxes, scores, 0.7, of_smaller=True)) == 1


def test_squares_and_corrections():
    np.testing.assert_allclose(squared(np.array([[0, 0, 4, 10.0]])), [[-3, 0, 7, 10]])
    moved = corrected(np.array([[0, 0, 9, 19.0]]), np.array([[0.1, 0.1, -0.1, 0.5]]))
    np.testing.assert_allclose(moved, [[1, 2, 8, 29]])


def test_patches_interpolate_and_are_grey_outside():
    u, v = np.meshgrid(np.arange(100), np.arange(50))
    image = np.stack([u, v, u + v], -1).astype(np.uint8)
    (patch,) = patches(image, np.array([[10, 20, 40, 30.0]]), 7)
    x = np.linspace(10, 40, 7) * 99 / 100
    y = np.linspace(20, 30, 7) * 49 / 50
    np.testing.assert_allclose(patch[..., 0], np.tile(x, (7, 1)), atol=1e-3)
    np.testing.assert_allclose(patch[..., 1], np.tile(y[:, None], (1, 7)), atol=1e-3)
    (patch,) = patches(image, np.array([[-40, -40, 40, 40.0]]), 5)
    assert (patch[:2] == 127.5).all()
    assert (patch[:, :2] == 127.5).all()
    assert (patch[3:, 3:] != 127.5).all()


def test_wrong_weights_are_refused(tmp_path):
    config = PipelineConfig(detector='mtcnn', detector_weights=str(tmp_path / 'none.onnx'))
    with pytest.raises(WeightsError, match='neither a file nor'):
        create_detector(config, create_runtime('cpu'))
    with pytest.raises(WeightsError, match='needs mtcnn-pnet'):
        create_detector(
            PipelineConfig(detector='mtcnn', detector_weights='retinaface'), create_runtime('cpu')
        )
