# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results drawn onto a copy of their image, whatever its layout in memory."""

import numpy as np
import pytest

from headpose_ros import FrameResult, Head, Roi, annotate
from headpose_ros.geometry.camera import CameraModel
from headpose_ros.media.drawing import draw_heads

FRONTAL = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
CAMERA = CameraModel.from_fov(320, 240, 1.0)
HEAD = Head('f0001', FRONTAL, [0, 0, 1], np.eye(6), 0.9, Roi(130, 90, 60, 60), 0.0, 0.0)
RESULT = FrameResult((HEAD,), 'f0001', camera=CAMERA)
GREY = np.full((240, 320), 90, np.uint8)
IMAGE = np.dstack([GREY] * 3)


def read_only(image):
    image = image.copy()
    image.setflags(write=False)
    return image


LAYOUTS = {
    'as it is': lambda image: image,
    'reversed channels': lambda image: image[..., ::-1],
    'mirrored': lambda image: image[:, ::-1],
    'columns first': np.asfortranarray,
    'read-only': read_only,
}


@pytest.mark.parametrize('layout', LAYOUTS)
def test_a_copy_is_drawn_on(layout):
    image = LAYOUTS[layout](IMAGE)
    drawn = annotate(image, RESULT)
    expected = IMAGE.copy()
    draw_heads(expected, [HEAD], CAMERA, 'f0001')
    np.testing.assert_array_equal(drawn, expected)
    np.testing.assert_array_equal(image, IMAGE)
    assert (drawn != IMAGE).any()


def test_grey_images_get_colours():
    np.testing.assert_array_equal(annotate(GREY, RESULT), annotate(IMAGE, RESULT))


def test_what_does_not_fit_is_told():
    with pytest.raises(ValueError, match=r'image: 160x120 is not the size .* 320x240'):
        annotate(IMAGE[::2, ::2], RESULT)
    with pytest.raises(TypeError, match='result: expected a FrameResult, got list'):
        annotate(IMAGE, [HEAD])
    with pytest.raises(ValueError, match='which camera'):
        annotate(IMAGE, FrameResult((HEAD,)))
