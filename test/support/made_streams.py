# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Videos as recorders and browsers leave them, written by hand: no writer makes such by itself.

Matroska (and so WebM) with any times, with or without a duration and a rate; raw H.264 whose
macroblocks are all I_PCM, so that no encoder is needed; raw Motion JPEG.
"""

import itertools
import struct

import cv2
import numpy as np

UNKNOWN_SIZE = b'\x01' + b'\xff' * 7
"""Of an element of EBML that is being written live."""


def jpeg(image, quality=95):
    return cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def mjpeg(images):
    """JPEGs one after the other."""
    return b''.join(jpeg(image) for image in images)


def matroska(images, times, duration=None, rate=None, kind=b'webm'):
    """Images at `times`, seconds, in a file whose header has a duration and a rate or has not."""
    height, width = images[0].shape[:2]
    info = [_element('2ad7b1', _whole(1_000_000)), _element('4d80', b'made'),
            _element('5741', b'made')]  # fmt: skip
    info += [] if duration is None else [_element('4489', struct.pack('>d', 1e3 * duration))]
    size = _element('b0', _whole(width)) + _element('ba', _whole(height))
    track = [_element('d7', b'\x01'), _element('73c5', b'\x01'), _element('83', b'\x01'),
             _element('86', b'V_MJPEG'), _element('e0', size)]  # fmt: skip
    track += [] if rate is None else [_element('23e383', _whole(round(1e9 / rate)))]
    head = [
        _element('1a45dfa3', _element('4282', kind) + _element('4287', b'\x02')),
        bytes.fromhex('18538067') + UNKNOWN_SIZE,
        _element('1549a966', b''.join(info)),
        _element('1654ae6b', _element('ae', b''.join(track))),
    ]
    clusters = [
        _element('1f43b675', _element('e7', _whole(round(1e3 * time)))
                 + _element('a3', b'\x81\x00\x00\x80' + jpeg(image)))
        for image, time in zip(images, times, strict=True)
    ]  # fmt: skip
    return b''.join(head + clusters)


def _element(name, data):
    return bytes.fromhex(name) + struct.pack('>Q', len(data) | 1 << 56) + data


def _whole(number):
    return number.to_bytes(8, 'big')


def h264(images):
    """Raw H.264 (Annex B, baseline): each image an IDR picture of I_PCM macroblocks.

    The sides of the images must be multiples of 16.
    """
    height, width = images[0].shape[:2]
    sequence = _bits(_u(66, 8), _u(0, 8), _u(30, 8), _ue(0, 0, 2, 0), _u(0, 1),
                     _ue(width // 16 - 1, height // 16 - 1), '1100', '1')  # fmt: skip
    picture = _bits(_ue(0, 0), '00', _ue(0, 0, 0), '000', _ue(0, 0, 0), '100', '1')
    units = [b'\x67' + sequence, b'\x68' + picture]
    for number, image in enumerate(images):
        head = _ue(0, 7, 0) + _u(0, 4) + _ue(number % 2) + '00' + _ue(0, 1)
        units.append(b'\x65' + _slice(image, head))
    return b''.join(b'\0\0\0\1' + _escaped(unit) for unit in units)


def _slice(image, head):
    height, width = image.shape[:2]
    planes = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420).reshape(-1)
    luma, chroma = planes[: width * height].reshape(height, width), planes[width * height :]
    blue, red = np.maximum(chroma, 1).reshape(2, height // 2, width // 2)
    parts = []
    for y, x in itertools.product(range(0, height, 16), range(0, width, 16)):
        parts.append(_bits(head + _ue(25)))  # I_PCM, whose bytes are aligned
        parts.append(np.maximum(luma[y : y + 16, x : x + 16], 1).tobytes())
        for plane in (blue, red):
            parts.append(plane[y // 2 : y // 2 + 8, x // 2 : x // 2 + 8].tobytes())
        head = ''
    return b''.join([*parts, b'\x80'])


def _u(value, bits):
    return f'{value:0{bits}b}'


def _ue(*values):
    """Exp-Golomb codes."""
    codes = [f'{value + 1:b}' for value in values]
    return ''.join('0' * (len(code) - 1) + code for code in codes)


def _bits(*parts):
    bits = ''.join(parts)
    bits += '0' * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, 'big')


def _escaped(unit):
    """Emulation prevention: no start code inside of a unit."""
    out = bytearray()
    zeros = 0
    for byte in unit:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)
