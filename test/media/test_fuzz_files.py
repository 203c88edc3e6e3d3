# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Damaged pictures and videos: images, or a named error in one line; never anything else.

HEADPOSE_FUZZ=10000 makes it 10,000 of each kind.
"""

import os

import cv2
import numpy as np
import pytest
from made_streams import h264, jpeg, matroska, mjpeg
from mutations import mutated

from headpose_ros.media.frames import SourceError
from headpose_ros.media.pictures import decode_picture, is_picture
from headpose_ros.media.sources import open_source

COUNT = int(os.environ.get('HEADPOSE_FUZZ', '60'))
IMAGES = [np.full((48, 64, 3), 20 + 30 * i, np.uint8) for i in range(4)]


def pictures():
    data, deep = jpeg(IMAGES[0]), IMAGES[1][..., 0].astype(np.uint16) * 4
    return {
        'jpeg': data,
        'padded': data + bytes(3000),
        'no end': data[:-2],
        'png': cv2.imencode('.png', deep)[1].tobytes(),
        'tiff': cv2.imencode('.tiff', deep)[1].tobytes(),
        'float': cv2.imencode('.tiff', deep.astype(np.float32))[1].tobytes(),
        'pgm': cv2.imencode('.pgm', deep)[1].tobytes(),
        'bmp': cv2.imencode('.bmp', IMAGES[0])[1].tobytes(),
        'webp': cv2.imencode('.webp', IMAGES[0])[1].tobytes(),
    }


def videos():
    return {
        'live.webm': matroska(IMAGES, [0.0, 0.1, 9.0, 9.1]),
        'long.mkv': matroska(IMAGES, [0.0, 0.1, 0.2, 0.3], duration=9.0, rate=1000.0),
        'raw.h264': h264(IMAGES),
        'raw.mjpeg': mjpeg(IMAGES),
    }


def one_line(caught):
    assert '\n' not in str(caught)


@pytest.mark.parametrize('name', pictures())
def test_pictures(tmp_path, name):
    data, random = pictures()[name], np.random.default_rng(0)
    path = tmp_path / 'a.bin'
    for _ in range(COUNT):
        try:
            image = decode_picture(mutated(data, random), path)
        except SourceError as caught:
            one_line(caught)
            continue
        assert image.dtype == np.uint8
        assert image.ndim == 3


@pytest.mark.parametrize('name', videos())
def test_videos(tmp_path, capfd, name):
    data, random = videos()[name], np.random.default_rng(0)
    for _ in range(COUNT):
        path = tmp_path / name
        path.write_bytes(mutated(data, random))
        is_picture(path)
        try:
            with open_source(path) as source:
                for count, frame in enumerate(source):
                    assert frame.image_bgr.dtype == np.uint8
                    assert np.isfinite(frame.time)
                    if count == 20:
                        break
        except SourceError as caught:
            one_line(caught)
