# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Random and mutated messages: a named error or a picture, never anything else."""

import array
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import mutated

pytest.importorskip('sensor_msgs')
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from headpose_ros.geometry import CameraModel
from headpose_ros.media.image_messages import ENCODINGS, ImageError, to_bgr_compressed, to_metres
from headpose_ros.media.levels import Levels
from headpose_ros.node.camera_source import CameraInfoError, CameraSource
from headpose_ros.node.images import to_bgr

MANY = settings(
    max_examples=int(os.environ.get('HEADPOSE_FUZZ', '400')),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
"""HEADPOSE_FUZZ=10000 makes it 10,000 messages for each function, and of each picture."""
EACH = int(os.environ.get('HEADPOSE_FUZZ', '100'))
sizes = st.one_of(st.integers(0, 40), st.sampled_from([2**16, 2**31, 2**32 - 1]))
names = st.one_of(st.sampled_from([*ENCODINGS, '16UC1', '32FC1']), st.text(max_size=12))
blobs = st.binary(max_size=4000)


def filled(data):
    return array.array('B', data)


@MANY
@given(sizes, sizes, names, sizes, st.integers(0, 255), blobs)
def test_images(width, height, encoding, step, big, data):
    message = Image(width=width, height=height, encoding=encoding, step=step, is_bigendian=big)
    message.data = filled(data)
    for convert in (to_bgr, to_metres):
        try:
            image = convert(message)
        except ImageError:
            continue
        assert image.shape[:2] == (height, width)


@MANY
@given(st.integers(1, 24), st.integers(1, 24), st.sampled_from([*ENCODINGS]), st.data())
def test_images_that_nearly_fit(width, height, encoding, data):
    channels, item = ENCODINGS[encoding].channels, np.dtype(ENCODINGS[encoding].dtype).itemsize
    step = width * channels * item + data.draw(st.integers(-1, 3))
    length = int(step * height * ENCODINGS[encoding].rows) + data.draw(st.integers(-8, 8))
    message = Image(width=width, height=height, encoding=encoding, step=max(step, 0))
    message.data = filled(bytes(max(length, 0)))
    try:
        image = to_bgr(message)
    except ImageError:
        return
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8


PICTURE = np.arange(3 * 32 * 24, dtype=np.uint8).reshape(24, 32, 3)


def seeds():
    """What cameras and drivers send: each is whole, or cut off, before it is mutated."""
    import cv2

    def encoded(suffix, image, *options):
        return cv2.imencode(suffix, image, list(options))[1].tobytes()

    jpeg, deep = encoded('.jpg', PICTURE), PICTURE[..., 0].astype(np.uint16) * 4
    preview = b'Exif\0\0' + jpeg
    exif = b'\xff\xe1' + (2 + len(preview)).to_bytes(2, 'big') + preview
    return {
        'jpeg': jpeg,
        'padded': jpeg + bytes(2000),
        'without an end': jpeg[:-2],
        'padded without an end': jpeg[:-2] + bytes(1500),
        'two in one': jpeg + jpeg,
        'half': jpeg[: len(jpeg) // 2],
        'preview': jpeg[:2] + exif + jpeg[2:],
        'preview, cut off': jpeg[:2] + exif + jpeg[2:-90],
        'progressive': encoded('.jpg', PICTURE, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)[:-2],
        'png': encoded('.png', deep),
        'tiff': encoded('.tiff', deep),
        'webp': encoded('.webp', PICTURE),
        'bmp': encoded('.bmp', PICTURE),
        'pgm': encoded('.pgm', deep),
        'float': encoded('.tiff', deep.astype(np.float32)),
    }


SEEDS = seeds()


@pytest.mark.parametrize('name', SEEDS)
def test_mutated_compressed_images(name):
    random = np.random.default_rng(0)
    for _ in range(EACH):
        message = CompressedImage(format=str(random.choice(['jpeg', 'png', '16UC1; png', ''])))
        message.data = filled(mutated(SEEDS[name], random))
        try:
            image = to_bgr_compressed(message, int(random.choice([1, 1, 2, 8])))
        except ImageError:
            continue
        assert image.ndim == 3
        assert image.dtype == np.uint8


deep_numbers = st.sampled_from([0, 1, 255, 300, 1023, 4095, 8000, 16383, 16384, 30000, 65535])


@MANY
@given(st.sampled_from(['<u2', '<i2', '<f4']), st.lists(deep_numbers, min_size=1, max_size=12),
       st.booleans(), st.data())  # fmt: skip
def test_levels(dtype, bright, noisy, data):
    """A stream of images of any levels: pictures of 8 bits, and nothing that is not finite."""
    levels = Levels()
    for level in bright:
        image = np.full((9, 12), level).astype(dtype)
        if noisy:
            image.ravel()[data.draw(st.integers(0, 107))] = data.draw(deep_numbers) % 32768
        if dtype == '<f4':
            odd = data.draw(st.sampled_from([0.0, np.nan, np.inf, -np.inf, 3e38, 1e-40]))
            image[data.draw(st.integers(0, 8))] = odd
        shown = levels.eight_bit(image)
        assert (shown.shape, shown.dtype) == (image.shape, np.uint8)


numbers = st.one_of(
    st.floats(),
    st.floats(-2000, 2000),
    st.sampled_from([0.0, 1.0, float('nan'), float('inf'), 1e300, -1e-300]),
)
models = st.one_of(
    st.sampled_from(['', 'plumb_bob', 'rational_polynomial', 'equidistant', 'fisheye', 'radtan']),
    st.sampled_from(['pinhole', 'Brown Conrady', 'kannala_brandt4', 'f-theta', 'PLUMB_BOB ']),
    st.text(max_size=8),
)


@MANY
@given(st.data())
def test_camera_infos(data):
    info = CameraInfo(width=data.draw(sizes), height=data.draw(sizes))
    info.distortion_model = data.draw(models)
    info.d = data.draw(st.lists(numbers, max_size=14))
    focal = data.draw(st.one_of(numbers, st.just(500.0)))
    info.k = [focal, 0.0, data.draw(numbers), 0.0, focal, data.draw(numbers), 0.0, 0.0, 1.0]
    if data.draw(st.booleans()):
        scale = data.draw(st.sampled_from([0.0, 1 / 640, 0.01, 0.25, 4.0, 57.3, 180.0]))
        info.k = [500.0 * scale, 0, 320 * scale, 0, 500 * scale, 240 * scale, 0, 0, 1.0]
    info.p = data.draw(st.lists(numbers, min_size=12, max_size=12))
    info.binning_x, info.binning_y = data.draw(st.integers(0, 9)), data.draw(st.integers(0, 9))
    info.roi.x_offset, info.roi.y_offset = data.draw(sizes), data.draw(sizes)
    info.roi.width, info.roi.height = data.draw(sizes), data.draw(sizes)
    source = CameraSource(rectified=data.draw(st.booleans()))
    source.update(info)
    size = (info.width, info.height) if data.draw(st.booleans()) else (640, 480)
    try:
        camera = source.camera(*size)
    except CameraInfoError as error:
        refusal = str(error)
    else:
        refusal = ''
    if refusal:
        assert source.state()
        assert len(refusal.splitlines()) == 1
        return
    assert all(text and len(text.splitlines()) == 1 for text in source.notes())
    assert len(source.doubt().splitlines()) <= 1
    assert isinstance(camera, CameraModel)
    assert camera.rays(np.array([[0.0, 0.0], [3.0, 4.0]])).shape == (2, 3)
