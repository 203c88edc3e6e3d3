# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The field of view from EXIF: right where it is sure, and none where it is not."""

import math
import random

import pytest
from exif_pictures import jpeg_with_exif

from headpose_ros.media.exif import exif_hfov

LONG_SIDE = 2 * math.atan(36 / 2 / 28)
"""The horizontal field of view of 28 mm on film, 36 mm wide: 65.5 degrees."""


@pytest.mark.parametrize('order', ['<', '>'])
def test_a_lens_of_28_mm_on_a_picture_of_films_shape(order):
    data = jpeg_with_exif({0xA405: 28, 0xA002: 6000, 0xA003: 4000}, order=order)
    assert exif_hfov(data, 6000, 4000) == pytest.approx(LONG_SIDE)
    assert exif_hfov(data, 1500, 1000) == pytest.approx(LONG_SIDE), 'a smaller copy'
    upright = 2 * math.atan(24 / 2 / 28)
    assert exif_hfov(data, 4000, 6000) == pytest.approx(upright), 'shown upright'


def test_another_shape_has_the_same_diagonal():
    data = jpeg_with_exif({0xA405: 26, 0xA002: 4032, 0xA003: 3024})
    hfov = exif_hfov(data, 4032, 3024)
    diagonal = 2 * math.atan(math.tan(hfov / 2) * math.hypot(4032, 3024) / 4032)
    assert diagonal == pytest.approx(2 * math.atan(math.hypot(36, 24) / 2 / 26))


@pytest.mark.parametrize(
    'tags',
    [
        {},
        {0xA405: 28},
        {0xA405: 0, 0xA002: 6000, 0xA003: 4000},
        {0xA002: 6000, 0xA003: 4000},
        {0xA405: 28, 0xA002: 6000, 0xA003: 0},
    ],
)
def test_what_is_not_said_is_not_known(tags):
    assert exif_hfov(jpeg_with_exif(tags), 6000, 4000) is None


def test_a_picture_that_was_cropped():
    data = jpeg_with_exif({0xA405: 28, 0xA002: 6000, 0xA003: 4000})
    assert exif_hfov(data, 3000, 3000) is None


def test_other_files_and_damaged_ones():
    whole = jpeg_with_exif({0xA405: 28, 0xA002: 6000, 0xA003: 4000})
    for data in (b'', b'\xff\xd8', b'\x89PNG\r\n', whole[:30], whole[:60]):
        assert exif_hfov(data, 6000, 4000) is None
    noise = random.Random(0)
    for _ in range(2000):
        damaged = bytearray(whole)
        for _ in range(3):
            damaged[noise.randrange(len(damaged))] = noise.randrange(256)
        hfov = exif_hfov(bytes(damaged), 6000, 4000)
        assert hfov is None or 0 < hfov < math.pi
