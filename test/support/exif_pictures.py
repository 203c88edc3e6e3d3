# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""JPEG pictures with EXIF entries, as cameras write them."""

import struct

import cv2
import numpy as np


def jpeg_with_exif(tags, width=48, height=32, order='<', image=None):
    """Return the bytes of a JPEG whose EXIF directory holds `tags`, whole numbers by tag."""
    image = np.full((height, width, 3), 90, np.uint8) if image is None else image
    data = cv2.imencode('.jpg', image)[1].tobytes()
    start = 8 + 2 + 12 + 4  # behind a first directory with one entry
    first = struct.pack(order + 'HHHLLL', 1, 0x8769, 4, 1, start, 0)
    entries = b''.join(struct.pack(order + 'HHLL', tag, 4, 1, tags[tag]) for tag in sorted(tags))
    directory = struct.pack(order + 'H', len(tags)) + entries + bytes(4)
    mark = {'<': b'II*\0', '>': b'MM\0*'}[order]
    exif = b'Exif\0\0' + mark + struct.pack(order + 'L', 8) + first + directory
    segment = b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif
    return data[:2] + segment + data[2:]
