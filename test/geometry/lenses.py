# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cameras that the geometry tests share, from mild to as strong as lenses come."""

import math

from headpose_ros.geometry import CameraModel

K = (400.0, 0.0, 310.0, 0.0, 420.0, 250.0, 0.0, 0.0, 1.0)
WIDTH, HEIGHT = 640, 480

COEFFICIENTS = {
    'pinhole': ('', ()),
    'plumb_bob4': ('plumb_bob', (-0.28, 0.07, 0.001, -0.002)),
    'barrel': ('plumb_bob', (-0.3, 0.12, 0.0012, -0.0023, -0.01)),
    'pincushion': ('plumb_bob', (0.25, -0.12, 0.001, -0.002, 0.3)),
    'rational': ('rational_polynomial', (7.0, 3.0, 0.001, 0.0003, 0.2, 7.2, 4.9, 1.0)),
    'prism': (
        'rational_polynomial',
        (-0.2, 0.03, 0.001, 0.0003, 0.0, 0.1, 0.0, 0.0, 0.001, -0.0004, 0.002, 0.0003),
    ),
    'tilt': (
        'rational_polynomial',
        (
            -0.2,
            0.03,
            0.001,
            0.0003,
            0.0,
            0.1,
            0.0,
            0.0,
            0.001,
            -0.0004,
            0.002,
            0.0003,
            0.04,
            -0.03,
        ),
    ),
    'fisheye': ('equidistant', (-0.02, 0.003, -0.001, 0.0002)),
}


def camera(name: str) -> CameraModel:
    """Return one of `COEFFICIENTS` with fx != fy and the principal point off centre."""
    model, d = COEFFICIENTS[name]
    return CameraModel.from_matrix(K, WIDTH, HEIGHT, model, d)


def fisheye(width: int = 1280, height: int = 1280, across: float = 3.3) -> CameraModel:
    """Return a wide fisheye whose image spans `across` rad from left to right."""
    f = width / across
    k = (f, 0.0, (width - 1) / 2, 0.0, f, (height - 1) / 2, 0.0, 0.0, 1.0)
    return CameraModel.from_matrix(k, width, height, 'equidistant', (0.012, -0.004, 0.001, 0.0))


def panorama(width: int = 1024, height: int = 512, across: float = 2 * math.pi) -> CameraModel:
    """Return a panorama whose image spans `across` rad from left to right."""
    return CameraModel.from_fov(width, height, across, 'equirectangular')
