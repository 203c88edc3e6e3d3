# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image messages to arrays, in every usual encoding, without needless copies.

The messages are `sensor_msgs/Image` and `CompressedImage`, from ROS or from a bag read without it:
any object with their fields. An image in `bgr8` becomes a view of the memory of the message. Other
encodings are converted once, by OpenCV.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from headpose_ros.media.decoding import ImageError, decode, jpeg_size
from headpose_ros.media.levels import Levels
from headpose_ros.typing import Image

__all__ = [
    'ENCODINGS',
    'Bgr',
    'CompressedImageMessage',
    'Encoding',
    'ImageError',
    'ImageMessage',
    'Pixels',
    'jpeg_size',
    'stored_pixels',
    'to_bgr',
    'to_bgr_compressed',
    'to_metres',
]

Pixels = NDArray[Any]
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


@dataclass(frozen=True)
class Encoding:
    """Memory layout of one encoding, and the conversion to BGR of its pixels once of 8 bits.

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


def _as_it_is(pixels: Pixels) -> Bgr:
    return pixels


def _encodings() -> dict[str, Encoding]:
    u8, u16 = np.uint8, np.uint16
    table = {
        'bgr8': Encoding(u8, 3, _as_it_is),
        '8UC3': Encoding(u8, 3, _as_it_is),
        'rgb8': Encoding(u8, 3, _cvt(cv2.COLOR_RGB2BGR)),
        'bgra8': Encoding(u8, 4, _cvt(cv2.COLOR_BGRA2BGR)),
        'rgba8': Encoding(u8, 4, _cvt(cv2.COLOR_RGBA2BGR)),
        'mono8': Encoding(u8, 1, _cvt(cv2.COLOR_GRAY2BGR)),
        '8UC1': Encoding(u8, 1, _cvt(cv2.COLOR_GRAY2BGR)),
        'mono16': Encoding(u16, 1, _cvt(cv2.COLOR_GRAY2BGR)),
        'bgr16': Encoding(u16, 3, _as_it_is),
        'rgb16': Encoding(u16, 3, _cvt(cv2.COLOR_RGB2BGR)),
        # What infrared and thermal cameras send, and drivers that know no better name.
        '16UC1': Encoding(u16, 1, _cvt(cv2.COLOR_GRAY2BGR)),
        '16UC3': Encoding(u16, 3, _as_it_is),
        '16SC1': Encoding(np.int16, 1, _cvt(cv2.COLOR_GRAY2BGR)),
        '32FC1': Encoding(np.float32, 1, _cvt(cv2.COLOR_GRAY2BGR)),
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
        table[f'bayer_{name}16'] = Encoding(u16, 1, _cvt(code))
    return table


ENCODINGS = _encodings()
"""Every encoding of a colour or grey image that is read."""

_DEPTH_ENCODINGS: dict[str, type[np.generic]] = {
    '16UC1': np.uint16,
    'mono16': np.uint16,
    '32FC1': np.float32,
}


def to_bgr(message: ImageMessage, levels: Levels | None = None) -> Bgr:
    """Return the pixels of `message`, (H,W,3) uint8 BGR; raise ImageError where it is bad.

    `levels`: those of the stream that it is part of; None: it is scaled by what it holds itself,
    where it has more than 8 bits. The array may share memory with the message and must not be
    written to.
    """
    encoding, pixels = stored_pixels(message)
    return encoding.to_bgr((levels or Levels()).eight_bit(pixels))


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


def to_bgr_compressed(
    message: CompressedImageMessage, reduction: int = 1, levels: Levels | None = None
) -> Bgr:
    """Decode a JPEG, PNG or the like, (H,W,3) uint8 BGR; raise ImageError where it is bad.

    `reduction` 2, 4 or 8 returns an image ceil(W / reduction) wide whose pixels are block means.
    Use it for JPEG only, which it makes faster. `levels`: as in `to_bgr`.
    """
    if 'compressedDepth' in message.format:
        raise ImageError('encoding', 'this is a compressed depth image; expected a colour image')
    data = np.frombuffer(message.data, np.uint8)
    if not len(data):
        raise ImageError('size', 'the compressed image is empty; check the driver')
    # CameraInfo describes the pixels as stored: an EXIF orientation must not turn them.
    flags = _REDUCED[reduction] | cv2.IMREAD_IGNORE_ORIENTATION
    flags |= cv2.IMREAD_ANYDEPTH if reduction == 1 else 0
    try:
        image = decode(data, flags)
    except ImageError as error:
        hint = '; check the network and the driver' if error.kind == 'length' else ''
        raise ImageError(
            error.kind,
            f'{len(data)} bytes in format {message.format!r} cannot be decoded: {error}{hint}',
        ) from None
    return (levels or Levels()).eight_bit(image)
