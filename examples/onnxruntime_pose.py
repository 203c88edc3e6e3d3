#!/usr/bin/env python3
# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run the pose network without this package: onnxruntime and NumPy, for a face whose box is known.

    headpose weights export pose_clean --onnx pose.onnx
    python examples/onnxruntime_pose.py pose.onnx photo.jpg 265,150,375,260 60

The numbers: the face's box x0,y0,x1,y1 in pixels, and the camera's horizontal field of view,
degrees.
"""

import math
import sys
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

Array = NDArray[Any]


def rotation_to_axis(ray: Array) -> Array:
    """Return the smallest rotation (3,3) that takes the unit vector `ray` to z."""
    x, y, z = ray
    cross = np.array([[0, 0, -x], [0, 0, -y], [x, y, 0]])  # of ray x z, as a matrix
    return np.eye(3) + cross + cross @ cross / (1 + z)


def crop_of(image: Array, box: Array, focal: float, size: int) -> tuple[Array, float, Array]:
    """Return the crop (size,size,3) of a virtual camera that looks at the box, and how it stands.

    That is tan of half its angle, and the rotation (3,3) from the camera to it.
    """
    height, width = image.shape[:2]
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    ray = np.append((np.array([box[0] + box[2], box[1] + box[3]]) / 2 - middle) / focal, 1.0)
    distance = np.linalg.norm(ray)
    virtual_from_camera = rotation_to_axis(ray / distance)
    tan_half = max(box[2] - box[0], box[3] - box[1]) * 1.2 / 2 / focal / distance
    steps = (np.arange(size) + 0.5) / size * 2 - 1
    across, down = np.meshgrid(steps * tan_half, steps * tan_half)
    rays = np.stack([across, down, np.ones_like(across)], -1) @ virtual_from_camera
    pixels = rays[..., :2] / rays[..., 2:] * focal + middle
    pixels = pixels.astype(np.float32)
    crop = cv2.remap(image, pixels[..., 0], pixels[..., 1], cv2.INTER_AREA)
    return crop, tan_half, virtual_from_camera


def rotation_of(output: Array, tan_half: float) -> Array:
    """Return the rotation (3,3) from the face to the virtual camera.

    What the numbers of `output` (14,) are: headpose_ros/estimation/pose_network.py.
    """
    first = output[:3] / np.linalg.norm(output[:3])
    second = output[3:6] - first * (first @ output[3:6])
    second /= np.linalg.norm(second)
    looking_from_face = np.column_stack([first, second, np.cross(first, second)])
    ray = np.append(output[9:11] * tan_half, 1.0)
    return rotation_to_axis(ray / np.linalg.norm(ray)).T @ looking_from_face


def main(model: str, picture: str, box: str, hfov: str) -> None:
    """Print where the nose points: degrees to the image's left, and up."""
    image = cv2.imread(picture)
    focal = image.shape[1] / 2 / math.tan(math.radians(float(hfov)) / 2)
    session = onnxruntime.InferenceSession(model, providers=['CPUExecutionProvider'])
    size = session.get_inputs()[0].shape[1]
    corners = np.array([float(x) for x in box.split(',')])
    crop, tan_half, virtual_from_camera = crop_of(image, corners, focal, size)
    (output,) = session.run(['pose'], {'images': crop[None]})
    camera_from_face = virtual_from_camera.T @ rotation_of(output[0].astype(float), tan_half)
    nose = camera_from_face[:, 0]  # in the camera's frame: x right, y down, z ahead
    face = 1 / (1 + math.exp(-output[0][13]))
    azimuth = math.degrees(math.atan2(-nose[0], -nose[2]))
    elevation = math.degrees(math.asin(-nose[1]))
    print(f'azimuth {azimuth:.1f}, elevation {elevation:.1f} degrees; a face by {face:.2f}')


if __name__ == '__main__':
    main(*sys.argv[1:5])
