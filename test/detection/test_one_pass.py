# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
from itertools import pairwise

import cv2
import numpy as np
import pytest
from drawn_face import drawn_face

from headpose_ros.config import PipelineConfig
from headpose_ros.detection import create_detector, one_pass
from headpose_ros.detection.mtcnn import Mtcnn
from headpose_ros.detection.proposal_network import LARGEST_PX, SMALLEST_PX, squares
from headpose_ros.inference.networks import PNET
from headpose_ros.inference.runtime import create_runtime
from headpose_ros.inference.weights import WeightsError, load

CONFIG = PipelineConfig(detector='one_pass')


@pytest.fixture(scope='module')
def detector():
    return create_detector(CONFIG, create_runtime('cpu'))


@pytest.fixture(scope='module')
def mtcnn():
    return Mtcnn(create_runtime('cpu'), load('', 'mtcnn', (PNET,)))


@pytest.mark.parametrize('face', [40, 60, 100, 180])
def test_boxes_are_those_of_mtcnn(detector, mtcnn, face):
    """R-Net and O-Net have the last word in both."""
    image = drawn_face(face, size=(240, 320))
    found, expected = detector.detect(image, 24), mtcnn.detect(image, 24)
    assert len(found) == len(expected) == 1
    np.testing.assert_allclose(found.corners, expected.corners, atol=0.08 * face)
    np.testing.assert_allclose(found.landmarks, expected.landmarks, atol=0.05 * face)


@pytest.mark.parametrize('face', [60, 100])
def test_both_runtimes_find_the_same(detector, face):
    backend = pytest.importorskip('headpose_ros.inference.torch_runtime')
    other = create_detector(CONFIG, backend.TorchRuntime('cpu'))
    image = drawn_face(face)
    a, b = detector.detect(image, 24), other.detect(image, 24)
    assert len(a) == len(b) == 1
    np.testing.assert_allclose(a.corners, b.corners, atol=0.01)
    np.testing.assert_allclose(a.scores, b.scores, atol=1e-5)


@pytest.mark.parametrize('size', [(1, 1), (5, 400), (13, 13), (24, 300)])
def test_tiny_images_hold_no_face(detector, size):
    found = detector.detect(np.zeros((*size, 3), np.uint8), 24)
    assert found.corners.shape == (0, 4)
    assert found.landmarks.shape == (0, 5, 2)


@pytest.mark.parametrize('value', [0, 127, 255])
def test_nothing_is_found_where_nothing_is(detector, value):
    assert len(detector.detect(np.full((480, 640, 3), value, np.uint8), 24)) == 0


@pytest.mark.parametrize('at', [(60, 70), (161, 93), (260, 170)])
@pytest.mark.parametrize('scale', [1.0, 1.7])
def test_proposals_are_where_the_face_is(detector, at, scale):
    """At any place and size of the image, to a tenth of the face."""
    image = drawn_face(80, size=(240, 320), at=at)
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    best = detector.propose(image, 24 * scale)[0]
    centre = (best[:2] + best[2:]) / 2
    drawn = (np.array(at) + 0.5) * scale - 0.5 + [0, 4 * 0.8 * scale]
    assert np.abs(centre - drawn).max() < 0.12 * 80 * scale


def test_one_pass_at_the_usual_sizes_and_more_where_faces_may_be_larger():
    for width, height, smallest in [
        (640, 480, 24),
        (1920, 1080, 72),
        (848, 636, 32),
        (320, 240, 12),
    ]:
        assert len(one_pass.sizes_to_look_at(width, height, smallest)) == 1
    sizes = one_pass.sizes_to_look_at(1920, 1080, 24)
    assert len(sizes) == 2
    for width, height, smallest in [(1920, 1080, 24), (4000, 3000, 12), (640, 480, 24)]:
        scales = [s.width / width for s in one_pass.sizes_to_look_at(width, height, smallest)]
        assert scales[0] == pytest.approx(SMALLEST_PX / smallest, rel=0.01)
        for finer, coarser in pairwise(scales):
            assert SMALLEST_PX / coarser < LARGEST_PX / finer  # no size falls between
        assert LARGEST_PX * 1.25 / scales[-1] >= min(width, height) * 0.99


def test_what_pads_the_image_is_grey_and_the_image_is_whole():
    image = np.full((100, 130, 3), 200, np.uint8)
    padded = one_pass._padded(image, one_pass.Size(65, 50))
    assert padded.shape == (64, 96, 3)
    assert (padded[:50, :65] == 200).all()
    assert (padded[50:] == 127).all()
    assert (padded[:, 65:] == 127).all()


def test_squares_by_hand():
    outputs = [np.full((1, 4, 4, 4), -9.0, np.float32), np.full((1, 4, 2, 2), -9.0, np.float32)]
    outputs.append(np.full((1, 4, 1, 1), -9.0, np.float32))
    outputs[0][0, :, 1, 2] = [np.log(3), 0.25, -0.5, 0.0]
    outputs[2][0, :, 0, 0] = [0.0, 0.0, 0.0, np.log(2)]
    boxes, scores = squares(outputs, 0.4)
    # stride 8, b = 16: the cell's centre is (19.5, 11.5), moved by (4, -8), 16 across
    assert boxes[0] == pytest.approx([15.5, -4.5, 31.5, 11.5])
    assert boxes[1] == pytest.approx([15.5 - 64, 15.5 - 64, 15.5 + 64, 15.5 + 64])
    assert scores == pytest.approx([0.75, 0.5])
    assert len(squares(outputs, 0.6)[0]) == 1


def test_weights_of_another_network_are_refused():
    config = PipelineConfig(detector='one_pass', detector_weights='mtcnn_onet')
    with pytest.raises(WeightsError, match='architecture mtcnn-onet, but one_pass needs'):
        create_detector(config, create_runtime('cpu'))
