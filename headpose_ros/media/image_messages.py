# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image messages to arrays, in every usual encoding, without needless copies.

The messages are `sensor_msgs/Image` and `CompressedImage`, from ROS or from a bag read without it:
any object with their fields. An image in `bgr8` becomes a view of the memory of the message. Other
encodings are converted once, by OpenCV.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.typing import Image

Pixels = NDArray[Any]
_HEADER_BYTES = 1 << 16  # in which the frame header is looked for
_NO_FRAME_HEADERS = (0xC4, 0xC8, 0xCC)  # among the markers C0 to CF
Bgr = Image


class ImageMessage(Protocol):
    """The fields of `sensor_msgs/Image` that are read here."""

    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: Any


class CompressedImageMessage(Protocol):
    """The fields of `sensor_msgs/CompressedImage` that are read here."""

    format: str
    data: Any


class ImageError(ValueError):
    """An image message that cannot be used; `kind` is a key for its cause."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True)
class Encoding:
    """Memory layout of one encoding, and its conversion to BGR.

    `rows`: rows of the buffer per row of the image (planes of nv12 lie below each other).
    `even`: the sides that must be even: width, height.
    """

    dtype: type[np.generic]
    channels: int
    to_bgr: Callable[[Pixels], Bgr]
    rows: float = 1.0
    even: tuple[str, ...] = ()


def _cvt(code: int) -> Callable[[Pixels], Bgr]:
    def convert(pixels: Pixels) -> Bgr:
        return cv2.cvtColor(pixels, code)

    return convert


def _eight_bit(pixels: Pixels) -> Bgr:
    # The whole range of 16 bits onto that of 8, as cv_bridge does.
    return cv2.convertScaleAbs(pixels, alpha=255.0 / 65535.0)


def _cvt16(code: int | None) -> Callable[[Pixels], Bgr]:
    def convert(pixels: Pixels) -> Bgr:
        low = _eight_bit(pixels)
        return low if code is None else cv2.cvtColor(low, code)

    return convert


def _encodings() -> dict[str, Encoding]:
    u8, u16 = np.uint8, np.uint16
    table = {
        'bgr8': Encoding(u8, 3, lambda pixels: pixels),
        '8UC3': Encoding(u8, 3, lambda pixels: pixels),
        'rgb8': Encoding(u8, 3, _cvt(cv2.COLOR_RGB2BGR)),
        'bgra8': Encoding(u8, 4, _cvt(cv2.COLOR_BGRA2BGR)),
        'rgba8': Encoding(u8, 4, _cvt(cv2.COLOR_RGBA2BGR)),
        'mono8': Encoding(u8, 1, _cvt(cv2.COLOR_GRAY2BGR)),
        '8UC1': Encoding(u8, 1, _cvt(cv2.COLOR_GRAY2BGR)),
        'mono16': Encoding(u16, 1, _cvt16(cv2.COLOR_GRAY2BGR)),
        'bgr16': Encoding(u16, 3, _cvt16(None)),
        'rgb16': Encoding(u16, 3, _cvt16(cv2.COLOR_RGB2BGR)),
    }
    uyvy = Encoding(u8, 2, _cvt(cv2.COLOR_YUV2BGR_UYVY), even=('width',))
    yuyv = Encoding(u8, 2, _cvt(cv2.COLOR_YUV2BGR_YUY2), even=('width',))
    table.update({'yuv422': uyvy, 'uyvy': uyvy, 'yuv422_yuy2': yuyv, 'yuyv': yuyv})
    table['nv12'] = Encoding(
        u8, 1, _cvt(cv2.COLOR_YUV2BGR_NV12), rows=1.5, even=('width', 'height')
    )
    table['nv21'] = Encoding(
        u8, 1, _cvt(cv2.COLOR_YUV2BGR_NV21), rows=1.5, even=('width', 'height')
    )
    # OpenCV names a Bayer pattern by the second row's second and third pixel, ROS by the first
    # two pixels of both rows.
    patterns = {
        'rggb': cv2.COLOR_BayerBG2BGR,
        'bggr': cv2.COLOR_BayerRG2BGR,
        'gbrg': cv2.COLOR_BayerGR2BGR,
        'grbg': cv2.COLOR_BayerGB2BGR,
    }
    for name, code in patterns.items():
        table[f'bayer_{name}8'] = Encoding(u8, 1, _cvt(code))
        table[f'bayer_{name}16'] = Encoding(u16, 1, _cvt16(code))
    return table


ENCODINGS = _encodings()
"""Every encoding of a colour or grey image that is read."""

_DEPTH_ENCODINGS: dict[str, type[np.generic]] = {
    '16UC1': np.uint16,
    'mono16': np.uint16,
    '32FC1': np.float32,
}


def to_bgr(message: ImageMessage) -> Bgr:
    """Return the pixels of `message`, (H,W,3) uint8 BGR; raise ImageError where it is bad.

    The array may share memory with the message and must not be written to.
    """
    encoding, pixels = stored_pixels(message)
    return encoding.to_bgr(pixels)


def stored_pixels(message: ImageMessage) -> tuple[Encoding, Pixels]:
    """Return the encoding and a view of the pixels as they are stored; raise ImageError."""
    encoding = ENCODINGS.get(message.encoding)
    if encoding is None:
        raise ImageError(
            'encoding',
            f'encoding {message.encoding!r} is not one of {", ".join(ENCODINGS)}; '
            'set the driver to bgr8, or convert with image_proc',
        )
    if odd := [side for side in encoding.even if getattr(message, side) % 2]:
        raise ImageError(
            'size',
            f'{message.encoding} needs an even {" and ".join(odd)}, got '
            f'{message.width}x{message.height}',
        )
    pixels = _view(message, encoding.dtype, encoding.channels, encoding.rows)
    return encoding, pixels


def to_metres(message: ImageMessage) -> NDArray[np.float32]:
    """Return a depth image, (H,W) float32 metres, NaN where unknown; raise ImageError if bad.

    `16UC1` holds millimetres with 0 for unknown, `32FC1` metres (REP-118).
    """
    dtype = _DEPTH_ENCODINGS.get(message.encoding)
    if dtype is None:
        raise ImageError(
            'encoding',
            f'depth encoding {message.encoding!r} is not one of 16UC1 (millimetres), '
            '32FC1 (metres)',
        )
    pixels = _view(message, dtype, 1, 1.0)
    metres = pixels.astype(np.float32)
    if dtype is np.uint16:
        metres *= 0.001
    metres[~(np.isfinite(metres) & (metres > 0.0))] = np.nan
    return metres


def _view(message: ImageMessage, dtype: type[np.generic], channels: int, rows: float) -> Pixels:
    """View the message's memory as (H,W) or (H,W,C) in the machine's byte order."""
    width, height, step = message.width, message.height, message.step
    if width == 0 or height == 0:
        raise ImageError('size', f'the image is empty ({width}x{height}); check the driver')
    item = np.dtype(dtype).itemsize
    min_step = width * channels * item
    if step < min_step or step % item:
        raise ImageError(
            'step',
            f'step is {step} bytes, but {width} pixels of {message.encoding} need {min_step}; '
            'step or encoding is wrong; check the driver',
        )
    lines = int(height * rows)
    buffer = np.frombuffer(message.data, np.uint8)
    # The last row may lack its padding.
    if len(buffer) < step * (lines - 1) + min_step:
        raise ImageError(
            'length',
            f'data holds {len(buffer)} bytes, but {lines} rows of {step} need {step * lines}; '
            'the image is truncated or its encoding is wrong',
        )
    if item > 1 and bool(message.is_bigendian) != (sys.byteorder == 'big'):
        dtype_in = np.dtype(dtype).newbyteorder()
    else:
        dtype_in = np.dtype(dtype)
    shape = (lines, width) if channels == 1 else (lines, width, channels)
    strides = (step, item) if channels == 1 else (step, item * channels, item)
    pixels: Pixels = np.ndarray(shape, dtype_in, buffer, 0, strides)
    return pixels if dtype_in.isnative else pixels.astype(dtype)


_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


def to_bgr_compressed(message: CompressedImageMessage, reduction: int = 1) -> Bgr:
    """Decode a JPEG, PNG or the like, (H,W,3) uint8 BGR; raise ImageError where it is bad.

    `reduction` 2, 4 or 8 returns an image ceil(W / reduction) wide whose pixels are block means.
    Use it for JPEG only, which it makes faster.
    """
    if 'compressedDepth' in message.format:
        raise ImageError('encoding', 'this is a compressed depth image; expected a colour image')
    data = np.frombuffer(message.data, np.uint8)
    if not len(data):
        raise ImageError('size', 'the compressed image is empty; check the driver')
    if _cut_short(bytes(data[:2]), bytes(data[-1024:])):
        raise ImageError(
            'length',
            f'the JPEG of {len(data)} bytes has no end marker: it is truncated; '
            'check the network and the driver',
        )
    try:
        # CameraInfo describes the pixels as stored: an EXIF orientation must not turn them.
        flags = _REDUCED[reduction] | cv2.IMREAD_IGNORE_ORIENTATION
        image = cv2.imdecode(data, flags)
    except cv2.error:
        image = None
    if image is None:
        raise ImageError(
            'encoding',
            f'{len(data)} bytes in format {message.format!r} cannot be decoded; '
            'expected JPEG or PNG',
        )
    return image


def jpeg_size(data: Any) -> tuple[int, int] | None:
    """Return width and height that the header of a JPEG states; None where it is no JPEG."""
    head = bytes(data[:_HEADER_BYTES])
    at = 2
    while head[:2] == b'\xff\xd8' and at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME_HEADERS:
            height, width = struct.unpack('>HH', head[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(head[at + 2 : at + 4], 'big')
    return None


def _cut_short(start: bytes, end: bytes) -> bool:
    return start == b'\xff\xd8' and b'\xff\xd9' not in end
