# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""JPEGs with anything after them or without their end, and headers that no memory holds."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from made_streams import jpeg

from headpose_ros.media import decoding
from headpose_ros.media.decoding import ImageError, decode, jpeg_size

NOISE = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
SCENE = cv2.resize(NOISE, (320, 240), interpolation=cv2.INTER_CUBIC)
GREY = np.full((240, 320, 3), 128, np.uint8)
BGR = cv2.IMREAD_COLOR
KINDS = {
    'colour': (SCENE, []),
    'good': (SCENE, [cv2.IMWRITE_JPEG_QUALITY, 98]),
    'progressive': (SCENE, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
    'restarts': (SCENE, [cv2.IMWRITE_JPEG_RST_INTERVAL, 7]),
    'optimised': (SCENE, [cv2.IMWRITE_JPEG_OPTIMIZE, 1]),
    'grey': (SCENE[..., 0], []),
    'flat': (GREY, []),
}


def encoded(kind):
    image, options = KINDS[kind]
    return cv2.imencode('.jpg', image, options)[1].tobytes()


AROUND = {
    'nothing': lambda data: data,
    'some zeros': lambda data: data + bytes(900),
    'a buffer of 4096': lambda data: data + bytes(-len(data) % 4096 + 4096),
    'a buffer of 600 kB': lambda data: data + bytes(600_000 - len(data)),
    'ones': lambda data: data + b'\xff' * 5000,
    'noise': lambda data: data + np.random.default_rng(1).bytes(5000),
    'text': lambda data: data + b'\r\n--boundary\r\n' * 200,
    'a second picture': lambda data: data + data,
    'a part of a second': lambda data: data + data[: len(data) // 2],
    'no end marker': lambda data: data[:-2],
    'half of the end marker': lambda data: data[:-1],
    'no end marker, zeros': lambda data: data[:-2] + bytes(3000),
}


@pytest.mark.parametrize('around', AROUND)
@pytest.mark.parametrize('kind', KINDS)
def test_a_whole_jpeg_is_read_whatever_follows(kind, around):
    data = encoded(kind)
    whole = cv2.imdecode(np.frombuffer(data, np.uint8), BGR)
    np.testing.assert_array_equal(decode(AROUND[around](data), BGR), whole)


@pytest.mark.parametrize('reduction', [2, 4, 8])
def test_a_reduced_jpeg_without_its_end(reduction):
    flags = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4,
             8: cv2.IMREAD_REDUCED_COLOR_8}[reduction]  # fmt: skip
    data = encoded('colour')
    whole = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    np.testing.assert_array_equal(decode(data[:-2], flags), whole)


@pytest.mark.parametrize('tail', [b'', bytes(5000)])
@pytest.mark.parametrize('share', [0.5, 0.8, 0.97])
@pytest.mark.parametrize('kind', KINDS)
def test_a_jpeg_that_is_cut_off_is_told(kind, share, tail):
    data = encoded(kind)
    scan = data.index(b'\xff\xda')
    kept = data[: scan + int(share * (len(data) - scan))]
    with pytest.raises(ImageError) as caught:
        decode(kept + tail, BGR)
    assert caught.value.kind in ('length', 'encoding')
    assert 'cut off' in str(caught.value) or 'damaged' in str(caught.value)


def test_the_end_of_a_preview_is_not_the_end_of_the_picture():
    preview = jpeg(SCENE[:40, :40])
    exif = b'\xff\xe1' + struct.pack('>H', 8 + len(preview)) + b'Exif\0\0' + preview
    data = jpeg(SCENE)
    data = data[:2] + exif + data[2:]
    assert decode(data, BGR).shape == SCENE.shape
    with pytest.raises(ImageError, match='cut off'):
        decode(data[: len(data) // 2], BGR)
    assert jpeg_size(data) == (320, 240)


def png(width, height):
    def chunk(name, data):
        return (
            struct.pack('>L', len(data)) + name + data + struct.pack('>L', zlib.crc32(name + data))
        )

    header = struct.pack('>LLBBBBB', width, height, 8, 2, 0, 0, 0)
    parts = [chunk(b'IHDR', header), chunk(b'IDAT', zlib.compress(bytes(99))), chunk(b'IEND', b'')]
    return b'\x89PNG\r\n\x1a\n' + b''.join(parts)


def jpeg_of(width, height):
    data = bytearray(jpeg(SCENE))
    at = data.index(b'\xff\xc0') + 5
    data[at : at + 4] = struct.pack('>HH', height, width)
    return bytes(data)


def bmp_of(width, height):
    data = bytearray(cv2.imencode('.bmp', SCENE)[1].tobytes())
    data[18:26] = struct.pack('<ll', width, height)
    return bytes(data)


def tiff_of(width, height):
    """Of uncompressed strips."""
    entries = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1),
               (273, 4, 8), (277, 3, 1), (278, 4, height), (279, 4, 2**31 - 1)]  # fmt: skip
    made = b''.join(struct.pack('<HHLL', tag, kind, 1, value) for tag, kind, value in entries)
    return b'II*\0' + struct.pack('<L', 8) + struct.pack('<H', len(entries)) + made + bytes(4)


HUGE = {
    'png': png(60000, 60000),
    'jpg': jpeg_of(65000, 65000),
    'bmp': bmp_of(60000, -60000),
    'pgm': b'P5\n# made\n60000 60000\n255\n' + bytes(99),
    'ppm': b'P6 99999 99999 255\n' + bytes(99),
    'tiff': tiff_of(60000, 60000),
    'jp2': b'\0\0\0\x0cjP  \r\n\x87\n' + bytes(40),
}


@pytest.mark.parametrize('kind', HUGE)
def test_a_header_that_no_memory_holds_is_one_line(kind):
    with pytest.raises(ImageError) as caught:
        decode(HUGE[kind], BGR)
    assert '\n' not in str(caught.value)
    if kind in ('png', 'jpg', 'bmp', 'pgm', 'ppm'):
        assert caught.value.kind == 'size'
        assert 'pixels by its header' in str(caught.value)


def test_what_opencv_would_take_but_not_the_memory(monkeypatch):
    monkeypatch.setattr(decoding, '_free_bytes', lambda: 2_000_000_000)
    with pytest.raises(ImageError, match=r'30000x30000 .*2\.7 GB, and 2\.0 GB of memory are free'):
        decode(png(30000, 30000), BGR)


def test_the_limit_of_opencv_that_a_user_sets(monkeypatch):
    monkeypatch.setenv('OPENCV_IO_MAX_IMAGE_PIXELS', '1000')
    with pytest.raises(ImageError, match='320x240'):
        decode(jpeg(SCENE), BGR)


@pytest.mark.parametrize(
    'data', [b'x', b'\xff\xd8', b'\xff\xd8\xff', b'BM', b'P5', b'P5 9', b'\x89PNG']
)
def test_what_is_hardly_anything(data):
    with pytest.raises(ImageError):
        decode(data, BGR)


def test_a_png_whose_chunk_is_longer_than_what_came_takes_no_memory_for_it(monkeypatch):
    """OpenCV would take 1.5 GB for these few bytes."""
    whole = cv2.imencode('.png', np.zeros((24, 32, 3), np.uint8))[1].tobytes()
    at = whole.index(b'IDAT') - 4
    damaged = whole[:at] + struct.pack('>L', 0x5E000000) + whole[at + 4 :]
    assert decode(whole + bytes(3000), BGR).shape == (24, 32, 3)
    monkeypatch.setattr(decoding, '_decoded', lambda *_: pytest.fail('was given to OpenCV'))
    for bad in (damaged, whole[:-1], whole[: len(whole) // 2]):
        with pytest.raises(ImageError, match=r'is a PNG, but cut off or damaged: \d+ bytes'):
            decode(bad, BGR)
