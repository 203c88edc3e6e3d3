# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Made images and heads for the viewer."""

import numpy as np

from headpose_ros.geometry import CameraModel
from headpose_ros.heads import Head, Roi
from headpose_ros.result import FrameResult
from headpose_ros.viewer.shot import Shot

CAMERA = CameraModel.from_fov(320, 240, 1.0)


def made_head(id_='f0001', azimuth=0.3, position=(0.1, 0.0, 1.2), camera=CAMERA):
    """Return a head that faces `azimuth` rad to the side of the camera."""
    sine, cosine = np.sin(azimuth), np.cos(azimuth)
    # x of the face towards the camera (-z), y to the person's left (+x), z up (-y).
    facing = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
    turn = np.array([[cosine, 0.0, -sine], [0.0, 1.0, 0.0], [sine, 0.0, cosine]])
    (pixel,), _ = camera.pixels([position])
    x, y = (int(value) for value in pixel)
    covariance = np.diag([0.01, 0.01, 0.04, 0.01, 0.01, 0.01])
    rotation = turn @ facing
    roi = Roi(x - 20, y - 20, 40, 40)
    return Head(id_, rotation, position, covariance, 0.9, roi, 0.1, abs(azimuth))


def made_shot(stamp_ns, heads=None, colour=(30, 30, 200), camera=CAMERA, **more):
    """Return an image of one colour (B, G, R) with `heads`, by default one."""
    heads = [made_head(camera=camera)] if heads is None else heads
    image = np.full((camera.height, camera.width, 3), colour, np.uint8)
    principal = heads[0].id if heads else None
    timings = {'search': 1.0, 'total': 4.0}
    result = FrameResult(tuple(heads), principal, 1e-9 * stamp_ns, timings, camera)
    return Shot(image, camera, result, stamp_ns, **more)
