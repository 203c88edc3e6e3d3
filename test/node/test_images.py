# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every encoding against pictures written by hand, and every way an image can be bad."""

import io
import os
import subprocess
import sys
import types

import cv2
import numpy as np
import pytest

pytest.importorskip('sensor_msgs')
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from headpose_ros.media.image_messages import (
    ENCODINGS,
    ImageError,
    jpeg_size,
    to_bgr_compressed,
    to_metres,
)
from headpose_ros.media.levels import Levels
from headpose_ros.node import images
from headpose_ros.node.images import to_bgr
from headpose_ros.node.messages import image_message

WIDTH, HEIGHT = 16, 12


@pytest.fixture(autouse=True)
def _without_cv_bridge(monkeypatch):
    forget = images.cv_bridge_converter.cache_clear  # a test may put something else there
    forget()
    monkeypatch.setitem(sys.modules, 'cv_bridge', None)
    yield
    forget()


def picture():
    """A picture (H,W,3) BGR of large flat patches, which survive 4:2:0 and Bayer inside."""
    colours = np.array([[20, 60, 200], [200, 80, 30], [40, 180, 60], [128, 128, 128]], np.uint8)
    return np.kron(colours.reshape(2, 2, 3), np.ones((HEIGHT // 2, WIDTH // 2, 1), np.uint8))


def message(data, encoding, step, big=False):
    made = Image(width=WIDTH, height=HEIGHT, encoding=encoding, step=step, is_bigendian=int(big))
    made.data = np.ascontiguousarray(data).tobytes()
    return made


def luma_chroma(bgr):
    """BT.601 studio-range Y, U, V of each pixel, from the standard's own numbers."""
    b, g, r = (bgr[..., i] / 255.0 for i in range(3))
    y = 16 + 65.481 * r + 128.553 * g + 24.966 * b
    u = 128 - 37.797 * r - 74.203 * g + 112.0 * b
    v = 128 + 112.0 * r - 93.786 * g - 18.214 * b
    return (np.round(plane).astype(np.uint8) for plane in (y, u, v))


def mosaic(bgr, pattern):
    """What a sensor behind the filter `pattern` (first row, then second) would see."""
    plane = np.empty((HEIGHT, WIDTH), np.uint8)
    for k, letter in enumerate(pattern):
        channel = 'bgr'.index(letter)
        plane[k // 2 :: 2, k % 2 :: 2] = bgr[k // 2 :: 2, k % 2 :: 2, channel]
    return plane


def packed(bgr, encoding):
    """The picture in `encoding`: (data, bytes a row)."""
    y, u, v = luma_chroma(bgr)
    if encoding in ('yuv422', 'uyvy'):
        rows = np.stack([u[:, ::2], y[:, ::2], v[:, ::2], y[:, 1::2]], axis=2)
        return rows, 2 * WIDTH
    if encoding in ('yuv422_yuy2', 'yuyv'):
        rows = np.stack([y[:, ::2], u[:, ::2], y[:, 1::2], v[:, ::2]], axis=2)
        return rows, 2 * WIDTH
    if encoding in ('nv12', 'nv21'):
        pair = (u, v) if encoding == 'nv12' else (v, u)
        chroma = np.stack([plane[::2, ::2] for plane in pair], axis=2).reshape(-1, WIDTH)
        return np.vstack([y, chroma]), WIDTH
    if encoding.startswith('bayer'):
        plane = mosaic(bgr, encoding[6:10])
        return (plane, WIDTH) if encoding.endswith('8') else (plane.astype('<u2') * 257, 2 * WIDTH)
    alpha = np.full((HEIGHT, WIDTH, 1), 77, np.uint8)
    grey = np.round(bgr @ [0.114, 0.587, 0.299]).astype(np.uint8)
    return {
        'bgr8': (bgr, 3 * WIDTH),
        '8UC3': (bgr, 3 * WIDTH),
        'rgb8': (bgr[..., ::-1], 3 * WIDTH),
        'bgra8': (np.concatenate([bgr, alpha], 2), 4 * WIDTH),
        'rgba8': (np.concatenate([bgr[..., ::-1], alpha], 2), 4 * WIDTH),
        'mono8': (grey, WIDTH),
        '8UC1': (grey, WIDTH),
        'mono16': (grey.astype('<u2') * 257, 2 * WIDTH),
        '16UC1': (grey.astype('<u2') * 257, 2 * WIDTH),
        '16SC1': (grey.astype('<i2') * 128, 2 * WIDTH),
        '32FC1': (grey.astype('<f4') / 255.0, 4 * WIDTH),
        '16UC3': (bgr.astype('<u2') * 257, 6 * WIDTH),
        'bgr16': (bgr.astype('<u2') * 257, 6 * WIDTH),
        'rgb16': (bgr[..., ::-1].astype('<u2') * 257, 6 * WIDTH),
    }[encoding]


def inner(image):
    """The image without the seams of the patches, where Bayer and chroma smear."""
    half = np.zeros((HEIGHT // 2, WIDTH // 2), bool)
    half[2:-2, 2:-2] = True
    return image[np.tile(half, (2, 2))].astype(int)


def expected(bgr, encoding):
    if encoding in ('16SC1', '32FC1'):  # from their dark level to their bright one
        grey = np.round(bgr @ [0.114, 0.587, 0.299])
        room = 0.1 * np.ptp(grey)
        grey = 255 * (grey - grey.min() + room) / (np.ptp(grey) + 2 * room)
        return grey[..., None].repeat(3, 2)
    if encoding in ('mono8', '8UC1', 'mono16', '16UC1'):
        return np.round(bgr @ [0.114, 0.587, 0.299])[..., None].repeat(3, 2)
    return bgr


@pytest.mark.parametrize('encoding', sorted(ENCODINGS))
def test_every_encoding_gives_the_picture(encoding):
    bgr = picture()
    data, step = packed(bgr, encoding)
    got = to_bgr(message(data, encoding, step))
    assert got.shape == (HEIGHT, WIDTH, 3)
    assert got.dtype == np.uint8
    tolerance = 2 if encoding.startswith(('yuv', 'uyvy', 'nv')) else 1
    assert np.abs(inner(got) - inner(expected(bgr, encoding))).max() <= tolerance


@pytest.mark.parametrize('encoding', sorted(ENCODINGS))
def test_padding_at_the_end_of_rows_is_skipped(encoding):
    data, step = packed(picture(), encoding)
    rows = np.ascontiguousarray(data).view(np.uint8).reshape(-1, step)
    padded = np.pad(rows, ((0, 0), (0, 8)), constant_values=99)
    tight, loose = message(data, encoding, step), message(padded, encoding, step + 8)
    np.testing.assert_array_equal(to_bgr(loose), to_bgr(tight))


@pytest.mark.parametrize('encoding', ['mono16', 'bgr16', 'bayer_rggb16'])
def test_big_endian_sixteen_bits(encoding):
    data, step = packed(picture(), encoding)
    big = np.ascontiguousarray(data).astype('<u2').astype('>u2')
    np.testing.assert_array_equal(
        to_bgr(message(big, encoding, step, big=True)), to_bgr(message(data, encoding, step))
    )


def test_bgr8_is_a_view_of_the_message():
    sent = image_message(picture(), 'bgr8', Header())
    got = to_bgr(sent)
    assert np.shares_memory(got, np.frombuffer(sent.data, np.uint8))


def test_image_message_round_trip_of_a_strided_array():
    image = picture()[:, ::2]
    sent = image_message(image, 'bgr8', Header(frame_id='cam'))
    assert (sent.width, sent.height, sent.step) == (WIDTH // 2, HEIGHT, 3 * WIDTH // 2)
    np.testing.assert_array_equal(to_bgr(sent), image)


def test_last_row_may_lack_its_padding():
    data, step = packed(picture(), 'bgr8')
    padded = np.pad(np.ascontiguousarray(data).reshape(HEIGHT, step), ((0, 0), (0, 4)))
    sent = message(padded, 'bgr8', step + 4)
    sent.data = sent.data[:-4]
    np.testing.assert_array_equal(to_bgr(sent), picture())


BAD = [
    ('encoding', {'encoding': 'p010'}, "'p010'"),
    ('encoding', {'encoding': ''}, "''"),
    ('size', {'width': 0}, '0x12'),
    ('size', {'height': 0}, '16x0'),
    ('step', {'step': 47}, '47 bytes'),
    ('step', {'step': 0}, '0 bytes'),
    ('length', {'data': b'x' * 100}, '100 bytes'),
    ('length', {'data': b''}, '0 bytes'),
    ('length', {'height': 4000}, '4000 rows'),
    ('step', {'width': 2**31}, 'need'),
    ('size', {'encoding': 'nv12', 'height': 11}, 'nv12 needs an even height, got 16x11'),
    ('size', {'encoding': 'uyvy', 'width': 15, 'height': 11}, 'an even width, got 15x11'),
    ('step', {'encoding': 'mono16', 'step': 49}, 'step'),
]


@pytest.mark.parametrize(
    ('encoding', 'width', 'bytes_each'),
    [('uyvy', 16, 2), ('yuyv', 16, 2), ('bayer_rggb8', 15, 1), ('bayer_gbrg16', 15, 2)],
)
def test_odd_sides_are_read_where_they_mean_something(encoding, width, bytes_each):
    data = np.full((11, width * bytes_each), 128, np.uint8)
    sent = message(data, encoding, width * bytes_each)
    sent.width, sent.height = width, 11
    pixels = to_bgr(sent)
    assert pixels.shape == (11, width, 3)
    assert np.ptp(pixels[2:-2, 2:-2].astype(int)) <= 1


@pytest.mark.parametrize(('kind', 'change', 'words'), BAD)
def test_bad_images_say_what_came(kind, change, words):
    sent = message(picture(), 'bgr8', 3 * WIDTH)
    for name, value in change.items():
        setattr(sent, name, value)
    with pytest.raises(ImageError, match=words) as caught:
        to_bgr(sent)
    assert caught.value.kind == kind
    assert '\n' not in str(caught.value)


def test_cv_bridge_is_used_where_it_is_installed(monkeypatch):
    asked = []

    class CvBridge:
        def imgmsg_to_cv2(self, sent, encoding):
            asked.append((sent.encoding, encoding))
            return np.zeros((HEIGHT, WIDTH, 3), np.uint8)

    monkeypatch.setitem(sys.modules, 'cv_bridge', types.SimpleNamespace(CvBridge=CvBridge))
    images.cv_bridge_converter.cache_clear()
    for encoding in ('rgb8', 'nv12', 'bgr8'):
        data, step = packed(picture(), encoding)
        to_bgr(message(data, encoding, step))
    assert asked == [('rgb8', 'bgr8')]  # bgr8 needs no conversion, nv12 it does not know


class RealCvBridge:
    """`CvBridge.imgmsg_to_cv2` of cv_bridge 4.1 (Jazzy): what it does with steps and bytes."""

    def imgmsg_to_cv2(self, sent, encoding):
        assert (sent.encoding, encoding) in (('rgb8', 'bgr8'), ('rgb16', 'bgr8'))
        assert not sent.is_bigendian, 'ndarray.newbyteorder is gone in NumPy 2'
        dtype = np.dtype('<u2' if sent.encoding.endswith('16') else 'u1')
        per_row = int(sent.step / dtype.itemsize / 3)
        pixels = np.ndarray((sent.height, per_row, 3), dtype, sent.data)[:, : sent.width]
        return (pixels if dtype.itemsize == 1 else pixels // 257)[..., ::-1].astype(np.uint8)


@pytest.mark.parametrize(
    ('encoding', 'pad', 'cut', 'big'),
    [('rgb8', 0, 0, 0), ('rgb8', 0, 0, 1), ('rgb8', 6, 0, 0), ('rgb8', 4, 0, 0), ('rgb8', 6, 6, 0),
     ('rgb16', 0, 0, 0), ('rgb16', 0, 0, 1), ('rgb16', 8, 0, 0)],
)  # fmt: skip
def test_cv_bridge_is_spared_what_it_reads_wrongly(monkeypatch, encoding, pad, cut, big):
    module = types.SimpleNamespace(CvBridge=RealCvBridge)
    monkeypatch.setitem(sys.modules, 'cv_bridge', module)
    images.cv_bridge_converter.cache_clear()
    data, step = packed(picture(), encoding)
    data = data.astype('>u2') if big and data.itemsize == 2 else data
    data = np.ascontiguousarray(data).view(np.uint8)
    rows = np.pad(data.reshape(HEIGHT, step), ((0, 0), (0, pad)), constant_values=99)
    sent = message(rows, encoding, step + pad, big)
    sent.data = sent.data[: len(sent.data) - cut]
    np.testing.assert_array_equal(to_bgr(sent), picture())


def test_a_broken_cv_bridge_is_done_without(monkeypatch):
    class Broken(types.ModuleType):
        def __getattr__(self, name):
            raise AttributeError('_ARRAY_API not found')  # as when built for NumPy 1

    monkeypatch.setitem(sys.modules, 'cv_bridge', Broken('cv_bridge'))
    images.cv_bridge_converter.cache_clear()
    data, step = packed(picture(), 'rgb8')
    np.testing.assert_array_equal(to_bgr(message(data, 'rgb8', step)), picture())


@pytest.mark.parametrize('encoding', sorted(images._CV_BRIDGE_ENCODINGS))
def test_same_results_as_the_real_cv_bridge(encoding, monkeypatch):
    monkeypatch.delitem(sys.modules, 'cv_bridge')
    bridge = pytest.importorskip('cv_bridge').CvBridge()
    data, step = packed(picture(), encoding)
    sent = message(data, encoding, step)
    monkeypatch.setattr(images, 'cv_bridge_converter', lambda: None)
    difference = to_bgr(sent).astype(int) - bridge.imgmsg_to_cv2(sent, 'bgr8').astype(int)
    assert np.abs(difference).max() <= 1


def test_this_file_passes_where_cv_bridge_is_installed(tmp_path):
    """With a stand-in for it, since it does not come with the wheels: a run of its own."""
    (tmp_path / 'cv_bridge.py').write_text(
        'from headpose_ros.media.image_messages import stored_pixels\n'
        'class CvBridge:\n'
        '    def imgmsg_to_cv2(self, message, encoding):\n'
        '        form, pixels = stored_pixels(message)\n'
        '        return form.to_bgr(pixels)\n'
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    only = 'same_results_as_the_real_cv_bridge'
    command = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-k', only]
    run = subprocess.run(
        [*command, __file__], env=os.environ | {'PYTHONPATH': path}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout
    assert f'{len(images._CV_BRIDGE_ENCODINGS)} passed' in run.stdout


def compressed(suffix, form=None):
    sent = CompressedImage(format=form or suffix)
    sent.data = cv2.imencode(f'.{suffix}', picture(), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    return sent


@pytest.mark.parametrize('suffix', ['jpg', 'png'])
def test_compressed_images(suffix):
    got = to_bgr_compressed(compressed(suffix))
    assert np.abs(inner(got) - inner(picture())).max() <= (12 if suffix == 'jpg' else 0)


@pytest.mark.parametrize('reduction', [2, 4, 8])
def test_reduced_jpegs_show_the_mean_of_their_pixels(reduction):
    smooth = cv2.GaussianBlur(np.random.default_rng(0).uniform(0, 255, (101, 203, 3)), None, 12)
    smooth = cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    data = cv2.imencode('.jpg', smooth, [cv2.IMWRITE_JPEG_QUALITY, 100])[1]
    sent = CompressedImage(format='jpeg', data=data.tobytes())
    got = to_bgr_compressed(sent, reduction)
    assert got.shape == (-(-101 // reduction), -(-203 // reduction), 3)
    rows, columns = 101 // reduction, 203 // reduction
    blocks = smooth[: rows * reduction, : columns * reduction].astype(float)
    means = blocks.reshape(rows, reduction, columns, reduction, 3).mean(axis=(1, 3))
    assert np.abs(got[:rows, :columns] - means).mean() < 1.5


def test_the_size_of_a_jpeg_is_read_from_its_header():
    sent = compressed('jpg')
    assert jpeg_size(sent.data) == (WIDTH, HEIGHT)
    data = bytes(sent.data)
    assert jpeg_size(data[:2] + b'\xff\xe1\x00\x04ab' + data[2:]) == (WIDTH, HEIGHT)
    for bad in (b'', data[:20], b'\xff\xd8\xff', compressed('png').data):
        assert jpeg_size(bad) is None


def test_exif_orientation_does_not_turn_the_picture():
    sent = compressed('jpg')
    exif = (
        b'\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0'
        b'\0\0\0\0'
    )
    data = bytes(sent.data)
    sent.data = data[:2] + exif + data[2:]
    turned = cv2.imdecode(np.frombuffer(sent.data, np.uint8), cv2.IMREAD_COLOR)
    assert turned.shape == (WIDTH, HEIGHT, 3)  # the tag works, elsewhere
    assert to_bgr_compressed(sent).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize(
    ('kind', 'data', 'form'),
    [
        ('size', b'', 'jpeg'),
        ('encoding', b'no picture at all', 'jpeg'),
        ('length', None, 'jpeg'),
        ('encoding', b'\x89PNG\r\n\x1a\n', 'png'),
        ('encoding', b'xx', '16UC1; compressedDepth png'),
    ],
)
def test_bad_compressed_images(kind, data, form):
    sent = compressed('jpg', form)
    if data is None:
        noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
        data = cv2.imencode('.jpg', noise)[1].tobytes()[:-4000]
    sent.data = data
    with pytest.raises(ImageError) as caught:
        to_bgr_compressed(sent)
    assert caught.value.kind == kind


@pytest.mark.parametrize('form', ['16UC1; png', 'mono16; png compressed', '16UC1; tiff', ''])
@pytest.mark.parametrize('bits', [10, 12, 14, 16])
def test_compressed_images_of_more_than_8_bits(form, bits):
    grey = picture()[..., 1]
    deep = grey.astype(np.uint16) * (257 if bits == 16 else 2 ** (bits - 8))
    suffix = '.tiff' if 'tiff' in form else '.png'
    sent = CompressedImage(format=form, data=cv2.imencode(suffix, deep)[1].tobytes())
    got = to_bgr_compressed(sent)
    assert got.dtype == np.uint8
    shown = got[..., 0].astype(float)
    assert shown.max() > 150
    np.testing.assert_allclose(shown / shown.max(), grey / grey.max(), atol=0.02)


@pytest.mark.parametrize('encoding', ['mono16', '16UC1', 'bgr16', 'bayer_rggb16'])
def test_raw_images_of_10_bits(encoding):
    full, step = packed(picture(), encoding)
    ten = np.ascontiguousarray(full) // 257 * 4
    got = to_bgr(message(ten, encoding, step)).astype(float)
    want = to_bgr(message(full, encoding, step)).astype(float)
    np.testing.assert_allclose(got / got.max(), want / want.max(), atol=0.02)
    assert got.max() > 200


def test_a_stream_has_steady_levels():
    levels = Levels()
    bright, dim = (np.full((HEIGHT, WIDTH), v, '<u2') for v in (1000, 400))
    first = to_bgr(message(bright, 'mono16', 2 * WIDTH), levels)
    second = to_bgr(message(dim, 'mono16', 2 * WIDTH), levels)
    assert second.mean() == pytest.approx(0.4 * first.mean(), rel=0.05)
    png = cv2.imencode('.png', np.full((HEIGHT, WIDTH), 400, np.uint16))[1].tobytes()
    third = to_bgr_compressed(CompressedImage(format='16UC1; png', data=png), levels=levels)
    assert third.mean() == pytest.approx(second.mean(), rel=0.1)


def without_tables(jpeg):
    """A JPEG without its Huffman tables, as UVC cameras send it: they are the usual ones."""
    out, at = bytearray(jpeg[:2]), 2
    while jpeg[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], 'big')
        out += b'' if jpeg[at + 1] == 0xC4 else jpeg[at:end]
        at = end
    return bytes(out) + jpeg[at:]


def encoded(suffix, image, *options):
    return cv2.imencode(suffix, image, list(options))[1].tobytes()


def cmyk(image):
    pictures = pytest.importorskip('PIL.Image')
    data = io.BytesIO()
    pictures.fromarray(image[..., ::-1]).convert('CMYK').save(data, 'JPEG', quality=95)
    return data.getvalue()


SENT = {
    'progressive': lambda image: encoded('.jpg', image, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    'restart markers': lambda image: encoded('.jpg', image, cv2.IMWRITE_JPEG_RST_INTERVAL, 1),
    'no Huffman tables': lambda image: without_tables(encoded('.jpg', image)),
    'padded to 4096': lambda image: encoded('.jpg', image).ljust(4096, b'\0'),
    'padded to 600 kB': lambda image: encoded('.jpg', image).ljust(600_000, b'\0'),
    'no end marker': lambda image: encoded('.jpg', image)[:-2],
    'fill bytes': lambda image: encoded('.jpg', image)[:-2] + b'\xff' * 9 + b'\xff\xd9',
    'CMYK': cmyk,
    'PNG with alpha': lambda image: encoded('.png', cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)),
    'WebP': lambda image: encoded('.webp', image, cv2.IMWRITE_WEBP_QUALITY, 101),
    'TIFF': lambda image: encoded('.tiff', image),
    'BMP': lambda image: encoded('.bmp', image),
}


@pytest.mark.parametrize('form', ['jpeg', 'jpg', '', 'bgr8; jpeg compressed bgr8', 'ünsinn'])
@pytest.mark.parametrize('kind', SENT)
def test_what_cameras_and_drivers_send(kind, form):
    image = np.kron(picture(), np.ones((4, 4, 1), np.uint8))
    got = to_bgr_compressed(CompressedImage(format=form, data=SENT[kind](image)))
    assert got.shape == image.shape
    tolerance = 60 if kind == 'CMYK' else 12  # CMYK is not measured by the same white
    assert np.abs(got[8:16, 8:16].astype(int) - image[8:16, 8:16]).max() <= tolerance


def test_depth_to_metres():
    sent = Image(width=3, height=1, encoding='16UC1', step=6)
    sent.data = np.array([[1500, 0, 65535]], '<u2').tobytes()
    np.testing.assert_allclose(to_metres(sent), [[1.5, np.nan, 65.535]], rtol=1e-6)
    sent = Image(width=4, height=1, encoding='32FC1', step=16)
    sent.data = np.array([[1.25, np.nan, np.inf, -1.0]], '<f4').tobytes()
    np.testing.assert_allclose(to_metres(sent), [[1.25, np.nan, np.nan, np.nan]])
    with pytest.raises(ImageError, match='depth encoding'):
        to_metres(Image(width=1, height=1, encoding='rgb8', step=3, data=b'abc'))
