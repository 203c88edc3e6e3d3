# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration files that are lists of words and numbers: COLMAP's cameras, and ROS's ost.txt."""

from __future__ import annotations

import re

from headpose_ros.geometry.camera_info import Fields
from headpose_ros.geometry.checks import whole_number
from headpose_ros.geometry.errors import CameraModelError

_COLMAP: dict[str, tuple[int, str, int]] = {
    'SIMPLE_PINHOLE': (1, '', 0),
    'PINHOLE': (2, '', 0),
    'SIMPLE_RADIAL': (1, 'plumb_bob', 1),
    'RADIAL': (1, 'plumb_bob', 2),
    'OPENCV': (2, 'plumb_bob', 4),
    'FULL_OPENCV': (2, 'rational_polynomial', 8),
    'SIMPLE_RADIAL_FISHEYE': (1, 'equidistant', 1),
    'RADIAL_FISHEYE': (1, 'equidistant', 2),
    'OPENCV_FISHEYE': (2, 'equidistant', 4),
}
"""Focal lengths, lens model and coefficients of COLMAP's camera models (its sensor/models.h)."""
_COLMAP_LINE = re.compile(r'\d+\s+([A-Z][A-Z_]+)\s+(\d+)\s+(\d+)((?:\s+\S+)+)\s*')


def is_colmap(text: str) -> bool:
    """Tell whether this is COLMAP's cameras.txt."""
    lines = _without_comments(text)
    return bool(lines) and _COLMAP_LINE.fullmatch(lines[0]) is not None


def colmap_fields(text: str) -> Fields:
    """Return the first camera of a cameras.txt.

    COLMAP's pixel coordinates are half a pixel larger than ours: those of the first pixel's centre
    are 0.5, 0.5.
    """
    lines = _without_comments(text)
    found = _COLMAP_LINE.fullmatch(lines[0])
    assert found is not None
    name, width, height = found.group(1), int(found.group(2)), int(found.group(3))
    if name not in _COLMAP:
        raise CameraModelError(
            f'camera model {name!r} of COLMAP cannot be used; known are {", ".join(_COLMAP)}'
        )
    focals, lens, count = _COLMAP[name]
    numbers = _numbers(found.group(4))
    if len(numbers) != focals + 2 + count:
        raise CameraModelError(
            f'camera model {name!r} of COLMAP has {focals + 2 + count} parameters, '
            f'got {len(numbers)}'
        )
    fx, fy = numbers[0], numbers[focals - 1]
    cx, cy = (value - 0.5 for value in numbers[focals : focals + 2])
    d = numbers[focals + 2 :]
    d += [0.0] * (4 - len(d) if d else 0)
    notes = (f'holds {len(lines)} cameras: the first is taken',) if len(lines) > 1 else ()
    return Fields(width, height, lens, d, [fx, 0, cx, 0, fy, cy, 0, 0, 1], notes=notes)


def is_ost(text: str) -> bool:
    """Tell whether this is the ost.txt of camera_calibration."""
    return '[image]' in (line.strip() for line in text.splitlines())


def ost_fields(text: str) -> Fields:
    """Return the first camera of an ost.txt: names on lines of their own, and numbers below."""
    found: dict[str, list[float]] = {}
    name, cameras = '', 0
    for line in _without_comments(text):
        if line.startswith('['):
            cameras += line != '[image]'
            name = ''
        elif line[0].isalpha() and line.lower() not in ('nan', 'inf'):
            name = line
        elif cameras < 2:
            found.setdefault(name, []).extend(_numbers(line))
    for name in ('width', 'height', 'camera matrix'):
        if not found.get(name):
            raise CameraModelError(
                f'{name} is missing: expected the ost.txt of camera_calibration'
            )
    d = found.get('distortion', [])
    if len(d) == 4 and any(d):
        raise CameraModelError(
            'four coefficients, of which ost.txt does not say the lens model: take ost.yaml, '
            'which camera_calibration writes beside it'
        )
    model = 'rational_polynomial' if len(d) == 8 else 'plumb_bob'
    width, height = (whole_number(found[name][0], name) for name in ('width', 'height'))
    notes = (f'holds {cameras} cameras: the first is taken',) if cameras > 1 else ()
    k, p = found['camera matrix'], found.get('projection', [])
    return Fields(width, height, model, d, k, p, ('camera matrix', 'projection'), notes)


def _without_comments(text: str) -> list[str]:
    lines = (line.partition('#')[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def _numbers(words: str) -> list[float]:
    try:
        return [float(word) for word in words.split()]
    except ValueError:
        raise CameraModelError(f'expected numbers, got {words.strip()[:60]!r}') from None
